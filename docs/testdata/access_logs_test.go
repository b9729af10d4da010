package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/gin-gonic/gin"
	fiberv2 "github.com/gofiber/fiber/v2"
	recoverv2 "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v3"
	recoverv3 "github.com/gofiber/fiber/v3/middleware/recover"
	echov4 "github.com/labstack/echo/v4"
	middlewarev4 "github.com/labstack/echo/v4/middleware"
	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
)

// The document says of v4 that the error handler chooses the status.
func accessLogEchoV4(next echov4.HandlerFunc) echov4.HandlerFunc {
	return func(c echov4.Context) error {
		if err := next(c); err != nil {
			c.Error(err)
		}
		attrs := []any{"method", c.Request().Method, "path", c.Request().URL.Path, "status", c.Response().Status}
		if identity, ok := authgearecho.Identity(c); ok {
			attrs = append(attrs, "sender", identity.ID)
		}
		if refused, ok := authgearecho.Refused(c); ok {
			attrs = append(attrs, "refused", refused.Reason)
		}
		slog.Info("request", attrs...)
		return nil
	}
}

// This is the access log of v3, written for v2.
func accessLogFiberV2(c *fiberv2.Ctx) error {
	if err := c.Next(); err != nil && c.App().ErrorHandler(c, err) != nil {
		_ = c.SendStatus(fiberv2.StatusInternalServerError)
	}
	attrs := []any{"method", c.Method(), "path", c.Path(), "status", c.Response().StatusCode()}
	if identity, ok := authgearfiber.Identity(c); ok {
		attrs = append(attrs, "sender", identity.ID)
	}
	if refused, ok := authgearfiber.Refused(c); ok {
		attrs = append(attrs, "refused", refused.Reason)
	}
	slog.Info("request", attrs...)
	return nil
}

