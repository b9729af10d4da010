package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// errNotWell means that a step of the report failed.
var errNotWell = errors.New("something fails")

// maxInput, in bytes, is far more than any token has.
const maxInput = 1 << 20

// diagnose prints the report of the doctor.
func diagnose(ctx context.Context, t terminal, args []string) error {
	f := newFlags(t, "authgear-doctor")
	var config doctor.Config
	f.StringVar(&config.InternalURL, "internal-url", "", "an internal origin at which Authgear is asked, as InternalURL")
	f.StringVar(&config.ResolverURL, "resolver-url", "", "the internal address of the resolver, as ResolverURL")
	f.BoolVar(&config.InsecureHTTP, "insecure-http", false, "allow plain HTTP to other than loopback addresses, as InsecureHTTP")
	f.DurationVar(&config.Leeway, "leeway", 0, "the clock difference that is tolerated, as Leeway; 0 stands for 10s")
	f.Var((*list)(&config.ClientIDs), "client-id", "an OAuth client whose tokens are accepted, as ClientIDs; may be repeated")
	f.Var((*list)(&config.Resources), "resource", "a resource URI of the service, as Resources; may be repeated")
	f.Var((*list)(&config.Cookies), "cookie-name", "a name of the session cookie, as Cookies; may be repeated")
	f.StringVar(&config.Service, "service", "", "the service's public origin, for whether browsers send it the session cookie")
	cookie := f.Bool("cookie", false, "standard input has a session cookie, not a token")
	asJSON := f.Bool("json", false, "print the report as JSON")
	var err error
	if config.Endpoint, err = f.endpoint(args); err != nil {
		return err
	}
	credential, err := readInput(ctx, t)
	switch {
	case err != nil:
		return err
	case *cookie && credential == "":
		return f.missing("-cookie without a cookie on standard input")
	case !t.interactive && credential == "": // perhaps a login failed: a good report on the project alone would hide that
		return f.missing("standard input is empty; perhaps login has failed; to check without a token, add </dev/null")
	case *cookie:
		config.Cookie = credential
	default:
		config.Token = credential
	}
	report := doctor.Run(ctx, config)
	if *asJSON {
		err = json.MarshalWrite(t.stdout, report, jsontext.WithIndent("  "))
		fmt.Fprintln(t.stdout)
	} else {
		_, err = io.WriteString(t.stdout, report.String())
	}
	if err == nil && !report.OK() {
		err = errNotWell
	}
	return err
}

// readInput returns the text of a pipe or a file, without white space around it. It reads
// nothing from a terminal. If nobody closes the pipe, it prints a hint. The reading does
// not end with ctx, but readInput returns.
func readInput(ctx context.Context, t terminal) (string, error) {
	if t.interactive {
		return "", nil
	}
	hint := time.AfterFunc(3*time.Second, func() {
		fmt.Fprintln(t.stderr, "authgear-doctor: reading standard input; without a token, give it </dev/null")
	})
	defer hint.Stop()
	type result struct {
		input []byte
		err   error
	}
	read := make(chan result, 1)
	go func() {
		input, err := io.ReadAll(io.LimitReader(t.stdin, maxInput))
		read <- result{input, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-read:
		if r.err != nil {
			return "", fmt.Errorf("reading standard input: %w", r.err)
		}
		return strings.TrimSpace(string(r.input)), nil
	}
}
