package demo

import (
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// printCommands prints commands to paste into another terminal.
func printCommands(w io.Writer, base string, server *authgeartest.Server, env environment) {
	switch {
	case server != nil:
		printDemo(w, base, server, env)
	case env.mode != "forwarded": // in the mode forwarded, clients must ask the proxy
		_, _ = fmt.Fprintln(w, "\n# TOKEN is an access token of your app; the web SDK has it as authgear.accessToken")
		_, _ = fmt.Fprintf(w, "curl -i -H \"Authorization: Bearer $TOKEN\" %s/me\n", base)
	}
}

// printDemo prints commands for the users of the embedded Authgear, in groups. Each
// command gets a new token when it runs. Only the command after the reauthentication
// sends the token from before it again.
func printDemo(w io.Writer, base string, server *authgeartest.Server, env environment) {
	alice := server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin"}})
	server.AddUser(authgeartest.User{ID: "bob"})
	server.AddUser(authgeartest.User{ID: "guest", Anonymous: true})
	s := shell{w, base, server.Endpoint(), env.demoClient()}

	s.group("A development Authgear runs at " + server.Endpoint() + "\nIn another terminal:\n")
	s.get("no token: 401", "/me")
	s.get("alice: 200", "/me", s.bearer("alice"))
	s.get("an expired token: 401", "/me", s.bearer("alice", "expires_in=-60"))

	s.group("# who may")
	s.get("alice has the role admin: 200", "/admin", s.bearer("alice"))
	s.get("bob has no role: 403", "/admin", s.bearer("bob"))
	s.get("guest is anonymous, not a member: 403", "/members", s.bearer("guest"))
	s.get("bob reads his own notes: 200", "/users/bob/notes", s.bearer("bob"))
	s.get("but not those of alice: 403", "/users/alice/notes", s.bearer("bob"))
	s.get("alice is admin, and reads those of bob: 200", "/users/bob/notes", s.bearer("alice"))

	s.group("# a transfer needs a login of the last 5 minutes")
	s.post("bob has just signed in: 200", "/transfer", s.bearer("bob"))
	s.printStepUp(env)

	switch env.mode {
	case "resolver":
		s.printSessions(server, alice, env.resolver.Cookies)
	case "hybrid":
		s.printEnds(server)
	default:
		s.printClient(env)
	}
}

// printStepUp prints commands that renew a login that is too old. The access token
// stays the same.
func (s shell) printStepUp(env environment) {
	const token, reauthenticate = "Authorization: Bearer $TOKEN", `curl -s -H "Authorization: Bearer $TOKEN" `
	s.print("he signed in an hour ago: 401", "TOKEN="+s.token("bob", "login_age=3600")+"; "+s.curl("-X POST ", "/transfer", token))
	switch {
	case env.mode != "jwt": // these modes ask Authgear
		s.print("he reauthenticates, and sends the same token: 200",
			reauthenticate+"-o /dev/null "+s.authgear+"/reauthenticate; "+s.curl("-X POST ", "/transfer", token))
	case slices.Contains(env.jwt.IDTokenClients, s.client):
		s.post("he reauthenticates, and sends his new ID token with the same token: 200", "/transfer",
			token, "X-ID-Token: $("+reauthenticate+s.authgear+"/reauthenticate)")
	}
}

// printClient prints commands for a client that acts without a user.
func (s shell) printClient(env environment) {
	client := "demo"
	if len(env.jwt.ClientIDs) > 0 { // other clients are refused
		client = env.jwt.ClientIDs[0]
	}
	bearer := "Authorization: Bearer " + s.clientToken(client, env.jwt.Resources[0], "reports:read")
	s.group("# a client that acts for itself")
	s.get("on a route for clients: 200", "/machine", bearer)
	s.get("it has the scope reports:read: 200", "/reports", bearer)
	s.get("on a route for users: 403", "/me", bearer)
}

// printSessions prints commands with credentials that only the resolver knows.
func (s shell) printSessions(server *authgeartest.Server, user string, cookies []string) {
	s.group("# what only the resolver knows")
	s.get("an opaque token of alice: 200", "/me", "Authorization: Bearer "+server.OpaqueToken(user))
	if len(cookies) > 0 && !slices.Contains(cookies, "session") {
		return // the cookie of the embedded Authgear is not one of them
	}
	cookie := func(c *http.Cookie) string { return "Cookie: " + c.Name + "=" + c.Value }
	s.get("the session cookie of alice, on a route that asks Authgear each time: 200", "/live", cookie(server.SessionCookie(user)))
	ended := server.SessionCookie(user)
	server.RevokeSession(ended.Value)
	s.get("an ended session on an optional route, which takes the cookie away: 200", "/public", cookie(ended))
}
