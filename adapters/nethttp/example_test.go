package authgearhttp_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

func Example() {
	server, err := authgeartest.Start(authgeartest.Config{}) // your project's endpoint instead
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: server.Endpoint()})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := authgearhttp.New(auth)
	mux := http.NewServeMux()
	mux.Handle("GET /me", guard.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, "hello", authgearhttp.MustUser(r).ID)
	})))
	mux.Handle("GET /admin", guard.Require(authgear.Role("admin"))(http.NotFoundHandler()))

	token := server.AccessToken(server.AddUser(authgeartest.User{ID: "alice"}))
	for _, path := range []string{"/me", "/admin"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Result().Body)
		fmt.Print(w.Code, " ", string(body))
	}
	// Output:
	// 200 hello alice
	// 403 {"error":"role_missing","error_description":"This request needs a role that the user does not have."}
}

// authenticator is the one of your service. In this example it finds no credentials.
var authenticator = guardtest.Nobody{}

// CORS middleware inside the guard never sees a preflight: browsers send it without
// credentials, and the guard refuses it. So guard.Require()(cors(handler)) is wrong,
// and cors(guard.Require()(handler)) is right.
func Example_corsInsideTheGuard() {
	cors := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com")
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	quiet := authgearhttp.Config{Observer: &authgear.Observer{}}
	guard := authgearhttp.New(authenticator, quiet)
	preflight := func(handler http.Handler) int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("OPTIONS", "/me", nil))
		return w.Code
	}
	fmt.Println("wrong:", preflight(guard.Require()(cors(http.NotFoundHandler()))))
	fmt.Println("right:", preflight(cors(guard.Require()(http.NotFoundHandler()))))
	// Output:
	// wrong: 401
	// right: 204
}

// An access log around the guard knows who was refused, and why.
func Example_accessLog() {
	accessLog := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, found := authgearhttp.Watch(r)
			next.ServeHTTP(w, r)
			who, why := "nobody", "allowed"
			if identity, ok := found.Identity(); ok {
				who = identity.ID
			}
			if err, ok := found.Error(); ok {
				why = string(err.Reason)
			}
			fmt.Println(r.Method, r.URL.Path, who, why)
		})
	}
	guard := authgearhttp.New(guardtest.Alice, authgearhttp.Config{Observer: &authgear.Observer{}})
	mux := http.NewServeMux()
	mux.Handle("GET /me", guard.Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	mux.Handle("GET /admin", guard.Require(authgear.Role("admin"))(http.NotFoundHandler()))
	mux.Handle("GET /limit", guard.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guard.Refuse(w, r, authgear.Deny("the limit of this month is reached"))
	})))
	for _, path := range []string{"/me", "/admin", "/limit"} {
		accessLog(mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	// Output:
	// GET /me alice allowed
	// GET /admin alice role_missing
	// GET /limit alice policy_denied
}
