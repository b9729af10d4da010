//go:build !race

package authgear_test

const raceEnabled = false
