//go:build race

package authgearecho_test

const raceEnabled = true
