package authgearfasthttp

import "github.com/valyala/fasthttp"

// CloseUnread lets the server close a connection whose last request may have left a
// part of its body there, which fasthttp would run as the next request. That is a
// body that nobody has read, or that is broken, with StreamRequestBody, and what
// follows the end of a multipart form without DisablePreParseMultipartForm.
// [Request.Refuse] does so for what a guard refuses, but other answers have the
// same fault, also those that come before all middleware. Call it when the server
// has its handler, and before it serves.
func CloseUnread(server *fasthttp.Server) {
	handler := server.Handler
	server.Handler = func(c *fasthttp.RequestCtx) {
		handler(c)
		closeUnread(c, server)
	}
}

// closeUnread closes, too, where fasthttp does not tell how far it has read: a
// chunked stream after an error, and a form, which ends before the body does
// (RFC 2046 §5.1.1, epilogue).
func closeUnread(c *fasthttp.RequestCtx, server *fasthttp.Server) {
	header := &c.Request.Header
	switch length := header.ContentLength(); {
	case length == 0:
	case c.Request.IsBodyStream(), length == -1 && server.StreamRequestBody, len(header.MultipartFormBoundary()) > 0:
		c.SetConnectionClose()
	}
}
