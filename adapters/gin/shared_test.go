package authgeargin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// Earlier middleware may read a copy of the context in another goroutine while a guard
// removes identity headers. The race detector would report a race.
func TestCopyIsReadMeanwhile(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	defer wg.Wait()
	r := gin.New()
	r.Use(func(c *gin.Context) {
		c2 := c.Copy()
		wg.Go(func() {
			for range 100 {
				_ = c2.GetHeader("X-Authgear-User-Id")
				for range c2.Request.Header {
				}
			}
		})
	})
	r.GET("/", authgeargin.Strip, authgeargin.New(guardtest.Alice).Optional(), authgeargin.New(guardtest.Alice).Require(), func(c *gin.Context) {
		c.String(http.StatusOK, c.GetHeader("X-Authgear-User-Id"))
	})
	for range 20 {
		request := httptest.NewRequest("GET", "/", nil)
		request.Header.Set("X-Authgear-User-Id", "mallory")
		w := httptest.NewRecorder()
		r.ServeHTTP(w, request)
		if w.Code != http.StatusOK || w.Body.String() != "" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	}
}

// HandleContext serves the request again, on another route. The guard is on this route
// too, and reuses what it found before.
func TestHandleContext(t *testing.T) {
	t.Parallel()
	decisions := 0
	auth, header := guardtest.Forwarded(t, &authgear.Observer{Decision: func(context.Context, authgear.Decision) { decisions++ }})
	guard := authgeargin.New(auth)
	r := gin.New()
	r.GET("/old", guard.Require(), func(c *gin.Context) {
		c.Request.URL.Path = "/new"
		r.HandleContext(c)
	})
	r.GET("/new", guard.Require(), func(c *gin.Context) { c.String(http.StatusOK, authgeargin.MustUser(c).ID) })
	w, request := httptest.NewRecorder(), httptest.NewRequest("GET", "/old", nil)
	request.Header = header
	r.ServeHTTP(w, request)
	if w.Code != http.StatusOK || w.Body.String() != "alice" || decisions != 1 {
		t.Errorf("%d %q, %d decisions", w.Code, w.Body, decisions)
	}
}
