package demo

import (
	"strings"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// printEnds prints commands that end a session before its token expires. One is a
// sign-out, for which Authgear sends no event. The other disables the account.
func (s shell) printEnds(server *authgeartest.Server) {
	server.AddUser(authgeartest.User{ID: "carol"})
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
