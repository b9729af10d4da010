//go:build race

package authgear_test

const raceEnabled = true
