package redisstore

// NewStore is New with two more parameters: how often the store catches up, and after how
// much silence it takes a connection for dead.
var NewStore = newStore

// DeadAfter is after how much silence a store of New takes a connection for dead.
const DeadAfter = deadAfter
