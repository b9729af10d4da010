package doctor_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// hanging refuses what has a token, and never answers what has a cookie only.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	status, header := http.StatusNotFound, http.Header{}
	if r.URL.Path == resolvePath {
		if r.Header.Get("Authorization") == "" {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		status = http.StatusOK
		header.Set("X-Authgear-Session-Valid", "false")
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// Each of many names costs a time-out; all together no more than half a minute.
func TestLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config := doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: &http.Client{Transport: hanging{}}}
		for i := range 20 {
			config.Cookies = append(config.Cookies, fmt.Sprintf("my%d", i))
		}
		start := time.Now()
		r := doctor.Run(t.Context(), config)
		if took := time.Since(start); took < 25*time.Second || took > 30*time.Second {
			t.Errorf("it took %v:\n%s", took, r)
		}
		wantStep(t, r, "cookie_name", doctor.StatusSkipped, "not answered")
		time.Sleep(time.Minute) // of the bubble, for what runs into its own time-out
	})
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := doctor.Run(ctx, doctor.Config{Endpoint: "https://auth.example.com"})
	wantStep(t, r, "discovery", doctor.StatusFailed, context.Canceled.Error())
	wantStep(t, r, "clock", doctor.StatusSkipped)
}