// An access log tells the status that the client gets, also if the application's own
// error handler chooses it.
func TestAccessLogs(t *testing.T) {
	project := authgeartest.New(t)
	auth := newJWT(t, project)
	bob := project.AccessToken(project.AddUser(authgeartest.User{ID: "bob"}))
	gin.SetMode(gin.ReleaseMode)
	admin, failure := authgear.Role("admin"), errors.New("the database is down")

	type app interface {
		get(path, token string) (*http.Response, error)
	}
	apps := map[string]app{}
	{
		guard, mux := authgearhttp.New(auth), http.NewServeMux()
		mux.Handle("GET /ok", guard.Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		mux.Handle("GET /admin", guard.Require(admin)(http.NotFoundHandler()))
		apps["net/http"] = handled{accessLog(mux)}
	}
	{
		guard, r := authgeargin.New(auth), gin.New()
		r.Use(accessLogGin, gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.AbortWithStatus(http.StatusInternalServerError) }))
		r.GET("/ok", guard.Require(), func(*gin.Context) {})
		r.GET("/admin", guard.Require(admin), func(*gin.Context) {})
		r.GET("/teapot", func(c *gin.Context) { c.AbortWithStatus(http.StatusTeapot) })
		r.GET("/no-rows", func(c *gin.Context) { c.AbortWithStatus(http.StatusNotFound) })
		r.GET("/failure", func(c *gin.Context) { _ = c.AbortWithError(http.StatusInternalServerError, failure) })
		r.GET("/panic", func(*gin.Context) { panic("x") })
		r.HandleMethodNotAllowed = true
		r.POST("/post", func(*gin.Context) {})
		apps["gin"] = handled{r}
	}
	for _, own := range []bool{false, true} {
		guard, e := authgearechov5.New(auth), echo.New()
		e.Logger = slog.New(slog.DiscardHandler)
		if usual := e.HTTPErrorHandler; own {
			e.HTTPErrorHandler = func(c *echo.Context, err error) {
				if errors.Is(err, sql.ErrNoRows) {
					err = echo.ErrNotFound
				}
				usual(c, err)
			}
		}
		e.Use(accessLogEcho, middleware.Recover())
		e.GET("/ok", func(c *echo.Context) error { return c.NoContent(http.StatusOK) }, guard.Require())
		e.GET("/admin", func(*echo.Context) error { return nil }, guard.Require(admin))
		e.GET("/teapot", func(*echo.Context) error { return fmt.Errorf("wrapped: %w", echo.NewHTTPError(http.StatusTeapot, "")) })
		e.GET("/no-rows", func(*echo.Context) error { return sql.ErrNoRows })
		e.GET("/failure", func(*echo.Context) error { return failure })
		e.GET("/panic", func(*echo.Context) error { panic("x") })
		e.POST("/post", func(*echo.Context) error { return nil })
		apps[fmt.Sprint("echo v5, own error handler: ", own)] = handled{e}
	}
	for _, own := range []bool{false, true} {
		guard, e := authgearecho.New(auth), echov4.New()
		e.Logger.SetOutput(io.Discard)
		if own {
			e.HTTPErrorHandler = func(err error, c echov4.Context) {
				if errors.Is(err, sql.ErrNoRows) {
					err = echov4.ErrNotFound
				}
				e.DefaultHTTPErrorHandler(err, c)
			}
		}
		e.Use(accessLogEchoV4, middlewarev4.Recover())
		e.GET("/ok", func(c echov4.Context) error { return c.NoContent(http.StatusOK) }, guard.Require())
		e.GET("/admin", func(echov4.Context) error { return nil }, guard.Require(admin))
		e.GET("/teapot", func(echov4.Context) error { return echov4.NewHTTPError(http.StatusTeapot) })
		e.GET("/no-rows", func(echov4.Context) error { return sql.ErrNoRows })
		e.GET("/failure", func(echov4.Context) error { return failure })
		e.GET("/panic", func(echov4.Context) error { panic("x") })
		e.POST("/post", func(echov4.Context) error { return nil })
		apps[fmt.Sprint("echo v4, own error handler: ", own)] = handled{e}
	}
	for name, handler := range map[string]fiber.ErrorHandler{
		"fiber v3, own error handler: false": nil,
		"fiber v3, own error handler: true": func(c fiber.Ctx, err error) error {
			if errors.Is(err, sql.ErrNoRows) {
				err = fiber.ErrNotFound
			}
			return fiber.DefaultErrorHandler(c, err)
		},
		"fiber v3, its error handler fails": func(_ fiber.Ctx, err error) error { return err },
	} {
		guard, f := authgearfiberv3.New(auth), fiber.New(fiber.Config{ErrorHandler: handler})
		f.Use(accessLogFiber, recoverv3.New())
		f.Get("/ok", guard.Require(), func(c fiber.Ctx) error { return c.Send(nil) })
		f.Get("/admin", guard.Require(admin), func(fiber.Ctx) error { return nil })
		f.Get("/teapot", func(fiber.Ctx) error { return fiber.NewError(fiber.StatusTeapot) })
		f.Get("/no-rows", func(fiber.Ctx) error { return sql.ErrNoRows })
		f.Get("/failure", func(fiber.Ctx) error { return failure })
		f.Get("/panic", func(fiber.Ctx) error { panic("x") })
		f.Post("/post", func(fiber.Ctx) error { return nil })
		apps[name] = tested(func(r *http.Request) (*http.Response, error) { return f.Test(r, noTimeLimit) })
	}
	{
		guard, f := authgearfiber.New(auth), fiberv2.New()
		f.Use(accessLogFiberV2, recoverv2.New())
		f.Get("/ok", guard.Require(), func(c *fiberv2.Ctx) error { return c.Send(nil) })
		f.Get("/admin", guard.Require(admin), func(*fiberv2.Ctx) error { return nil })
		f.Get("/teapot", func(*fiberv2.Ctx) error { return fiberv2.NewError(fiberv2.StatusTeapot) })
		f.Get("/no-rows", func(*fiberv2.Ctx) error { return sql.ErrNoRows })
		f.Get("/failure", func(*fiberv2.Ctx) error { return failure })
		f.Get("/panic", func(*fiberv2.Ctx) error { panic("x") })
		f.Post("/post", func(*fiberv2.Ctx) error { return nil })
		apps["fiber v2"] = tested(func(r *http.Request) (*http.Response, error) { return f.Test(r, -1) })
	}

	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	statuses := map[string]int{"/ok": 401, "/admin": 403, "/teapot": 418, "/no-rows": 500, "/failure": 500, "/panic": 500, "/post": 405, "/none": 404}
	for name, app := range apps {
		for path, want := range statuses {
			switch {
			case name == "net/http" && path != "/ok" && path != "/admin":
				continue // its log has no status
			case strings.HasSuffix(name, "fails") && path != "/ok" && path != "/admin":
				want = 500
			case path == "/no-rows" && (strings.HasSuffix(name, "true") || name == "gin"):
				want = 404
			}
			token, attrs := "", ""
			switch path {
			case "/ok":
				attrs = " refused=no_credentials"
			case "/admin":
				token, attrs = bob, " sender=bob refused=role_missing"
			}
			line := fmt.Sprintf(" method=GET path=%s status=%d%s\n", path, want, attrs)
			if name == "net/http" {
				line = fmt.Sprintf(" method=GET path=%s%s\n", path, attrs)
			}
			log.Reset()
			response, err := app.get(path, token)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != want || !strings.HasSuffix(log.String(), line) || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("%s: the client gets %d, the log is %q, want %q", name, response.StatusCode, log.String(), line)
			}
		}
		log.Reset()
		if response, err := app.get("/ok", bob); err != nil || response.StatusCode != 200 || !strings.Contains(log.String(), " sender=bob\n") {
			t.Error(name, response, err, log.String())
		}
	}
}

type handled struct{ handler http.Handler }

func (h handled) do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

func (h handled) get(path, token string) (*http.Response, error) {
	return tested(h.do).get(path, token)
}

type tested func(*http.Request) (*http.Response, error)

func (test tested) get(path, token string) (*http.Response, error) {
	r := httptest.NewRequest("GET", path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return test(r)
}
