package authgearfasthttp

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
)

const (
	defaultBuffer = 4 << 10 // fasthttp's
	leastBuffer   = 8 << 10 // most servers accept this much
)

// HeaderBuffer lets a guard report once that its server refuses some requests
// before any middleware sees them, so that no log could say why.
type HeaderBuffer struct{ looked atomic.Bool }

// Look tells the guard's observer, at the first request, if the server's buffer is
// too small for a long access token.
func (b *HeaderBuffer) Look(ctx context.Context, g *guard.Guard, server *fasthttp.Server) {
	if b.looked.Load() || b.looked.Swap(true) {
		return
	}
	if size := cmp.Or(server.ReadBufferSize, defaultBuffer); size < leastBuffer {
		g.Notice(ctx, authgear.NoticeHeaderBuffer, fmt.Errorf("a request whose headers have more than %d bytes gets 431 before any middleware runs, as with a long access token or many cookies; set ReadBufferSize of fiber.Config to 32 << 10", size))
	}
}
