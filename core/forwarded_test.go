package authgear_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

const (
	proxyPeer   = "10.1.2.3:41234"
	proxySecret = "0123456789abcdef0123456789abcdef"
	nextSecret  = "fedcba9876543210fedcba9876543210"
)

func prefixes(of ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range of {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

func newForwarded(t *testing.T, config authgear.ForwardedConfig) *authgear.Forwarded {
	t.Helper()
	if config.Observer == nil {
		config.Observer = &authgear.Observer{}
	}
	auth, err := authgear.NewForwarded(config)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// from is a request of that peer with these fields: names, as they stand there,
// and lines in turn. The name "" takes those of a valid session.
func from(peer string, fields ...string) authgear.Request {
	header := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		if name := fields[i]; name != "" {
			header[name] = append(header[name], fields[i+1])
			continue
		}
		for name, lines := range good() {
			header[name] = lines
		}
	}
	return guard.HTTP(&http.Request{Method: http.MethodGet, Host: "app.example.com", RemoteAddr: peer, Header: header})
}

// aSession stands for the fields of a valid session in from.
const aSession = ""

// notices is an observer that keeps what it is told.
func notices(into *[]authgear.Notice) *authgear.Observer {
	return &authgear.Observer{Notice: func(_ context.Context, n authgear.Notice) { *into = append(*into, n) }}
}

// wantUnproven asserts that the fields are ignored, and that the operator hears
// of them if there were any.
func wantUnproven(t *testing.T, config authgear.ForwardedConfig, request authgear.Request, noticed bool) {
	t.Helper()
	var got []authgear.Notice
	config.Observer = notices(&got)
	identity, err := newForwarded(t, config).Authenticate(t.Context(), request)
	wantRefusal(t, identity, err, authgear.ReasonNoCredentials, false)
	cause := errors.Unwrap(err)
	if noticed && cause == nil || cause != nil && strings.Contains(cause.Error(), proxySecret[:8]) {
		t.Fatalf("cause = %v", cause)
	}
	switch {
	case !noticed && len(got) > 0:
		t.Errorf("noticed: %v", got)
	case noticed && (len(got) != 1 || got[0].Kind != authgear.NoticeUntrustedProxy || !errors.Is(got[0].Err, cause)):
		t.Errorf("noticed: %v, want the cause %v", got, cause)
	}
}

// Only the address of the socket's peer proves the proxy, in whatever form the
// server writes it. Nothing that a client can send does.
func TestForwardedPeer(t *testing.T) {
	t.Parallel()
	config := authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.9.9/16", "192.0.2.7/32", "fd00::/8", "fe80::/10", "2001:db8::1/128")}
	for peer, proven := range map[string]bool{
		proxyPeer:                   true,
		"10.1.255.255:1":            true,
		"[::ffff:10.1.2.3]:80":      true,
		"[::ffff:10.1.2.3%eth0]:80": true,
		"[fd12::1]:80":              true,
		"[fe80::1]:80":              true,
		"[fe80::1%eth0]:80":         true,
		"[2001:db8::1]:80":          true,

		"10.2.0.1:1":           false,
		"203.0.113.9:80":       false,
		"[::ffff:10.2.0.1]:80": false,
		"[::10.1.2.3]:80":      false, // not mapped

		"":                      false, // a unix socket
		"/run/app.sock":         false,
		"10.1.2.3":              false,
		"10.1.2.3, 10.1.2.3:80": false,
		"::ffff:10.1.2.3:80":    false,
		"proxy.internal:80":     false,
	} {
		if !proven {
			wantUnproven(t, config, from(peer, aSession, ""), true)
			wantUnproven(t, config, from(peer), false)
			continue
		}
		identity, err := newForwarded(t, config).Authenticate(t.Context(), from(peer, aSession, ""))
		if err != nil || identity.ID != "alice" {
			t.Errorf("%s: %v: %v", peer, err, errors.Unwrap(err))
		}
	}
	for _, field := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Client-Ip", "Cf-Connecting-Ip", "True-Client-Ip", "X-Remote-Addr"} {
		wantUnproven(t, config, from("203.0.113.9:80", aSession, "", field, "10.1.2.3"), true)
		wantUnproven(t, config, from("", aSession, "", field, "for=10.1.2.3"), true)
	}
}

// The secret stands there exactly once and is one of the configured ones.
func TestForwardedSecret(t *testing.T) {
	t.Parallel()
	const field = "X-Authgear-Proxy-Secret"
	config := authgear.ForwardedConfig{Secrets: []string{nextSecret, proxySecret}} // while one replaces the other
	for _, fields := range [][]string{
		{field, proxySecret},
		{field, nextSecret},
		{"x-authgear-proxy-secret", proxySecret},
		{field, " " + proxySecret + "\t"}, // as a server would read it
	} {
		identity, err := newForwarded(t, config).Authenticate(t.Context(), from("", append(fields, aSession, "")...))
		if err != nil || identity.ID != "alice" {
			t.Errorf("%q: %v: %v", fields, err, errors.Unwrap(err))
		}
	}
	for _, fields := range [][]string{
		{},
		{field, ""},
		{field, proxySecret, field, proxySecret},
		{field, proxySecret, field, nextSecret},
		{field, proxySecret, field, ""},
		{field, proxySecret, "x-authgear-proxy-secret", proxySecret},
		{field, proxySecret, field, "0123456789abcdef0123456789abcdeX"},
		{"X_Authgear_Proxy_Secret", proxySecret},
		{"X-Authgear-Proxy-Secret2", proxySecret},
		{"Authorization", "Bearer " + proxySecret},
	} {
		wantUnproven(t, config, from(proxyPeer, append(fields, aSession, "")...), true)
	}
	wantUnproven(t, config, from(proxyPeer), false)

	// A rotation in the wrong order must not sign everybody out.
	for _, secret := range []string{
		proxySecret[:31], proxySecret + "0", strings.ToUpper(proxySecret), proxySecret + nextSecret,
		proxySecret + ", " + proxySecret, `"` + proxySecret + `"`, "Bearer " + proxySecret,
	} {
		identity, err := newForwarded(t, config).Authenticate(t.Context(), from(proxyPeer, field, secret, aSession, ""))
		wantRefusal(t, identity, err, authgear.ReasonProxySecretMismatch, false)
	}
}

// When both are configured, both must hold.
func TestForwardedPeerAndSecret(t *testing.T) {
	t.Parallel()
	const field = "X-Authgear-Proxy-Secret"
	config := authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.0.0/16"), Secrets: []string{proxySecret}}
	wantUnproven(t, config, from(proxyPeer, aSession, ""), true)
	wantUnproven(t, config, from("10.2.0.1:1", aSession, "", field, proxySecret), true)
	wantUnproven(t, config, from("10.2.0.1:1", aSession, "", field, nextSecret), true)
	identity, err := newForwarded(t, config).Authenticate(t.Context(), from(proxyPeer, aSession, "", field, nextSecret))
	wantRefusal(t, identity, err, authgear.ReasonProxySecretMismatch, false)
	wantUnproven(t, config, from("", aSession, "", field, proxySecret), true)
	identity, err = newForwarded(t, config).Authenticate(t.Context(), from(proxyPeer, aSession, "", field, proxySecret))
	if err != nil || identity.ID != "alice" {
		t.Errorf("%v: %v", err, errors.Unwrap(err))
	}
}

// An operator hears of identity fields in every spelling, and of no others.
func TestForwardedNotice(t *testing.T) {
	t.Parallel()
	config := authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.0.0/16")}
	for name, noticed := range map[string]bool{
		"X-Authgear-User-Id":        true,
		"x_authgear_user_id":        true,
		"X.Authgear.User.Roles":     true,
		"X-Authgear-Something-New":  true,
		"X-Authgear-Proxy-Secret":   true,
		"X-Authgear-Body-Signature": false, // a webhook's
		"X-Authgear":                false,
		"X-Forwarded-For":           false,
		"Cookie":                    false,
	} {
		wantUnproven(t, config, from("203.0.113.9:80", name, "x"), noticed)
	}
	// A Bearer token alone is no mistake, and this authenticator cannot know whose
	// it is.
	wantUnproven(t, config, from("203.0.113.9:80", "Authorization", "Bearer abc"), false)
	// Connection says nothing on an unproven hop.
	wantUnproven(t, config, from("203.0.113.9:80", "Connection", "X-Authgear-User-Id"), false)

	var got []authgear.Notice
	config.Observer = notices(&got)
	auth := newForwarded(t, config)
	if _, err := auth.Authenticate(t.Context(), from(proxyPeer, aSession, "")); err != nil || len(got) != 0 {
		t.Errorf("%v, noticed on a proven hop: %v", err, got)
	}
	for range 3 { // an observer counts by itself
		_, _ = auth.Authenticate(t.Context(), from("", aSession, ""))
	}
	if len(got) != 3 {
		t.Errorf("noticed %d times", len(got))
	}
}

func TestForwardedIdentity(t *testing.T) {
	t.Parallel()
	trusted := prefixes("10.1.0.0/16")
	request := func(more ...string) authgear.Request {
		return from(proxyPeer, append([]string{aSession, "", "X-Authgear-Session-Authenticated-At", "1795468361"}, more...)...)
	}
	const (
		user = `{"kind":"user","id":"alice","anonymous":false,"verified":true,"can_reauthenticate":true,`
		rest = `"amr":["pwd","otp"],"authenticated_at":"2026-11-23T21:12:41Z","source":"forwarded"}`
	)
	for _, c := range []struct {
		name    string
		roles   bool
		request authgear.Request
		want    string
		cookie  bool
	}{
		{"by cookie, as far as anybody knows", true, request(), user + `"roles":["admin","reporter"],` + rest, true},
		{"roles are not trusted", false, request(), user + rest, true},
		{"by Bearer token", true, request("Authorization", "bearer  abc"), user + `"roles":["admin","reporter"],` + rest, false},
		{"another scheme is no Bearer token", false, request("Authorization", "Basic dXNlcjpwYXNz"), user + rest, true},
		{"an empty Authorization is none", false, request("Authorization", ""), user + rest, true},
		{"cookies beside a Bearer token", false, request("Authorization", "Bearer abc", "Cookie", "session=a"), user + rest, false},
		{"a field that nobody knows", false, request("X-Authgear-Something-New", "x"), user + rest, true},
		{"a webhook's field", false, request("X-Authgear-Body-Signature", "x"), user + rest, true},
		{"other spellings are no fields", true, request("X_Authgear_User_Id", "mallory", "X.Authgear.User.Roles", "owner"), user + `"roles":["admin","reporter"],` + rest, true},
		{"harmless Connection", false, request("Connection", "keep-alive, Upgrade", "Connection", "close"), user + rest, true},
		{"Connection names a webhook's field", false, request("Connection", "X-Authgear-Body-Signature"), user + rest, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			auth := newForwarded(t, authgear.ForwardedConfig{TrustedProxies: trusted, TrustRoles: c.roles})
			identity, err := auth.Authenticate(t.Context(), c.request)
			if err != nil {
				t.Fatal(err, errors.Unwrap(err))
			}
			got, err := json.Marshal(identity)
			if err != nil || string(got) != c.want || identity.Evidence.Ambient != c.cookie {
				t.Errorf("%s, Cookie: %v, %v\nwant %s", got, identity.Evidence.Ambient, err, c.want)
			}
		})
	}
}

