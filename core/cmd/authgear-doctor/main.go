// Authgear-doctor says why a service and its Authgear project do not work together, and
// gets access tokens of a project into the shell.
//
//	authgear-doctor [flags] ENDPOINT            looks at the project; at a token or a
//	                                            cookie, too, that comes on standard input
//	authgear-doctor login ENDPOINT -client-id ID [flags]
//	                                            signs a user in; prints the access token
//	authgear-doctor token ENDPOINT -client-id ID -resource URI [flags]
//	                                            prints the access token of a machine
//
// No secret is ever an argument, since every user of the machine could read it.
//
// The exit status is 0 when all is well, 1 when something fails, 2 for wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const usage = `usage:
  authgear-doctor [flags] ENDPOINT
      looks at the project, and at an access token on standard input, if any
  authgear-doctor login ENDPOINT -client-id ID [flags]
      signs a user in by the browser, and prints the access token
  authgear-doctor token ENDPOINT -client-id ID -resource URI [flags]
      prints the access token of a machine, whose secret is in AUTHGEAR_CLIENT_SECRET

ENDPOINT is the project's origin, such as https://myapp.authgear.cloud.
"authgear-doctor COMMAND -h" lists the flags.
Documentation: https://github.com/authgear/authgear-sdk-go/blob/main/docs/doctor.md
`

// Exit statuses.
const (
	statusOK = iota
	statusFailed
	statusUsage
)

// terminal is where the commands read and write.
type terminal struct {
	stdin          io.Reader
	interactive    bool // a person types at stdin
	stdout, stderr io.Writer
	env            func(string) string
	open           func(url string) error // opens a URL in a browser
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, terminal{
		stdin: os.Stdin, interactive: isDevice(os.Stdin), stdout: os.Stdout, stderr: os.Stderr, env: os.Getenv, open: openBrowser,
	}, os.Args[1:]))
}

// isDevice reports whether f is a terminal or /dev/null, and not a pipe or a file.
func isDevice(f *os.File) bool {
	info, err := f.Stat()
	return err != nil || info.Mode()&os.ModeCharDevice != 0
}

var errUsage = errors.New("wrong usage")

func run(ctx context.Context, t terminal, args []string) int {
	command := diagnose
	if len(args) > 0 {
		switch args[0] {
		case "login":
			command, args = login, args[1:]
		case "token":
			command, args = token, args[1:]
		}
	}
	err := command(ctx, t, args)
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, flag.ErrHelp):
		return statusOK
	case errors.Is(err, errUsage):
		return statusUsage
	case errors.Is(err, errNotWell): // the report has said what fails
		return statusFailed
	case ctx.Err() != nil:
		fmt.Fprintln(t.stderr, "authgear-doctor: interrupted")
		return statusFailed
	default:
		fmt.Fprintln(t.stderr, "authgear-doctor: "+quote.Printable(err.Error()))
		return statusFailed
	}
}
