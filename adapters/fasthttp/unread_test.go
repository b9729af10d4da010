package authgearfasthttp_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	authgearfasthttp "github.com/authgear/authgear-sdk-go/adapters/fasthttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// smuggled is the unread body. A proxy in front would not have let these headers
// through.
const smuggled = "DELETE /posts/1 HTTP/1.1\r\nHost: a\r\nX-Authgear-Session-Valid: true\r\nX-Authgear-User-Id: alice\r\n\r\n"

// last is a request after which the server closes the connection.
const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// body returns a body, and its headers. fasthttp has not read the end of this body when
// the handler runs.
func body(kind string) (header, body string) {
	switch lines := strings.Repeat("\r\n", 4300); kind {
	case "none":
		return "", ""
	case "short":
		return fmt.Sprintf("Content-Length: %d\r\n", len(smuggled)), smuggled
	case "long":
		return fmt.Sprintf("Content-Length: %d\r\n", len(lines+smuggled)), lines + smuggled
	case "chunked":
		return "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(lines+smuggled), lines+smuggled)
	default: // a form, and what follows its end (RFC 2046 §5.1.1)
		form := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n" + lines[:4100] + smuggled
		return fmt.Sprintf("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n", len(form)), form
	}
}

// An unread body is never the next request: there is one answer, and the connection is
// closed. The connection stays open if the body is read or if there is no body.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, methods string
		status        int
		closeUnread   bool
	}{
		{"/guarded", "GET HEAD OPTIONS POST PUT", 401, false},
		{"/custom", "POST", 418, false},
		{"/refuse", "POST", 503, false},
		{"/open", "GET HEAD POST", 200, true},
		{"/late", "POST", 408, true},
		{"/late/reset", "POST", 408, true},
	} {
		for _, streamed := range []bool{true, false} {
			var executed atomic.Int32
			addr := serveUnread(t, streamed, c.closeUnread, &executed)
			for _, kind := range []string{"none", "short", "long", "chunked", "multipart"} {
				for method := range strings.FieldsSeq(c.methods) {
					header, body := body(kind)
					all := exchange(t, addr, method+" "+c.path+" HTTP/1.1\r\nHost: a\r\n"+header+"\r\n"+body+last)
					answers := 2
					if kind == "multipart" || streamed && kind != "none" {
						answers = 1
					}
					if strings.Count(all, "HTTP/1.1 ") != answers || !strings.HasPrefix(all, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || executed.Load() != 0 {
						t.Errorf("%s %s, streamed: %v, body: %s: executed %d times, want %d answers:\n%s", method, c.path, streamed, kind, executed.Load(), answers, all)
					}
				}
			}
		}
	}
}

// serveUnread serves handlers that read no body. It counts how often a body is executed
// as a request.
func serveUnread(t *testing.T, streamed, closeUnread bool, executed *atomic.Int32) (addr string) {
	t.Helper()
	server := &fasthttp.Server{StreamRequestBody: streamed}
	nobody := newGuard(guardtest.Nobody{}, authgear.Observer{})
	guarded := require(server, nobody, nil, respond("ran"))
	custom := require(server, nobody, func(c *fasthttp.RequestCtx, _ *authgear.Error) error {
		c.Error("custom", fasthttp.StatusTeapot) // this resets all that was set
		return nil
	}, respond("ran"))
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	late := fasthttp.TimeoutHandler(func(*fasthttp.RequestCtx) { <-ended }, time.Millisecond, "late")
	server.Handler = func(c *fasthttp.RequestCtx) {
		if c.IsDelete() {
			executed.Add(1)
		}
		switch string(c.Path()) {
		case "/guarded":
			guarded(c)
		case "/custom":
			custom(c)
		case "/refuse":
			r := view(c)
			_, refusal := guard.Refuse(c, nobody, r, r.ResponseHeader(), errors.New("no"))
			r.Refuse(refusal, server, nil)
		case "/late":
			late(c)
		case "/late/reset": // a handler that has run out of time may do anything
			c.TimeoutErrorWithCode("late", fasthttp.StatusRequestTimeout)
			c.Request.Reset()
		}
	}
	if closeUnread {
		authgearfasthttp.CloseUnread(server)
	}
	return serve(t, server)
}

// If the name of a header is no token, a proxy may find a body where fasthttp 1.69
// finds none. fasthttp 1.78 itself refuses the request.
func TestBodyByOtherNames(t *testing.T) {
	t.Parallel()
	var executed atomic.Int32
	guards, all := serveUnread(t, false, false, &executed), serveUnread(t, false, true, &executed)
	for path, addr := range map[string]string{"/guarded": guards, "/custom": guards, "/refuse": guards, "/open": all} {
		for _, name := range []string{"Content-Length ", "Content-Length\t", "Content-Length\v", " Content-Length", "Transfer-Encoding ", "Content-Length\x80"} {
			value := "chunked"
			if strings.Contains(name, "Length") {
				value = fmt.Sprint(len(smuggled))
			}
			all := exchange(t, addr, "POST "+path+" HTTP/1.1\r\nHost: a\r\n"+name+": "+value+"\r\n\r\n"+smuggled+last)
			if strings.Count(all, "HTTP/1.1 ") != 1 || executed.Load() != 0 {
				t.Errorf("%s %q: executed %d times:\n%s", path, name, executed.Load(), all)
			}
		}
	}
}

// Some servers end the line of a chunk's size at a line feed in its extension, and
// others do not. They read different requests (RFC 9112 §7.1.1). What follows a refused
// chunk is not the next request.
func TestBrokenChunks(t *testing.T) {
	t.Parallel()
	for _, streamed := range []bool{true, false} {
		var executed atomic.Int32
		server := &fasthttp.Server{StreamRequestBody: streamed, Logger: silence, Handler: func(c *fasthttp.RequestCtx) {
			if c.IsDelete() {
				executed.Add(1)
			}
			c.SetBody(c.PostBody())
		}, ErrorHandler: func(c *fasthttp.RequestCtx, _ error) { c.Error("", fasthttp.StatusBadRequest) }}
		authgearfasthttp.CloseUnread(server)
		addr := serve(t, server)
		for _, chunks := range []string{"5;a\nhello\r\n0\r\n\r\n", "0;a\n\r\n", "5;\n", "5\n", "x\r\n", "5\r\nhello!\r\n", "5\r\nhello\n"} {
			all := exchange(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks+smuggled+last)
			if strings.Count(all, "HTTP/1.1 ") != 1 || executed.Load() != 0 || !streamed && !strings.HasPrefix(all, "HTTP/1.1 400 ") {
				t.Errorf("streamed: %v, %q: executed %d times:\n%s", streamed, chunks, executed.Load(), all)
			}
		}
	}
}
