package authgearfiber

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// responseHeader is the header of the response. fasthttp's own Set replaces the
// first of several lines, and without normalizing only what is spelled alike: a
// refusal would keep a Cache-Control that other middleware has set.
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

// CloseUnread is middleware for an application with StreamRequestBody, as its
// first Use. It closes the connection after a request with a body that nobody
// has read, such as one that is answered with 404: fasthttp leaves the body
// there, and would run it as the next request. Guards do so for what they refuse.
func CloseUnread(c *fiber.Ctx) error {
	defer closeUnread(c)
	return c.Next()
}

func closeUnread(c *fiber.Ctx) {
	if c.Request().IsBodyStream() && c.Request().Header.ContentLength() != 0 {
		c.Context().SetConnectionClose()
	}
}
