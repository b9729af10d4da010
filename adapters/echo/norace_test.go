//go:build !race

package authgearecho_test

const raceEnabled = false
