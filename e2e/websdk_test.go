package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// webSDKPage is an app. Each of its pages does one thing with @authgear/web, reports
// the outcome, and goes on to the next page.
const webSDKPage = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script src="/authgear-web.iife.js"></script>
<script type="module">
const sdk = authgear.default, page = location.pathname;
const [, kind, step] = page.split("/");
const to = (next) => location.origin + "/" + kind + "/" + next;
const say = (text) => fetch("/said", { method: "POST", body: page + ": " + text });
const me = async () => { const r = await sdk.fetch("/me"); return r.status + " " + await r.text(); };
try {
	await sdk.configure({ endpoint: "ENDPOINT", clientID: "web", sessionType: kind === "cookie" ? "cookie" : "refresh_token", isSSOEnabled: kind === "sso" });
	switch (step) {
	case "start":
		await say(sdk.sessionState + " " + await me());
		if (kind === "anonymous") {
			await sdk.authenticateAnonymously();
			location = to("anonymous");
		} else {
			await sdk.startAuthentication({ redirectURI: to("callback"), prompt: "login" });
		}
		break;
	case "callback":
		const { userInfo } = await sdk.finishAuthentication();
		await say(sdk.sessionState + " " + userInfo.sub + " " + await me());
		location = to("reload");
		break;
	case "reload": // the access token was only in memory
		await sdk.refreshAccessTokenIfNeeded();
		await say(sdk.sessionState + " " + (await sdk.fetchUserInfo()).email + " " + await me());
		await sdk.refreshIDToken();
		sessionStorage.setItem("before", sdk.getAuthTime().getTime());
		await sdk.startReauthentication({ redirectURI: to("reauthenticated") });
		break;
	case "reauthenticated":
		await sdk.finishReauthentication();
		await sdk.refreshIDToken();
		await say((sdk.getAuthTime().getTime() > sessionStorage.getItem("before") ? "renewed " : "not renewed ") + await me());
		await sdk.logout({ redirectURI: to("out") });
		if (kind !== "cookie") { // in the mode cookie, signing out uses the end session endpoint
			location = to("out");
		}
		break;
	case "anonymous":
		await say((await sdk.fetchUserInfo()).isAnonymous + " " + (await me()).replace(/[0-9a-f-]{36}/, "somebody"));
		await sdk.startPromoteAnonymousUser({ redirectURI: to("promoted") });
		break;
	case "promoted":
		await sdk.finishPromoteAnonymousUser();
		await say((await sdk.fetchUserInfo()).isAnonymous + " " + (await me()).replace(/[0-9a-f-]{36}/, "somebody"));
		await sdk.logout({ redirectURI: to("out") });
		location = to("out");
		break;
	case "out":
		await say(sdk.sessionState + " " + await me());
		const next = { token: "sso", sso: "cookie", cookie: "anonymous" }[kind];
		if (next) {
			location = "/" + next + "/start";
		}
	}
} catch (e) {
	await say("error " + e + " " + JSON.stringify(e));
}
</script>
`

// The unmodified @authgear/web signs in, calls an API, refreshes, reauthenticates and
// signs out, in each of its ways to hold a session.
func TestWebSDK(t *testing.T) {
	t.Parallel()
	program, sdk := browser(t), webSDK(t)
	// A page on another port of the same host shares cookies with the endpoint.
	port, serveProject := listen(t)
	var seconds atomic.Int64 // how far the server's clock is ahead, so that each login has its own time
	project := authgeartest.New(t, authgeartest.Config{
		Endpoint: "http://localhost:" + port,
		Now:      func() time.Time { return time.Now().Add(time.Duration(seconds.Load()) * time.Second) },
	})
	project.AddUser(authgeartest.User{ID: "alice", Email: "alice@example.com"})
	mux := http.NewServeMux()
	mux.Handle("/", project)
	mux.Handle("/oauth2/authorize", clicking(project, &seconds))
	serveProject(mux)

	want := []string{
		"/token/start: NO_SESSION 401", "/token/callback: AUTHENTICATED alice 200 alice", "/token/reload: AUTHENTICATED alice@example.com 200 alice",
		"/token/reauthenticated: renewed 200 alice", "/token/out: NO_SESSION 401",
		"/sso/start: NO_SESSION 401", "/sso/callback: AUTHENTICATED alice 200 alice", "/sso/reload: AUTHENTICATED alice@example.com 200 alice",
		"/sso/reauthenticated: renewed 200 alice", "/sso/out: NO_SESSION 401",
		"/cookie/start: UNKNOWN 401", "/cookie/callback: UNKNOWN alice 200 alice", "/cookie/reload: UNKNOWN alice@example.com 200 alice",
		"/cookie/reauthenticated: renewed 200 alice", "/cookie/out: UNKNOWN 401",
		"/anonymous/start: NO_SESSION 401", "/anonymous/anonymous: true 200 somebody", "/anonymous/promoted: false 200 somebody", "/anonymous/out: NO_SESSION 401",
	}
	auth, err := authgear.NewResolver(authgear.ResolverConfig{Endpoint: project.Endpoint(), Observer: &authgear.Observer{}})
	if err != nil {
		t.Fatal(err)
	}
	appPort, serve := listen(t)
	said := make(chan struct{}, len(want))
	var mu sync.Mutex
	var heard []string
	e := echo.New()
	e.GET("/authgear-web.iife.js", func(c echo.Context) error { return c.Blob(200, "text/javascript", sdk) })
	e.GET("/me", func(c echo.Context) error { return c.String(200, authgearecho.MustUser(c).ID) }, authgearecho.New(auth).Require())
	e.POST("/said", func(c echo.Context) error {
		body, _ := io.ReadAll(c.Request().Body)
		mu.Lock()
		heard = append(heard, string(body))
		mu.Unlock()
		said <- struct{}{}
		return nil
	})
	e.GET("/*", func(c echo.Context) error {
		return c.HTML(200, strings.ReplaceAll(webSDKPage, "ENDPOINT", project.Endpoint()))
	})
	serve(e)
	failure := openPages(t, program, "http://localhost:"+appPort+"/token/start", len(want), said)
	mu.Lock()
	defer mu.Unlock()
	for i, w := range want {
		if i >= len(heard) {
			t.Fatalf("%s: the page has said nothing after %q. %s", w, heard, failure)
		}
		if !strings.HasPrefix(heard[i], w) {
			t.Errorf("the page says %q, want %q", heard[i], w)
		}
	}
}

var nonces = regexp.MustCompile(`'nonce-([^']+)'`)

