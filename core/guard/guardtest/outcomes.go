package guardtest

import (
	"fmt"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// allReasons is the closed list, once more, so that a reason without a rule is
// noticed.
var allReasons = []authgear.Reason{
	authgear.ReasonNoCredentials,
	authgear.ReasonRequestMalformed, authgear.ReasonAuthorizationMalformed, authgear.ReasonTokenTooLarge,
	authgear.ReasonTokenMalformed, authgear.ReasonTokenOpaque, authgear.ReasonTokenType, authgear.ReasonTokenAlgorithm,
	authgear.ReasonClaimsInvalid, authgear.ReasonIssuerMismatch, authgear.ReasonAudienceMismatch,
	authgear.ReasonClientNotAllowed, authgear.ReasonTokenExpired, authgear.ReasonTokenNotYetValid,
	authgear.ReasonKeyUnknown, authgear.ReasonSignatureInvalid,
	authgear.ReasonTokenRejected, authgear.ReasonSessionInvalid,
	authgear.ReasonKeysUnavailable, authgear.ReasonResolverUnavailable, authgear.ReasonResolverSilent, authgear.ReasonAnswerMalformed,
	authgear.ReasonProxySecretMismatch, authgear.ReasonPolicyUnavailable, authgear.ReasonInternal,
	authgear.ReasonRoleMissing, authgear.ReasonNotVerified, authgear.ReasonAnonymousUser,
	authgear.ReasonKindNotAllowed, authgear.ReasonInsufficientScope, authgear.ReasonCannotReauthenticate,
	authgear.ReasonCrossOrigin, authgear.ReasonPolicyDenied,
	authgear.ReasonInsufficientUserAuthentication,
}

// testOutcomes has a reason for each outcome.
func testOutcomes(t *testing.T, mount Mount) {
	checkReasons(t, mount, authgear.ReasonNoCredentials, authgear.ReasonAuthorizationMalformed, authgear.ReasonTokenExpired,
		authgear.ReasonSessionInvalid, authgear.ReasonKeysUnavailable, authgear.ReasonRoleMissing, authgear.ReasonInsufficientUserAuthentication)
}

func testReasons(t *testing.T, mount Mount) { checkReasons(t, mount, allReasons...) }

// checkReasons has each reason for a token, and for what browsers send unasked.
func checkReasons(t *testing.T, mount Mount, reasons ...authgear.Reason) {
	f := newFixture(t, mount, Default,
		Route{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: whoAmI},
		Route{Path: "/fresh", Steps: []Step{{Kind: RequireFresh}}, Handler: whoAmI},
		Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
	)
	for _, reason := range reasons {
		for _, line := range []string{"Authorization: Bearer error.", "Cookie: who=error."} {
			for _, path := range []string{"/required", "/fresh", "/optional"} {
				for _, method := range []string{"GET", "POST", "HEAD"} {
					what := fmt.Sprint(method, " ", path, ": ", line, reason)
					got, want, nobody := f.raw(t, head(method, path, line+string(reason))), refusal(reason, "1"), "nobody"
					if method == "HEAD" {
						want.body, nobody = "", "" // dropped by the server, its length is not
					}
					// Unavailable and malformed are never anonymous.
					stale := reason.Outcome() == authgear.OutcomeInvalid && line[0] == 'C'
					if path == "/optional" && (stale || reason.Outcome() == authgear.OutcomeNoCredentials) {
						wantBody(t, what, got, 200, nobody)
					} else {
						same(t, what, got, want)
					}
					decisions, notices := f.record.take()
					if len(decisions) != 1 || decisions[0].Reason != reason || decisions[0].Outcome != reason.Outcome() || decisions[0].Source != "" || len(notices) != 0 {
						t.Errorf("%s: decisions %+v, notices %+v", what, decisions, notices)
					} else if text := fmt.Sprint(decisions[0].Err); strings.Contains(text, "operator") {
						t.Errorf("%s: the text of the error tells its cause: %s", what, text)
					}
				}
			}
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		same(t, method, f.get(t, method, "/required", ""), refusal(authgear.ReasonNoCredentials, ""))
	}
	// A token decides alone, and whoever sends one wants to know.
	got := f.raw(t, head("GET", "/optional", "Authorization: Bearer error.session_invalid", "Cookie: who=user.mallory"))
	same(t, "a token beside a cookie", got, refusal(authgear.ReasonSessionInvalid, ""))
}

func testFailClosed(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default,
		Route{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: whoAmI},
		Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
	)
	for token, want := range map[string]authgear.Reason{
		"nothing":  authgear.ReasonInternal,
		"foreign":  authgear.ReasonInternal,
		"typednil": authgear.ReasonInternal,
		"both":     authgear.ReasonTokenExpired, // the error beats the identity
		"wrapped":  authgear.ReasonTokenExpired,
	} {
		for _, path := range []string{"/required", "/optional"} {
			same(t, token+" at "+path, f.get(t, "GET", path, "Bearer "+token), refusal(want, "1"))
		}
	}
	f.record.take()
	same(t, "a made-up reason", f.get(t, "GET", "/optional", "Bearer error.made_up"), refusal("made_up", "1"))
}
