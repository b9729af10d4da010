package redisstore

// NewStore is New with another interval of catching up.
var NewStore = newStore

// Silence is how long a dead connection is listened to.
const Silence = silence
