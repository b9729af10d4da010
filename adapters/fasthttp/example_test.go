package authgearfasthttp_test

import (
	"context"
	"fmt"

	"github.com/valyala/fasthttp"

	authgearfasthttp "github.com/authgear/authgear-sdk-go/adapters/fasthttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/guard"
	"github.com/authgear/authgear-sdk-go/core/guard/guardtest"
)

// An adapter for fasthttp without a framework.
func Example() {
	var server fasthttp.Server
	g := guard.New(guardtest.Alice, guard.Config{Observer: &authgear.Observer{}})
	require := func(next fasthttp.RequestHandler, policies ...authgear.Policy) fasthttp.RequestHandler {
		check := g.Require(policies...)
		return func(c *fasthttp.RequestCtx) {
			ctx, ok := c.UserValue(guard.ContextKey).(context.Context) // set by a guard before this one
			if !ok {
				ctx = c
			}
			r := authgearfasthttp.NewRequest(c, "", c, nil)
			c, refusal := guard.Run(ctx, check, r, r.ResponseHeader(), c)
			if refusal != nil {
				r.Refuse(refusal, &server, nil)
				return
			}
			next(c)
		}
	}

	hello := func(c *fasthttp.RequestCtx) { c.SetBodyString("hello " + authgear.MustUserFromContext(c).ID + "\n") }
	server.Handler = require(hello)
	authgearfasthttp.CloseUnread(&server)

	for _, handler := range []fasthttp.RequestHandler{server.Handler, require(hello, authgear.Role("admin"))} {
		var c fasthttp.RequestCtx
		handler(&c)
		fmt.Print(c.Response.StatusCode(), " ", string(c.Response.Body()))
	}
	// Output:
	// 200 hello alice
	// 403 {"error":"role_missing","error_description":"This request needs a role that the user does not have."}
}
