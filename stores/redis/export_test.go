package redisstore

// NewStore is New with another interval of catching up.
var NewStore = newStore

// Silence is how long the store listens to a dead connection.
const Silence = silence
