package guardtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// fake is an authenticator that does what the token says, or, without an
// Authorization header, the cookie "who". What comes in a cookie is marked so, as
// of credentials that browsers send by themselves.
//
//	user.NAME, client.NAME   this identity
//	browser.NAME             this user, marked so for a token too
//	error.REASON             this error of ours
//	clear.REASON             the same, with clearingCookies
//	ended.NAME               this user, but a rejected token when asked for a fresh answer
//	begun.NAME               the other way round
//	foreign, nothing, both   a contract that is broken
type fake struct {
	mu         sync.Mutex
	calls      int
	freshCalls int             // of them
	err        *authgear.Error // what "error" returns
}

// clearingCookies are as the resolver authenticator writes them.
var clearingCookies = []string{
	"session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
	"prefix_session=; Path=/; Domain=example.com; Max-Age=0; Secure",
}

func (f *fake) Authenticate(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	return f.answer(r, false)
}

func (f *fake) AuthenticateFresh(_ context.Context, r authgear.Request) (*authgear.Identity, error) {
	return f.answer(r, true)
}

func (f *fake) answer(r authgear.Request, fresh bool) (*authgear.Identity, error) {
	f.mu.Lock()
	f.calls++
	if fresh {
		f.freshCalls++
	}
	f.mu.Unlock()
	words, ambient := credential(r)
	kind, name, _ := strings.Cut(words, ".")
	user := &authgear.Identity{Kind: authgear.KindUser, ID: name, Source: authgear.SourceJWT, Evidence: authgear.Evidence{Ambient: ambient}}
	switch kind {
	case "":
		return nil, &authgear.Error{Reason: authgear.ReasonNoCredentials}
	case "user":
		return user, nil
	case "client":
		user.Kind = authgear.KindClient
		return user, nil
	case "browser":
		user.Evidence.Ambient = true
		return user, nil
	case "error":
		if name == "" {
			return nil, f.err
		}
		return nil, &authgear.Error{Reason: authgear.Reason(name), Err: errors.New("the cause is for the operator"), Evidence: authgear.Evidence{Ambient: ambient}}
	case "clear":
		return nil, &authgear.Error{Reason: authgear.Reason(name), Evidence: authgear.Evidence{Ambient: ambient, ClearCookies: clearingCookies}}
	case "ended", "begun":
		if fresh == (kind == "begun") {
			return user, nil
		}
		return nil, &authgear.Error{Reason: authgear.ReasonTokenRejected, Evidence: authgear.Evidence{Ambient: ambient}}
	case "wrapped":
		return nil, fmt.Errorf("wrapped: %w", &authgear.Error{Reason: authgear.ReasonTokenExpired})
	case "foreign":
		return nil, errors.New("an error that is not ours")
	case "both":
		return user, &authgear.Error{Reason: authgear.ReasonTokenExpired}
	case "typednil":
		var err *authgear.Error
		return nil, err
	default:
		return nil, nil
	}
}

// credential returns what the token or the cookie says.
func credential(r authgear.Request) (words string, ambient bool) {
	if lines := r.Values("Authorization"); len(lines) > 0 {
		return strings.TrimPrefix(lines[0], "Bearer "), false
	}
	for _, line := range r.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(pair), "="); name == "who" {
				return value, true
			}
		}
	}
	return "", false
}

func (f *fake) called() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// fresh returns how many of the calls asked for a fresh answer.
func (f *fake) fresh() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.freshCalls
}

// record is an observer that keeps what it is told.
type record struct {
	mu        sync.Mutex
	decisions []authgear.Decision
	notices   []authgear.Notice
	refusals  []*authgear.Error // for each notice, why the request of its context was refused, if it was
	fetches   []authgear.Fetch
}

func (r *record) observer() *authgear.Observer {
	return &authgear.Observer{
		Decision: func(_ context.Context, d authgear.Decision) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.decisions = append(r.decisions, d)
		},
		Notice: func(ctx context.Context, n authgear.Notice) {
			r.mu.Lock()
			defer r.mu.Unlock()
			refused, _ := guard.Refused(ctx)
			r.notices, r.refusals = append(r.notices, n), append(r.refusals, refused)
		},
		Fetch: func(_ context.Context, f authgear.Fetch) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.fetches = append(r.fetches, f)
		},
	}
}

// take returns what was recorded since the last call.
func (r *record) take() ([]authgear.Decision, []authgear.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	decisions, notices := r.decisions, r.notices
	r.decisions, r.notices, r.refusals = nil, nil, nil
	return decisions, notices
}

// noticed returns why the requests were refused that notices since the last take are
// about.
func (r *record) noticed() []*authgear.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusals
}

func (r *record) takeFetches() []authgear.Fetch {
	r.mu.Lock()
	defer r.mu.Unlock()
	fetches := r.fetches
	r.fetches = nil
	return fetches
}

// fixture is an app of the framework under test with one guard.
type fixture struct {
	addr   string
	auth   *fake
	record *record
}

func newFixture(t *testing.T, mount Mount, onError OnError, routes ...Route) *fixture {
	t.Helper()
	f := &fixture{auth: &fake{}, record: &record{}}
	f.addr = mount(t, App{
		Guards: []Guard{{Authenticator: f.auth, Config: f.config(), OnError: onError}},
		Routes: routes,
	})
	return f
}

func (f *fixture) config() guard.Config { return guard.Config{Observer: f.record.observer()} }

// whoAmI answers with the identity's id, "nobody" without one.
func whoAmI(c Context) (int, string) {
	if identity, ok := c.Identity(); ok {
		return http.StatusOK, identity.ID
	}
	return http.StatusOK, "nobody"
}

// get sends a request with that Authorization line, if not empty.
func (f *fixture) get(t *testing.T, method, path, authorization string) answer {
	t.Helper()
	lines := ""
	if authorization != "" {
		lines = "Authorization: " + authorization + "\r\n"
	}
	return f.raw(t, method+" "+path+" HTTP/1.1\r\nHost: api.example.com\r\n"+lines+"Connection: close\r\n\r\n")
}

// raw sends bytes on a connection of their own and reads one response.
func (f *fixture) raw(t *testing.T, request string) answer {
	t.Helper()
	conn := f.connect(t)
	defer func() { _ = conn.Close() }()
	return conn.ask(t, request)
}

// connection is one on which request after request is sent.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func (f *fixture) connect(t *testing.T) connection {
	t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	return connection{conn, bufio.NewReader(conn)}
}

// ask sends bytes and reads one response.
func (c connection) ask(t *testing.T, request string) answer {
	t.Helper()
	c.send(t, request)
	return c.receive(t, request)
}

func (c connection) send(t *testing.T, request string) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
}

// receive reads the response to a request.
func (c connection) receive(t *testing.T, request string) answer {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}
