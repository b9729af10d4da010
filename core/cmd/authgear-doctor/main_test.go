package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"":                          "ENDPOINT is missing",
		"https://a.test eyJhbGciOi": "never as an argument",
		"-nothing https://a.test":   "flag provided but not defined",
		"https://a.test":            "standard input is empty",
		"-cookie https://a.test":    "-cookie without a cookie",
		"login https://a.test":      "-client-id is missing",
		"login https://a.test -client-id x -port 0":                "-port",
		"login https://a.test -client-id x -timeout 0":             "-timeout",
		"login https://a.test -client-id x -auth x":                "-auth is one of none, basic, post",
		"token https://a.test -resource x":                         "-client-id is missing",
		"token https://a.test -client-id x":                        "-resource is missing",
		"token https://a.test -client-id x -resource y -auth none": "-auth is one of basic, post",
	} {
		status, stdout, stderr := try(t, terminal{}, strings.Fields(args)...)
		wantStatus(t, 2, status, stderr, says, "usage:")
		if stdout != "" || strings.Contains(stderr, "eyJ") {
			t.Errorf("%q: %s%s", args, stdout, stderr)
		}
	}
	status, _, stderr := try(t, terminal{}, "token", "-h")
	wantStatus(t, 0, status, stderr, "usage:", "client_secret_basic")
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	s := authgeartest.New(t)
	alice := s.AddUser(authgeartest.User{})
	good, expired := s.AccessToken(alice), s.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Minute})
	for name, c := range map[string]struct {
		input  string
		args   []string
		status int
		says   string
	}{
		"without a token": {"", nil, 0, "All is well."},
		"good":            {good + "\n", nil, 0, "All is well."},
		"expired":         {expired, nil, 1, "steps failed. Begin with exp"},
		"cookie":          {s.SessionCookie(alice).Value, []string{"-cookie"}, 0, "the resolver knows it"},
		"cookie names":    {"", []string{"-cookie-name", "my", "-cookie-name", "session"}, 0, "my or session"},
		"no cookie of it": {"", []string{"-cookie-name", "my"}, 1, "http.cookie_prefix"},
		"JSON":            {good, []string{"-json"}, 0, `"verdict": "All is well."`},
		"JSON of failure": {expired, []string{"-json"}, 1, `"status": "failed"`},
		"a client":        {good, []string{"-client-id", "a", "-client-id", "b"}, 1, "is not one of ClientIDs"},
		"wrong options":   {"", []string{"-resource", "b"}, 1, "Resources"},
	} {
		status, stdout, stderr := try(t, terminal{stdin: strings.NewReader(c.input), interactive: c.input == ""}, append(c.args, s.Endpoint())...)
		if status != c.status || !strings.Contains(stdout, c.says) || stderr != "" {
			t.Errorf("%s: status %d\n%s%s", name, status, stdout, stderr)
		}
		if c.input != "" && strings.Contains(stdout, strings.Split(strings.TrimSpace(c.input), ".")[0]) || strings.Contains(stdout, alice) {
			t.Errorf("%s: a secret is shown:\n%s", name, stdout)
		}
	}
	status, _, stderr := try(t, terminal{stdin: iotest.ErrReader(errors.New("broken"))}, s.Endpoint())
	wantStatus(t, 1, status, stderr, "standard input: broken")
	// A terminal is not read.
	if status, stdout, _ := try(t, terminal{stdin: iotest.ErrReader(errors.New("broken")), interactive: true}, s.Endpoint()); status != 0 {
		t.Errorf("status %d\n%s", status, stdout)
	}
}

// Ctrl-C ends the command, although reading goes on.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"https://a.test"}, {"token", "https://a.test", "-client-id", "x", "-resource", "y"}} {
		ctx, interrupt := context.WithCancel(t.Context())
		stdin, pipe := io.Pipe()
		reading := readerFunc(func(p []byte) (int, error) { interrupt(); return stdin.Read(p) })
		var out, errs output
		status := run(ctx, terminal{stdin: reading, stdout: &out, stderr: &errs, env: func(string) string { return "" }}, args)
		wantStatus(t, 1, status, errs.String(), "interrupted")
		_ = pipe.Close()
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestToken(t *testing.T) {
	t.Parallel()
	const api = "https://api.example.com"
	failing := func(w http.ResponseWriter, _ *http.Request) { // as Authgear answers
		writeJSON(w, 500, map[string]any{"error": map[string]any{"name": "InternalError", "code": 500}})
	}
	forbidden := func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 403, map[string]any{"message": "no"}) }
	for name, c := range map[string]struct {
		args   []string
		secret string // in the environment
		front  http.HandlerFunc
		input  string
		status int
		says   []string
	}{
		"basic":            {args: []string{"-client-id", "worker", "-resource", api}, secret: secret},
		"post":             {args: []string{"-client-id", "worker", "-resource", api, "-auth", "post", "-scope", "a", "-scope", "b"}, secret: secret},
		"secret by a pipe": {args: []string{"-client-id", "worker", "-resource", api}, input: secret + "\n"},
		"no secret":        {args: []string{"-client-id", "worker", "-resource", api}, status: 1, says: []string{"AUTHGEAR_CLIENT_SECRET"}},
		"wrong secret":     {args: []string{"-client-id", "worker", "-resource", api}, secret: "wr0ng", status: 1, says: []string{"invalid client secret", "-client-id or the secret is not that of"}},
		"no machine":       {args: []string{"-client-id", "web", "-resource", api}, secret: secret, status: 1, says: []string{"unauthorized_client", "M2M"}},
		"unknown resource": {args: []string{"-client-id", "worker", "-resource", api + "/x"}, secret: secret, status: 1, says: []string{"invalid_target", "API Resources"}},
		"Authgear fails":   {args: []string{"-client-id", "worker", "-resource", api}, secret: secret, front: failing, status: 1, says: []string{"/oauth2/token answers with status 500, and not as OAuth does"}},
		"a 403 in JSON":    {args: []string{"-client-id", "worker", "-resource", api}, secret: secret, front: forbidden, status: 1, says: []string{"/oauth2/token answers with status 403, and not as OAuth does"}},
		"not an endpoint":  {args: []string{"-client-id", "worker", "-resource", api, "-insecure-http"}, secret: secret},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.front = map[string]http.HandlerFunc{"/oauth2/token": c.front}
			status, stdout, stderr := try(t, terminal{
				stdin: strings.NewReader(c.input),
				env:   func(name string) string { return map[string]string{"AUTHGEAR_CLIENT_SECRET": c.secret}[name] },
			}, append([]string{"token", p.URL}, c.args...)...)
			wantStatus(t, c.status, status, stderr, c.says...)
			if c.status == 0 && stdout != p.access+"\n" || c.status != 0 && stdout != "" {
				t.Errorf("standard output is %q", stdout)
			}
			if c.secret != "" && strings.Contains(stderr, c.secret) || strings.Contains(stderr, p.access) {
				t.Errorf("a secret is shown:\n%s", stderr)
			}
			for _, r := range p.requests {
				if _, _, basic := r.BasicAuth(); basic == (r.PostForm.Get("client_secret") != "") {
					t.Errorf("the secret was sent twice, or not at all: %v", r.PostForm)
				}
			}
		})
	}
	p := newIssuer(t)
	p.Close()
	status, _, stderr := try(t, terminal{env: func(string) string { return "x" }}, "token", p.URL, "-client-id", "worker", "-resource", api)
	wantStatus(t, 1, status, stderr, "refused", `"authgear-doctor http://127.0.0.1:`)
}
