package demo

import (
	"net/http"
	"strings"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// handleEnds lets a shell end sessions, as a user does in an app and an administrator
// does in the portal.
func handleEnds(server *authgeartest.Server, users ...string) {
	ends := map[string]func(token string){"/sign-out": server.RevokeSession}
	for _, user := range users {
		ends["/disable/"+user] = func(string) { server.DisableUser(user) }
		ends["/enable/"+user] = func(string) { server.EnableUser(user) }
	}
	for path, end := range ends {
		server.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				http.Error(w, "this wants POST", http.StatusMethodNotAllowed)
				return
			}
			end(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		}))
	}
}

// printEnds prints commands that end a session before its token expires. One is a
// sign-out, for which Authgear sends no event. The other disables the account.
func (s shell) printEnds(server *authgeartest.Server) {
	handleEnds(server, server.AddUser(authgeartest.User{ID: "carol"}), "alice", "bob", "guest")
	const token = "Authorization: Bearer $TOKEN"
	signsIn, me := "TOKEN="+s.token("carol")+"; ", s.curl("", "/me", token)
	refused := "; while " + strings.Replace(me, "-i", "-sfo /dev/null", 1) + "; do sleep 0.1; done; " + me
	s.group("# a session that ends before its token does")
	s.print("carol: 200", signsIn+me)
	s.print("she signs out, which is noticed within seconds: 401", `curl -X POST -H "`+token+`" `+s.authgear+"/sign-out"+refused)
	s.print("she signs in again: 200", signsIn+me)
	s.print("she is disabled, which an event tells at once: 401", "curl -X POST "+s.authgear+"/disable/carol"+refused)
	s.print("she is enabled, and signs in again: 200", "curl -X POST "+s.authgear+"/enable/carol; "+signsIn+me)
}
