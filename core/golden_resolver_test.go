package authgear_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// exchange is a request to a real Authgear, or to an nginx before it, and its
// answer.
type exchange = recordings.Recording

// exchanges returns the recordings of that kind, by name.
func exchanges(t *testing.T, keep func(exchange) bool) map[string]exchange {
	t.Helper()
	kept := map[string]exchange{}
	for _, e := range recordings.All(t, "") {
		if keep(e) {
			kept[e.Name] = e
		}
	}
	return kept
}

// resolverExchanges are those with the resolver.
func resolverExchanges(t *testing.T) map[string]exchange {
	t.Helper()
	all := exchanges(t, func(e exchange) bool {
		if strings.Contains(e.Name, "canary-") {
			return false // two credentials, of which one is nobody's
		}
		return strings.Contains(e.Request.Path, "/resolve") || strings.HasPrefix(e.Name, "resolve-") && e.Request.Path != ""
	})
	if len(all) < 130 {
		t.Errorf("only %d recordings found", len(all))
	}
	return all
}

func headerOf(pairs [][2]string) http.Header {
	h := http.Header{}
	for _, pair := range pairs {
		h.Add(pair[0], pair[1])
	}
	return h
}

// replay answers with a recording. Nearly all recordings were made without a
// canary, so replay adds what those with a canary show: a refusal is explicit,
// and a check passes unless Authgear fails.
type replay struct {
	exchange
	refusal exchange
	asked   []http.Header // with the client's credential
}

func (r *replay) RoundTrip(request *http.Request) (*http.Response, error) {
	said, check := headerOf(r.Response.Headers).Get("X-Authgear-Session-Valid"), isCheck(request.Header.Get("Authorization"))
	if !check {
		r.asked = append(r.asked, request.Header.Clone())
	}
	response := r.Response
	if _, silent := silent[r.Name]; response.Status < 500 && check && r.Name != wrongName || response.Status == 200 && said == "" && !silent {
		response = r.refusal.Response
	}
	return &http.Response{
		StatusCode: response.Status,
		Header:     headerOf(response.Headers),
		Body:       io.NopCloser(strings.NewReader(response.Body)),
		Request:    request,
	}, nil
}

// silent are the recordings whose answer is empty with a canary, too: the database
// has failed, or no cookie of the project has that name.
const wrongName = "https-resolve-cookie-prefix-wrong-name"

var silent = map[string]authgear.Reason{
	"fault-database-cookie": authgear.ReasonResolverSilent,
	wrongName:               authgear.ReasonSessionInvalid,
}

// resolve authenticates a request with the recorded credentials. The answer is
// the recorded one of another exchange, or of the same.
func resolve(t *testing.T, request, answer exchange) (asked []http.Header, identity *authgear.Identity, err error) {
	t.Helper()
	sentFields := headerOf(request.Request.Headers)
	config := authgear.ResolverConfig{Endpoint: liveEndpoint, TokenCookie: "app_access_token"}
	if strings.Contains(sentFields.Get("Cookie"), "acme_session=") { // of a project that is set up so
		config.Cookies = []string{"acme_session"}
	}
	network := &replay{exchange: answer, refusal: recordings.Load(t, "canary-probe-token")}
	synctest.Test(t, func(t *testing.T) {
		auth := newResolver(t, network, config)
		identity, err = auth.Authenticate(t.Context(), sent(sentFields["Authorization"], sentFields["Cookie"]))
	})
	return network.asked, identity, err
}

// answeredAlone names the recordings with two credentials, of which the server
// takes whichever is good. The SDK sends on only the token, so the server's
// answer to the token alone counts: that of another recording. The same holds
// for a token that is sent on in another form.
var answeredAlone = map[string]string{
	"resolve-cookie-bob-plus-token-alice":                 "resolve-method-get",
	"resolve-token-alice-plus-invalid-cookie":             "resolve-method-get",
	"resolve-authz-two-spaces":                            "resolve-method-get",
	"resolve-expired-jwt-plus-cookie-bob":                 "resolve-invalid-token-opaque",
	"resolve-invalid-jwt-plus-cookie-bob":                 "resolve-invalid-jwt-tampered",
	"resolve-invalid-token-plus-cookie-bob":               "resolve-invalid-token-opaque",
	"resolve-invalid-token-plus-invalid-cookie":           "resolve-invalid-token-opaque",
	"lifecycle-disabled-token-plus-cookie-alice":          "lifecycle-disabled-jwt",
	"lifecycle-valid-until-elapsed-jwt-plus-cookie-alice": "lifecycle-valid-period-over-jwt",
}

