package demo

import (
	"fmt"
	"io"
	"net/url"
	"strings"
)

// shell prints commands to paste. A comment above each says what the answer is.
type shell struct {
	w             io.Writer
	api, authgear string // origins
	client        string // the client of the users' tokens
}

// group begins a group of commands.
func (s shell) group(text string) { _, _ = fmt.Fprintf(s.w, "\n%s\n", text) }

func (s shell) print(comment, command string) {
	_, _ = fmt.Fprintf(s.w, "# %s\n%s\n", comment, command)
}

func (s shell) get(comment, path string, headers ...string) {
	s.print(comment, s.curl("", path, headers...))
}

func (s shell) post(comment, path string, headers ...string) {
	s.print(comment, s.curl("-X POST ", path, headers...))
}

func (s shell) curl(method, path string, headers ...string) string {
	var b strings.Builder
	b.WriteString("curl -i " + method)
	for _, header := range headers {
		b.WriteString(`-H "` + header + `" `)
	}
	return b.String() + s.api + path
}

// bearer returns the header with a new token of a user.
func (s shell) bearer(user string, query ...string) string {
	return "Authorization: Bearer " + s.token(user, query...)
}

// token returns the shell code that gets a new token of a user.
func (s shell) token(user string, query ...string) string {
	if s.client != "spa" { // "spa" is the default of the embedded Authgear
		query = append(query, "client_id="+inQuery(s.client))
	}
	return s.minted("/token/"+user, query)
}

// clientToken returns the shell code that gets a new token of a client without a user.
func (s shell) clientToken(client, resource, scope string) string {
	return s.minted("/client-token/"+url.PathEscape(client), []string{"resource=" + inQuery(resource), "scope=" + inQuery(scope)})
}

// minted returns the shell code that asks the embedded Authgear for a token.
func (s shell) minted(path string, query []string) string {
	address := s.authgear + path
	if len(query) > 0 {
		address = "'" + address + "?" + strings.Join(query, "&") + "'"
	}
	return "$(curl -s " + address + ")"
}

// inQuery escapes a value. It keeps the characters of a URI that a query may have (RFC
// 3986 §3.4), so that people can read it.
func inQuery(value string) string {
	return strings.NewReplacer("%3A", ":", "%2F", "/").Replace(url.QueryEscape(value))
}
