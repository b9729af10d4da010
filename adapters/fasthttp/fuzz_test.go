package authgearfasthttp_test

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// judged are the headers that a guard decides by.
var judged = []string{
	"Cookie", "Authorization", "Origin", "Sec-Fetch-Site", "Upgrade", "Connection",
	"Access-Control-Request-Method", "X-Authgear-User-Id", "X-Authgear-Proxy-Secret",
}

// lines keeps the values that the view shows for the judged headers.
type lines struct{ shown map[string][]string }

func (l *lines) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	l.shown = map[string][]string{}
	for _, name := range judged {
		l.shown[name] = r.Values(strings.ToLower(name))
	}
	return guardtest.Alice.Identity, nil
}

// FuzzView compares the headers that the guard sees with those that net/http reads from
// the same bytes, as a server or a proxy in front would.
func FuzzView(f *testing.F) {
	for _, block := range []string{
		"",
		"Cookie: session=a; b=c\r\n",
		"Cookie: session=\"a\"; session=\"; b=\\;\tc=\t\"d\" \t\r\n",
		"cookie:session=a\r\nCOOKIE: \tsession=b \t\r\nCookie:\r\n",
		"Cookie: =; =\"\";\t; =\t\r\n",
		"Cookie: session=a\nCookie: session=b\r\n",
		"Cookie: session=a\r\n session=b\r\n",
		"Cookie: a\r\n\tCookie: session=b\r\n",
		"Cookie : session=a\r\n",
		"Cookie\r\nSession: a\r\n",
		": session=a\r\n",
		"Cookie: a\rCookie: session=b\r\n",
		"Cookie: a\x00b\r\nCookie: \xff\r\n",
		"Cookie: a\r\n\r\nCookie: session=b\r\n",
		"Cookie_: a\r\nX-Cookie: b\r\nCookie2: c\r\n",
		"Authorization: Bearer a\r\nauthorization: Bearer b\r\n",
		"Origin: null\r\norigin: https://a.example\r\nSec-Fetch-Site: none\r\nSEC-FETCH-SITE: cross-site\r\n",
		"Connection: close, Cookie\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
		"Transfer-Encoding: chunked\r\nTrailer: Cookie\r\n\r\n1\r\na\r\n0\r\nCookie: session=b\r\n",
		"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Authgear-User-Id: mallory\r\nCookie: session=b\r\n",
		"Content-Length: 20\r\n\r\nCookie: session=b\r\n",
		"Expect: 100-continue\r\nContent-Length: 1\r\nCookie: session=b\r\n",
	} {
		for mode := range byte(4) {
			f.Add(block, mode)
		}
	}
	f.Fuzz(func(t *testing.T, block string, mode byte) {
		var middleware func(*fasthttp.RequestHeader)
		if mode&2 != 0 {
			middleware = func(h *fasthttp.RequestHeader) {
				h.Cookie("session")
				h.SetCookie("of-other-middleware", "1")
			}
		}
		shown := show(t, requestOf(block), mode&1 != 0, middleware)
		if shown == nil {
			return // refused
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(requestOf(block))))
		if err != nil {
			return // a server in front would refuse it
		}
		for _, name := range judged {
			want := slices.Clone(r.Header[name])
			for i := range want {
				want[i] = strings.Trim(want[i], " \t")
			}
			if !slices.Equal(shown[name], want) {
				t.Errorf("%q: %s is %q for the guard and %q for net/http", block, name, shown[name], want)
			}
		}
	})
}

func requestOf(block string) string {
	return "POST / HTTP/1.1\r\nHost: api.example.com\r\n" + block + "\r\n"
}

// show returns what the view shows after middleware has changed the header. It returns
// nil when fasthttp or the guard refuses the request.
func show(t *testing.T, request string, asSpelt bool, middleware func(*fasthttp.RequestHeader)) map[string][]string {
	t.Helper()
	var l lines
	var c fasthttp.RequestCtx
	if asSpelt {
		c.Request.Header.DisableNormalizing()
	}
	if err := c.Request.Read(bufio.NewReader(strings.NewReader(request))); err != nil {
		return nil
	}
	if middleware != nil {
		middleware(&c.Request.Header)
	}
	require(&fasthttp.Server{}, newGuard(&l, authgear.Observer{}), nil, respond("ran"))(&c)
	return l.shown
}
