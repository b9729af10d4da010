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

// Step is one thing that was looked at. No text in it has a token, a cookie or a
// user's id, nor a control character but line feeds.
type Step struct {
	// Name says what was looked at: endpoint, options, dns, connection, tls,
	// discovery, issuer, keys, clock, resolver, cookie_name, cookie_domain; of a token token, header,
	// its claims by their names, signature, jwt (what NewJWT decides); session (what
	// the resolver says of the token) and cookie; time, if it has not sufficed. The steps dns, connection and tls of
	// a resolver at another address begin with "resolver_".
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Detail is what was found.
	Detail string `json:"detail"`
	// Fix is what to do, "" where nothing is.
	Fix string `json:"fix,omitempty"`
	// Reason is that of a request which fails for this, "" if it has none, and Docs
	// the address of its section in the documentation.
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

// judge fills Status and Verdict, and lets no text obey a peer that has a part in it.
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

// skip is for steps that there is no use to look at.
func (r *Report) skip(why string, names ...string) {
	for _, name := range names {
		r.add(name, StatusSkipped, why, "")
	}
}

// fail adds what a request fails with for this reason. An empty fix stands for the
// reason's own.
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
