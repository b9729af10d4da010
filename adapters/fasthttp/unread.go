package authgearfasthttp

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// CloseUnread makes the server close a connection on which a part of the last
// request's body may be left. fasthttp would run this part as the next request.
// With StreamRequestBody the part is a body that nobody has read, or that is
// broken. Without DisablePreParseMultipartForm the part is what follows the end of
// a multipart form. [Request.Refuse] does so for requests that it refuses, but
// other answers have the same fault, also those that come before all middleware, or
// in place of a handler that has run out of time. Call CloseUnread when the server
// has its handler, and before it serves.
func CloseUnread(server *fasthttp.Server) {
	handler := server.Handler
	server.Handler = func(c *fasthttp.RequestCtx) {
		unread := mayBeUnread(c, server)
		handler(c)
		// A handler that has run out of time still uses c. The server sends another
		// answer instead.
		if late := c.LastTimeoutErrorResponse(); late == nil {
			closeUnread(c, server)
		} else if unread {
			late.SetConnectionClose()
		}
	}
}

func closeUnread(c *fasthttp.RequestCtx, server *fasthttp.Server) {
	if mayBeUnread(c, server) {
		c.SetConnectionClose()
	}
}

// mayBeUnread is true also if fasthttp does not recognize the length. It is true if
// fasthttp does not tell how far it has read: after an error in a chunked stream, and
// in a form, which may end before the body ends (RFC 2046 §5.1.1, epilogue).
func mayBeUnread(c *fasthttp.RequestCtx, server *fasthttp.Server) bool {
	header := &c.Request.Header
	if hasOtherNames(header.RawHeaders()) {
		return true
	}
	length := header.ContentLength()
	return length != 0 && (c.Request.IsBodyStream() || length == -1 && server.StreamRequestBody || len(header.MultipartFormBoundary()) > 0)
}

// hasOtherNames reports whether a header has a name that is no token (RFC 9110 §5.1),
// such as "Content-Length ". By such a header a server in front may have found another
// end of the body.
func hasOtherNames(raw []byte) bool {
	for line := range bytes.SplitSeq(raw, []byte{'\n'}) {
		name, _, _ := bytes.Cut(line, []byte{':'})
		for _, c := range bytes.TrimSuffix(name, []byte{'\r'}) {
			if c <= ' ' || c >= 0x7f {
				return true
			}
		}
	}
	return false
}
