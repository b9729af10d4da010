package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"":                          "ENDPOINT is missing",
		"https://a.test eyJhbGciOi": "never as an argument",
		"-nothing https://a.test":   "flag provided but not defined",
		"login https://a.test":      "-client-id is missing",
		"login https://a.test -client-id x -port 0":                "-port",
		"login https://a.test -client-id x -port 65536":            "-port",
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

// One line says what is missing. The whole usage would hide what an earlier command of the
// pipe has printed.
func TestNothingOnStandardInput(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"https://a.test":         "standard input is empty",
		"-cookie https://a.test": "-cookie without a cookie",
	} {
		status, stdout, stderr := try(t, terminal{}, strings.Fields(args)...)
		wantStatus(t, 2, status, stderr, says)
		if stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: %s%s", args, stdout, stderr)
		}
	}
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
		"without a token":     {"", nil, 0, "All is well."},
		"good":                {good + "\n", nil, 0, "All is well."},
		"expired":             {expired, nil, 1, "steps failed. Begin with exp"},
		"cookie":              {s.SessionCookie(alice).Value, []string{"-cookie"}, 0, "the resolver knows it"},
		"cookie names":        {"", []string{"-cookie-name", "my", "-cookie-name", "session"}, 0, "my or session"},
		"other cookie name":   {"", []string{"-cookie-name", "my"}, 1, "http.cookie_prefix"},
		"JSON":                {good, []string{"-json"}, 0, `"verdict": "All is well."`},
		"JSON of failure":     {expired, []string{"-json"}, 1, `"status": "failed"`},
		"client not accepted": {good, []string{"-client-id", "a", "-client-id", "b"}, 1, "is not one of ClientIDs"},
		"wrong options":       {"", []string{"-resource", "b"}, 1, "Resources"},
	} {
		status, stdout, stderr := try(t, terminal{stdin: strings.NewReader(c.input), interactive: c.input == ""}, append(c.args, s.Endpoint())...)
		if status != c.status || !strings.Contains(stdout, c.says) || stderr != "" {
			t.Errorf("%s: status %d\n%s%s", name, status, stdout, stderr)
		}
		if c.input != "" && strings.Contains(stdout, strings.Split(strings.TrimSpace(c.input), ".")[0]) || strings.Contains(stdout, alice) {
			t.Errorf("%s: a secret is shown:\n%s", name, stdout)
		}
	}
	status, _, stderr := try(t, terminal{stdin: iotest.ErrReader(errors.New("broken\x1b[2J"))}, s.Endpoint())
	wantStatus(t, 1, status, stderr, "standard input: broken\ufffd[2J")
	// Nothing is read from a terminal.
	if status, stdout, _ := try(t, terminal{stdin: iotest.ErrReader(errors.New("broken")), interactive: true}, s.Endpoint()); status != 0 {
		t.Errorf("status %d\n%s", status, stdout)
	}
}

// A person whose command waits for standard input gets a hint. Ctrl-C ends the command,
// though the reading goes on.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"https://a.test"}, {"token", "https://a.test", "-client-id", "x", "-resource", "y"}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithTimeout(t.Context(), 4*time.Second)
			defer interrupt()
			stdin, pipe := io.Pipe()
			defer pipe.Close()
			var errs output
			status := run(ctx, terminal{stdin: stdin, stderr: &errs, env: environment()}, args)
			wantStatus(t, 1, status, errs.String(), "give it </dev/null", "interrupted")
		})
	}
}

// Terminals, similar devices and a missing standard input count as devices, so nothing is
// read from them.
func TestIsDevice(t *testing.T) {
	t.Parallel()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	pipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if !isDevice(null) || isDevice(pipe) {
		t.Errorf("%v %v", isDevice(null), isDevice(pipe))
	}
	null.Close()
	pipe.Close()
	if !isDevice(pipe) {
		t.Error("closed")
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	const api = "https://api.example.com"
	failing := func(w http.ResponseWriter, _ *http.Request) { // the error that Authgear answers
		writeJSON(w, 500, map[string]any{"error": map[string]any{"name": "InternalError", "code": 500}})
	}
	mac := func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, map[string]any{"access_token": "a", "token_type": "mac"})
	}
	elsewhere := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/oauth2/jwks", http.StatusSeeOther) }
	forbidden := func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 403, map[string]any{"message": "no"}) }
	for name, c := range map[string]struct {
		args   []string
		secret string // the secret in the environment
		scope  string // the scope to ask for
		front  http.HandlerFunc
		input  string
		status int
		says   []string
	}{
		"basic":              {secret: secret},
		"post":               {args: []string{"-auth", "post", "-scope", "a", "-scope", "b"}, secret: secret, scope: "a b"},
		"secret from a pipe": {input: secret + "\n"},
		"no secret":          {status: 1, says: []string{"AUTHGEAR_CLIENT_SECRET"}},
		"wrong secret":       {secret: "wr0ng", status: 1, says: []string{"invalid client secret", "-client-id or the secret is not that of"}},
		"not a machine":      {args: []string{"-client-id", "web"}, secret: secret, status: 1, says: []string{"unauthorized_client", "M2M"}},
		"unknown resource":   {args: []string{"-resource", api + "/x"}, secret: secret, status: 1, says: []string{"invalid_target", "API Resources"}},
		"a MAC token":        {secret: secret, front: mac, status: 1, says: []string{`the token's type is "mac", not Bearer`}},
		"a redirect":         {secret: secret, front: elsewhere, status: 1, says: []string{"/oauth2/token answers with status 303, and not as OAuth does"}},
		"Authgear fails":     {secret: secret, front: failing, status: 1, says: []string{"/oauth2/token answers with status 500, and not as OAuth does"}},
		"a 403 in JSON":      {secret: secret, front: forbidden, status: 1, says: []string{"/oauth2/token answers with status 403, and not as OAuth does"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.front = map[string]http.HandlerFunc{"/oauth2/token": c.front}
			status, stdout, stderr := try(t, terminal{
				stdin: strings.NewReader(c.input),
				env:   environment("AUTHGEAR_CLIENT_SECRET", c.secret),
			}, append([]string{"token", p.URL, "-client-id", "worker", "-resource", api}, c.args...)...)
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
				if scope := r.PostForm.Get("scope"); scope != c.scope {
					t.Errorf("the scope is %q", scope)
				}
			}
		})
	}
	nobody := fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	status, _, stderr := try(t, terminal{env: environment("AUTHGEAR_CLIENT_SECRET", "x")}, "token", nobody, "-client-id", "worker", "-resource", api)
	wantStatus(t, 1, status, stderr, "refused", `"authgear-doctor http://127.0.0.1:`)
	for _, args := range []string{"token http://auth.invalid -client-id x -resource y", "login http://auth.invalid -client-id x"} {
		status, _, stderr := try(t, terminal{env: environment("AUTHGEAR_CLIENT_SECRET", "x")}, strings.Fields(args)...)
		wantStatus(t, 1, status, stderr, "plain http") // no secret is sent by plain http
	}
}
