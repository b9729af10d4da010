// Package agetest makes readings of a clock that was set, or that stood still
// while the machine slept.
package agetest

import (
	"time"
	"unsafe"
)

// TB is what the function needs of a test.
type TB interface {
	Helper()
	Skip(...any)
}

// ShiftWall moves the wall clock of a reading only, as when the clock was set or
// the machine slept since. It knows how package time keeps both readings.
func ShiftWall(t TB, at time.Time, by time.Duration) time.Time {
	t.Helper()
	shifted := at
	(*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&shifted)).wall += uint64(by/time.Second) << 30 //nolint:gosec // wraps on purpose
	if shifted.Sub(at) != 0 || shifted.Round(0).Sub(at.Round(0)) != by {
		t.Skip("package time keeps its readings in another way")
	}
	return shifted
}
