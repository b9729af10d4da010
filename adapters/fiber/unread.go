package authgearfiber

import (
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// CloseUnread lets the application close a connection whose last request may have
// left a part of its body there, which fasthttp would run as the next request: a
// body that nobody has read, with StreamRequestBody, or what follows the end of a
// multipart form. Guards do so for what they refuse, but other answers have the
// same fault: 404, those of middleware before the guard, and the 400 to an unknown
// method, which no middleware sees. Call it right after fiber.New.
//
// An application with DisablePreParseMultipartForm and without StreamRequestBody
// needs none of this, and keeps its connections.
func CloseUnread(app *fiber.App) {
	server := app.Server()
	handler := server.Handler
	server.Handler = func(c *fasthttp.RequestCtx) {
		handler(c)
		closeUnread(c)
	}
}

// closeUnread cannot know how far fasthttp has read a multipart form: to its
// closing boundary, not to the end of the body (RFC 2046 §5.1.1, epilogue).
func closeUnread(c *fasthttp.RequestCtx) {
	header := &c.Request.Header
	if header.ContentLength() != 0 && (c.Request.IsBodyStream() || len(header.MultipartFormBoundary()) > 0) {
		c.SetConnectionClose()
	}
}
