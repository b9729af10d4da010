// Package redisstore tells all processes of a service which users were disabled, by
// Redis or Valkey.
//
// Each process keeps what it has heard in its own memory, and for a request
// looks only there. Redis keeps one time for each user, for as long as a token
// from before that time can live. Redis's pub/sub tells the other processes at
// once. A process reads what it has missed when it is connected again, and
// every half minute. Without Redis each process goes on by itself. The
// guarantee is the freshness window, as without a store.
//
// See docs/processes.md for what happens in each fault, the commands that Redis's ACL must
// allow, and memory.
package redisstore
