package demo

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// printCommands prints what to paste into another terminal.
func printCommands(w io.Writer, base string, server *authgeartest.Server, env environment) {
	switch {
	case server != nil:
		printDemo(w, base, server, env)
	case env.mode != "forwarded": // there the proxy is to be asked
		_, _ = fmt.Fprintln(w, "\n# TOKEN is an access token of your app; the web SDK has it as authgear.accessToken")
		_, _ = fmt.Fprintf(w, "curl -i -H \"Authorization: Bearer $TOKEN\" %s/me\n", base)
	}
}

// printDemo prints commands for the users of the embedded Authgear. Each takes a
// new token when it is run.
func printDemo(w io.Writer, base string, server *authgeartest.Server, env environment) {
	alice := server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin"}})
	server.AddUser(authgeartest.User{ID: "bob"})
	server.AddUser(authgeartest.User{ID: "guest", Anonymous: true})
	client, query := "demo", url.Values{}
	if len(env.jwt.ClientIDs) > 0 {
		client = env.jwt.ClientIDs[0]
		query.Set("client_id", client)
	}

	command := func(comment, header, path string) {
		if header != "" {
			header = ` -H "` + header + `"`
		}
		_, _ = fmt.Fprintf(w, "# %s\ncurl -i%s %s%s\n", comment, header, base, path)
	}
	bearer := func(user string) string {
		address := server.Endpoint() + "/token/" + user
		if len(query) > 0 {
			address = "'" + address + "?" + query.Encode() + "'"
		}
		return "Authorization: Bearer $(curl -s " + address + ")"
	}
	_, _ = fmt.Fprintf(w, "\nA development Authgear runs at %s. In another terminal:\n\n", server.Endpoint())
	command("no token: 401", "", "/me")
	command("alice, who is verified: 200", bearer("alice"), "/me")
	command("alice has the role admin: 200", bearer("alice"), "/admin")
	command("bob: 200", bearer("bob"), "/me")
	command("bob has no role: 403", bearer("bob"), "/admin")
	command("guest is anonymous, not a member: 403", bearer("guest"), "/members")
	query.Set("expires_in", "-60")
	command("an expired token: 401", bearer("alice"), "/me")
	if len(env.jwt.Resources) > 0 {
		command("a client, on a route for users: 403", "Authorization: Bearer "+server.ClientToken(client, env.jwt.Resources[0], "read"), "/me")
	}
	if env.mode != "resolver" {
		return
	}
	command("an opaque token of alice: 200", "Authorization: Bearer "+server.OpaqueToken(alice), "/me")
	if cookies := env.resolver.Cookies; len(cookies) > 0 && !slices.Contains(cookies, "session") {
		return // the embedded Authgear's is not one of them
	}
	cookie := func(c *http.Cookie) string { return "Cookie: " + c.Name + "=" + c.Value }
	command("alice's session cookie, on a route that asks Authgear each time: 200", cookie(server.SessionCookie(alice)), "/live")
	ended := server.SessionCookie(alice)
	server.RevokeSession(ended.Value)
	command("an ended session on an optional route, which takes the cookie away: 200", cookie(ended), "/public")
}
