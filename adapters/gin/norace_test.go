//go:build !race

package authgeargin_test

const raceEnabled = false
