package authgearfiber

import (
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// CloseUnread lets the application close a connection whose last request may have
// left a part of its body there, which fasthttp would run as the next request.
// That is a body that nobody has read, or that is broken, with StreamRequestBody,
// and what follows the end of a multipart form without DisablePreParseMultipartForm.
// Guards do so for what they refuse, but other answers have the same fault: 404,
// those of middleware before the guard, and the 400 to an unknown method, which no
// middleware sees. Call it right after fiber.New.
func CloseUnread(app *fiber.App) {
	server := app.Server()
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