func TestForwardedRefusals(t *testing.T) {
	t.Parallel()
	const (
		session       = "X-Authgear-Session-Valid"
		authorization = "Authorization"
		credential    = "X-Authgear-Credential"
	)
	for _, c := range []struct {
		name      string
		fields    []string
		want      authgear.Reason
		byBrowser bool
	}{
		{"nothing", nil, authgear.ReasonNoCredentials, false},
		{"a session cookie, nothing said of it", []string{"Cookie", "session=a"}, authgear.ReasonNoCredentials, false},
		{"another scheme", []string{authorization, "Basic dXNlcjpwYXNz"}, authgear.ReasonNoCredentials, false},
		{"a field that nobody knows", []string{"X-Authgear-Something-New", "x"}, authgear.ReasonNoCredentials, false},
		{"Bearer, nothing said of it", []string{authorization, "Bearer abc"}, authgear.ReasonTokenRejected, false},
		{"Bearer, and a field that nobody knows", []string{authorization, "Bearer abc", "X-Authgear-Something-New", "x"}, authgear.ReasonTokenRejected, false},
		{"the proxy has sent a token, no answer", []string{authorization, "Bearer abc", credential, "token"}, authgear.ReasonResolverSilent, false},
		{"the proxy has sent a cookie, no answer", []string{credential, "cookie"}, authgear.ReasonResolverSilent, false},
		{"the proxy has sent nothing", []string{credential, ""}, authgear.ReasonNoCredentials, false},
		{"a token that the proxy took away, refused", []string{credential, "token", session, "false"}, authgear.ReasonTokenRejected, false},
		{"a cookie beside another scheme, refused", []string{authorization, "Basic a", credential, "cookie", session, "false"}, authgear.ReasonSessionInvalid, true},
		{"the proxy says something else", []string{aSession, "", credential, "Token"}, authgear.ReasonAnswerMalformed, false},
		{"the proxy says two things", []string{aSession, "", credential, "token", credential, "token"}, authgear.ReasonAnswerMalformed, false},
		{"Bearer, refused", []string{authorization, "Bearer abc", session, "false"}, authgear.ReasonTokenRejected, false},
		{"a cookie, refused", []string{"Cookie", "session=a", session, "false"}, authgear.ReasonSessionInvalid, true},
		{"refused, with what was known", []string{aSession, "", session, "false"}, authgear.ReasonAnswerMalformed, false}, // two lines

		// As in the resolver's answer: one parser.
		{"incomplete", []string{session, "true", "X-Authgear-User-Id", "alice"}, authgear.ReasonAnswerMalformed, false},
		{"a user, and no word on the session", []string{"X-Authgear-User-Id", "alice"}, authgear.ReasonAnswerMalformed, false},
		{"a role of the client's, and nothing else", []string{"X-Authgear-User-Roles", "admin"}, authgear.ReasonAnswerMalformed, false},
		{"two users", []string{aSession, "", "X-Authgear-User-Id", "bob"}, authgear.ReasonAnswerMalformed, false},

		{"Connection names a field", []string{aSession, "", "Connection", "X-Authgear-User-Roles"}, authgear.ReasonAnswerMalformed, false},
		{"Connection names one in lower case", []string{aSession, "", "Connection", "close,x-authgear-user-anonymous"}, authgear.ReasonAnswerMalformed, false},
		{"Connection names one in another spelling", []string{aSession, "", "Connection", "X_Authgear_User_Id"}, authgear.ReasonAnswerMalformed, false},
		{"Connection names one among others", []string{aSession, "", "Connection", "keep-alive , \tX-Authgear-Session-Valid\t, close"}, authgear.ReasonAnswerMalformed, false},
		{"Connection names one in its second line", []string{aSession, "", "Connection", "close", "Connection", "X-Authgear-User-Id"}, authgear.ReasonAnswerMalformed, false},
		{"Connection names one that is gone", []string{"Connection", "X-Authgear-User-Id"}, authgear.ReasonAnswerMalformed, false},

		{"Bearer alone", []string{aSession, "", authorization, "Bearer"}, authgear.ReasonAuthorizationMalformed, false},
		{"two tokens", []string{aSession, "", authorization, "Bearer abc, Bearer def"}, authgear.ReasonAuthorizationMalformed, false},
		{"a token too large", []string{aSession, "", authorization, "Bearer " + strings.Repeat("a", 16<<10+1)}, authgear.ReasonTokenTooLarge, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			auth := newForwarded(t, authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.0.0/16")})
			identity, err := auth.Authenticate(t.Context(), from(proxyPeer, c.fields...))
			wantRefusal(t, identity, err, c.want, c.byBrowser)
			if e, ok := errors.AsType[*authgear.Error](err); !ok || len(e.Evidence.ClearCookies) > 0 {
				t.Errorf("err = %+v", err) // a proxy copies Set-Cookie by itself, or not
			}
		})
	}
	// A malformed request is one whatever hop it came over.
	identity, err := newForwarded(t, authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.0.0/16")}).
		Authenticate(t.Context(), from("203.0.113.9:80", authorization, "Bearer"))
	wantRefusal(t, identity, err, authgear.ReasonAuthorizationMalformed, false)
}

// A hundred answers that say nothing, and no refusal, mean that the canary has
// the wrong name.
func TestForwardedCanaryNotice(t *testing.T) {
	t.Parallel()
	silent := from(proxyPeer, "X-Authgear-Credential", "token")
	for _, refusedOnce := range []bool{false, true} {
		var got []authgear.Notice
		auth := newForwarded(t, authgear.ForwardedConfig{TrustedProxies: prefixes("10.1.0.0/16"), Observer: notices(&got)})
		if refusedOnce {
			_, _ = auth.Authenticate(t.Context(), from(proxyPeer, "X-Authgear-Credential", "token", "X-Authgear-Session-Valid", "false"))
		}
		for range 99 {
			_, _ = auth.Authenticate(t.Context(), silent)
		}
		early := len(got)
		_, _ = auth.Authenticate(t.Context(), silent)
		if late := len(got); early != 0 || (late == 1) == refusedOnce || late == 1 && got[0].Kind != authgear.NoticeCanary {
			t.Errorf("refused once %t: notices %v", refusedOnce, got)
		}
	}
}
