package redisstore

// NewStore is New with another interval of catching up, and another silence after which
// a connection is dead.
var NewStore = newStore

// DeadAfter is the silence after which a connection of New is dead.
const DeadAfter = deadAfter
