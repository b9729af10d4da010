package demo

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// printCommands prints commands to paste, with fresh credentials of the embedded
// Authgear.
func printCommands(w io.Writer, base string, server *authgeartest.Server, env environment) {
	client := "demo"
	if len(env.jwt.ClientIDs) > 0 {
		client = env.jwt.ClientIDs[0]
	}
	alice := server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin"}})
	bob := server.AddUser(authgeartest.User{ID: "bob"})
	guest := server.AddUser(authgeartest.User{ID: "guest", Anonymous: true})
	mint := func(user string, token authgeartest.Token) string {
		token.ClientID = client
		return "Authorization: Bearer " + server.AccessToken(user, token)
	}

	command := func(comment, field, path string) {
		if field != "" {
			field = ` -H "` + field + `"`
		}
		_, _ = fmt.Fprintf(w, "\n# %s\ncurl -i%s %s%s\n", comment, field, base, path)
	}
	_, _ = fmt.Fprintln(w, "\nAn embedded development Authgear runs at "+server.Endpoint()+". Commands to try:")
	command("no token", "", "/me")
	command("alice: verified, role admin", mint(alice, authgeartest.Token{}), "/me")
	command("alice may see this", mint(alice, authgeartest.Token{}), "/admin")
	command("bob: not verified, no roles", mint(bob, authgeartest.Token{}), "/me")
	command("bob may not see this", mint(bob, authgeartest.Token{}), "/admin")
	command("guest: an anonymous user, not a member", mint(guest, authgeartest.Token{}), "/members")
	command("a token that has expired", mint(alice, authgeartest.Token{ExpiresIn: -time.Minute}), "/me")
	command("a token that is meant for somebody else", mint(alice, authgeartest.Token{Claims: map[string]any{"aud": []string{"https://other.example.com"}}}), "/me")
	if len(env.jwt.Resources) > 0 {
		command("a machine", "Authorization: Bearer "+server.MachineToken(client, env.jwt.Resources[0], "read"), "/me")
	}
	if env.mode != "resolver" {
		return
	}
	command("an opaque token of alice", "Authorization: Bearer "+server.OpaqueToken(alice), "/me")
	if cookies := env.resolver.Cookies; len(cookies) > 0 && !slices.Contains(cookies, "session") {
		return // the embedded Authgear's is not one of them
	}
	cookie := func(c *http.Cookie) string { return "Cookie: " + c.Name + "=" + c.Value }
	command("alice's session cookie, as a browser sends it", cookie(server.SessionCookie(alice)), "/me")
	command("the same, asked without any cache", cookie(server.SessionCookie(alice)), "/live")
	ended := server.SessionCookie(alice)
	server.RevokeSession(ended.Value)
	command("a session that was signed out", cookie(ended), "/me")
	command("the same on an optional page, which takes the cookie away", cookie(ended), "/public")
}