// notAsked are the recordings whose request carries nothing to ask about.
var notAsked = map[string]authgear.Reason{
	"resolve-no-credentials":              authgear.ReasonNoCredentials,
	"resolve-no-credentials-front":        authgear.ReasonNoCredentials,
	"resolve-host-unknown-no-credentials": authgear.ReasonNoCredentials,
	"resolve-path-short":                  authgear.ReasonNoCredentials,
	"resolve-query-access-token":          authgear.ReasonNoCredentials,
	"resolve-unrelated-cookie":            authgear.ReasonNoCredentials,
	"resolve-forged-response-headers":     authgear.ReasonNoCredentials,
	"resolve-authz-basic":                 authgear.ReasonNoCredentials,
	"resolve-authz-dpop-scheme":           authgear.ReasonNoCredentials,
	"resolve-authz-raw-token":             authgear.ReasonNoCredentials,
	"resolve-authz-token-scheme":          authgear.ReasonNoCredentials,
	"outage-redis-none":                   authgear.ReasonNoCredentials,
	"outage-redis-hangs-none":             authgear.ReasonNoCredentials,

	"resolve-authz-bearer-only":      authgear.ReasonAuthorizationMalformed,
	"resolve-authz-bearer-space":     authgear.ReasonAuthorizationMalformed,
	"resolve-authz-comma-two-tokens": authgear.ReasonAuthorizationMalformed,
	"resolve-authz-quoted":           authgear.ReasonAuthorizationMalformed,
	"resolve-authz-tab":              authgear.ReasonAuthorizationMalformed,
	"resolve-authz-trailing-garbage": authgear.ReasonAuthorizationMalformed,
	"resolve-nonascii-token":         authgear.ReasonAuthorizationMalformed,

	"resolve-cookie-10k": authgear.ReasonSessionInvalid,
}

// Every recorded answer of the resolver means what it says.
func TestRecordedResolver(t *testing.T) {
	t.Parallel()
	all := resolverExchanges(t)
	for name := range notAsked {
		if _, ok := all[name]; !ok {
			t.Errorf("there is no recording %s", name)
		}
	}
	outcomes := map[string]int{}
	for name, e := range all {
		if _, ok := answeredAlone[name]; ok {
			continue
		}
		asked, identity, err := resolve(t, e, e)
		if reason, ok := notAsked[name]; ok {
			t.Run(name, func(t *testing.T) {
				wantRefusal(t, identity, err, reason, reason == authgear.ReasonSessionInvalid)
				if len(asked) > 0 {
					t.Errorf("asked with %q", asked)
				}
			})
			continue
		}
		t.Run(name, func(t *testing.T) {
			outcomes[checkAnswer(t, e, identity, err, asked)]++
		})
	}
	for outcome, least := range map[string]int{"valid": 40, "cookie refused": 10, "token refused": 25, "unavailable": 15} {
		if outcomes[outcome] < least {
			t.Errorf("%d times %s: %v", outcomes[outcome], outcome, outcomes)
		}
	}
}

// checkAnswer compares with what the recording says, as it stands there.
func checkAnswer(t *testing.T, e exchange, identity *authgear.Identity, err error, asked []http.Header) string {
	t.Helper()
	answer := headerOf(e.Response.Headers)
	if len(asked) == 0 {
		t.Fatal("nobody was asked")
	}
	token, ambient := asked[0].Get("Authorization") != "", headerOf(e.Request.Headers).Get("Authorization") == ""
	if token && asked[0].Get("Cookie") != "session=~" {
		t.Errorf("asked with %q", asked[0])
	}
	switch said := answer.Get("X-Authgear-Session-Valid"); {
	case e.Response.Status != http.StatusOK:
		wantRefusal(t, identity, err, authgear.ReasonResolverUnavailable, ambient)
		return "unavailable"
	case said == "true":
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		checkSession(t, identity, answer, ambient)
		return "valid"
	case said == "" && token:
		wantRefusal(t, identity, err, authgear.ReasonTokenRejected, ambient)
		return "token refused"
	case said == "":
		reason, silent := silent[e.Name]
		if !silent {
			reason = authgear.ReasonSessionInvalid
		}
		wantRefusal(t, identity, err, reason, true)
		return "cookie unknown"
	case said == "false" && !token:
		wantRefusal(t, identity, err, authgear.ReasonSessionInvalid, true)
		refusal, ok := errors.AsType[*authgear.Error](err)
		if want := clearingLines(answer); e.Name == "resolve-two-session-cookies-valid-last" {
			if !ok || refusal.Evidence.ClearCookies != nil {
				t.Errorf("%+v clears the good one too", refusal)
			}
		} else if !ok || len(want) != 1 || !slices.Equal(refusal.Evidence.ClearCookies, want) {
			t.Errorf("%+v, want to clear %q", refusal, want)
		}
		return "cookie refused"
	default:
		t.Errorf("nothing expects X-Authgear-Session-Valid: %s here", said)
		return ""
	}
}

// clearingLines are an answer's Set-Cookie lines but for the nonce.
func clearingLines(answer http.Header) []string {
	return slices.DeleteFunc(answer.Values("Set-Cookie"), func(line string) bool { return strings.HasPrefix(line, "csp_nonce=") })
}

