package guardtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
	authgear.ReasonProxySecretMismatch, authgear.ReasonInternal,
	authgear.ReasonRoleMissing, authgear.ReasonNotVerified, authgear.ReasonAnonymousUser,
	authgear.ReasonKindNotAllowed, authgear.ReasonCrossOrigin, authgear.ReasonPolicyDenied,
}

func testOutcomes(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default,
		Route{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: whoAmI},
		Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
	)
	for _, reason := range allReasons {
		token := "Bearer error." + string(reason)
		want := refusal(reason, "1")
		same(t, "Require: "+string(reason), f.get(t, "GET", "/required", token), want)
		decisions, _ := f.record.take()
		if len(decisions) != 1 || decisions[0].Reason != reason || decisions[0].Outcome != reason.Outcome() || decisions[0].Source != "" {
			t.Errorf("%s: decisions = %+v", reason, decisions)
		} else if text := fmt.Sprint(decisions[0].Err); strings.Contains(text, "operator") {
			t.Errorf("%s: the text of the error tells its cause: %s", reason, text)
		}

		optional := f.get(t, "GET", "/optional", token)
		if reason == authgear.ReasonNoCredentials {
			wantBody(t, "Optional without credentials", optional, 200, "nobody")
		} else {
			same(t, "Optional: "+string(reason), optional, want)
		}
		f.record.take()

		want.body = "" // dropped by the server, its length is not
		same(t, "HEAD: "+string(reason), f.get(t, "HEAD", "/required", token), want)
		f.record.take()
	}
	same(t, "no header", f.get(t, "GET", "/required", ""), refusal(authgear.ReasonNoCredentials, ""))
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		same(t, method, f.get(t, method, "/required", ""), refusal(authgear.ReasonNoCredentials, ""))
	}
	f.record.take()

	wantBody(t, "authenticated", f.get(t, "GET", "/optional", "Bearer user.alice"), 200, "alice")
	decisions, notices := f.record.take()
	if len(decisions) != 1 || decisions[0].Outcome != authgear.OutcomeAuthenticated || decisions[0].Reason != "" ||
		decisions[0].Source != authgear.SourceJWT || decisions[0].Err != nil || len(notices) != 0 {
		t.Errorf("decisions = %+v, notices = %+v", decisions, notices)
	}
}

func testRetryAfter(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default, Route{Path: "/", Steps: []Step{{Kind: Optional}}, Handler: whoAmI})
	for wait, want := range map[time.Duration]string{
		-time.Second:            "1",
		0:                       "1",
		time.Millisecond:        "1",
		time.Second:             "1",
		1001 * time.Millisecond: "2",
		30 * time.Second:        "30",
		time.Hour:               "30",
	} {
		f.auth.err = &authgear.Error{Reason: authgear.ReasonKeysUnavailable, RetryAfter: wait}
		same(t, wait.String(), f.get(t, "GET", "/", "Bearer error"), refusal(authgear.ReasonKeysUnavailable, want))
	}
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

func testPreflight(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default, Route{Path: "/", Steps: []Step{{Kind: Require}}, Handler: whoAmI})
	preflight := "OPTIONS / HTTP/1.1\r\nHost: api.example.com\r\nOrigin: https://app.example.com\r\n" +
		"Access-Control-Request-Method: GET\r\nConnection: close\r\n\r\n"
	same(t, "preflight", f.raw(t, preflight), refusal(authgear.ReasonNoCredentials, ""))
	if _, notices := f.record.take(); len(notices) != 1 || notices[0].Kind != authgear.NoticePreflight {
		t.Errorf("notices = %+v", notices)
	}
	f.get(t, "OPTIONS", "/", "") // some other OPTIONS
	if _, notices := f.record.take(); len(notices) != 0 {
		t.Errorf("notices = %+v", notices)
	}
}
