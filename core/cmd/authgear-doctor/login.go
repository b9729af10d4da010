package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// defaultPort is the port of the redirect URI to register.
const defaultPort = 7391

// login signs a user in by the authorization code grant (RFC 6749 §4.1) of a native app
// with a loopback redirect (RFC 8252 §7.3) and PKCE (RFC 7636).
func login(ctx context.Context, t terminal, args []string) error {
	f := newFlags(t, "authgear-doctor login")
	var c client
	scopes := list{"openid"}
	f.StringVar(&c.id, "client-id", "", "the client ID of the application in the Authgear portal")
	f.StringVar(&c.auth, "auth", "none", `how the secret in AUTHGEAR_CLIENT_SECRET is sent: "none", or for a confidential client "basic" or "post"`)
	f.Var(&scopes, "scope", "a scope to ask for beside openid; may be repeated")
	port := f.Uint("port", defaultPort, "the port of the redirect URI")
	noBrowser := f.Bool("no-browser", false, "only print the address, open no browser")
	timeout := f.Duration("timeout", 5*time.Minute, "how long to wait for the person")
	insecure := f.Bool("insecure-http", false, "allow plain HTTP to other than loopback addresses")
	origin, err := f.endpoint(args)
	switch {
	case err != nil:
		return err
	case c.id == "":
		return f.wrong("-client-id is missing")
	case *port == 0 || *port > 65535:
		return f.wrong("-port is not between 1 and 65535")
	case *timeout <= 0:
		return f.wrong("-timeout is not positive")
	}
	if err := c.checkAuth(f, "none", "basic", "post"); err != nil {
		return err
	}
	if c.auth != "none" {
		if c.secret = t.env("AUTHGEAR_CLIENT_SECRET"); c.secret == "" {
			return errors.New("the client's secret is missing: put it into AUTHGEAR_CLIENT_SECRET")
		}
	}
	server, err := discover(ctx, origin, *insecure)
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", *port) // loopback only (RFC 8252 §8.3)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%w; end what listens there, or take another -port, whose redirect URI has to be registered, too", err)
	}
	defer listener.Close()
	slices.Sort(scopes)
	s := newSignIn(server, c, "http://"+address+"/callback", strings.Join(slices.Compact(scopes), " "))
	g, err := s.run(ctx, t, listener, !*noBrowser && canShow(t.env), *timeout)
	if err != nil {
		return err
	}
	if g.ExpiresIn > 0 { // expires_in is only recommended (RFC 6749 §5.1)
		fmt.Fprintf(t.stderr, "Signed in. The access token is valid for %v.\n", time.Duration(g.ExpiresIn)*time.Second)
	} else {
		fmt.Fprintln(t.stderr, "Signed in.")
	}
	return printToken(t, g)
}

// run shows the address, waits until the browser is redirected back, and gets the tokens.
func (s *signIn) run(ctx context.Context, t terminal, listener net.Listener, show bool, timeout time.Duration) (*grant, error) {
	address := s.address()
	if err := s.try(ctx, address); err != nil {
		return nil, err
	}
	stop := s.serve(listener)
	defer stop()
	s.invite(t, address, show)
	if t.interactive {
		go s.readPasted(t)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, s.late()
	case result := <-s.result:
		if result.err != nil {
			return nil, result.err
		}
		return s.redeem(ctx, result.code)
	}
}

// late returns an error that says why nobody may have signed in in time.
func (s *signIn) late() error {
	if s.other.Load() {
		return errors.New("nobody has signed in in time, but the answer to another sign-in has come: open the address that is printed, not an older one")
	}
	return fmt.Errorf("nobody has signed in in time; if the browser shows an error, compare the application's redirect URIs with %s", s.redirect)
}

// invite tells the person what to do.
func (s *signIn) invite(t terminal, address string, show bool) {
	u, _ := url.Parse(s.redirect)
	fmt.Fprintf(t.stderr, `Signing in to %s.
The application needs this redirect URI (Authgear portal, Applications, the
application, Authorized Redirect URIs):

    %s

Open in a browser:

    %s

`, s.server.origin, s.redirect, address)
	if show && t.open(address) == nil {
		fmt.Fprintln(t.stderr, "A browser should open by itself.")
		return
	}
	fmt.Fprintf(t.stderr, "Is the browser on another machine? There, first run: ssh -L %s:%s THIS-MACHINE\n", u.Port(), u.Host)
	if t.interactive {
		fmt.Fprintln(t.stderr, "Or sign in, copy the address at which the browser ends with an error, and paste it here:")
	}
}
