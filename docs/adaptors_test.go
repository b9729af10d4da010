package docs

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	fiberv3 "github.com/gofiber/fiber/v3"
	adaptorv3 "github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

const (
	signIn    = `401 {"error":"authentication_required"`
	malformed = `400 {"error":"invalid_request"`
	denied    = `403 {"error":"policy_denied"`
)

// adaptors holds what the rows about adaptors are tested with: a user's token, and two
// net/http guards. One of the guards believes the headers of a proxy on this machine.
type adaptors struct {
	auth       *authgear.JWT
	alice      string
	guard      *authgearhttp.Guard
	forwarded  *authgearhttp.Guard
	identities string // the headers by which a proxy says that alice sent the request
}

// person answers with the user and the path value that a net/http handler finds.
var person = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	name := "nobody"
	if user, ok := authgearhttp.User(r); ok {
		name = user.ID
	}
	_, _ = io.WriteString(w, name+" "+r.PathValue("id"))
})

var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// serves listens until the test ends.
func serves(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func servesFiber(t *testing.T, set func(*fiber.App)) string {
	t.Helper()
	app, l := fiber.New(fiber.Config{DisableStartupMessage: true}), listener(t)
	set(app)
	go func() { _ = app.Listener(l) }() // until Shutdown
	t.Cleanup(func() { _ = app.Shutdown() })
	return l.Addr().String()
}

func servesFiberV3(t *testing.T, set func(*fiberv3.App)) string {
	t.Helper()
	app, l := fiberv3.New(), listener(t)
	set(app)
	go func() { _ = app.Listener(l, fiberv3.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() { _ = app.Shutdown() })
	return l.Addr().String()
}

// gets sends these header lines, and a body with these trailers. It expects that the
// answer begins with want.
func gets(t *testing.T, addr, path, header, trailer, want string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"+header+"\r\n1\r\nx\r\n0\r\n"+trailer+"\r\n")
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Status[:4] + string(body); !strings.HasPrefix(got, want) {
		t.Errorf("%s: %s, want %s", path, got, want)
	}
}

// guards expects that the guard works: it lets users through and refuses everybody
// else, and a trailer states no identity.
func (a *adaptors) guards(t *testing.T, addr, want string) {
	t.Helper()
	gets(t, addr, "/users/alice", "", "", signIn)
	gets(t, addr, "/users/alice", a.alice, "", want)
	gets(t, addr, "/users/alice", a.alice+a.alice, "", malformed)
}

// guardsSelf expects that Self finds the path's parameter.
func (a *adaptors) guardsSelf(t *testing.T, addr string) {
	t.Helper()
	a.guards(t, addr, "200 alice")
	gets(t, addr, "/users/bob", a.alice, "", denied)
}

// holes expects two faults of fiber's adaptors, by which they are unfit for a net/http
// guard: a request with two tokens is accepted, and so is an identity in a trailer,
// which no proxy has checked.
func (a *adaptors) holes(t *testing.T, jwt, forwarded, want string) {
	t.Helper()
	gets(t, jwt, "/users/alice", "", "", signIn)
	gets(t, jwt, "/users/alice", a.alice+a.alice, "", "200 "+want)
	gets(t, forwarded, "/users/alice", "", "", signIn)
	gets(t, forwarded, "/users/alice", "", a.identities, "200 "+want)
}

// Each row of the table about the frameworks' own adaptors is tested.
func TestAdaptors(t *testing.T) {
	t.Parallel()
	gin.SetMode(gin.ReleaseMode)
	silent, project := &authgear.Observer{}, authgeartest.New(t)
	jwt, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: project.Endpoint(), Observer: silent})
	if err != nil {
		t.Fatal(err)
	}
	forwarded, err := authgear.NewForwarded(authgear.ForwardedConfig{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Observer: silent})
	if err != nil {
		t.Fatal(err)
	}
	id := project.AddUser(authgeartest.User{ID: "alice"})
	stated, lines := http.Header{}, strings.Builder{}
	if err := authgear.ForwardIdentity(stated, &authgear.Identity{Kind: authgear.KindUser, ID: id}, ""); err != nil {
		t.Fatal(err)
	}
	_ = stated.Write(&lines)
	a := &adaptors{
		jwt, "Authorization: Bearer " + project.AccessToken(id) + "\r\n",
		authgearhttp.New(jwt), authgearhttp.New(forwarded), lines.String(),
	}
	gets(t, serves(t, a.forwarded.Require()(person)), "/users/alice", a.identities, "", "200 alice") // so a.identities is complete

	rows := a.rows()
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$`).FindAllStringSubmatch(sections(read(t, "frameworks.md"), "##")["The frameworks' own adaptors"], -1) {
		name := row[1] + ": " + strings.ReplaceAll(row[2], "`", "")
		if strings.HasPrefix(name, "---") || strings.HasPrefix(name, "on: ") {
			continue
		}
		test, ok := rows[name]
		if !ok {
			t.Errorf("no test for %q", name)
			continue
		}
		delete(rows, name)
		t.Run(name, test)
	}
	for name := range rows {
		t.Errorf("%q is not in the table", name)
	}
}

