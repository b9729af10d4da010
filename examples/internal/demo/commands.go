package demo

import (
	"fmt"
	"io"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// printCommands prints commands to paste, with fresh tokens of the embedded
// Authgear.
func printCommands(w io.Writer, base string, server *authgeartest.Server, config authgear.JWTConfig) {
	client := "demo"
	if len(config.ClientIDs) > 0 {
		client = config.ClientIDs[0]
	}
	alice := server.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"admin"}})
	bob := server.AddUser(authgeartest.User{ID: "bob"})
	guest := server.AddUser(authgeartest.User{ID: "guest", Anonymous: true})
	mint := func(user string, token authgeartest.Token) string {
		token.ClientID = client
		return server.AccessToken(user, token)
	}

	command := func(comment, token, path string) {
		header := ""
		if token != "" {
			header = ` -H "Authorization: Bearer ` + token + `"`
		}
		_, _ = fmt.Fprintf(w, "\n# %s\ncurl -i%s %s%s\n", comment, header, base, path)
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
	if len(config.Resources) > 0 {
		command("a machine", server.MachineToken(client, config.Resources[0], "read"), "/me")
	}
}
