package authgearfasthttp

import (
	"strings"

	"github.com/valyala/fasthttp"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Refuse writes the answer to a request that [guard.Run] or [guard.Refuse] has
// refused, after it was given r. errorHandler, when not nil, may write another
// answer. It has written one when there is a status other than 200, a body or a
// body stream, whatever it returns. server is the one that serves the request.
func (r *Request[T]) Refuse(refusal *guard.Refusal, server *fasthttp.Server, errorHandler func(T, *authgear.Error) error) {
	defer closeUnread(r.c, server)
	response := &r.c.Response
	if errorHandler != nil {
		// What other middleware has left in the response is not an answer of the error
		// handler.
		response.SetStatusCode(fasthttp.StatusOK)
		response.ResetBody()
		err := errorHandler(r.framework, refusal.Err)
		refusal.ReportHandlerError(r.handedOn, err)
		if response.StatusCode() != fasthttp.StatusOK || response.IsBodyStream() || len(response.Body()) > 0 {
			return
		}
	}
	response.SetStatusCode(refusal.Status)
	response.Header.SetContentType(refusal.Header.Get("Content-Type"))
	response.SetBody(refusal.Body)
}

// ResponseHeader returns the header of the response, for [guard.Run] and
// [guard.Refuse].
func (r *Request[T]) ResponseHeader() guard.ResponseHeader {
	return responseHeader{&r.c.Response.Header}
}

// responseHeader is the header of the response. fasthttp's own Set replaces only the
// first of several lines. Without normalizing, it replaces only a name with the same
// spelling. So a refusal would keep a Cache-Control that other middleware has set.
type responseHeader struct{ *fasthttp.ResponseHeader }

// Set implements guard.ResponseHeader.
func (h responseHeader) Set(name, value string) {
	var earlier []string
	for n := range h.All() {
		if strings.EqualFold(string(n), name) {
			earlier = append(earlier, string(n))
		}
	}
	for _, n := range earlier {
		h.Del(n)
	}
	h.ResponseHeader.Set(name, value)
}
