package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/keys"
	"github.com/authgear/authgear-sdk-go/core/internal/project"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// reach fetches the keys as NewJWT does, and looks at each part of that. It returns which
// step of the way has failed, "" for none.
func (e *examination) reach(ctx context.Context) (failed string) {
	internal := ""
	if e.config.InternalURL != "" {
		internal, _ = endpoint.Parse(e.config.InternalURL, e.config.InsecureHTTP) // configure has looked at it
	}
	var way trace
	var fetches sync.Map // of kind and fetch; one that takes too long goes on for a moment
	set := keys.New(keys.Config{
		Endpoint: e.Endpoint,
		Client:   project.New(project.Config{Endpoint: e.Endpoint, Internal: internal, HTTPClient: e.config.HTTPClient}),
		Start:    func(ctx context.Context, _, _ string) context.Context { return way.follow(ctx) },
		Observe:  func(_ context.Context, f keys.Fetch) { fetches.Store(f.Kind, fetch{f, time.Now()}) },
	})
	err := set.Ready(ctx)
	asked := cmp.Or(internal, e.Endpoint)
	if failed = e.lookAtWay(&way, "", asked); failed != "" {
		e.skip("not looked at, since "+failed+" has failed", "discovery", "issuer", "keys", "clock")
		return failed
	}
	discovery, ok := fetches.Load("discovery")
	if !ok { // the time was over before there was an answer
		if !e.skipCut(authgear.ReasonKeysUnavailable, "discovery", "issuer", "keys", "clock") {
			e.fail("discovery", authgear.ReasonKeysUnavailable, err, "")
			e.skip("not looked at, since discovery has failed", "issuer", "keys", "clock")
		}
		return ""
	}
	e.lookAtDiscovery(discovery.(fetch).Fetch, asked)
	if found, ok := fetches.Load("jwks"); ok {
		e.lookAtKeys(found.(fetch).Fetch)
	} else if !e.skipCut(authgear.ReasonKeysUnavailable, "keys") {
		e.skip("not looked at, since they are found by discovery", "keys")
	}
	e.lookAtClock(discovery.(fetch))
	return ""
}

// fetch is a request and when its answer was there.
type fetch struct {
	keys.Fetch
	at time.Time
}

func (e *examination) lookAtDiscovery(f keys.Fetch, asked string) {
	wrong, isIssuer := errors.AsType[*keys.IssuerError](f.Err)
	if f.Err != nil && !isIssuer {
		e.fail("discovery", authgear.ReasonKeysUnavailable, f.Err, statusFix(f.Status, f.Err, asked))
		e.skip("not looked at, since discovery has failed", "issuer")
		return
	}
	e.ok("discovery", "%s", f.URL)
	if isIssuer {
		e.fail("issuer", authgear.ReasonKeysUnavailable, wrong,
			"The project calls itself "+quote.Quote(wrong.Issuer)+" now, as after a change of its custom domain: if it is the right project, set Endpoint to that. Tokens have the same name in iss.")
		return
	}
	e.ok("issuer", "the same as the endpoint")
}

// statusFix says what to do about an answer with this status that is of no use.
func statusFix(status int, err error, asked string) string {
	switch {
	case status != 0 && project.IsTimeout(err):
		return "The answer has begun, and has not ended before the time-out: look at what stands between this machine and Authgear, and at Authgear's load."
	case status == 0:
		return "Look at whether this machine reaches Authgear: egress proxy, firewall, time-outs."
	case status == http.StatusOK:
		return "Something else than Authgear answers: set Endpoint to the project's own origin, as the Authgear portal shows it."
	case status/100 == 3:
		return "Set Endpoint to the project's public origin, which the redirect may name; an internal address of Authgear goes into InternalURL, and its Authgear needs TRUST_PROXY=true."
	case status == http.StatusNotFound:
		return "There is no Authgear project of this name: compare Endpoint with the Authgear portal."
	case status == http.StatusBadRequest && strings.HasPrefix(asked, "http:"):
		return "If the port speaks HTTPS, write https://."
	case status >= 500:
		return "Authgear, or what stands in front of it, is not well: look at its log, and try again."
	default:
		return "Look at what stands between this machine and Authgear: it may want another address, or refuse this one."
	}
}

func (e *examination) lookAtKeys(f keys.Fetch) {
	var usable, skipped []string
	for _, key := range f.Keys {
		if key.Err != nil {
			skipped = append(skipped, fmt.Sprintf("kid %s is not used: %v", quote.Quote(key.ID), key.Err))
		} else {
			usable = append(usable, quote.Quote(key.ID))
		}
	}
	usable, skipped = firstOf(usable), firstOf(skipped)
	if f.Err != nil {
		text := strings.Join(append([]string{f.Err.Error()}, skipped...), "; ")
		fix := statusFix(f.Status, f.Err, e.Endpoint)
		if len(f.Keys) > 0 {
			fix = "Look at the signing keys of the project: RS256 with at least 2048 bits."
		}
		e.fail("keys", authgear.ReasonKeysUnavailable, errors.New(text), fix)
		return
	}
	e.keys = f.Keys
	e.ok("keys", "%s", strings.Join(append([]string{"kid " + strings.Join(usable, ", ")}, skipped...), "; "))
}

// tolerable is a clock difference that does no harm.
const tolerable = 5 * time.Second

// lookAtClock compares the answer's Date (RFC 9110 §6.6.1) with this machine's clock.
func (e *examination) lookAtClock(f fetch) {
	date, err := http.ParseTime(f.Header.Get("Date"))
	if err != nil || f.Header.Get("Age") != "" { // an answer with Age comes from a cache
		e.skip("there is no answer with a Date of now", "clock")
		return
	}
	ahead := aheadOf(date, f.at.Add(-f.Duration), f.at)
	const fix = "Turn on the time synchronisation of this machine (NTP); a virtual machine may have slept."
	off := ahead.Abs().Round(time.Second)
	which, so := "ahead of", "good tokens are refused as expired before their time"
	if ahead < 0 {
		which, so = "behind", "new tokens are refused as not yet valid, and expired ones count too long"
	}
	switch {
	case off > e.rules.Leeway:
		e.add("clock", StatusFailed, fmt.Sprintf("this machine is %v %s Authgear, more than the Leeway of %v: %s", off, which, e.rules.Leeway, so), fix)
	case off > tolerable:
		e.add("clock", StatusWarning, fmt.Sprintf("this machine is %v %s Authgear; Leeway is %v", off, which, e.rules.Leeway), fix)
	default:
		e.ok("clock", "as Authgear's, to some seconds")
	}
}

// aheadOf returns by how much, at least, this machine's clock is ahead of the server's.
// begin and end are this machine's times of the request. date is the server's time at a
// moment between them, without its fraction of a second.
func aheadOf(date, begin, end time.Time) time.Duration {
	switch {
	case date.After(end):
		return end.Sub(date)
	case date.Add(time.Second).Before(begin):
		return begin.Sub(date.Add(time.Second))
	}
	return 0
}
