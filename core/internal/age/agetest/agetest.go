// Package agetest makes times as read from a clock that was set, or that stood still
// while the machine slept.
package agetest

import (
	"time"
	"unsafe"
)

// TB is the part of testing.TB that ShiftWall needs.
type TB interface {
	Helper()
	Skip(...any)
}

// ShiftWall moves the wall clock reading of a time and leaves the monotonic one, as
// when the clock was set or the machine slept since. It knows how package time stores both.
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
