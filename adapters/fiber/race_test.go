//go:build race

package authgearfiber_test

const raceEnabled = true