func (a *adaptors) rows() map[string]func(*testing.T) {
	self := authgearhttp.Self("id")
	return map[string]func(*testing.T){
		"gin: gin.WrapH(h), gin.WrapF(f) behind a gin guard": func(t *testing.T) {
			r, guard := gin.New(), authgeargin.New(a.auth)
			r.POST("/users/:id", guard.Require(authgeargin.Self("id")), gin.WrapH(person))
			a.guardsSelf(t, serves(t, r))
			r = gin.New()
			r.POST("/users/:id", guard.Require(), gin.WrapF(person))
			a.guards(t, serves(t, r), "200 alice ")
		},
		"gin: gin.WrapH(guard.Require()(h)) as a route's handler": func(t *testing.T) {
			r := gin.New()
			r.POST("/users/:id", gin.WrapH(a.guard.Require()(person)))
			a.guards(t, serves(t, r), "200 alice ")
			r = gin.New()
			r.POST("/users/:id", gin.WrapH(a.guard.Require(self)(person)))
			a.guards(t, serves(t, r), denied)
		},
		"gin: the same as middleware": func(t *testing.T) {
			r, ran := gin.New(), false
			r.Use(gin.WrapH(a.guard.Require()(nothing)))
			r.POST("/users/:id", func(*gin.Context) { ran = true })
			gets(t, serves(t, r), "/users/alice", "", "", signIn)
			if !ran {
				t.Error("the handler does not run; say so in docs/frameworks.md")
			}
		},
		"echo v4: echo.WrapHandler(h) behind an echo guard": func(t *testing.T) {
			e := echo.New()
			e.POST("/users/:id", echo.WrapHandler(person), authgearecho.New(a.auth).Require(authgearecho.Self("id")))
			a.guardsSelf(t, serves(t, e))
			gets(t, serves(t, e), "/users/alice", a.alice, "", "200 alice ")
		},
		"echo v4: echo.WrapMiddleware(guard.Require())": func(t *testing.T) {
			for want, policies := range map[string][]authgear.Policy{"200 alice": nil, denied: {self}} {
				e, refused := echo.New(), false
				e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
					return func(c echo.Context) error {
						err := next(c)
						_, refused = authgearecho.Refused(c)
						return err
					}
				})
				e.POST("/users/:id", func(c echo.Context) error { return c.String(http.StatusOK, authgearecho.MustUser(c).ID) }, echo.WrapMiddleware(a.guard.Require(policies...)))
				a.guards(t, serves(t, e), want)
				if refused {
					t.Error("Refused finds something; say so in docs/frameworks.md")
				}
			}
		},
		"echo v5: echo.WrapHandler(h) behind an echo guard": func(t *testing.T) {
			e := echov5.New()
			e.POST("/users/:id", echov5.WrapHandler(person), authgearechov5.New(a.auth).Require(authgearechov5.Self("id")))
			a.guardsSelf(t, serves(t, e))
			gets(t, serves(t, e), "/users/alice", a.alice, "", "200 alice alice")
		},
		"echo v5: echo.WrapMiddleware(guard.Require())": func(t *testing.T) {
			user := func(c *echov5.Context) error { return c.String(http.StatusOK, authgearechov5.MustUser(c).ID) }
			e, refused := echov5.New(), false
			e.Use(func(next echov5.HandlerFunc) echov5.HandlerFunc {
				return func(c *echov5.Context) error {
					err := next(c)
					_, refused = authgearechov5.Refused(c)
					return err
				}
			})
			e.POST("/users/:id", user, echov5.WrapMiddleware(a.guard.Require(self)))
			a.guardsSelf(t, serves(t, e))
			if refused {
				t.Error("Refused finds something; say so in docs/frameworks.md")
			}
			e = echov5.New()
			e.Use(echov5.WrapMiddleware(a.guard.Require(self)))
			e.POST("/users/:id", user)
			a.guardsSelf(t, serves(t, e))
			e = echov5.New()
			e.Pre(echov5.WrapMiddleware(a.guard.Require(self)))
			e.POST("/users/:id", user)
			a.guards(t, serves(t, e), denied)
		},
		"fiber v2: adaptor.HTTPHandler(h) behind a fiber guard": func(t *testing.T) {
			guard := authgearfiber.New(a.auth)
			addr := servesFiber(t, func(app *fiber.App) {
				app.Post("/users/:id", guard.Require(authgearfiber.Self("id")), adaptor.HTTPHandler(person))
			})
			a.guardsSelf(t, addr)
			gets(t, addr, "/users/alice", "", a.identities, signIn)
		},
		"fiber v2: adaptor.HTTPMiddleware(guard.Require()), adaptor.HTTPHandler(guard.Require()(h))": func(t *testing.T) {
			lost := func(c *fiber.Ctx) error {
				if _, ok := authgearfiber.Identity(c); ok {
					return c.SendString("found")
				}
				return c.SendString("lost")
			}
			within := func(guard *authgearhttp.Guard) string {
				return servesFiber(t, func(app *fiber.App) { app.Post("/users/:id", adaptor.HTTPMiddleware(guard.Require()), lost) })
			}
			a.holes(t, within(a.guard), within(a.forwarded), "lost")
			at := func(guard *authgearhttp.Guard) string {
				return servesFiber(t, func(app *fiber.App) { app.Post("/users/:id", adaptor.HTTPHandler(guard.Require()(person))) })
			}
			a.holes(t, at(a.guard), at(a.forwarded), "alice")
		},
		"fiber v2: adaptor.FiberApp(app) in net/http": func(t *testing.T) {
			name := func(c *fiber.Ctx) error {
				user, ok := authgearfiber.User(c)
				if !ok {
					return c.SendString("nobody")
				}
				return c.SendString(user.ID)
			}
			app := fiber.New()
			app.Post("/users/:id", authgearfiber.New(a.auth).Require(authgearfiber.Self("id")), name)
			app.Post("/open/:id", name)
			addr := serves(t, adaptor.FiberApp(app))
			gets(t, addr, "/users/alice", "", "", signIn)
			gets(t, addr, "/users/alice", a.alice, "", "200 alice")
			gets(t, addr, "/users/bob", a.alice, "", denied)
			gets(t, addr, "/users/alice", "Authorization: Bearer bad\r\n"+a.alice, "", "200 alice") // the last line counts
			gets(t, serves(t, a.guard.Require()(adaptor.FiberApp(app))), "/open/alice", a.alice, "", "200 nobody")
		},
		"fiber v3: adaptor.HTTPHandler(h), or just h, behind a fiber guard": func(t *testing.T) {
			guard := authgearfiberv3.New(a.auth)
			for _, handler := range []any{person, adaptorv3.HTTPHandler(person), adaptorv3.HTTPHandlerWithContext(person)} {
				addr := servesFiberV3(t, func(app *fiberv3.App) {
					app.Post("/users/:id", guard.Require(authgearfiberv3.Self("id")), handler)
				})
				a.guardsSelf(t, addr)
				gets(t, addr, "/users/alice", "", a.identities, signIn)
			}
		},
		"fiber v3: adaptor.FiberApp(app) in net/http": func(t *testing.T) {
			name := func(c fiberv3.Ctx) error {
				user, ok := authgearfiberv3.User(c)
				if !ok {
					return c.SendString("nobody")
				}
				return c.SendString(user.ID)
			}
			app := fiberv3.New()
			app.Post("/users/:id", authgearfiberv3.New(a.auth).Require(authgearfiberv3.Self("id")), name)
			app.Post("/open/:id", name)
			addr := serves(t, adaptorv3.FiberApp(app))
			gets(t, addr, "/users/alice", "", "", signIn)
			gets(t, addr, "/users/alice", a.alice, "", "200 alice")
			gets(t, addr, "/users/bob", a.alice, "", denied)
			gets(t, addr, "/users/alice", "Authorization: Bearer bad\r\n"+a.alice, "", "200 alice") // the last line counts
			gets(t, serves(t, a.guard.Require()(adaptorv3.FiberApp(app))), "/open/alice", a.alice, "", "200 nobody")
		},
		"fiber v3: adaptor.HTTPMiddleware(guard.Require()), adaptor.HTTPHandler(guard.Require()(h))": func(t *testing.T) {
			lost := func(c fiberv3.Ctx) error {
				if _, ok := authgearfiberv3.Identity(c); ok {
					return c.SendString("found")
				}
				return c.SendString("lost")
			}
			within := func(guard *authgearhttp.Guard) string {
				return servesFiberV3(t, func(app *fiberv3.App) { app.Post("/users/:id", adaptorv3.HTTPMiddleware(guard.Require()), lost) })
			}
			a.holes(t, within(a.guard), within(a.forwarded), "lost")
			at := func(guard *authgearhttp.Guard) string {
				return servesFiberV3(t, func(app *fiberv3.App) { app.Post("/users/:id", adaptorv3.HTTPHandler(guard.Require()(person))) })
			}
			a.holes(t, at(a.guard), at(a.forwarded), "alice")
		},
		"fiber v3: guard.Require()(h) as a route's handler": func(t *testing.T) {
			at := func(guard *authgearhttp.Guard) string {
				return servesFiberV3(t, func(app *fiberv3.App) { app.Post("/users/:id", guard.Require()(person)) })
			}
			a.holes(t, at(a.guard), at(a.forwarded), "alice")
		},
	}
}
