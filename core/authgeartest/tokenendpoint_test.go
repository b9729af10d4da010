package authgeartest_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

const idTokenGrant = "urn:authgear:params:oauth:grant-type:id-token"

// RFC 6749 §5.2 gives the error codes, Authgear the statuses.
func TestTokenErrors(t *testing.T) {
	s := authgeartest.New(t, authgeartest.Config{Clients: append(recordedClients, authgeartest.Client{ID: "spa", RedirectURIs: []string{callback}})})
	s.AddUser(authgeartest.User{ID: "alice"})
	refresh := signInFor(t, s, "alice", "spa")["refresh_token"].(string)
	form := codeForm("confidential-jwt", codeOf(t, s, "alice", "client_id", "confidential-jwt", "scope", "openid offline_access"))
	form.Set("client_secret", "secret-confidential-jwt")
	webs := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {exchange(t, s, form, 200)["refresh_token"].(string)}}
	const api = "https://api.example.com"
	for name, c := range map[string]struct {
		form  url.Values
		basic []string
		want  string
	}{
		"nothing":                 {url.Values{"x": {"y"}}, nil, "invalid_client"},
		"unknown client":          {url.Values{"client_id": {"nobody"}, "grant_type": {"refresh_token"}}, nil, "invalid_client"},
		"unknown grant":           {url.Values{"client_id": {"spa"}, "grant_type": {"password"}}, nil, "unsupported_grant_type"},
		"no code":                 {url.Values{"client_id": {"spa"}, "grant_type": {"authorization_code"}}, nil, "invalid_request"},
		"no verifier":             {url.Values{"client_id": {"spa"}, "grant_type": {"authorization_code"}, "code": {"x"}}, nil, "invalid_request"},
		"unknown code":            {codeForm("spa", "nope"), nil, "invalid_grant"},
		"no secret":               {codeForm("confidential-jwt", "nope"), nil, "invalid_client"},
		"no refresh token":        {url.Values{"client_id": {"spa"}, "grant_type": {"refresh_token"}}, nil, "invalid_request"},
		"another client's token":  {url.Values{"client_id": {"web-cookie"}, "grant_type": {"refresh_token"}, "refresh_token": {refresh}}, nil, "invalid_request"},
		"refresh, no secret":      {webs, []string{"confidential-jwt", ""}, "invalid_client"}, // RFC 6749 §6
		"refresh, wrong secret":   {webs, []string{"confidential-jwt", "wrong"}, "invalid_request"},
		"refresh":                 {webs, []string{"confidential-jwt", "secret-confidential-jwt"}, ""},
		"no session":              {url.Values{"client_id": {"spa"}, "grant_type": {idTokenGrant}}, nil, "401 invalid_grant"},
		"not first party":         {url.Values{"client_id": {"thirdparty-jwt"}, "grant_type": {idTokenGrant}}, nil, "unauthorized_client"},
		"machine refreshes":       {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}, []string{"m2m-jwt", "secret-m2m-jwt"}, "unauthorized_client"},
		"app as machine":          {url.Values{"client_id": {"confidential-jwt"}, "grant_type": {"client_credentials"}, "client_secret": {"x"}, "resource": {api}}, nil, "unauthorized_client"},
		"no resource":             {url.Values{"grant_type": {"client_credentials"}}, []string{"m2m-jwt", "secret-m2m-jwt"}, "invalid_target"},
		"unknown resource":        {url.Values{"grant_type": {"client_credentials"}, "resource": {"https://other.example.com"}}, []string{"m2m-jwt", "secret-m2m-jwt"}, "invalid_target"},
		"endpoint as resource":    {url.Values{"grant_type": {"client_credentials"}, "resource": {s.Endpoint() + "/api"}}, []string{"m2m-jwt", "secret-m2m-jwt"}, "invalid_target"},
		"unknown scope":           {url.Values{"grant_type": {"client_credentials"}, "resource": {api}, "scope": {"all"}}, []string{"m2m-jwt", "secret-m2m-jwt"}, "invalid_scope"},
		"wrong secret":            {url.Values{"grant_type": {"client_credentials"}, "resource": {api}}, []string{"m2m-jwt", "wrong"}, "invalid_request"},
		"empty secret":            {url.Values{"grant_type": {"client_credentials"}, "resource": {api}}, []string{"m2m-jwt", ""}, "invalid_client"},
		"secret not form-encoded": {url.Values{"grant_type": {"client_credentials"}, "resource": {api}}, []string{"m2m-jwt", "%zz"}, "invalid_request"},
		"ID in body and Basic":    {url.Values{"grant_type": {"client_credentials"}, "resource": {api}, "client_id": {"m2m-jwt"}}, []string{"m2m-jwt", "secret-m2m-jwt"}, "invalid_client"},
		"Basic, form-encoded":     {url.Values{"grant_type": {"client_credentials"}, "resource": {api}, "scope": {"read:orders"}}, []string{"m2m%2Djwt", "secret%2Dm2m-jwt"}, ""},
	} {
		status, code := 400, c.want
		switch {
		case c.want == "":
			status = 200
		case len(c.want) > 4 && c.want[:4] == "401 ":
			status, code = 401, c.want[4:]
		}
		var fields [][2]string
		if c.basic != nil {
			fields = append(fields, basic(c.basic[0], c.basic[1]))
		}
		body := exchange(t, s, c.form, status, fields...)
		if stringOf(body["error"]) != code || (body["error_description"] != nil) != (code != "") {
			t.Errorf("%s: %v", name, body)
		}
	}
}

