package authgearhttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// slow answers only after the request's time is up.
type slow struct{}

func (slow) Authenticate(ctx context.Context, _ authgear.Request) (*authgear.Identity, error) {
	<-ctx.Done()
	return guardtest.Alice.Identity, nil
}

// http.TimeoutHandler answers while its handler still runs. Then an access log reads
// the header of the request while a guard removes identity headers. The race detector
// would report a race.
func TestHeaderIsReadMeanwhile(t *testing.T) {
	t.Parallel()
	var behind sync.WaitGroup
	defer behind.Wait()
	guarded := authgearhttp.New(slow{}).Require()(http.NotFoundHandler())
	timed := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer behind.Done()
		guarded.ServeHTTP(w, r)
	}), time.Millisecond, "")
	for range 20 {
		behind.Add(1)
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("X-Authgear-User-Id", "mallory")
		timed.ServeHTTP(w, r)
		for range 100 {
			if got := r.Header.Get("X-Authgear-User-Id"); got != "mallory" {
				t.Fatalf("the access log reads %q", got)
			}
		}
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	}
}
