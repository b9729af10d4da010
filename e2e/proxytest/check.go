package proxytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// want is what a request must lead to, at the client, the resolver and the backend.
type want struct {
	// The client's answer. The recorder does not give it.
	status int
	err    string   // "error" of the body
	user   string   // the identity's ID, empty for none
	roles  []string // the identity's roles

	// The credential that has reached the resolver: at most one of these two.
	authorization string
	cookie        string
	noCall        bool // the proxy itself refused

	// The identity headers that have reached the backend: a user's, or only
	// X-Authgear-Session-Valid: false, or none.
	forwarded string // a user ID, "false", or empty
}

// ask sends a request through the proxy and checks the client, the resolver and the
// backend.
func (s *suite) ask(t *testing.T, r request, w want) (answer, relayed) {
	t.Helper()
	mark := s.mark()
	r.path += mark
	before := s.resolver.count()
	got, err := r.send(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	s.checkAnswer(t, got, w)
	if s.proxy.WholeCookie && w.cookie != "" {
		w.cookie = strings.Join(r.values("cookie"), "; ")
	}
	s.checkResolver(t, s.resolver.since(before), w)
	found := s.found(t, mark)
	s.checkBackend(t, found, w)
	return got, found
}

func (s *suite) checkAnswer(t *testing.T, got answer, w want) {
	t.Helper()
	if s.framework == recorder {
		return
	}
	var body struct {
		Error    string
		Identity *struct {
			ID, Source string
			Roles      []string
		}
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Errorf("status %d, %v: %q", got.status, err, got.body)
		return
	}
	if got.status != w.status || body.Error != w.err {
		t.Errorf("answer %d %q, want %d %q: %s", got.status, body.Error, w.status, w.err, got.body)
	}
	switch id := body.Identity; {
	case id == nil && w.user == "":
	case id == nil:
		t.Errorf("no identity, want %s: %s", w.user, got.body)
	case id.ID != w.user || id.Source != "forwarded" || !slices.Equal(id.Roles, w.roles):
		t.Errorf("identity %+v, want %s with %q", *id, w.user, w.roles)
	}
}

// checkResolver compares everything that has reached the resolver with the list of what
// may reach it.
func (s *suite) checkResolver(t *testing.T, calls []asked, w want) {
	t.Helper()
	if w.noCall {
		if len(calls) != 0 {
			t.Errorf("the resolver was asked: %+v", calls)
		}
		return
	}
	if len(calls) != 1 {
		t.Errorf("the resolver was asked %d times", len(calls))
		return
	}
	c := calls[0]
	if c.proto != "HTTP/1.1" { // over HTTP/2 one call could end other calls
		t.Errorf("the resolver was asked by %s", c.proto)
	}
	if c.method != "GET" || c.target != "/_resolver/resolve" || c.host != Project || c.serverName != Project {
		t.Errorf("the resolver got %s %s for %q, TLS name %q", c.method, c.target, c.host, c.serverName)
	}
	if c.body != "" || len(c.encoding) > 0 || len(c.trailer) > 0 {
		t.Errorf("the resolver got a body: %q, transfer coding %q, trailer %v", c.body, c.encoding, c.trailer)
	}
	wanted := http.Header{"X-Forwarded-Proto": {"https"}}
	if w.authorization != "" {
		wanted.Set("Authorization", w.authorization)
	}
	if w.cookie != "" {
		wanted.Set("Cookie", w.cookie)
	}
	if w.authorization != "" && !s.proxy.NoCanary {
		wanted.Set("Cookie", "session=~")
	}
	for name := range c.header {
		if slices.Contains(s.proxy.ResolverHeaders, name) {
			if strings.Contains(strings.Join(c.header[name], ""), "of-the-client") {
				t.Errorf("the resolver got the client's %s", name)
			}
			delete(c.header, name)
		}
	}
	if cookies := c.header["Cookie"]; s.proxy.WholeCookie && len(cookies) > 0 {
		c.header.Set("Cookie", strings.Join(cookies, "; "))
	}
	if fmt.Sprint(c.header) != fmt.Sprint(wanted) { // maps are printed in order
		t.Errorf("the resolver got\n%v, want\n%v", c.header, wanted)
	}
}

// checkBackend compares all identity headers that have reached the backend with
// those of the resolver's answer.
func (s *suite) checkBackend(t *testing.T, got relayed, w want) {
	t.Helper()
	wanted := map[string]string{"x-authgear-proxy-secret": testSecret}
	switch {
	case s.proxy.NoCanary:
		if w.authorization != "" && w.forwarded == "false" {
			w.forwarded = ""
		}
	case w.authorization != "":
		wanted["x-authgear-credential"] = "token"
	case w.cookie != "":
		wanted["x-authgear-credential"] = "cookie"
	}
	if w.forwarded != "" {
		wanted["x-authgear-session-valid"] = "false"
	}
	if w.forwarded != "" && w.forwarded != "false" {
		wanted["x-authgear-session-valid"] = "true"
		wanted["x-authgear-user-id"] = w.forwarded
		wanted["x-authgear-user-anonymous"] = "false"
		wanted["x-authgear-user-verified"] = fmt.Sprint(w.forwarded == "alice")
		wanted["x-authgear-user-can-reauthenticate"] = "true"
		if roles := map[string][]string{"alice": {"admin", "editor"}, "dave": manyRoles()}[w.forwarded]; roles != nil {
			slices.Reverse(roles) // as Authgear sends them
			wanted["x-authgear-user-roles"] = strings.Join(roles, ",")
		}
	}
	have := make(map[string]string)
	for _, f := range got.headers {
		name := f.name
		if !strings.HasPrefix(strings.NewReplacer("_", "-", ".", "-").Replace(name), "x-authgear-") {
			continue
		}
		switch name {
		case "x-authgear-session-amr": // empty in practice, so it may be left out
			if f.value != "" {
				t.Errorf("the backend got %v", f)
			}
			continue
		case "x-authgear-session-authenticated-at":
			if w.forwarded == "" || w.forwarded == "false" || len(f.value) != 10 {
				t.Errorf("the backend got %v", f)
			}
			continue
		case "x-authgear-session-acr":
			if !s.proxy.KeepsUnknown {
				t.Errorf("the backend got %v", f)
			}
			continue
		case "x-authgear-body-signature":
			continue
		}
		if _, twice := have[name]; twice {
			t.Errorf("the backend got %s twice", name)
		}
		have[name] = f.value
	}
	if fmt.Sprint(have) != fmt.Sprint(wanted) {
		t.Errorf("the backend got\n%v, want\n%v", have, wanted)
	}
	for _, value := range got.values("connection") {
		if strings.Contains(strings.ToLower(value), "authgear") {
			t.Errorf("the backend got Connection: %s", value)
		}
	}
}
