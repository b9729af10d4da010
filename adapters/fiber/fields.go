package authgearfiber

import (
	"strings"

	"github.com/valyala/fasthttp"
)

// fields is the header of the response. fasthttp's own Set replaces the first of
// several lines, and without normalizing only what is spelled alike: a refusal
// would keep a Cache-Control that other middleware has set.
type fields struct{ *fasthttp.ResponseHeader }

// Set implements guard.Fields.
func (f fields) Set(name, value string) {
	var earlier []string
	f.VisitAll(func(n, _ []byte) {
		if strings.EqualFold(string(n), name) {
			earlier = append(earlier, string(n))
		}
	})
	for _, n := range earlier {
		f.Del(n)
	}
	f.ResponseHeader.Set(name, value)
}
