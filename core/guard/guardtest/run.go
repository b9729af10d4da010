package guardtest

import "testing"

// test is a name, the rule that it stands for, and how it is shown of a subject.
type test[T any] struct {
	name, rule string
	run        func(*testing.T, T)
}

// adapterTests are about what a framework can change.
var adapterTests = []test[Mount]{
	{"outcomes", "each outcome has one answer, the same bytes and headers everywhere (RFC 6750 §3)", testOutcomes},
	{"authenticated", "handlers and whatever they pass their context to see who sent the request", testAuthenticated},
	{"no middleware", "accessors on a route without a guard find nobody, and MustUser says what to do", testNoMiddleware},
	{"reuse", "a guard reuses its own decision, identity or error, and no other's", testReuse},
	{"fresh", "on a fresh route nothing counts that is older than the request", testFresh},
	{"cross origin", "an identity that browsers state by themselves does nothing for another website", testCrossOrigin},
	{"clearing cookies", "what takes a dead session's cookies away is set once, and before the handler's own", testClearing},
	{"error handlers", "a custom error handler answers or leaves the default answer standing", testErrorHandlers},
	{"access log", "the access log and a custom error handler know who was refused, and why", testAccessLog},
	{"refuse", "a handler can refuse as its guard does", testRefuse},
	{"sub-requests", "a request that is sent in the context of another is its own sender's", testSubRequests},
	{"concurrency", "requests at the same time never see each other's identity", testConcurrency},
	{"panics", "a handler that panics leaves nothing behind for the next request", testPanics},
	{"streaming", "nothing is buffered: the handler's writer is the server's own", testStreaming},
	{"repeated headers", "a repeated header is never resolved by taking one of its lines", testRepeatedHeaders},
	{"identity headers", "no handler sees an X-Authgear-* header of the client, in any spelling", testIdentityHeaders},
	{"trailers", "nothing in a trailer counts", testTrailers},
	{"wire", "a refusal is the same bytes everywhere, and HEAD gets all of them but the body (RFC 9110 §9.3.2)", testWire},
	{"connection", "nothing of one request or answer gets into the next one of the connection", testConnection},
	{"decisions", "each check tells the observer its decision once, and notices nothing else", testDecisions},
	{"grammar", "Authorization is read to the letter, and a token is looked for nowhere else (RFC 6750 §2)", testGrammar},
	{"late headers", "a trailer changes neither who sent the request nor its headers (RFC 9110 §6.5.1)", testLateHeaders},
	{"resolver", "Authgear gets the one credential that decides and nothing else of the client, and no other rescues it", testResolver},
	{"step-up", "a login of this moment counts, although an older one is kept, and costs one call", testStepUp},
	{"ID token", "an ID token counts for the request whose header it is in, and in one line", testIDToken},
	{"sessions", "sessions at the same time never get each other's identity", testSessions},
	{"kept tokens", "a token that is kept, or was and had to go, gets the answer of its first time", testKeptTokens},
	{"forwarded", "what a reverse proxy says counts when the hop is proven and the headers are whole", testForwarded},
	{"forwarded trailers", "what a reverse proxy says stands in the header", testForwardedTrailers},
}

// coreTests are about rules of core's own, which hold in every framework when they
// hold in one.
var coreTests = []test[Mount]{
	{"reasons", "each reason has the answer of its outcome", testReasons},
	{"fail closed", "an authenticator that breaks its contract lets nobody in", testFailClosed},
	{"policies", "policies run in order after authentication, and the first refusal counts", testPolicies},
	{"secrets", "neither an answer nor an observer gets a token or a user id", testSecrets},
	{"tokens", "who reads a token tells what is wrong with it, Authgear only that something is", testTokens},
	{"outage", "without a good answer of Authgear a request is neither its user's nor anonymous", testOutage},
	{"freshness", "a fresh route asks Authgear, and its answer replaces what is kept", testFreshness},
	{"origins", "http.CrossOriginProtection decides, and doubles are refused", testOrigins},
}

// Run tests an adapter.
func Run(t *testing.T, adapter Adapter) {
	run(t, adapter.Mount, adapterTests)
	run(t, adapter, policyTests)
}

// RunCore tests the rules of core that all adapters share, by means of one
// adapter.
func RunCore(t *testing.T, mount Mount) { run(t, mount, coreTests) }

func run[T any](t *testing.T, subject T, tests []test[T]) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("rule: %s", test.rule)
				}
			})
			test.run(t, subject)
		})
	}
}
