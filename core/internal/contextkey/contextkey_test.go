package contextkey_test

import (
	"context"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/contextkey"
)

// A context that asks for fresh answers keeps everything else of the request's context.
func TestWithFresh(t *testing.T) {
	t.Parallel()
	type key struct{}
	request, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	fresh := contextkey.WithFresh(request)
	if contextkey.IsFresh(request) || !contextkey.IsFresh(fresh) {
		t.Errorf("fresh: %v before, %v after", contextkey.IsFresh(request), contextkey.IsFresh(fresh))
	}
	if fresh.Value(key{}) != "value" || fresh.Err() != nil {
		t.Errorf("value %v, error %v", fresh.Value(key{}), fresh.Err())
	}
	if cancel(); fresh.Err() == nil {
		t.Error("it goes on when the request has ended")
	}
}
