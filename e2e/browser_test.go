package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// A real browser decides which cookies it sends, what it says about the page that makes
// a request, and which part of the answer this page may read. Only a browser can show
// that the cross-origin rule fits this.
func TestBrowser(t *testing.T) {
	t.Parallel()
	program := browser(t)
	examples := t.TempDir()
	frameworks := []string{"gin", "echov5", "fiberv3", "nethttp", "echo", "fiber"}
	build := exec.Command("go", "build", "-o", examples+"/")
	for _, framework := range frameworks {
		build.Args = append(build.Args, "./"+framework)
	}
	build.Dir = filepath.Join("..", "examples")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the example servers: %v\n%s", err, output)
	}
	for _, framework := range frameworks { // one after the other, since a browser uses all processors
		t.Run(framework, func(t *testing.T) { browseExample(t, program, filepath.Join(examples, framework)) })
	}
}

// browser finds the program. It fails only if CHROMIUM names a program that is missing.
func browser(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("CHROMIUM"); program != "" {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatalf("CHROMIUM: %v", err)
		}
		return path
	}
	for _, program := range []string{"chromium", "chromium-browser", "google-chrome"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		profile, err := os.MkdirTemp("", "browser")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(profile) }() // not t.TempDir, since processes that it has started may still write
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		probe := exec.CommandContext(ctx, path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--user-data-dir="+profile, "--dump-dom", "about:blank")
		if output, err := probe.CombinedOutput(); err != nil {
			t.Skipf("%s does not start on this machine: %v\n%s", path, err, output)
		}
		return path
	}
	t.Skip("no Chromium in PATH, and CHROMIUM names none: install it to run this test")
	return ""
}

// browseExample puts the example on two websites. On strict it accepts no other origin.
// On trusting it trusts the origin elsewhere, and allows its scripts by CORS. elsewhere
// is another port of the same host. Cookies do not tell ports apart, so both websites
// have the same session.
func browseExample(t *testing.T, program, example string) {
	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	env := []string{"AUTHGEAR_MODE=resolver", "AUTHGEAR_ENDPOINT=" + project.Endpoint()}

	strictPort, serveStrict := listen(t)
	trustingPort, serveTrusting := listen(t)
	elsewherePort, serveElsewhere := listen(t)
	var all []visit
	var trusted []string
	// Browsers count *.localhost as trustworthy without TLS, and send Sec-Fetch-Site
	// there. To a plain http website they do not send it, and Origin alone decides.
	for _, top := range []string{"localhost", "test"} {
		v := visits{
			top:       top,
			strict:    "http://app." + top + ":" + strictPort,
			trusting:  "http://app." + top + ":" + trustingPort,
			elsewhere: "http://app." + top + ":" + elsewherePort,
			sibling:   "http://sibling.app." + top + ":" + elsewherePort,
			evil:      "http://evil." + top + ":" + elsewherePort,
			session:   func() *http.Cookie { return project.SessionCookie(alice) },
			ended: func() *http.Cookie {
				cookie := project.SessionCookie(alice)
				project.RevokeSession(cookie.Value)
				return cookie
			},
		}
		all = append(all, v.all()...)
		trusted = append(trusted, v.elsewhere)
	}
	number := 0
	for _, v := range all {
		for i := range v.steps {
			number++
			v.steps[i].URL += fmt.Sprintf("?case=%d", number) // so that each request can be found
		}
	}
	w := newWebsite(all)
	serveStrict(w.handler(startExample(t, example, env...)))
	env = append(env, "AUTHGEAR_TRUSTED_ORIGINS="+strings.Join(trusted, ","), "CORS_ORIGINS="+strings.Join(trusted, ","))
	serveTrusting(w.handler(startExample(t, example, env...)))
	serveElsewhere(w.handler(""))
	browse(t, program, w)
	w.check(t)
}

// visits are visits of an app's pages and of other pages. Another port and a subdomain
// are other origins of the same site, so their requests carry the session despite
// SameSite=Lax. evil is another site, below localhost too.
type visits struct {
	top                                        string
	strict, trusting, elsewhere, sibling, evil string
	session, ended                             func() *http.Cookie
}

const (
	alices    = `"id":"alice"`
	refused   = `"error":"cross_origin"`
	anonymous = `"error":"authentication_required"`
)

// all returns the visits in order. The cookie of the first visit stays until the last
// two visits, in which the answers remove the cookie.
func (v visits) all() []visit {
	all := []visit{
		{"same origin, " + v.top, v.strict, v.session(), v.sameOrigin()},
		{"another port, " + v.top, v.elsewhere, nil, v.refusedAt(v.strict, "same-site")},
		{"another port that is trusted, " + v.top, v.elsewhere, nil, v.trustedPort()},
		{"a sibling subdomain, " + v.top, v.sibling, nil, v.refusedAt(v.strict, "same-site")},
		{"a sibling subdomain where another port is trusted, " + v.top, v.sibling, nil, v.refusedAt(v.trusting, "same-site")},
		{"another website, " + v.top, v.evil, nil, v.withoutCookie()},
		{"same origin afterwards, " + v.top, v.strict, nil, v.sameOrigin()},
	}
	for _, path := range []string{"/public", "/me"} {
		all = append(all, visit{"a stale session on " + path + ", " + v.top, v.strict, v.ended(), v.stale(path)})
	}
	if v.top == "localhost" { // on other hosts a Secure cookie needs https
		open := v.session()
		open.SameSite, open.Secure = http.SameSiteNoneMode, true
		all = append(all,
			visit{"same origin, SameSite=None", v.strict, open, v.sameOrigin()},
			visit{"another website, SameSite=None", v.evil, nil, v.refusedAt(v.strict, "cross-site")},
			visit{"another website where another port is trusted, SameSite=None", v.evil, nil, v.refusedAt(v.trusting, "cross-site")})
	}
	return all
}

