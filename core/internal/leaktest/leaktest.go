// Package leaktest makes the tests of a package fail if they leave goroutines running.
package leaktest

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main runs the tests and ends the program. Goroutines get ten seconds to end, since
// those of closed connections take a moment on a busy machine.
func Main(m *testing.M) { goleak.VerifyTestMain(waiting{m}) }

type waiting struct{ *testing.M }

// Run runs the tests, then waits for goroutines to end. The loop needs no pause:
// goleak.Find takes about 0.4 seconds while there are goroutines.
func (w waiting) Run() int {
	code := w.M.Run()
	for limit := time.Now().Add(10 * time.Second); goleak.Find() != nil && time.Now().Before(limit); {
	}
	return code
}
