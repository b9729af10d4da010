package docs

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	fiberv3 "github.com/gofiber/fiber/v3"
	adaptorv3 "github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"

	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/webhook"
)

const hookPath = "/authgear/events"

// mounts are the ways in docs/webhooks.md to mount the receiver, some of them behind
// Strip.
var mounts = map[string]func(*testing.T, *webhook.Handler) string{
	"net/http": func(t *testing.T, hooks *webhook.Handler) string {
		mux := http.NewServeMux()
		mux.Handle("POST "+hookPath, hooks)
		return serves(t, authgearhttp.Strip(mux))
	},
	"chi": func(t *testing.T, hooks *webhook.Handler) string {
		r := chi.NewRouter()
		r.Post(hookPath, hooks.ServeHTTP)
		return serves(t, r)
	},
	"gin": func(t *testing.T, hooks *webhook.Handler) string {
		r := gin.New()
		r.POST(hookPath, gin.WrapH(hooks))
		return serves(t, r)
	},
	"echo v5": func(t *testing.T, hooks *webhook.Handler) string {
		e := echov5.New()
		e.POST(hookPath, echov5.WrapHandler(hooks))
		return serves(t, e)
	},
	"echo v4": func(t *testing.T, hooks *webhook.Handler) string {
		e := echo.New()
		e.POST(hookPath, echo.WrapHandler(hooks))
		return serves(t, e)
	},
	"fiber v3": func(t *testing.T, hooks *webhook.Handler) string {
		return servesFiberV3(t, func(app *fiberv3.App) { app.Post(hookPath, adaptorv3.HTTPHandler(hooks)) })
	},
	"fiber v2": func(t *testing.T, hooks *webhook.Handler) string {
		return servesFiber(t, func(app *fiber.App) {
			app.Use(authgearfiber.Strip)
			app.Post(hookPath, adaptor.HTTPHandler(hooks))
		})
	},
}

// In each framework an event of the embedded Authgear revokes tokens, and the receiver
// gives the same answers.
func TestWebhookMounts(t *testing.T) {
	t.Parallel()
	gin.SetMode(gin.ReleaseMode)
	for framework, mount := range mounts {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			store, seen := new(authgear.MemoryRevocations), make(chan string, 1)
			hooks, err := webhook.New(webhook.Config{
				Secrets: []string{"whsec"}, Revocations: store, Observer: &authgear.Observer{},
				OnEvent: func(_ context.Context, e webhook.Event) error { seen <- e.User.ID; return nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			url := "http://" + mount(t, hooks) + hookPath
			project := authgeartest.New(t)
			project.SendEvents(url, "whsec")
			alice := project.AddUser(authgeartest.User{})
			project.DisableUser(alice)
			if id := <-seen; id != alice || store.Cutoff(alice).Tokens.IsZero() {
				t.Errorf("event about %q, cutoff %v", id, store.Cutoff(alice))
			}

			blocking := `{"id":"1","seq":1,"type":"oidc.jwt.pre_create","payload":{},"context":{}}`
			for _, c := range []struct {
				body, secret string
				status       int
				answer       string
			}{
				{blocking, "whsec", 200, `{"is_allowed":true}`},
				{blocking, "other", 401, "Unauthorized\n"},
				{"{}", "whsec", 400, "Bad Request\n"},
				{strings.Repeat(" ", 1<<20+1), "whsec", 413, "Request Entity Too Large\n"},
			} {
				mac := hmac.New(sha256.New, []byte(c.secret))
				mac.Write([]byte(c.body))
				request, err := http.NewRequest("POST", url, strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("X-Authgear-Body-Signature", hex.EncodeToString(mac.Sum(nil)))
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != c.status || string(answer) != c.answer || response.ContentLength != int64(len(c.answer)) {
					t.Errorf("%d %q %v, want %d %q", response.StatusCode, answer, err, c.status, c.answer)
				}
				if c.status == 200 && (response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Cache-Control") != "no-store") {
					t.Errorf("%v", response.Header)
				}
			}
		})
	}
}
