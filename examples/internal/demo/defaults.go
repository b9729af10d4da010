package demo

import (
	"crypto/rand"
	"slices"
)

// setDemoDefaults sets defaults for variables that are not set: clients of the embedded
// Authgear are accepted, its users can reauthenticate, and it sends events.
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

// demoClient returns the OAuth client by which the users of the embedded Authgear sign
// in. The API accepts this client, and if possible its ID tokens too.
func (e environment) demoClient() string {
	accepted, counting := e.jwt.ClientIDs, e.jwt.IDTokenClients
	if i := slices.IndexFunc(accepted, func(client string) bool { return slices.Contains(counting, client) }); i >= 0 {
		return accepted[i]
	}
	return slices.Concat(accepted, counting, []string{"spa"})[0]
}
