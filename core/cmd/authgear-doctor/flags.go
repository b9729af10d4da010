package main

import (
	"flag"
	"fmt"
	"strings"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// flags are the flags of a command.
type flags struct {
	*flag.FlagSet
	t terminal
}

func newFlags(t terminal, name string) flags {
	f := flags{flag.NewFlagSet(name, flag.ContinueOnError), t}
	f.SetOutput(t.stderr)
	f.Usage = func() {
		fmt.Fprint(t.stderr, usage+"\nflags of "+name+":\n")
		f.PrintDefaults()
	}
	return f
}

// endpoint parses the arguments and returns the one that is not a flag. This one may come
// before or after the flags.
func (f flags) endpoint(args []string) (string, error) {
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			if err == flag.ErrHelp {
				return "", err
			}
			return "", errUsage // the flag package has said why
		}
		if f.NArg() == 0 {
			break
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
	switch {
	case len(rest) == 0:
		return "", f.wrong("ENDPOINT is missing")
	case len(rest) > 1: // not quoted: the argument may be a token
		return "", f.wrong("there is more than one argument; the only commands are login and token; an access token comes on standard input, never as an argument")
	}
	return rest[0], nil
}

// missing prints, without the usage, what is missing on standard input, and returns errUsage.
func (f flags) missing(what string) error {
	fmt.Fprintf(f.t.stderr, "%s: %s\n", f.Name(), what)
	return errUsage
}

// wrong prints what is wrong with the arguments, and returns errUsage.
func (f flags) wrong(what string) error {
	fmt.Fprintf(f.t.stderr, "%s: %s\n\n%s", f.Name(), what, usage)
	return errUsage
}