// site returns the value of Sec-Fetch-Site, or "" if the browser does not send it.
func (v visits) site(site string) string {
	if v.top == "localhost" {
		return site
	}
	return ""
}

// sameOrigin: the app's own pages may do everything.
func (v visits) sameOrigin() []step {
	site := v.site("same-origin")
	return []step{
		{"fetch", "GET", v.strict + "/me", outcome{alices, 200, alices, true, site}},
		{"fetch", "POST", v.strict + "/me", outcome{alices, 200, alices, true, site}},
		{"fetch", "DELETE", v.strict + "/me", outcome{alices, 200, alices, true, site}},
		{"form", "POST", v.strict + "/me", outcome{"loaded", 200, alices, true, site}},
		{"socket", "GET", v.strict + "/me", outcome{"closed", 200, alices, true, ""}}, // no Sec-Fetch-Site
	}
}

// refusedAt: the browser sends the session, and the guard refuses unsafe requests.
func (v visits) refusedAt(app, site string) []step {
	site = v.site(site)
	return []step{
		{"fetch", "GET", app + "/me", outcome{"unreadable", 200, alices, true, site}}, // the method is safe, and the page cannot read the answer
		{"fetch", "POST", app + "/me", outcome{"unreadable", 403, refused, true, site}},
		{"no-cors", "POST", app + "/me", outcome{"opaque", 403, refused, true, site}},
		{"fetch", "DELETE", app + "/me", outcome{"unreadable", 0, "", false, ""}}, // only the preflight is sent
		{"form", "POST", app + "/me", outcome{"loaded", 403, refused, true, site}},
		{"window", "POST", app + "/me", outcome{"opened", 403, refused, true, site}},
		{"socket", "GET", app + "/me", outcome{"closed", 403, refused, true, ""}},
	}
}

// trustedPort: with CORS and as a trusted origin, the page may do the same as the app's
// own pages.
func (v visits) trustedPort() []step {
	site := v.site("same-site")
	return []step{
		{"fetch", "GET", v.trusting + "/me", outcome{alices, 200, alices, true, site}},
		{"fetch", "POST", v.trusting + "/me", outcome{alices, 200, alices, true, site}},
		{"fetch", "DELETE", v.trusting + "/me", outcome{alices, 200, alices, true, site}},
		{"form", "POST", v.trusting + "/me", outcome{"loaded", 200, alices, true, site}},
		{"socket", "GET", v.trusting + "/me", outcome{"closed", 200, alices, true, ""}},
		{"fetch", "GET", v.trusting + "/admin", outcome{"403 ", 403, `"error":"role_missing"`, true, site}},
	}
}

// withoutCookie: SameSite=Lax keeps the session from another website's requests.
func (v visits) withoutCookie() []step {
	site := v.site("cross-site")
	return []step{
		{"fetch", "POST", v.strict + "/me", outcome{"unreadable", 401, anonymous, false, site}},
		{"form", "POST", v.strict + "/me", outcome{"loaded", 401, anonymous, false, site}},
		{"window", "POST", v.strict + "/me", outcome{"opened", 401, anonymous, false, site}},
		{"socket", "GET", v.strict + "/me", outcome{"closed", 401, anonymous, false, ""}},
		{"window", "GET", v.strict + "/me", outcome{"opened", 200, alices, true, site}}, // like a link
	}
}

// stale: the answer removes the cookie, as the next request shows.
func (v visits) stale(path string) []step {
	site := v.site("same-origin")
	first := outcome{`200 {"identity":null}`, 200, `{"identity":null}`, true, site}
	if path == "/me" {
		first = outcome{"401 ", 401, `"error":"invalid_token"`, true, site}
	}
	return []step{
		{"fetch", "GET", v.strict + path, first},
		{"fetch", "GET", v.strict + "/me", outcome{"401 ", 401, anonymous, false, site}},
	}
}

// startExample starts an example server and returns its address.
func startExample(t *testing.T, example string, env ...string) string {
	t.Helper()
	command := exec.Command(example)
	command.Env = append(append(os.Environ(), "ADDR=127.0.0.1:0"), env...)
	var said bytes.Buffer
	command.Stderr = &said
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	addr, listening := "", false
	for !listening && lines.Scan() {
		addr, listening = strings.CutPrefix(lines.Text(), "listening on http://")
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // nothing that it does after this matters
		_, _ = io.Copy(io.Discard, output)
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(example), said.String())
		}
	})
	if !listening {
		t.Fatalf("%s does not listen", filepath.Base(example))
	}
	return addr
}
