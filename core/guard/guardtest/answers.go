package guardtest

import (
	"io"
	"net/http"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

func testErrorHandlers(t *testing.T, mount Mount) {
	for _, c := range []struct {
		name    string
		onError OnError
		status  int // 0: the default answer
		body    string
	}{
		{"writes", Writes, 418, CustomBody},
		{"redirects", Redirects, 303, ""},
		{"silent", Silent, 0, ""},
		{"returns the given error", ReturnsGiven, 0, ""},
		{"returns another error", ReturnsOther, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, mount, c.onError,
				Route{Path: "/required", Steps: []Step{{Kind: Require}}, Handler: whoAmI},
				Route{Path: "/optional", Steps: []Step{{Kind: Optional}}, Handler: whoAmI},
			)
			for _, method := range []string{"GET", "POST", "HEAD"} {
				for _, path := range []string{"/required", "/optional"} {
					got, want := f.get(t, method, path, "Bearer error.token_expired"), refusal(authgear.ReasonTokenExpired, "")
					if c.status == 0 {
						if method == "HEAD" {
							want.body = ""
						}
						same(t, method, got, want)
						continue
					}
					if got.status != c.status || c.body != "" && method != "HEAD" && got.body != c.body {
						t.Errorf("%s: %d %q", method, got.status, got.body)
					}
					sameBesideBody(t, method, got, want)
					if c.onError == Redirects && got.header.Get("Location") != "/login" {
						t.Errorf("%s: Location = %q", method, got.header.Get("Location"))
					}
				}
			}
			if c.onError == Writes {
				if got := f.get(t, "GET", "/required", "Bearer error.internal"); got.header.Get("Retry-After") != "1" {
					t.Errorf("Retry-After = %q", got.header.Get("Retry-After"))
				}
			}
			refusals := f.record.noticed()
			_, notices := f.record.take()
			for i, n := range notices { // of frameworks whose handler returns an error
				if refusals[i] == nil || refusals[i].Reason != authgear.ReasonTokenExpired {
					t.Errorf("the context of the notice is not the refused request's: %v", refusals[i])
				}
				if c.onError != ReturnsOther || n.Kind != authgear.NoticeErrorHandler || n.Err != ErrOther {
					t.Errorf("notice = %+v", n)
				}
			}
			wantBody(t, "authenticated", f.get(t, "GET", "/required", "Bearer user.alice"), 200, "alice")
		})
	}
}

func testPanics(t *testing.T, mount Mount) {
	f := newFixture(t, mount, Default, Route{Path: "/", Steps: []Step{{Kind: Optional}}, Handler: func(c Context) (int, string) {
		if user, ok := c.User(); ok && user.ID == "panic" {
			panic(http.ErrAbortHandler)
		}
		return whoAmI(c)
	}})
	for range 3 {
		func() {
			response, err := http.DefaultClient.Do(request(t, f, "Bearer user.panic"))
			if err == nil { // net/http drops the connection
				_ = response.Body.Close()
			}
		}()
		wantBody(t, "the next request", f.get(t, "GET", "/", ""), 200, "nobody")
		wantBody(t, "the one after", f.get(t, "GET", "/", "Bearer user.alice"), 200, "alice")
	}
}

func request(t *testing.T, f *fixture, authorization string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+f.addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	r.Close = true
	return r
}

func testStreaming(t *testing.T, mount Mount) {
	read := make(chan struct{})
	f := newFixture(t, mount, Default, Route{Path: "/", Steps: []Step{{Kind: Require}}, Handler: func(c Context) (int, string) {
		c.Stream(func(w io.Writer, flush func()) {
			_, _ = io.WriteString(w, "first ")
			flush()
			<-read // until the client has it
			_, _ = io.WriteString(w, "second")
		})
		return 0, ""
	}})
	response, err := http.DefaultClient.Do(request(t, f, "Bearer user.alice"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	first := make([]byte, len("first "))
	_, err = io.ReadFull(response.Body, first)
	close(read)
	rest, _ := io.ReadAll(response.Body)
	if err != nil || string(first) != "first " || string(rest) != "second" {
		t.Errorf("%q, %q, %v", first, rest, err)
	}
}
