package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v5"
)

// Browsers and other clients send a token as a subprotocol. Other values are no token
// (RFC 6455, section 11.3.4).
func TestFromSubprotocol(t *testing.T) {
	project := authgeartest.New(t)
	auth := newJWT(t, project)
	token := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))
	handler := fromSubprotocol(authgearhttp.New(auth).Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	app := fiber.New()
	app.Get("/", fromSubprotocolFiber, authgearfiberv3.New(auth).Require(), func(c fiber.Ctx) error { return c.Send(nil) })
	for _, c := range []struct {
		protocols     []string
		authorization string
		want          int
	}{
		{[]string{"bearer, " + token}, "", 200},
		{[]string{"bearer," + token}, "", 200},
		{[]string{" bearer ,\t" + token + " , chat"}, "", 200},
		{[]string{"bearer", token}, "", 200},
		{[]string{"bearer", token, "chat"}, "", 200},
		{[]string{"bearer, x"}, "", 401},
		{[]string{"bearer"}, "", 401},
		{[]string{"chat, " + token}, "", 401},
		{nil, "", 401},
		{[]string{"bearer, " + token}, "Bearer x", 401},
	} {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		for _, value := range c.protocols {
			r.Header.Add("Sec-WebSocket-Protocol", value)
		}
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		handler.ServeHTTP(w, r)
		response, err := app.Test(r, noTimeLimit)
		if err != nil {
			t.Fatal(err)
		}
		if w.Code != c.want || response.StatusCode != c.want {
			t.Errorf("%q: %d and on fiber %d, want %d", c.protocols, w.Code, response.StatusCode, c.want)
		}
	}
}

// A socket finds the user, speaks the subprotocol, and is open to users only. A request
// that is no handshake is not a server error.
func TestSockets(t *testing.T) {
	project := authgeartest.New(t)
	auth := newJWT(t, project)
	token := project.AccessToken(project.AddUser(authgeartest.User{ID: "alice"}))

	e := echo.New()
	e.GET("/socket", func(c *echo.Context) error {
		conn, err := websocket.Accept(c.Response(), c.Request(), &websocket.AcceptOptions{Subprotocols: []string{"bearer"}})
		if err != nil {
			return err
		}
		defer func() { _ = conn.CloseNow() }()
		return wsjson.Write(c.Request().Context(), conn, authgearechov5.MustUser(c))
	}, echo.WrapMiddleware(fromSubprotocol), authgearechov5.New(auth).Require())
	onEcho := httptest.NewServer(e)
	defer onEcho.Close()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New()
	authgearfiberv3.CloseUnread(app)
	app.Get("/socket", fromSubprotocolFiber, authgearfiberv3.New(auth).Require(), socketFiber)
	go func() { _ = app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) }() // until Shutdown
	defer func() { _ = app.Shutdown() }()

	for framework, c := range map[string]struct {
		url string
		get int
	}{"echo": {onEcho.URL, http.StatusUpgradeRequired}, "fiber": {"http://" + l.Addr().String(), http.StatusBadRequest}} {
		conn, _, err := websocket.Dial(t.Context(), c.url+"/socket", &websocket.DialOptions{Subprotocols: []string{"bearer", token}})
		if err != nil {
			t.Fatal(framework, err)
		}
		var user authgear.Identity
		if err := wsjson.Read(t.Context(), conn, &user); err != nil || user.ID != "alice" || conn.Subprotocol() != "bearer" {
			t.Error(framework, err, user, conn.Subprotocol())
		}
		_ = conn.CloseNow()
		_, response, err := websocket.Dial(t.Context(), c.url+"/socket", &websocket.DialOptions{Subprotocols: []string{"bearer", "x"}})
		if err == nil || response.StatusCode != http.StatusUnauthorized {
			t.Error(framework, err)
		}
		client := http.Client{Transport: bearer(token)}
		if response, err = client.Get(c.url + "/socket"); err != nil {
			t.Fatal(framework, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.get {
			t.Error(framework, response.Status)
		}
	}
}
