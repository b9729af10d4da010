package doctor

import (
	"fmt"
	"log/slog"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// Status is how a step, or a report, has ended.
type Status string

const (
	// StatusOK: as it should be.
	StatusOK Status = "ok"
	// StatusWarning: it works, but will not always.
	StatusWarning Status = "warning"
	// StatusFailed: it does not work.
	StatusFailed Status = "failed"
	// StatusSkipped: it was not looked at, for the reason in Detail.
	StatusSkipped Status = "skipped"
)

// Step is one thing that was looked at. No text in it has a token, a cookie or a user's
// id, or a control character other than a line feed.
type Step struct {
	// Name says what was looked at. Of the project: endpoint, options, dns, connection, tls,
	// discovery, issuer, keys, clock, resolver, cookie_name, cookie_domain. Of a token:
	// token, header, its claims by their names, signature, jwt (what NewJWT decides) and
	// session (what the resolver says of the token). Of a cookie: cookie. If the time was
	// too short: time. The steps dns, connection and tls of a resolver at another address
	// begin with "resolver_".
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Detail is what was found.
	Detail string `json:"detail"`
	// Fix is what to do, "" when there is nothing to do.
	Fix string `json:"fix,omitempty"`
	// Reason is the reason of a request that fails because of this, "" if there is none.
	// Docs is the address of the reason's section in the documentation.
	Reason authgear.Reason `json:"reason,omitempty"`
	Docs   string          `json:"docs,omitempty"`
}

// Report is what [Run] has found, in the order in which it looked.
type Report struct {
	// Endpoint is the project's origin, in the form in which it is compared.
	Endpoint string `json:"endpoint"`
	// Status is StatusFailed if any step has failed, else StatusWarning if there is a
	// warning, else StatusOK.
	Status Status `json:"status"`
	// Verdict says the same in a sentence.
	Verdict string `json:"verdict"`
	Steps   []Step `json:"steps"`
}

// OK reports whether no step has failed.
func (r Report) OK() bool { return r.Status != StatusFailed }

// judge fills Status and Verdict, and makes the texts printable, since a peer may have
// written a part of them.
func (r *Report) judge() {
	of := map[Status]int{}
	first := map[Status]string{}
	for i := range r.Steps {
		step := &r.Steps[i]
		step.Detail, step.Fix = quote.Printable(step.Detail), quote.Printable(step.Fix)
		if of[step.Status]++; of[step.Status] == 1 {
			first[step.Status] = step.Name
		}
	}
	failed, warnings := of[StatusFailed], of[StatusWarning]
	switch {
	case failed == 1:
		r.Status, r.Verdict = StatusFailed, fmt.Sprintf("1 step failed: %s.", first[StatusFailed])
	case failed > 1:
		r.Status, r.Verdict = StatusFailed, fmt.Sprintf("%d steps failed. Begin with %s: it may be the cause of the others.", failed, first[StatusFailed])
	case warnings > 0:
		r.Status, r.Verdict = StatusWarning, fmt.Sprintf("Nothing failed. Look at the warning of %s.", first[StatusWarning])
	default:
		r.Status, r.Verdict = StatusOK, "All is well."
	}
}

func (r *Report) add(name string, status Status, detail, fix string) {
	r.Steps = append(r.Steps, Step{Name: name, Status: status, Detail: detail, Fix: fix})
}

func (r *Report) ok(name, format string, args ...any) {
	r.add(name, StatusOK, fmt.Sprintf(format, args...), "")
}

// skip adds steps that are not looked at, and says why.
func (r *Report) skip(why string, names ...string) {
	for _, name := range names {
		r.add(name, StatusSkipped, why, "")
	}
}

// fail adds a step for a request that fails for this reason. An empty fix means the fix
// of the reason.
func (r *Report) fail(name string, reason authgear.Reason, cause error, fix string) {
	step := Step{Name: name, Status: StatusFailed, Reason: reason, Detail: reason.Description(), Fix: fix}
	for _, attr := range (&authgear.Error{Reason: reason, Err: cause}).LogValue().Group() {
		step.take(attr)
	}
	r.Steps = append(r.Steps, step)
}

// take takes over what the log says of an error.
func (s *Step) take(attr slog.Attr) {
	switch attr.Key {
	case "cause":
		s.Detail = attr.Value.String()
	case "advice":
		if s.Fix == "" {
			s.Fix = attr.Value.String()
		}
	case "docs":
		s.Docs = attr.Value.String()
	}
}

// last returns the step that was added last.
func (r *Report) last() *Step { return &r.Steps[len(r.Steps)-1] }
