package guard

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// ResponseHeader is the header of a response. http.Header and
// *fasthttp.ResponseHeader are such.
type ResponseHeader interface {
	Set(name, value string)
	Add(name, value string)
}

// Refusal is the answer to a request that is not allowed.
type Refusal struct {
	// Err is what a custom error handler gets, and what the framework records.
	Err *authgear.Error
	// Refusal is the default answer.
	authgear.Refusal

	guard *Guard
}

// newRefusal sets the headers that stay whatever answer a custom error handler
// writes: all but those that describe the body.
func newRefusal(g *Guard, err *authgear.Error, response ResponseHeader) *Refusal {
	refusal := err.Refusal()
	for _, name := range slices.Sorted(maps.Keys(refusal.Header)) { // the same bytes each time
		if !strings.HasPrefix(name, "Content-") {
			response.Set(name, refusal.Header[name][0])
		}
	}
	return &Refusal{Err: err, Refusal: refusal, guard: g}
}

// ReportHandlerError tells the observer of an error that a custom error handler
// returned, unless it is the one that the handler was given.
func (r *Refusal) ReportHandlerError(ctx context.Context, err error) {
	if err != nil && err != error(r.Err) {
		r.guard.observer.ReportNotice(ctx, authgear.NoticeErrorHandler, err)
	}
}

var _ ResponseHeader = http.Header(nil)
