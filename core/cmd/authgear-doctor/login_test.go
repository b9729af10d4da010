package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// output can be written by several goroutines at once.
type output struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// ports is the last port that freePort has tried. It starts at random, from 20000 to 29999.
// A system chooses ports above 32767 for programs that ask for any port. So no other
// program gets one of these by chance before the command listens there.
var ports atomic.Int64

func init() { ports.Store(20_000 + rand.Int64N(10_000)) }

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := int(ports.Add(1))
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			listener.Close()
			return port
		}
		if port > 32_767 {
			t.Fatal(err)
		}
	}
}

// try runs a command. Standard input comes from a pipe, unless term is interactive.
func try(t *testing.T, term terminal, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs output
	term.stdout, term.stderr = &out, &errs
	if term.stdin == nil {
		term.stdin = strings.NewReader("")
	}
	if term.env == nil {
		term.env = func(string) string { return "" }
	}
	if term.open == nil {
		term.open = func(string) error { return fmt.Errorf("no browser") }
	}
	status = run(t.Context(), term, args)
	return status, out.String(), errs.String()
}

// browse does what the person and the browser do: it follows the redirect to the command.
func browse(t *testing.T, address string) (page string) {
	answer, err := http.Get(address) //nolint:gosec // the address of this test's server
	if err != nil {
		t.Error(err)
		return ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

func firewall(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "<html><h1>Request blocked: 12</h1></html>", http.StatusBadRequest)
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*issuer)
		args   []string
		secret string // the secret in the environment
		scope  string // the scope to ask for; "": openid
		status int
		says   []string // texts on standard error
	}{
		"good":                     {says: []string{"A browser should open by itself.", "Signed in. The access token is valid for 30m0s."}},
		"no expires_in":            {change: func(p *issuer) { p.expires = nil }, says: []string{"Signed in.\n"}},
		"a firewall's page":        {change: func(p *issuer) { p.front = map[string]http.HandlerFunc{"/oauth2/authorize": firewall} }, status: 1, says: []string{"/oauth2/authorize answers with status 400, and not as OAuth does"}},
		"opaque":                   {change: func(p *issuer) { p.access = "abcdefghijklmnopqrstuvwxyz012345" }, says: []string{"opaque", "Issue JWT as access token"}},
		"confidential":             {args: []string{"-client-id", "web", "-auth", "basic"}, secret: secret},
		"confidential, no auth":    {args: []string{"-client-id", "web"}, status: 1, says: []string{"invalid_client", "AUTHGEAR_CLIENT_SECRET"}},
		"confidential, no secret":  {args: []string{"-auth", "post"}, status: 1, says: []string{"secret is missing"}},
		"scopes":                   {args: []string{"-scope", "email", "-scope", "openid"}, scope: "email openid"},
		"redirect not registered":  {change: func(p *issuer) { p.redirect = "https://app.example.com/" }, status: 1, says: []string{"register the redirect URI http://127.0.0.1:", "Authorized Redirect URIs"}},
		"unknown client":           {args: []string{"-client-id", "nobody"}, status: 1, says: []string{"unauthorized_client", "-client-id is no application of this project"}},
		"denied":                   {change: func(p *issuer) { p.answer = url.Values{"error": {"access_denied"}} }, status: 1, says: []string{"access_denied", "has declined"}},
		"unknown invalid_request":  {change: func(p *issuer) { p.answer = url.Values{"error": {"invalid_request"}, "error_description": {"no"}} }, status: 1, says: []string{"does not understand the request"}},
		"scope of an API":          {change: func(p *issuer) { p.answer = url.Values{"error": {"invalid_scope"}} }, status: 1, says: []string{"Authgear's own scopes only"}},
		"no code":                  {change: func(p *issuer) { p.answer = url.Values{"code": {""}} }, status: 1, says: []string{"no code"}},
		"another code":             {change: func(p *issuer) { p.answer = url.Values{"code": {"stolen"}} }, status: 1, says: []string{"invalid_grant", "run the command again"}},
		"another issuer's answer":  {change: func(p *issuer) { p.answer = url.Values{"iss": {"https://evil.example.com"}} }, status: 1, says: []string{"evil.example.com"}},
		"another nonce":            {change: func(p *issuer) { p.change = func(c map[string]any) { c["nonce"] = "x" } }, status: 1, says: []string{"nonce"}},
		"no nonce":                 {change: func(p *issuer) { p.change = func(c map[string]any) { delete(c, "nonce") } }, status: 1, says: []string{"nonce"}},
		"ID token, another issuer": {change: func(p *issuer) { p.change = func(c map[string]any) { c["iss"] = "https://evil.example.com" } }, status: 1, says: []string{"issuer"}},
		"ID token, another client": {change: func(p *issuer) { p.change = func(c map[string]any) { c["aud"] = []string{"cli", "x"} } }, status: 1, says: []string{"another client"}},
		"ID token is old":          {change: func(p *issuer) { p.change = func(c map[string]any) { c["exp"] = 1 } }, status: 1, says: []string{"expired"}},
		"ID token of the future":   {change: func(p *issuer) { p.change = func(c map[string]any) { c["iat"] = 9e9 } }, status: 1, says: []string{"valid from"}},
		"an access token instead":  {change: func(p *issuer) { p.typ = "at+jwt" }, status: 1, says: []string{"typ"}},
		"ID token is forged":       {change: func(p *issuer) { p.change = func(c map[string]any) { c["forged"] = true } }, status: 1, says: []string{"signature"}},
		"access token unusable":    {change: func(p *issuer) { p.access = "no token at all" }, status: 1, says: []string{"usable access token"}},
		"nobody signs in":          {args: []string{"-timeout", "1ns", "-no-browser"}, status: 1, says: []string{"nobody has signed in in time", "compare the application's redirect URIs"}},
		"port is taken":            {args: []string{"-port", "-"}, status: 1, says: []string{"-port"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			port := fmt.Sprint(freePort(t))
			p.redirect = "http://127.0.0.1:" + port + "/callback"
			if c.change != nil {
				c.change(p)
			}
			args := append([]string{"login", p.URL, "-client-id", "cli", "-port", port}, c.args...)
			if args[len(args)-1] == "-" {
				taken, err := net.Listen("tcp", "127.0.0.1:"+port)
				if err != nil {
					t.Fatal(err)
				}
				defer taken.Close()
				args[len(args)-1] = port
			}
			pages := make(chan string, 1)
			status, stdout, stderr := try(t, terminal{
				open: func(address string) error { go func() { pages <- browse(t, address) }(); return nil },
				env:  environment("DISPLAY", ":0", "AUTHGEAR_CLIENT_SECRET", c.secret),
			}, args...)
			wantStatus(t, c.status, status, stderr, c.says...)
			if want := p.access + "\n"; c.status == 0 && stdout != want || c.status != 0 && stdout != "" {
				t.Errorf("standard output is %q", stdout)
			}
			if c.status == 0 {
				if page := <-pages; !strings.Contains(page, "Go back to the terminal") {
					t.Errorf("the browser shows %s", page)
				}
			}
			if asked := p.asked.Get("scope"); c.status == 0 && asked != cmp.Or(c.scope, "openid") {
				t.Errorf("the scope is %q", asked)
			}
			for _, hidden := range []string{p.access, secret, "the-code", "the-user"} {
				if strings.Contains(stderr, hidden) {
					t.Errorf("%q is on standard error:\n%s", hidden, stderr)
				}
			}
		})
	}
}

