package authgearfasthttp_test

import (
	"context"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	authgearfasthttp "github.com/authgear/authgear-sdk-go/adapters/fasthttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// A buffer that is too small is reported once, and one that is large enough never.
func TestHeaderBuffer(t *testing.T) {
	t.Parallel()
	for size, says := range map[int]string{0: "4096 bytes", 4 << 10: "4096 bytes", 8<<10 - 1: "ReadBufferSize", 8 << 10: "", 32 << 10: ""} {
		var told []string
		g := guard.New(guardtest.Nobody{}, guard.Config{Observer: &authgear.Observer{Notice: func(_ context.Context, n authgear.Notice) {
			told = append(told, string(n.Kind)+" "+n.Err.Error())
		}}})
		var buffer authgearfasthttp.HeaderBuffer
		for range 3 {
			buffer.Look(t.Context(), g, &fasthttp.Server{ReadBufferSize: size})
		}
		if says == "" && len(told) > 0 || says != "" && (len(told) != 1 || !strings.Contains(told[0], says) || !strings.HasPrefix(told[0], string(authgear.NoticeHeaderBuffer))) {
			t.Errorf("%d: %q, want %q", size, told, says)
		}
	}
}
