package authgearhttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// after is an Authenticator that answers when its channel is closed.
type after chan struct{}

func (closed after) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	<-closed
	return guardtest.Alice.Identity, nil
}

// http.TimeoutHandler answers while its handler still runs. Then an access log reads
// the header of the request while a guard removes identity headers. The race detector
// would report a race.
func TestHeaderIsReadMeanwhile(t *testing.T) {
	t.Parallel()
	for range 20 {
		answered, left := make(after), make(chan struct{})
		guarded := authgearhttp.New(answered).Require()(http.NotFoundHandler())
		timed := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(left)
			guarded.ServeHTTP(w, r)
		}), time.Millisecond, "")
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("X-Authgear-User-Id", "mallory")
		timed.ServeHTTP(w, r)
		close(answered)
		for range 100 {
			if got := r.Header.Get("X-Authgear-User-Id"); got != "mallory" {
				t.Errorf("the access log reads %q", got)
				break
			}
		}
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		<-left
	}
}
