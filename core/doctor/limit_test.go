package doctor_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// hanging refuses requests with a token, and never answers requests with only a cookie.
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

// Each of many names costs a time-out, but all together cost no more than half a minute.
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
		wantStep(t, r, "cookie_name", doctor.StatusSkipped, "the half minute is over")
		wantStep(t, r, "time", doctor.StatusFailed, "the half minute is over")
		time.Sleep(time.Minute) // of the bubble, for what runs into its own time-out
	})
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := doctor.Run(ctx, doctor.Config{Endpoint: "https://auth.example.com"})
	wantStep(t, r, "discovery", doctor.StatusSkipped, context.Canceled.Error())
	wantStep(t, r, "clock", doctor.StatusSkipped)
}

// slow answers as the server does, a little later.
type slow struct {
	*authgeartest.Server
	by time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(s.by):
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// When the end of the run has cut a step, neither the token nor the keys are at fault:
// the keys were there. But all is not well either.
func TestCutByTime(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t)
	config := doctor.Config{Endpoint: s.Endpoint(), Token: s.AccessToken(s.AddUser(authgeartest.User{})), HTTPClient: &http.Client{Transport: slow{s, 1900 * time.Millisecond}}}
	for i := range 60 {
		config.Cookies = append(config.Cookies, fmt.Sprintf("my%d", i))
	}
	minted := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(minted)) // the bubble's clock is of 2000
		r := doctor.Run(t.Context(), config)
		for _, step := range []string{"keys", "resolver", "token", "exp", "signature"} {
			wantStep(t, r, step, doctor.StatusOK)
		}
		for _, step := range []string{"cookie_name", "cookie_domain", "jwt", "session"} {
			wantStep(t, r, step, doctor.StatusSkipped, "the half minute is over")
		}
		wantStep(t, r, "time", doctor.StatusFailed, "slow")
		time.Sleep(time.Minute) // for what runs into its own time-out

		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the caller's
		defer cancel()
		r = doctor.Run(ctx, config)
		for _, step := range []string{"discovery", "issuer", "keys", "resolver", "jwt", "session"} {
			wantStep(t, r, step, doctor.StatusSkipped)
		}
		wantStep(t, r, "time", doctor.StatusFailed, "context deadline exceeded")
		time.Sleep(time.Minute)
	})
}

// dripping is the body of an answer that has no end.
type dripping struct{ context.Context }

func (d dripping) Read([]byte) (int, error) {
	<-d.Done()
	return 0, d.Err()
}

func (dripping) Close() error { return nil }

type drip struct{}

func (drip) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: dripping{r.Context()}, Request: r}, nil
}

// A server that answers slowly may well be Authgear.
func TestAnswerWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := doctor.Run(t.Context(), doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: &http.Client{Transport: drip{}}})
		for _, step := range []string{"discovery", "resolver"} {
			wantStep(t, r, step, doctor.StatusFailed, "time-out")
			if step := find(t, r, step); strings.Contains(step.Fix, "Something else") {
				t.Errorf("%+v", step)
			}
		}
		time.Sleep(time.Minute)
	})
}