// checkSession compares an identity with the fields that describe it.
func checkSession(t *testing.T, identity *authgear.Identity, said http.Header, cookie bool) {
	t.Helper()
	seconds, err := strconv.ParseInt(said.Get("X-Authgear-Session-Authenticated-At"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var roles []string
	if line := said.Get("X-Authgear-User-Roles"); line != "" {
		roles = strings.Split(line, ",")
		slices.Sort(roles)
	}
	if identity.Kind != authgear.KindUser || identity.Source != authgear.SourceResolver || identity.Evidence.Ambient != cookie ||
		identity.ID != said.Get("X-Authgear-User-Id") ||
		strconv.FormatBool(identity.Anonymous) != said.Get("X-Authgear-User-Anonymous") ||
		strconv.FormatBool(identity.Verified) != said.Get("X-Authgear-User-Verified") ||
		strconv.FormatBool(identity.CanReauthenticate) != said.Get("X-Authgear-User-Can-Reauthenticate") ||
		!slices.Equal(identity.Roles, roles) ||
		!identity.AuthenticatedAt.Equal(time.Unix(seconds, 0)) || identity.AuthenticatedAt.Location() != time.UTC ||
		identity.ClientID != "" || identity.Scopes != nil || identity.AMR != nil || !identity.ExpiresAt.IsZero() {
		t.Errorf("identity = %+v\nsaid       %v", identity, said)
	}
}

// The SDK sends only one of two credentials, so that none rescues the other.
// Authgear itself lets another person's cookie count beside a dead token.
func TestRecordedTwoCredentials(t *testing.T) {
	t.Parallel()
	all := resolverExchanges(t)
	for name, alone := range answeredAlone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, answer := all[name], all[alone]
			if request.Name == "" || answer.Name == "" || headerOf(answer.Request.Headers).Get("Cookie") != "" {
				t.Fatal("no such recordings")
			}
			asked, identity, err := resolve(t, request, answer)
			checkAnswer(t, answer, identity, err, asked)
			scheme, token, _ := strings.Cut(headerOf(request.Request.Headers).Get("Authorization"), " ")
			if len(asked) == 0 || asked[0].Get("Authorization") != scheme+" "+strings.TrimSpace(token) || asked[0].Get("Cookie") != "session=~" {
				t.Errorf("asked with %q", asked)
			}
			if e, ok := errors.AsType[*authgear.Error](err); ok && e.Evidence.ClearCookies != nil {
				t.Errorf("clears %q, of which the resolver heard nothing", e.Evidence.ClearCookies)
			}
		})
	}
	for name, e := range all {
		h := headerOf(e.Request.Headers)
		if _, known := answeredAlone[name]; !known && h.Get("Authorization") != "" && h.Get("Cookie") != "" {
			t.Errorf("%s has two credentials", name)
		}
	}
}

// The SDK sends beside a credential what the recordings with a canary have, and
// their answers say who it is.
func TestRecordedCanary(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]authgear.Reason{
		"canary-jwt-alice":              "",
		"canary-opaque-alice":           "",
		"canary-id-token":               authgear.ReasonTokenRejected,
		"canary-other-name":             authgear.ReasonTokenRejected, // no check is answered explicitly, either
		"outage-postgres-canary-jwt":    authgear.ReasonResolverUnavailable,
		"outage-redis-canary-opaque":    authgear.ReasonResolverUnavailable,
		"outage-redis-hangs-canary-jwt": authgear.ReasonResolverUnavailable,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := recordings.Load(t, name)
			recorded := headerOf(e.Request.Headers)
			config := authgear.ResolverConfig{}
			if name == "canary-other-name" {
				config.Cookies = []string{"acme_session"}
				recorded.Set("Cookie", "acme_session=~; session=~")
			}
			var identity *authgear.Identity
			var err error
			synctest.Test(t, func(t *testing.T) {
				auth := newResolver(t, transport(func(r *http.Request) (*http.Response, error) {
					if got := r.Header; !isCheck(got.Get("Authorization")) && (got.Get("Authorization") != recorded.Get("Authorization") || got.Get("Cookie") != recorded.Get("Cookie")) {
						t.Errorf("asked with %q", got)
					}
					return answered(r, e.Response.Status, headerOf(e.Response.Headers), e.Response.Body), nil
				}), config)
				identity, err = auth.Authenticate(t.Context(), sent(recorded["Authorization"], nil))
			})
			if want == "" {
				wantUser(t, identity, err, "4ad77e91-0dc8-4db5-bb87-48f86e1afae2")
			} else {
				wantRefusal(t, identity, err, want, false)
			}
		})
	}
}

// Authgear lists roles in no particular order.
func TestRecordedRolesOrder(t *testing.T) {
	t.Parallel()
	lines := golden(t, "resolve-roles-order").RolesHeaders
	if len(lines) != 8 {
		t.Fatal(lines)
	}
	for _, line := range append(lines, "store:manager,reporter,admin,auditor", "admin,auditor,reporter,admin,store:manager") {
		answer := good()
		answer.Set("X-Authgear-User-Roles", line)
		identity, err := asking(t, &stub{answer: answer}, authgear.ResolverConfig{}).Authenticate(t.Context(), sent([]string{"Bearer a"}, nil))
		if err != nil || !slices.Equal(identity.Roles, []string{"admin", "auditor", "reporter", "store:manager"}) {
			t.Errorf("%s: %+v, %v", line, identity, err)
		}
	}
}
