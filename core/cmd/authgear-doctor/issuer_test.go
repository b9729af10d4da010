package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// issuer is an authorization server as in the RFCs. It has a public client "cli", a
// confidential client "web" and a machine "worker". The secret of the last two is
// "s3cret+/".
type issuer struct {
	*httptest.Server
	key      *rsa.PrivateKey
	redirect string // the registered redirect URI

	mu       sync.Mutex
	asked    url.Values // parameters of the authorization request
	change   func(idToken map[string]any)
	typ      string                      // the typ of the ID token
	access   string                      // the access token that is issued
	answer   url.Values                  // replaces the authorization response
	expires  any                         // expires_in instead of 1800; nil: left out
	front    map[string]http.HandlerFunc // handlers that answer a path instead
	requests []*http.Request
}

const secret = "s3cret+/"

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &issuer{key: key, typ: "JWT", access: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", expires: 1800}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, map[string]any{
			"issuer": p.URL, "jwks_uri": p.URL + "/oauth2/jwks", "authorization_endpoint": p.URL + "/oauth2/authorize", "token_endpoint": p.URL + "/oauth2/token",
		})
	})
	mux.HandleFunc("GET /oauth2/jwks", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		}}})
	})
	mux.HandleFunc("GET /oauth2/authorize", p.authorize)
	mux.HandleFunc("POST /oauth2/token", p.token)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := p.front[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// authorize signs everybody in.
func (p *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	refuse := func(code, description string) {
		http.Error(w, "Invalid OAuth authorization request:\nerror: "+code+"\nerror_description: "+description, http.StatusBadRequest)
	}
	switch {
	case q.Get("client_id") != "cli" && q.Get("client_id") != "web":
		refuse("unauthorized_client", "invalid client ID")
		return
	case q.Get("redirect_uri") != p.redirect:
		refuse("invalid_request", "redirect URI is not allowed")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = q
	answer := url.Values{"code": {"the-code"}, "state": {q.Get("state")}, "iss": {p.URL}}
	for name, values := range p.answer {
		answer[name] = values
	}
	http.Redirect(w, r, p.redirect+"?"+answer.Encode(), http.StatusSeeOther)
}

func (p *issuer) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = r.ParseForm()
	p.requests = append(p.requests, r)
	id, given, basic := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	given, _ = url.QueryUnescape(given)
	if !basic {
		id, given = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	challenge := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	refuse := func(code, why string) { writeJSON(w, 400, map[string]any{"error": code, "error_description": why}) }
	switch {
	case id != "cli" && given == "":
		refuse("invalid_client", "client secret is required")
	case id != "cli" && given != secret: // with the error that Authgear answers
		refuse("invalid_request", "invalid client secret")
	case r.PostForm.Get("grant_type") == "client_credentials" && id != "worker":
		refuse("unauthorized_client", "no")
	case r.PostForm.Get("grant_type") == "client_credentials" && r.PostForm.Get("resource") != "https://api.example.com":
		refuse("invalid_target", "no")
	case r.PostForm.Get("grant_type") == "client_credentials":
		writeJSON(w, 200, map[string]any{"access_token": p.access, "token_type": "Bearer", "expires_in": 1800})
	case r.PostForm.Get("code") != "the-code" || r.PostForm.Get("redirect_uri") != p.redirect ||
		p.asked.Get("code_challenge_method") != "S256" || p.asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]):
		refuse("invalid_grant", "no")
	default:
		writeJSON(w, 200, map[string]any{"access_token": p.access, "token_type": "Bearer", "expires_in": p.expires, "id_token": p.idToken(id)})
	}
}

func (p *issuer) idToken(client string) string {
	claims := map[string]any{
		"iss": p.URL, "aud": []string{client}, "sub": "the-user", "nonce": p.asked.Get("nonce"),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	if p.change != nil {
		p.change(claims)
	}
	payload, _ := json.Marshal(claims)
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(`{"alg":"RS256","typ":"`+p.typ+`","kid":"k"}`)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	if claims["forged"] != nil {
		signature = new(big.Int).SetBytes(signature).Sub(new(big.Int).SetBytes(signature), big.NewInt(1)).FillBytes(make([]byte, 256))
	}
	return input + "." + encode(signature)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(fmt.Sprint(err))
	}
}
