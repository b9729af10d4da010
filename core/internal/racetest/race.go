//go:build race

// Package racetest tells tests whether the race detector is on, since the race detector
// allocates memory of its own.
package racetest

// Enabled says whether the race detector is on.
const Enabled = true
