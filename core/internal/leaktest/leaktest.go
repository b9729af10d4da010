// Package leaktest fails a package whose tests leave goroutines behind.
package leaktest

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main runs the tests and ends the program. Goroutines get ten seconds to end, since
// those of closed connections take a moment on a busy machine.
func Main(m *testing.M) { goleak.VerifyTestMain(patient{m}) }

type patient struct{ *testing.M }

// Run runs the tests. goleak.Find takes about 0.4 seconds when there are goroutines.
func (p patient) Run() int {
	code := p.M.Run()
	for limit := time.Now().Add(10 * time.Second); goleak.Find() != nil && time.Now().Before(limit); {
	}
	return code
}
