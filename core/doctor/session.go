package doctor

import (
	"context"
	"iter"
	"slices"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

const (
	noResolver     = "nobody can tell without the resolver"
	silentResolver = "nobody can tell: the resolver says nothing, as to a request without credentials"
)

// verifier is what an authenticator does with a token alone.
type verifier interface {
	Verify(ctx context.Context, token string) (*authgear.Identity, error)
}

// lookAtSession asks the resolver about a token. If that is a JWT that is good by itself,
// NewHybrid compares the JWT with the answer.
func (e *examination) lookAtSession(ctx context.Context, resolver *authgear.Resolver, token string, goodJWT bool) {
	if resolver == nil {
		e.skip(noResolver, "session")
		return
	}
	var by verifier = resolver
	if goodJWT {
		by = e.hybrid
	}
	identity, err := by.Verify(ctx, token)
	e.session("session", identity, err)
}

func (e *examination) session(name string, identity *authgear.Identity, err error) {
	reason := reasonOf(err)
	switch {
	case e.silent && (reason == authgear.ReasonTokenRejected || reason == authgear.ReasonSessionInvalid):
		e.skip(silentResolver, name)
		return
	case err != nil:
		e.refused(name, err)
		return
	}
	e.ok(name, "the resolver knows it: %s", described(identity))
}

// lookAtCookie asks the resolver about a session cookie, as of a browser's request.
func (e *examination) lookAtCookie(ctx context.Context, resolver *authgear.Resolver) {
	if resolver == nil {
		e.skip(noResolver, "cookie")
		return
	}
	header := strings.Trim(strings.TrimSpace(e.config.Cookie), `"'`)
	if name, value, _ := strings.Cut(header, ":"); strings.EqualFold(name, "Cookie") || strings.EqualFold(name, "Set-Cookie") { // a whole line
		header = strings.TrimSpace(value)
	}
	if !strings.Contains(header, "=") {
		header = e.cookieNames()[0] + "=" + header
	}
	identity, err := resolver.Authenticate(ctx, cookieRequest(header))
	e.session("cookie", identity, err)
	if reasonOf(err) == authgear.ReasonNoCredentials {
		e.last().Detail = "none of the cookies is named " + strings.Join(e.cookieNames(), " or ")
		e.last().Fix = `Give the session cookie's value or NAME=VALUE; if that is what it is, set Cookies to the name of the project's session cookie, its http.cookie_prefix and "session". A browser sends it only to hosts of its domain, http.cookie_domain.`
	}
}

// cookieRequest is a request with one Cookie header of this value.
type cookieRequest string

func (cookieRequest) Method() string     { return "GET" }
func (cookieRequest) Host() string       { return "" }
func (cookieRequest) RemoteAddr() string { return "" }

func (r cookieRequest) Values(name string) []string {
	if strings.EqualFold(name, "Cookie") {
		return []string{string(r)}
	}
	return nil
}

func (cookieRequest) Names() iter.Seq[string] { return slices.Values([]string{"Cookie"}) }
