// Command authgear-dev is a development Authgear by itself, for services in any
// language. It has a page to sign in on, tokens, a resolver, webhooks, and a path that
// disables a user. It is not for production: everybody who can call it may sign in as
// anybody.
//
//	go run github.com/authgear/authgear-sdk-go/core/cmd/authgear-dev
//
// It prints the endpoint, how to get a token and how to disable a user. It serves
// until it is interrupted. -h lists the flags. Package authgeartest is the same for Go tests.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "authgear-dev:", err)
		}
		os.Exit(2)
	}
}

// options are the values of the flags.
type options struct {
	config         authgeartest.Config
	users, clients string // names of files
	origins        string
	webhook        string
	secret         string
}

func parse(arguments []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("authgear-dev", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.config.Addr, "addr", "127.0.0.1:9090", "loopback `address` to listen at; port 0 is any free one")
	flags.StringVar(&o.config.Endpoint, "endpoint", "", "public `origin` that it claims to be, if a proxy stands in front")
	flags.StringVar(&o.users, "users", "", "JSON `file` of users; without it there are alice and bob")
	flags.StringVar(&o.clients, "clients", "", "JSON `file` of OAuth clients; without it any client ID counts")
	flags.StringVar(&o.origins, "origins", "", "`origins`, separated by commas, whose scripts may call; without it all of this machine")
	flags.StringVar(&o.config.Seed, "seed", "", "`text` that keeps keys, users and tokens valid when it starts again")
	flags.DurationVar(&o.config.Lifetime, "lifetime", 30*time.Minute, "`duration` that access tokens live")
	flags.StringVar(&o.webhook, "webhook", "", "`URL` that gets the events")
	flags.StringVar(&o.secret, "webhook-secret", "", "`secret` that events are signed with")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	if o.origins != "" {
		for origin := range strings.SplitSeq(o.origins, ",") {
			o.config.AllowedOrigins = append(o.config.AllowedOrigins, strings.TrimSpace(origin))
		}
	}
	if u, err := url.Parse(o.webhook); o.webhook != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return o, fmt.Errorf("-webhook: %q is no URL of http or https", o.webhook)
	}
	if (o.webhook == "") != (o.secret == "") {
		return o, errors.New("-webhook and -webhook-secret go together")
	}
	return o, nil
}

func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) error {
	o, err := parse(arguments, stderr)
	if err != nil {
		return err
	}
	users := []authgeartest.User{
		{ID: "alice", Email: "alice@example.com", Verified: true, Roles: []string{"admin"}},
		{ID: "bob"},
	}
	if o.users != "" {
		if users, err = read[authgeartest.User](o.users); err != nil {
			return fmt.Errorf("-users: %w", err)
		}
		seen := make(map[string]bool)
		for _, u := range users {
			if u.ID != "" && seen[u.ID] {
				return fmt.Errorf("-users: %s: %q is there twice", o.users, u.ID)
			}
			seen[u.ID] = true
			if strings.ContainsFunc(u.ID+strings.Join(u.Roles, ""), unicode.IsControl) { // it would garble the printed lines
				return fmt.Errorf("-users: %s: the user %q, or one of the user's roles, has a control character", o.users, u.ID)
			}
		}
	}
	if o.clients != "" {
		if o.config.Clients, err = read[authgeartest.Client](o.clients); err != nil {
			return fmt.Errorf("-clients: %w", err)
		}
	}
	// Signals are caught only now. While the program reads its files, a signal ends it at
	// once, even if a read never returns.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := authgeartest.Start(o.config)
	if err != nil {
		return err
	}
	defer server.Close()
	for i := range users {
		users[i].ID = server.AddUser(users[i])
	}
	if o.webhook != "" {
		server.SendEvents(o.webhook, o.secret)
	}
	if _, err := io.WriteString(stdout, announcement(server, users)); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// announcement returns the endpoint, the users, and commands to get tokens and to disable
// a user. It is for a person, and for a script that waits until the server is ready.
func announcement(server *authgeartest.Server, users []authgeartest.User) string {
	var b strings.Builder
	fmt.Fprintf(&b, "A development Authgear, not for production.\nendpoint: %s\n", server.Endpoint())
	for _, u := range users {
		fmt.Fprintf(&b, "user:     %s %s\n", u.ID, strings.Join(u.Roles, ","))
	}
	curl := "curl -s "
	if endpoint, _ := url.Parse(server.Endpoint()); server.Endpoint() != server.URL() {
		curl += "-H 'Host: " + endpoint.Host + "' "
	}
	first := url.PathEscape(users[0].ID) // it also escapes a single quote
	fmt.Fprintf(&b, "\nA user's token:\n  %s'%s/token/%s'\n", curl, server.URL(), first)
	fmt.Fprintf(&b, "A machine's token:\n  %s'%s/client-token/cron?resource=https://api.example.com'\n", curl, server.URL())
	fmt.Fprintf(&b, "Disable a user, and end all their sessions (/enable/{user} lets them sign in again):\n  %s-X POST '%s/disable/%s'\n", curl, server.URL(), first)
	fmt.Fprintf(&b, "In a browser an app signs in here: %s/oauth2/authorize\n", server.Endpoint())
	return b.String()
}
