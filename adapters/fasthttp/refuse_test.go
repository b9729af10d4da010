package authgearfasthttp_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// refused returns the answer to a request without credentials, after middleware has
// changed the response.
func refused(t *testing.T, middleware func(*fasthttp.Response), asSpelt bool, observer authgear.Observer, custom errorHandler) (*http.Response, string) {
	t.Helper()
	var c fasthttp.RequestCtx
	if asSpelt {
		c.Response.Header.DisableNormalizing()
	}
	middleware(&c.Response)
	require(&fasthttp.Server{}, newGuard(guardtest.Nobody{}, observer), custom, respond("ran"))(&c)
	var b bytes.Buffer
	if _, err := c.Response.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(&b), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// A refusal always has its headers in the same order.
func TestRefusalHeaderOrder(t *testing.T) {
	t.Parallel()
	names := func() (names []string) {
		var c fasthttp.RequestCtx
		require(&fasthttp.Server{}, newGuard(guardtest.Nobody{}, authgear.Observer{}), nil, respond("ran"))(&c)
		for name := range c.Response.Header.All() {
			names = append(names, string(name))
		}
		return names
	}
	first := names()
	for range 50 {
		if again := names(); !slices.Equal(again, first) {
			t.Fatalf("%q, and %q", first, again)
		}
	}
}

// A status or a body that other middleware has left is not an answer of the error
// handler. A refused request never gets it.
func TestSilentErrorHandlerAfterOtherMiddleware(t *testing.T) {
	t.Parallel()
	silent := func(*fasthttp.RequestCtx, *authgear.Error) error { return nil }
	for name, before := range map[string]func(*fasthttp.Response){
		"a status":         func(r *fasthttp.Response) { r.SetStatusCode(fasthttp.StatusCreated) },
		"the same status":  func(r *fasthttp.Response) { r.SetStatusCode(fasthttp.StatusUnauthorized) },
		"a body":           func(r *fasthttp.Response) { r.SetBodyString("left over") },
		"a body stream":    func(r *fasthttp.Response) { r.SetBodyStream(strings.NewReader("left over"), 9) },
		"a stream, chunks": func(r *fasthttp.Response) { r.SetBodyStream(strings.NewReader("left over"), -1) },
	} {
		for kind, custom := range map[string]errorHandler{"default": nil, "silent": silent} {
			response, body := refused(t, before, false, authgear.Observer{}, custom)
			if response.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(body, `{"error":"authentication_required"`) ||
				response.ContentLength != int64(len(body)) || response.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s, %s: %d %q %v", name, kind, response.StatusCode, body, response.Header)
			}
		}
	}
}

// The headers of a refusal replace those that other middleware has set, in any
// spelling.
func TestRefusalReplacesHeaders(t *testing.T) {
	t.Parallel()
	for _, asSpelt := range []bool{false, true} {
		response, _ := refused(t, func(r *fasthttp.Response) {
			r.Header.Add("cache-control", "public")
			r.Header.Add("Cache-Control", "max-age=60")
			r.Header.Add("www-authenticate", "Basic")
			r.Header.Add("Www-Authenticate", "Negotiate")
		}, asSpelt, authgear.Observer{}, nil)
		for name, want := range map[string]string{"Cache-Control": "no-store", "Www-Authenticate": "Bearer"} {
			if got := response.Header[name]; !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// The observer gets the error that a custom error handler returns.
func TestErrorHandlerReturns(t *testing.T) {
	t.Parallel()
	var notices []authgear.Notice
	var in context.Context
	observer := authgear.Observer{Notice: func(ctx context.Context, n authgear.Notice) { notices, in = append(notices, n), ctx }}
	response, _ := refused(t, func(*fasthttp.Response) {}, false, observer, func(*fasthttp.RequestCtx, *authgear.Error) error { return guardtest.ErrOther })
	if response.StatusCode != http.StatusUnauthorized || len(notices) != 1 || notices[0].Err != guardtest.ErrOther {
		t.Fatalf("%v, %+v", response, notices)
	}
	if refused, _ := guard.Refused(in); refused == nil || refused.Reason != authgear.ReasonNoCredentials {
		t.Errorf("the context of the notice is not the refused request's: %v", refused)
	}
}