// environment takes names and values in turn.
func environment(set ...string) func(string) string {
	return func(name string) string {
		if i := slices.Index(set, name); i >= 0 {
			return set[i+1]
		}
		return ""
	}
}

// A browser is opened only if it can appear on the person's screen.
func TestCanShow(t *testing.T) {
	t.Parallel()
	for _, remote := range []string{"SSH_CONNECTION", "SSH_TTY"} {
		if canShow(environment(remote, "x", "DISPLAY", ":0")) {
			t.Errorf("with %s", remote)
		}
	}
	for _, display := range []string{"DISPLAY", "WAYLAND_DISPLAY"} {
		if !canShow(environment(display, ":0")) {
			t.Errorf("not with %s", display)
		}
	}
	if canShow(environment()) != (runtime.GOOS != "linux") {
		t.Error("without a display")
	}
}

func wantStatus(t *testing.T, want, status int, stderr string, says ...string) {
	t.Helper()
	if status != want {
		t.Errorf("status %d, not %d:\n%s", status, want, stderr)
	}
	for _, text := range says {
		if !strings.Contains(stderr, text) {
			t.Errorf("no %q in\n%s", text, stderr)
		}
	}
}

// Each authorization request follows RFC 7636 and OpenID Connect, with new random values.
func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	server, err := discover(t.Context(), p.URL, false)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 2 {
		s := newSignIn(server, client{id: "cli"}, "http://127.0.0.1:1/callback", "email openid")
		u, err := url.Parse(s.address())
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		for name, want := range map[string]string{
			"response_type": "^code$", "client_id": "^cli$", "redirect_uri": "^http://127.0.0.1:1/callback$", "scope": "^email openid$",
			"state": "^.{26}$", "nonce": "^.{26}$", "code_challenge": "^.{43}$", "code_challenge_method": "^S256$",
		} {
			if !regexp.MustCompile(want).MatchString(q.Get(name)) {
				t.Errorf("%s is %q", name, q.Get(name))
			}
		}
		for _, value := range []string{q.Get("state"), q.Get("nonce"), q.Get("code_challenge"), s.verifier} {
			if seen[value] {
				t.Errorf("%q again", value)
			}
			seen[value] = true
		}
		for _, wrong := range []string{"", "x"} { // the answer to another sign-in does not end this one
			if err := s.take(url.Values{"state": {wrong}, "error": {"access_denied"}}); err == nil || len(s.result) != 0 {
				t.Errorf("the state %q counts", wrong)
			}
		}
	}
}

