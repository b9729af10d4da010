package doctor_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// dated answers as the server does, but its Date header is off by this much.
type dated struct {
	slow
	off time.Duration
}

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := d.slow.RoundTrip(r)
	if err == nil {
		answer.Header.Set("Date", time.Now().Add(d.off).UTC().Format(http.TimeFormat))
	}
	return answer, err
}

func TestClock(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t)
	for off, c := range map[time.Duration]struct {
		status doctor.Status
		says   []string
	}{
		0:                 {doctor.StatusOK, nil},
		-6 * time.Second:  {doctor.StatusOK, nil}, // Date leaves out up to a second
		-7 * time.Second:  {doctor.StatusWarning, []string{"6s ahead of Authgear", "NTP"}},
		-12 * time.Second: {doctor.StatusFailed, []string{"ahead of Authgear, more than the Leeway of 10s", "expired before their time"}},
		2 * time.Minute:   {doctor.StatusFailed, []string{"2m0s behind Authgear", "not yet valid"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := doctor.Run(t.Context(), doctor.Config{Endpoint: s.Endpoint(), HTTPClient: &http.Client{Transport: dated{slow{s, 0}, off}}})
			wantStep(t, r, "clock", c.status, c.says...)
			time.Sleep(time.Minute) // on the clock of synctest: goroutines that wait for a time-out end
		})
	}
}
