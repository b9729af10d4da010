//go:build race

// Package racetest tells tests whether the race detector is on: it allocates
// memory of its own.
package racetest

// Enabled says whether the race detector is on.
const Enabled = true
