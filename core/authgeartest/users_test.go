package authgeartest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func TestUsers(t *testing.T) {
	s := authgeartest.New(t)
	t.Run("roles and flags are current", func(t *testing.T) {
		id := s.AddUser(authgeartest.User{ID: "somebody", Roles: []string{"a"}})
		expect(t, "ID", id, "somebody")
		token := s.AccessToken(id)
		s.SetRoles(id, "b", "c")
		s.SetVerified(id, true)
		h := resolve(t, s, "Authorization", "Bearer "+token)
		roles := strings.Split(h.Get("X-Authgear-User-Roles"), ",")
		slices.Sort(roles)
		expect(t, "roles", strings.Join(roles, ","), "b,c")
		expect(t, "verified", h.Get("X-Authgear-User-Verified"), "true")
		s.SetRoles(id)
		if h := resolve(t, s, "Authorization", "Bearer "+token); h.Values("X-Authgear-User-Roles") != nil {
			t.Errorf("roles %q", h.Values("X-Authgear-User-Roles"))
		}
	})
	t.Run("deleted", func(t *testing.T) {
		id := s.AddUser(authgeartest.User{})
		s.DeleteUser(id)
		defer func() {
			if recover() == nil {
				t.Error("a token for a deleted user")
			}
		}()
		s.AccessToken(id)
	})
	t.Run("account ends, and the end is taken away", func(t *testing.T) {
		w := newWorld(t, authgeartest.Config{})
		w.clock.Store(time.Now().UnixNano())
		id := w.AddUser(authgeartest.User{})
		token := w.AccessToken(id)
		w.ValidUntil(id, w.time().Add(time.Minute))
		expect(t, "before", valid(t, w.Server, token), "true")
		w.clock.Add(int64(time.Minute))
		h := resolve(t, w.Server, "Authorization", "Bearer "+token)
		expect(t, "after", h.Get("X-Authgear-Session-Valid"), "false")
		if h.Values("Set-Cookie") != nil {
			t.Error("clears a cookie that was not sent")
		}
		w.ValidUntil(id, time.Time{})
		expect(t, "prolonged", valid(t, w.Server, token), "true")
	})
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Lifetime: 10 * time.Minute})
	w.clock.Store(time.Now().UnixNano())
	id := w.AddUser(authgeartest.User{})
	t.Run("expiry", func(t *testing.T) {
		jwt, opaque, cookie := w.AccessToken(id), w.OpaqueToken(id), w.SessionCookie(id, authgeartest.Token{ExpiresIn: time.Minute})
		short := w.AccessToken(id, authgeartest.Token{ExpiresIn: time.Minute})
		expired := w.AccessToken(id, authgeartest.Token{ExpiresIn: -time.Second})
		expect(t, "expired when minted", valid(t, w.Server, expired), "")
		cookieField := cookie.Name + "=" + cookie.Value
		expect(t, "cookie", resolve(t, w.Server, "Cookie", cookieField).Get("X-Authgear-Session-Valid"), "true")
		w.clock.Add(int64(time.Minute))
		expect(t, "short", valid(t, w.Server, short), "")
		h := resolve(t, w.Server, "Cookie", cookieField)
		expect(t, "expired cookie", h.Get("X-Authgear-Session-Valid"), "false")
		expect(t, "clearing", h.Get("Set-Cookie"), "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax")
		w.clock.Add(int64(9*time.Minute - time.Second))
		expect(t, "JWT", valid(t, w.Server, jwt), "true")
		expect(t, "opaque", valid(t, w.Server, opaque), "true")
		w.clock.Add(int64(time.Second))
		expect(t, "JWT", valid(t, w.Server, jwt), "")
		expect(t, "opaque", valid(t, w.Server, opaque), "")
	})
	t.Run("changed claims and header", func(t *testing.T) {
		added := w.AccessToken(id, authgeartest.Token{Claims: map[string]any{"tenant": "acme"}})
		expect(t, "an added claim", valid(t, w.Server, added), "true")
		for name, token := range map[string]authgeartest.Token{
			"audience": {Claims: map[string]any{"aud": []string{"https://other.example"}}},
			"no exp":   {Claims: map[string]any{"exp": nil}},
			"nbf":      {Claims: map[string]any{"nbf": w.time().Add(time.Minute).Unix()}},
			"subject":  {Claims: map[string]any{"sub": "other"}},
			"issuer":   {Claims: map[string]any{"iss": "https://other.example"}},
			"typ":      {Header: map[string]any{"typ": "JWT"}},
			"kid":      {Header: map[string]any{"kid": "other"}},
			"no kid":   {Header: map[string]any{"kid": nil}},
		} {
			expect(t, name, valid(t, w.Server, w.AccessToken(id, token)), "")
		}
		signed := read(t, w.Sign(map[string]any{"crit": []string{"b64"}, "typ": nil}, map[string]any{"sub": 1}))
		if _, typ := signed.Header["typ"]; typ || signed.Header["crit"] == nil || signed.Header["kid"] == nil || signed.Claims["sub"] != 1.0 || len(signed.Claims) != 1 {
			t.Errorf("signed %v", signed)
		}
	})
	t.Run("credentials without a session", func(t *testing.T) {
		signed := read(t, w.AccessToken(id)).Claims
		signed["jti"] = strings.Repeat("0", 64)
		for name, token := range map[string]string{
			"signed":       w.Sign(nil, signed),
			"cookie value": w.SessionCookie(id).Value,
		} {
			expect(t, name, valid(t, w.Server, token), "")
		}
		expect(t, "token as cookie", resolve(t, w.Server, "Cookie", "session="+w.OpaqueToken(id)).Get("X-Authgear-Session-Valid"), "false")
	})
	// Facts §4: only the refusal of a session cookie with the project's name for it is reported.
	t.Run("cookies refused silently or not", func(t *testing.T) {
		prefixed := authgeartest.New(t, authgeartest.Config{CookiePrefix: "acme_"})
		for _, c := range []struct {
			server *authgeartest.Server
			cookie string
			want   string
		}{
			{w.Server, "app_session=~", ""},
			{w.Server, "app_access_token=~", ""},
			{w.Server, "app_session=~; app_access_token=~; session=~", "false"},
			{w.Server, "acme_session=~", ""},
			{prefixed, "acme_session=~", "false"},
			{prefixed, "session=~", ""},
			{w.Server, "app_session=" + w.AppSessionCookie(id).Value + "; session=~", "true"},
		} {
			h := resolve(t, c.server, "Cookie", c.cookie)
			expect(t, c.cookie, h.Get("X-Authgear-Session-Valid"), c.want)
			if cleared := h.Get("Set-Cookie") != ""; cleared != (c.want == "false") {
				t.Errorf("%s: cleared %v", c.cookie, cleared)
			}
		}
	})
	t.Run("revocation", func(t *testing.T) {
		cookie := w.SessionCookie(id).Value
		w.Revoke("unknown")
		w.Revoke(cookie)
		expect(t, "cookie", resolve(t, w.Server, "Cookie", "session="+cookie).Get("X-Authgear-Session-Valid"), "false")
	})
	t.Run("two Authorization lines", func(t *testing.T) {
		host := strings.TrimPrefix(w.URL(), "http://")
		for _, c := range []struct{ first, second, want string }{
			{w.OpaqueToken(id), "nope", "true"},
			{"nope", w.OpaqueToken(id), ""},
		} {
			res, _ := send(t, w.URL(), "GET", "/_resolver/resolve", [][2]string{{"Host", host}, {"Authorization", "Bearer " + c.first}, {"Authorization", "Bearer " + c.second}}, "")
			expect(t, c.first, res.Header.Get("X-Authgear-Session-Valid"), c.want)
		}
	})
}

func TestCookieAttributes(t *testing.T) {
	s := authgeartest.New(t, authgeartest.Config{Endpoint: httpsOrigin, CookiePrefix: "acme_", CookieDomain: "example.com"})
	c := s.SessionCookie(s.AddUser(authgeartest.User{}))
	value := c.Value
	c.Value = ""
	expect(t, "cookie", c.String(), "acme_session=; Path=/; Domain=example.com; Max-Age=86400; HttpOnly; Secure; SameSite=Lax")
	res, _ := send(t, s.URL(), "HEAD", "/resolve", [][2]string{{"Host", "auth.example.com"}, {"Cookie", "acme_session=" + value}}, "")
	expect(t, "HEAD at the short path", res.Header.Get("X-Authgear-Session-Valid"), "true")
}