// clicking signs in like a person who clicks the first user of the sign-in page.
func clicking(project *authgeartest.Server, seconds *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seconds.Add(1)
		page := httptest.NewRecorder()
		project.ServeHTTP(page, r)
		for name, values := range page.Header() {
			w.Header()[name] = slices.Clone(values)
		}
		w.WriteHeader(page.Code)
		_, _ = w.Write(page.Body.Bytes())
		if nonce := nonces.FindStringSubmatch(page.Header().Get("Content-Security-Policy")); page.Code == http.StatusOK && nonce != nil {
			_, _ = fmt.Fprintf(w, "<script nonce=%q>document.querySelector('button').click()</script>", nonce[1])
		}
	}
}

// webSDK returns the script of the npm package, which npm fetches. It is not changed.
func webSDK(t *testing.T) []byte {
	t.Helper()
	directory := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, "npm", "pack", "@authgear/web@6.0.0", "--silent", "--pack-destination", directory).CombinedOutput()
	if err != nil {
		t.Skipf("npm does not fetch @authgear/web, which no check may depend on: %v\n%s", err, output)
	}
	archives, _ := filepath.Glob(filepath.Join(directory, "*.tgz"))
	if len(archives) != 1 {
		t.Fatalf("%d archives", len(archives))
	}
	packed, err := os.ReadFile(archives[0])
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(unzipped); ; {
		file, err := files.Next()
		if err != nil {
			t.Fatalf("no iife file in @authgear/web: %v", err)
		}
		if file.Name != "package/dist/authgear-web.iife.js" {
			continue
		}
		script, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		return script
	}
}
