package authgearhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func TestConformance(t *testing.T) {
	guardtest.Run(t, guardtest.Adapter{Mount: mount, Self: authgearhttp.Self, Policy: policy})
}

func policy(check func(guardtest.Context, *authgear.Identity) error) authgear.Policy {
	if check == nil {
		return authgearhttp.Policy(nil)
	}
	return authgearhttp.Policy(func(r *http.Request, identity *authgear.Identity) error { return check(view{r: r}, identity) })
}

func TestCore(t *testing.T) { guardtest.RunCore(t, mount) }

func mount(t *testing.T, app guardtest.App) string {
	t.Helper()
	guards := make([]*authgearhttp.Guard, len(app.Guards))
	for i, g := range app.Guards {
		guards[i] = authgearhttp.New(g.Authenticator, authgearhttp.Config{TrustedOrigins: g.Config.TrustedOrigins, Observer: g.Config.Observer, ErrorHandler: errorHandler(g.OnError)})
	}
	mux := http.NewServeMux()
	for _, route := range app.Routes {
		var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status, body := route.Handler(view{w, r, mux, guards}); status != 0 {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}
		})
		for i := len(route.Steps) - 1; i >= 0; i-- {
			switch step := route.Steps[i]; step.Kind {
			case guardtest.Require:
				handler = guards[step.Guard].Require(step.Policies...)(handler)
			case guardtest.Optional:
				handler = guards[step.Guard].Optional()(handler)
			case guardtest.RequireFresh:
				handler = guards[step.Guard].RequireFresh(step.Policies...)(handler)
			case guardtest.Strip:
				handler = authgearhttp.Strip(handler)
			case guardtest.OtherCookie:
				handler = otherCookie(handler)
			case guardtest.AccessLog:
				handler = accessLog(handler, app.Log)
			case guardtest.Tracing:
				handler = tracing(handler)
			}
		}
		mux.Handle(route.Path, handler)
	}
	server := httptest.NewServer(mux) // it recovers by itself
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func otherCookie(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "other", Value: "middleware"})
		next.ServeHTTP(w, r)
	})
}

func accessLog(next http.Handler, log func(*authgear.Identity, *authgear.Error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, found := authgearhttp.Watch(r)
		next.ServeHTTP(w, r)
		identity, _ := found.Identity()
		refused, _ := found.Error()
		log(identity, refused)
	})
}

func tracing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), spanKey{}, "span")))
	})
}

type spanKey struct{}

func errorHandler(kind guardtest.OnError) func(http.ResponseWriter, *http.Request, *authgear.Error) {
	switch kind {
	case guardtest.Default:
		return nil
	case guardtest.Writes:
		return func(w http.ResponseWriter, _ *http.Request, _ *authgear.Error) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, guardtest.CustomBody)
		}
	case guardtest.Tells:
		return func(w http.ResponseWriter, r *http.Request, _ *authgear.Error) {
			identity, _ := authgearhttp.Identity(r)
			refused, _ := authgearhttp.Refused(r)
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, guardtest.Told(identity, refused))
		}
	case guardtest.Redirects:
		return func(w http.ResponseWriter, r *http.Request, _ *authgear.Error) {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		}
	default:
		return func(http.ResponseWriter, *http.Request, *authgear.Error) {}
	}
}

// valueKey is the key of values that policies load for the handler.
type valueKey string

type view struct {
	w      http.ResponseWriter
	r      *http.Request
	app    http.Handler
	guards []*authgearhttp.Guard
}

func (v view) Identity() (*authgear.Identity, bool) { return authgearhttp.Identity(v.r) }
func (v view) User() (*authgear.Identity, bool)     { return authgearhttp.User(v.r) }
func (v view) MustUser() *authgear.Identity         { return authgearhttp.MustUser(v.r) }
func (v view) Param(name string) string             { return v.r.PathValue(name) }
func (v view) Set(key string, value any)            { authgear.SetValue(v.r.Context(), valueKey(key), value) }
func (v view) Get(key string) any                   { return v.r.Context().Value(valueKey(key)) }
func (v view) PassedOn() []context.Context          { return []context.Context{v.r.Context()} }
func (v view) Refuse(guard int, err error)          { v.guards[guard].Refuse(v.w, v.r, err) }

func (v view) Headers() map[string][]string {
	_, _ = io.Copy(io.Discard, v.r.Body)
	return v.r.Header
}

func (v view) Trailers() map[string][]string {
	_, _ = io.Copy(io.Discard, v.r.Body)
	return v.r.Trailer
}

func (v view) Within(path string, header http.Header, peer net.Addr) (int, string) {
	return guardtest.Within(v.r.Context(), v.app, path, header, peer)
}

func (v view) SetCookie(name, value string) {
	http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/"})
}

func (v view) Stream(write func(io.Writer, func())) {
	write(v.w, func() { _ = http.NewResponseController(v.w).Flush() })
}