// A code is good once, for five minutes, with its client, redirect URI and verifier.
func TestCode(t *testing.T) {
	w := newWorld(t, authgeartest.Config{Clients: append(recordedClients, authgeartest.Client{ID: "spa", RedirectURIs: []string{callback, callback + "/other"}}, authgeartest.Client{ID: "other"})})
	w.clock.Store(time.Now().UnixNano())
	w.AddUser(authgeartest.User{ID: "alice", Email: "alice@example.com"})
	confidential := []string{"client_id", "confidential-jwt", "scope", "openid"}
	secret := func(f url.Values, secret string) {
		f.Set("client_id", "confidential-jwt")
		f.Set("client_secret", secret)
	}
	for name, c := range map[string]struct {
		changes []string
		change  func(url.Values)
		want    string
	}{
		"another secret":         {confidential, func(f url.Values) { secret(f, "another") }, "invalid_request"},
		"verifier, no challenge": {append(confidential, "code_challenge", ""), func(f url.Values) { secret(f, "secret-confidential-jwt") }, "invalid_grant"}, // RFC 9700 §2.1.1
		"another client":         {nil, func(f url.Values) { f.Set("client_id", "other") }, "invalid_grant"},
		"another redirect":       {nil, func(f url.Values) { f.Set("redirect_uri", callback+"/other") }, "invalid_request"},
		"another verifier":       {nil, func(f url.Values) { f.Set("code_verifier", verifier+"~") }, "invalid_grant"},
		"short verifier":         {[]string{"code_challenge", challenge(verifier[1:])}, func(f url.Values) { f.Set("code_verifier", verifier[1:]) }, "invalid_request"},
		"long verifier":          {[]string{"code_challenge", challenge(verifier + verifier + verifier)}, func(f url.Values) { f.Set("code_verifier", verifier+verifier+verifier) }, "invalid_request"},
		"reserved letter":        {[]string{"code_challenge", challenge(verifier + "=")}, func(f url.Values) { f.Set("code_verifier", verifier+"=") }, "invalid_request"},
		"too late":               {nil, func(url.Values) { w.clock.Add(int64(5 * time.Minute)) }, "invalid_grant"},
		"disabled":               {nil, func(url.Values) { w.DisableUser("alice") }, "invalid_grant"},
	} {
		w.EnableUser("alice")
		form := codeForm("spa", codeOf(t, w.Server, "alice", c.changes...))
		c.change(form)
		expect(t, name, stringOf(exchange(t, w.Server, form, 400)["error"]), c.want)
	}
	w.EnableUser("alice")
	form := codeForm("", codeOf(t, w.Server, "alice", confidential...))
	secret(form, "secret-confidential-jwt")
	w.clock.Add(int64(5*time.Minute - 1))
	if email := read(t, exchange(t, w.Server, form, 200)["id_token"].(string)).Claims["email"]; email != nil {
		t.Errorf("without its scope: %v", email)
	}
	expect(t, "a second time", stringOf(exchange(t, w.Server, form, 400)["error"]), "invalid_grant")
}

