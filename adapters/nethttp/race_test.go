//go:build race

package authgearhttp_test

const raceEnabled = true
