//go:build race

package claims_test

// raceEnabled: the race detector allocates memory of its own.
const raceEnabled = true
