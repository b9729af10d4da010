package doctor

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
)

func (e *examination) resolverConfig(observer *authgear.Observer) authgear.ResolverConfig {
	c := authgear.ResolverConfig{
		Endpoint: e.config.Endpoint, InternalURL: e.config.InternalURL, ResolverURL: e.config.ResolverURL, Cookies: e.config.Cookies,
		InsecureHTTP: e.config.InsecureHTTP, HTTPClient: e.config.HTTPClient, Observer: observer,
	}
	if c.ResolverURL != "" {
		c.InternalURL = ""
	}
	return c
}

// askResolver makes the resolver's own health check. It returns nil when that fails.
func (e *examination) askResolver(ctx context.Context) *authgear.Resolver {
	var way trace
	var status atomic.Int64
	var address, wrongName atomic.Pointer[string]
	resolver, err := authgear.NewResolver(e.resolverConfig(&authgear.Observer{
		FetchStart: func(ctx context.Context, _ authgear.FetchKind, _ string) context.Context { return way.follow(ctx) },
		Fetch:      func(_ context.Context, f authgear.Fetch) { status.Store(int64(f.Status)); address.Store(&f.URL) },
		Notice: func(_ context.Context, n authgear.Notice) {
			if text := n.Err.Error(); n.Kind == authgear.NoticeCanary {
				wrongName.Store(&text)
			}
		},
	}))
	if err == nil {
		err = resolver.Ready(ctx)
	}
	asked := ""
	if u := address.Load(); u != nil {
		asked = *u
	}
	if origin := originOf(asked); e.config.ResolverURL != "" && origin != "" {
		if failed := e.lookAtWay(&way, "resolver_", origin); failed != "" {
			e.skip("not looked at, since "+failed+" has failed", "resolver", "cookie_name", "cookie_domain")
			return nil
		}
	}
	if err != nil {
		reason := authgear.ReasonResolverUnavailable
		if found, ok := errors.AsType[*authgear.Error](err); ok { // which a request is refused with
			reason = found.Reason
		}
		if cause := errors.Unwrap(err); cause != nil { // without "authgear: the resolver is not ready"
			err = cause
		}
		if e.skipCut(reason, "resolver", "cookie_name", "cookie_domain") {
			return nil
		}
		e.fail("resolver", reason, err, statusFix(int(status.Load()), err, asked))
		e.skip("not looked at, since resolver has failed", "cookie_name", "cookie_domain")
		return nil
	}
	if text := wrongName.Load(); text != nil {
		e.silent = true
		e.add("resolver", StatusWarning, asked+" answers 200 with nothing to a token that was made up; something else than Authgear may answer",
			"If cookie_name has the project's name, look at what answers at this address.")
		e.add("cookie_name", StatusFailed, *text, cookieNameFix)
		e.skip("not looked at, since cookie_name has failed", "cookie_domain")
		return resolver
	}
	e.ok("resolver", "%s refuses a token that was made up, as it should", asked)
	e.lookAtCookieNames(ctx, resolver)
	return resolver
}

func (e *examination) cookieNames() []string {
	if len(e.config.Cookies) == 0 {
		return []string{"session"}
	}
	return e.config.Cookies
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return endpoint.Of(u)
}
