//go:build !race

package keys

// raceEnabled: the race detector allocates memory of its own.
const raceEnabled = false