// The page tells nobody its address, which has the code. The answer to another sign-in
// does not end this one.
func TestCallback(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSignIn(&authorizationServer{}, client{}, "", "openid")
	defer s.serve(listener)()
	for state, want := range map[string]int{"another": 400, s.state: 200} {
		answer, err := http.Get("http://" + listener.Addr().String() + "/callback?code=c&state=" + state)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if h := answer.Header; answer.StatusCode != want || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", state, answer.StatusCode, h)
		}
	}
	if err := s.late(); !strings.Contains(err.Error(), "the answer to another sign-in has come") {
		t.Error(err)
	}
}

// Over SSH no browser is opened. The person pastes the address that the browser could
// not reach.
func TestPaste(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	port := fmt.Sprint(freePort(t))
	p.redirect = "http://127.0.0.1:" + port + "/callback"
	typed, keyboard := io.Pipe()
	defer keyboard.Close()
	var out, errs output
	done := make(chan int, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		done <- run(ctx, terminal{
			stdin: typed, interactive: true, stdout: &out, stderr: &errs,
			env:  environment("SSH_CONNECTION", "x", "DISPLAY", ":0"),
			open: func(string) error { t.Error("a browser was opened on the other side"); return nil },
		}, []string{"login", p.URL, "-client-id", "cli", "-port", port})
	}()
	if _, err := io.WriteString(keyboard, "\nhello\n"+p.redirect+"?code=c&state=x\n"); err != nil { // waits until the command has read it
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://\S+/oauth2/authorize\S+`).FindString(errs.String())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := noRedirects.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if _, err := io.WriteString(keyboard, answer.Header.Get("Location")+"\n"); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, 0, <-done, errs.String(), "ssh -L "+port+":127.0.0.1:"+port+" THIS-MACHINE", "paste it here", "That is not the address", "That is the answer to another sign-in")
	if out.String() != p.access+"\n" {
		t.Errorf("standard output is %q", out.String())
	}
}
