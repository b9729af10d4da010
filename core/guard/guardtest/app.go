package guardtest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

// Adapter is what the suite needs of an adapter.
type Adapter struct {
	Mount Mount
	// Self is the adapter's Self.
	Self func(parameter string) authgear.Policy
	// Policy is the adapter's Policy, for a function that gets the framework's context as a
	// Context. The function uses neither Refuse nor Within of the Context. For nil, Policy
	// calls the adapter's Policy with nil.
	Policy func(check func(Context, *authgear.Identity) error) authgear.Policy
}

// Mount builds an application of the framework under test, serves it on a loopback
// listener until the test ends, and returns its address, "host:port". The framework's own
// recover middleware stands outermost. Mount itself calls the adapter's methods, in the
// test's goroutine, before it listens, and lets their panics through.
type Mount func(t *testing.T, app App) (addr string)

// App is what to build.
type App struct {
	Guards []Guard
	Routes []Route
	// Log is called by middleware of the kind [AccessLog].
	Log func(*authgear.Identity, *authgear.Error)
}

// Guard is one guard of the adapter, made by its New.
type Guard struct {
	Authenticator authgear.Authenticator
	Config        guard.Config
	OnError       OnError
}

// OnError is what the guard's custom error handler does.
type OnError int

const (
	// Default: there is no custom error handler.
	Default OnError = iota
	// Writes: it answers 418 with the text [CustomBody].
	Writes
	// Tells: it answers 418 with what [Told] makes of the adapter's accessors.
	Tells
	// Redirects: it answers 303 to /login in the framework's usual way.
	Redirects
	// Silent: it writes nothing and returns nil.
	Silent
	// ReturnsGiven: it writes nothing and returns the error that it was given.
	ReturnsGiven
	// ReturnsOther: it writes nothing and returns [ErrOther].
	ReturnsOther
)

// CustomBody is what an error handler of the kind Writes answers.
const CustomBody = "custom answer"

// Told writes what an adapter's accessors return as a text.
func Told(identity *authgear.Identity, refused *authgear.Error) string {
	who, why := "nobody", authgear.Reason("allowed")
	if identity != nil {
		who = identity.ID
	}
	if refused != nil {
		why = refused.Reason
	}
	return who + " " + string(why)
}

// ErrOther is what an error handler of the kind ReturnsOther returns.
var ErrOther = errors.New("the error handler failed")

// Route is served for every method that the framework can route.
type Route struct {
	// Path may have parameters, such as /users/{id}/notes: each a whole segment,
	// which Mount writes as the framework does.
	Path    string
	Steps   []Step // middleware, outermost first
	Handler Handler
}

// Step is one middleware of a route.
type Step struct {
	Kind     StepKind
	Guard    int // index into App.Guards
	Policies []authgear.Policy
}

// StepKind says which middleware a step is.
type StepKind int

const (
	// Require, Optional, RequireFresh and Strip are the adapter's middleware.
	Require StepKind = iota
	Optional
	RequireFresh
	Strip
	// OtherCookie is middleware that has nothing to do with the adapter. It sets
	// the cookie other=middleware in the framework's usual way, and goes on.
	OtherCookie
	// AccessLog is middleware that calls App.Log after the handler inside it has ended, with
	// the identity and the refusal that the adapter's accessors find.
	AccessLog
	// Tracing is middleware that gives the request a context of its own, and puts back the
	// old context after the handler inside it has ended.
	Tracing
)

// Handler is a framework-neutral handler: the body is sent as text/plain. It may
// panic.
type Handler func(Context) (status int, body string)

// Context is what the framework's context offers to a handler.
type Context interface {
	// Identity, User and MustUser are the adapter's accessors.
	Identity() (*authgear.Identity, bool)
	User() (*authgear.Identity, bool)
	MustUser() *authgear.Identity
	// Param returns the value of a path parameter, "" where there is none.
	Param(name string) string
	// Set keeps a value for this request, in the framework's usual way, and Get
	// returns it, nil where there is none. A framework whose way is the context of
	// the request uses [authgear.SetValue].
	Set(key string, value any)
	Get(key string) any
	// PassedOn returns each context that a handler of this framework may pass
	// on as a context.Context: the request's own first.
	PassedOn() []context.Context
	// Headers and Trailers return those of the request, as the handler sees them
	// once it has read the body. There are no trailers where the framework takes
	// them for headers.
	Headers() map[string][]string
	Trailers() map[string][]string
	// Refuse calls the Refuse of that guard.
	Refuse(guard int, err error)
	// Within serves another GET request to the application, in the context of this
	// one, and from another peer.
	Within(path string, header http.Header, peer net.Addr) (status int, body string)
	// SetCookie sets a cookie with this name and value, and Path=/, in the
	// framework's usual way.
	SetCookie(name, value string)
	// Stream answers 200 and lets the function write the body in pieces.
	Stream(func(w io.Writer, flush func()))
}

// Colons returns a path for a framework that writes parameters as /users/:id/notes.
func Colons(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// Within is [Context.Within] for what is built on net/http.
func Within(ctx context.Context, app http.Handler, path string, header http.Header, peer net.Addr) (status int, body string) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Header, r.RemoteAddr = header, peer.String()
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
