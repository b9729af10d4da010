package demo

import (
	"crypto/rand"
	"slices"
)

// setDemoDefaults lets clients of the embedded Authgear in, lets its users
// reauthenticate, and lets it send events, where the variables say nothing else.
func (e *environment) setDemoDefaults() {
	if len(e.jwt.Resources) == 0 {
		e.jwt.Resources = []string{"https://api.example.com"}
	}
	if len(e.jwt.IDTokenClients) == 0 {
		e.jwt.IDTokenClients = []string{e.demoClient()}
	}
	if len(e.hybrid.webhookSecrets) == 0 {
		e.hybrid.webhookSecrets = []string{rand.Text()}
	}
}

// demoClient is the OAuth client by which the users of the embedded Authgear sign
// in: one that the API accepts, and if possible one whose ID tokens count.
func (e environment) demoClient() string {
	accepted, counting := e.jwt.ClientIDs, e.jwt.IDTokenClients
	if i := slices.IndexFunc(accepted, func(client string) bool { return slices.Contains(counting, client) }); i >= 0 {
		return accepted[i]
	}
	return slices.Concat(accepted, counting, []string{"spa"})[0]
}