// All credentials of a login end with it.
func TestEndOfLogin(t *testing.T) {
	s := authgeartest.New(t)
	s.AddUser(authgeartest.User{ID: "alice"})
	for name, end := range map[string]func(tokens map[string]any){
		"refresh token revoked": func(tokens map[string]any) {
			call(t, s, "/oauth2/revoke", url.Values{"token": {tokens["refresh_token"].(string)}}.Encode())
		},
		"session revoked":      func(tokens map[string]any) { s.RevokeSession(tokens["access_token"].(string)) },
		"all sessions revoked": func(map[string]any) { s.RevokeSessions("alice") },
		"disabled":             func(map[string]any) { s.DisableUser("alice") },
	} {
		s.EnableUser("alice")
		tokens, other := signInFor(t, s, "alice", "spa"), signInFor(t, s, "alice", "spa")
		second := refreshed(t, s, tokens)
		end(tokens)
		for _, token := range []string{tokens["access_token"].(string), second} {
			expect(t, name, valid(t, s, token), "")
		}
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {tokens["refresh_token"].(string)}}
		expect(t, name, stringOf(exchange(t, s, form, 400)["error"]), "invalid_grant")
		if name == "session revoked" || name == "refresh token revoked" {
			expect(t, name+", another login", valid(t, s, other["access_token"].(string)), "true")
		}
	}
}

// Tokens end with the browser's session if the client asked for it (x_sso_enabled).
func TestEndOfBrowserSession(t *testing.T) {
	w := newWorld(t, authgeartest.Config{})
	w.clock.Store(time.Now().UnixNano())
	w.AddUser(authgeartest.User{ID: "alice"})
	for sso, want := range map[string]string{"true": "", "": "true"} {
		res, _ := call(t, w.Server, authorizePath("x_sso_enabled", sso), "user=alice")
		tokens := exchange(t, w.Server, codeForm("spa", located(t, res).Get("code")), 200)
		w.Revoke(cookieOf(res, "session"))
		expect(t, "x_sso_enabled="+sso, valid(t, w.Server, tokens["access_token"].(string)), want)
	}
	tokens := signInFor(t, w.Server, "alice", "spa")
	w.ValidUntil("alice", w.time().Add(1))
	w.clock.Add(1)
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {tokens["refresh_token"].(string)}}
	expect(t, "account ended", stringOf(exchange(t, w.Server, form, 400)["error"]), "invalid_grant")
}

// Without registered clients every client ID is a machine.
func TestAnyMachine(t *testing.T) {
	s := authgeartest.New(t, authgeartest.Config{Endpoint: httpsOrigin})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"cron"}, "client_secret": {"any"}, "resource": {"https://api.example.com"}, "scope": {"a b"}}
	body := exchange(t, s, form, 200)
	claims := read(t, body["access_token"].(string)).Claims
	if body["scope"] != "a b" || claims["sub"] != "client_id_cron" || claims["scope"] != "a b" {
		t.Errorf("%v %v", body, claims)
	}
	for _, resource := range []string{"http://api.example.com", "https:///api", "https://api.example.com?a=b", "https://api.example.com#a", s.Endpoint() + "/api"} { // facts §8
		form.Set("resource", resource)
		expect(t, resource, stringOf(exchange(t, s, form, 400)["error"]), "invalid_target")
	}
}
