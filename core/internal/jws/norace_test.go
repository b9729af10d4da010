//go:build !race

package jws_test

// raceEnabled: the race detector allocates memory of its own.
const raceEnabled = false
