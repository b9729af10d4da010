package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
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
		time.Sleep(time.Minute) // on the clock of synctest: goroutines that wait for a time-out end
	})
}

// A run may end while DNS is asked, or while a connection is made.
func TestEndedContext(t *testing.T) {
	t.Parallel()
	for name, begins := range map[string]func(*httptrace.ClientTrace){
		"before":        func(*httptrace.ClientTrace) {},
		"dns":           func(way *httptrace.ClientTrace) { way.DNSStart(httptrace.DNSStartInfo{Host: "auth.example.com"}) },
		"dns, canceled": func(way *httptrace.ClientTrace) { asked(way, context.Canceled) },
		"connection": func(way *httptrace.ClientTrace) {
			asked(way, nil)
			way.ConnectStart("tcp", "192.0.2.1:443")
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r := doctor.Run(ctx, doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: stuck(func(way *httptrace.ClientTrace) { begins(way); cancel() })})
			for _, step := range []string{"dns", "connection", "tls", "discovery"} {
				if step := find(t, r, step); step.Status != doctor.StatusSkipped || step.Detail != context.Canceled.Error() {
					t.Errorf("%s: %+v", name, step)
				}
			}
			wantStep(t, r, "clock", doctor.StatusSkipped)
			time.Sleep(time.Minute)
		})
	}
}

// If DNS does not answer, the step dns fails. If DNS has answered and there is no
// connection, the step connection fails.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	for want, begins := range map[string]func(*httptrace.ClientTrace){
		`dns: the name "auth.example.com" cannot be looked up: no answer in time`: func(way *httptrace.ClientTrace) { way.DNSStart(httptrace.DNSStartInfo{Host: "auth.example.com"}) },
		"connection: no answer from auth.example.com":                             func(way *httptrace.ClientTrace) { asked(way, nil) },
		"connection: no answer from 192.0.2.1:443": func(way *httptrace.ClientTrace) {
			asked(way, nil)
			way.ConnectStart("tcp", "192.0.2.1:443")
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := doctor.Run(t.Context(), doctor.Config{Endpoint: "https://auth.example.com", HTTPClient: stuck(begins)})
			step, says, _ := strings.Cut(want, ": ")
			wantStep(t, r, step, doctor.StatusFailed, says)
			wantStep(t, r, "discovery", doctor.StatusSkipped, "since "+step+" has failed")
			time.Sleep(time.Minute)
		})
	}
}

func asked(way *httptrace.ClientTrace, err error) {
	way.DNSStart(httptrace.DNSStartInfo{Host: "auth.example.com"})
	way.DNSDone(httptrace.DNSDoneInfo{Err: err})
}

// stuck returns a client whose connections do not come about. Before they hang, begins
// reports to the trace how far they get.
func stuck(begins func(*httptrace.ClientTrace)) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		if way := httptrace.ContextClientTrace(ctx); way != nil {
			begins(way)
		}
		time.Sleep(40 * time.Second) // longer than any time-out; net/http does not cancel ctx
		return nil, errors.New("no connection")
	}}}
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
