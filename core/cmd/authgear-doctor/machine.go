package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// token gets a machine's access token by the client credentials grant (RFC 6749 §4.4) for
// a resource (RFC 8707).
func token(ctx context.Context, t terminal, args []string) error {
	f := newFlags(t, "authgear-doctor token")
	var c client
	var scopes list
	f.StringVar(&c.id, "client-id", "", "the client ID of the machine's application in the Authgear portal")
	f.StringVar(&c.auth, "auth", "basic", `how the secret is sent: "basic" (client_secret_basic) or "post" (client_secret_post)`)
	resource := f.String("resource", "", "the resource URI that the token is for, as the portal and Resources have it")
	f.Var(&scopes, "scope", "a scope of the resource; may be repeated")
	insecure := f.Bool("insecure-http", false, "allow plain HTTP to other than loopback addresses")
	origin, err := f.endpoint(args)
	switch {
	case err != nil:
		return err
	case c.id == "":
		return f.wrong("-client-id is missing")
	case *resource == "":
		return f.wrong("-resource is missing: a machine's token is for one resource")
	}
	if err := c.checkAuth(f, "basic", "post"); err != nil {
		return err
	}
	if c.secret, err = readSecret(ctx, t); err != nil {
		return err
	}
	server, err := discover(ctx, origin, *insecure)
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {*resource}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	g, err := server.exchange(ctx, c, form, map[string]string{
		"invalid_client":      "-client-id or the secret is not that of an application of this project",
		"invalid_scope":       "the application may not have this scope of the resource: portal, API Resources, the resource, its scopes and applications",
		"invalid_target":      "the project has no such resource, or the application may not use it: portal, API Resources",
		"unauthorized_client": "the application is no machine: make one of the type M2M in the portal",
	})
	if err != nil {
		return err
	}
	return printToken(t, g)
}

// readSecret returns the client's secret, from the environment or a pipe.
func readSecret(ctx context.Context, t terminal) (string, error) {
	if secret := t.env("AUTHGEAR_CLIENT_SECRET"); secret != "" {
		return secret, nil
	}
	secret, err := readInput(ctx, t)
	if err == nil && secret == "" {
		err = errors.New("the client's secret is missing: put it into AUTHGEAR_CLIENT_SECRET, or give it on standard input")
	}
	return secret, err
}

// printToken writes only the token to standard output, so that a shell can use it.
func printToken(t terminal, g *grant) error {
	if !strings.Contains(g.AccessToken, ".") {
		fmt.Fprintln(t.stderr, `Note: the access token is opaque, which NewJWT refuses; NewHybrid and NewResolver take it. For JWTs turn on "Issue JWT as access token" for the application in the Authgear portal.`)
	}
	_, err := fmt.Fprintln(t.stdout, g.AccessToken)
	return err
}
