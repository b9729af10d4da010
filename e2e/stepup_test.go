package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// stepUpPage is a page of an app. The app and the API have different origins. The page
// has the recipe of docs/websites.md unchanged.
const stepUpPage = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="importmap">{"imports": {"@authgear/web": "/authgear.js"}}</script>
<script type="module">
const visit = new URL(location).searchParams.get("visit");
if (visit !== null) {
	sessionStorage.setItem("visit", visit);
}
const { sendRecent, sendAgain } = await import("/recipe.js");
let said;
try {
	let response;
	if (location.pathname === "/reauthenticated") {
		response = await sendAgain();
	} else {
		response = await sendRecent(await (await fetch("/api?visit=" + visit)).text(), {
			method: "POST", headers: { "Content-Type": "application/json" }, body: '{"amount":1}',
		});
	}
	said = response === undefined ? "nothing waits" : response.status + " " + await response.text();
} catch (e) {
	said = "error " + e;
}
const next = await (await fetch("/said", { method: "POST", body: said })).text();
if (next !== "") {
	location = next;
}
</script>
`

// stepUpSDK does what @authgear/web 6 does, as far as the recipe uses it. It keeps the
// ID token in memory, and the session outlives the page.
const stepUpSDK = `
const visit = "?visit=" + sessionStorage.getItem("visit");
const accessToken = await (await fetch("/access-token" + visit)).text();
let idToken;
export default {
	fetch(input, init) {
		const request = new Request(input, init);
		request.headers.set("authorization", "Bearer " + accessToken);
		return fetch(request);
	},
	getIDTokenHint: () => idToken,
	canReauthenticate() {
		if (idToken === undefined) {
			return false;
		}
		const claims = atob(idToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
		return JSON.parse(claims)["https://authgear.com/claims/user/can_reauthenticate"];
	},
	async refreshIDToken() {
		idToken = await (await fetch("/id-token" + visit)).text();
	},
	async startReauthentication({ redirectURI }) {
		if (!this.canReauthenticate()) {
			throw new Error("the user cannot reauthenticate");
		}
		location.href = redirectURI + "?code=1";
	},
	async finishReauthentication() {
		if (new URL(location).searchParams.get("code") === null) {
			throw new Error("Missing parameter: code");
		}
		const response = await fetch("/reauthenticate", { headers: { authorization: "Bearer " + accessToken } });
		if (response.status !== 200) {
			throw new Error("no reauthentication");
		}
		idToken = await response.text();
	},
};
`

// stepUpVisit is a page that the browser opens, and the expected outcome.
type stepUpVisit struct {
	name, page  string
	mode        string // a part of the API
	accessToken string
	user        string
	said        string // what the page says
	requests    int    // the number of requests that came to the API
}

// The recipe of docs/websites.md reauthenticates and sends the request once more,
// with the same access token. It asks an API of another origin.
func TestStepUpRecipe(t *testing.T) {
	t.Parallel()
	program := browser(t)
	project := authgeartest.New(t)
	old := authgeartest.Token{AuthTime: time.Now().Add(-2 * time.Hour)}
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	google := project.AddUser(authgeartest.User{ID: "google", CannotReauthenticate: true})
	token := project.AccessToken(alice, old)
	const refused = `401 {"error":"insufficient_user_authentication"`
	const again = "/reauthenticated?code=1"
	visits := []stepUpVisit{
		{"jwt", "/", "jwt", token, alice, `200 alice {"amount":1}`, 2},
		{"a reload afterwards", again, "jwt", token, alice, "nothing waits", 2},
		{"resolver", "/", "resolver", project.AccessToken(alice, old), alice, `200 alice {"amount":1}`, 2},
		{"jwt without IDTokenClients", "/", "forgetful", project.AccessToken(alice, old), alice, refused, 2},
		{"a user who cannot", "/", "cannot", project.AccessToken(google, old), google, `403 {"error":"cannot_reauthenticate"`, 1},
		{"a recent login", "/", "recent", project.AccessToken(alice), alice, `200 alice {"amount":1}`, 1},
	}

	apiPort, serveAPI := listen(t)
	appPort, serveApp := listen(t)
	app := "http://app.localhost:" + appPort
	var mu sync.Mutex
	requests := map[string]int{}
	serveAPI(stepUpAPI(t, project, app, func(path string) {
		mu.Lock()
		defer mu.Unlock()
		requests[path]++
	}))

	said, heard := make(chan struct{}, len(visits)), []string{}
	address := func(n int) string {
		separator := "?"
		if strings.Contains(visits[n].page, "?") {
			separator = "&"
		}
		return fmt.Sprintf("%s%s%svisit=%d", app, visits[n].page, separator, n)
	}
	visit := func(r *http.Request) stepUpVisit {
		n := 0
		_, _ = fmt.Sscan(r.FormValue("visit"), &n)
		return visits[n]
	}
	text := func(answer func(*http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, answer(r)) }
	}
	script := func(source string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, source)
		}
	}
	endpoint, err := url.Parse(project.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, stepUpPage)
	})
	mux.Handle("GET /authgear.js", script(stepUpSDK))
	mux.Handle("GET /recipe.js", script(stepUpRecipe(t)))
	mux.Handle("GET /api", text(func(r *http.Request) string {
		return "http://api.localhost:" + apiPort + "/" + visit(r).mode
	}))
	mux.Handle("GET /access-token", text(func(r *http.Request) string { return visit(r).accessToken }))
	mux.Handle("GET /id-token", text(func(r *http.Request) string { return project.IDToken(visit(r).user, "", old) }))
	mux.Handle("GET /reauthenticate", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(endpoint) }})
	mux.HandleFunc("POST /said", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, string(body))
		if len(heard) < len(visits) {
			_, _ = io.WriteString(w, address(len(heard)))
		}
		said <- struct{}{}
	})
	serveApp(mux)

	failure := openPages(t, program, address(0), len(visits), said)
	mu.Lock()
	defer mu.Unlock()
	for n, v := range visits {
		if n >= len(heard) {
			t.Fatalf("%s: the page has said nothing. %s", v.name, failure)
		}
		if !strings.HasPrefix(heard[n], v.said) {
			t.Errorf("%s: the page says %q, want %q", v.name, heard[n], v.said)
		}
		if got := requests["/"+v.mode]; got != v.requests {
			t.Errorf("%s: %d requests, want %d", v.name, got, v.requests)
		}
	}
}

// stepUpAPI serves, for each mode, a route that needs a recent login. It reports the
// requests that come to the API.
func stepUpAPI(t *testing.T, project *authgeartest.Server, app string, came func(path string)) http.Handler {
	t.Helper()
	e := echo.New()
	e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins:  []string{app},
		AllowHeaders:  []string{"Authorization", "Content-Type", "X-ID-Token"},
		ExposeHeaders: []string{"WWW-Authenticate"},
	}))
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			came(c.Path())
			return next(c)
		}
	})
	transfer := func(c echo.Context) error {
		body := new(bytes.Buffer)
		_, err := body.ReadFrom(c.Request().Body)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, authgearecho.MustUser(c).ID+" "+body.String())
	}
	silent := &authgear.Observer{}
	jwt := authgear.JWTConfig{Endpoint: project.Endpoint(), IDTokenClients: []string{"spa"}, Observer: silent}
	forgetful := authgear.JWTConfig{Endpoint: project.Endpoint(), Observer: silent}
	resolver := authgear.ResolverConfig{Endpoint: project.Endpoint(), CacheTTL: time.Minute, Timeout: time.Minute, Observer: silent}
	for mode, build := range map[string]func() (authgear.Authenticator, error){
		"jwt":       func() (authgear.Authenticator, error) { return authgear.NewJWT(jwt) },
		"forgetful": func() (authgear.Authenticator, error) { return authgear.NewJWT(forgetful) },
		"cannot":    func() (authgear.Authenticator, error) { return authgear.NewJWT(jwt) },
		"recent":    func() (authgear.Authenticator, error) { return authgear.NewJWT(jwt) },
		"resolver":  func() (authgear.Authenticator, error) { return authgear.NewResolver(resolver) },
	} {
		auth, err := build()
		if err != nil {
			t.Fatal(err)
		}
		e.POST("/"+mode, transfer, authgearecho.New(auth).Require(authgear.RecentAuth(time.Hour)))
	}
	return e
}

// stepUpRecipe returns the script of docs/websites.md.
func stepUpRecipe(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/websites.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "<!-- script: step-up -->\n```js\n")
	recipe, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatal("docs/websites.md has no recipe for step-up")
	}
	return recipe
}
