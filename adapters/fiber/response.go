package authgearfiber

import (
	"strings"

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
