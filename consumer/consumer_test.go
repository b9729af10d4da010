package consumer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// frameworks are modules that a user gets only with their own adapter. One of them is
// not a framework.
var frameworks = []string{
	"github.com/gin-gonic/gin",
	"github.com/labstack/echo/v4",
	"github.com/labstack/echo/v5",
	"github.com/gofiber/fiber/v2",
	"github.com/gofiber/fiber/v3",
	"github.com/valyala/fasthttp",
	"github.com/redis/go-redis/v9",
}

// Each program makes a guard, sends itself one request without credentials and
// prints the answer.
var consumers = []struct {
	adapter string
	own     []string // the modules of frameworks that the user gets
	shared  []string // our modules between the adapter and core
	imports string
	serve   string // a statement that sets response and err
}{
	{"gin", []string{"github.com/gin-gonic/gin"}, nil, `"github.com/gin-gonic/gin"`, `
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.GET("/", adapter.New(auth).Require())
	w := httptest.NewRecorder()
	r.ServeHTTP(w, request)
	response := w.Result()`},
	{"echo", []string{"github.com/labstack/echo/v4"}, nil, `"github.com/labstack/echo/v4"`, `
	e := echo.New()
	e.GET("/", func(echo.Context) error { return nil }, adapter.New(auth).Require())
	w := httptest.NewRecorder()
	e.ServeHTTP(w, request)
	response := w.Result()`},
	{"echov5", []string{"github.com/labstack/echo/v5"}, nil, `"github.com/labstack/echo/v5"`, `
	e := echo.New()
	e.GET("/", func(*echo.Context) error { return nil }, adapter.New(auth).Require())
	w := httptest.NewRecorder()
	e.ServeHTTP(w, request)
	response := w.Result()`},
	{"fiber", []string{"github.com/gofiber/fiber/v2", "github.com/valyala/fasthttp"}, []string{"adapters/fasthttp"}, `"github.com/gofiber/fiber/v2"`, `
	app := fiber.New(fiber.Config{ReadBufferSize: 32 << 10})
	app.Get("/", adapter.New(auth).Require())
	response, err := app.Test(request, -1)
	if err != nil {
		panic(err)
	}`},
	{"fiberv3", []string{"github.com/gofiber/fiber/v3", "github.com/valyala/fasthttp"}, []string{"adapters/fasthttp"}, `"github.com/gofiber/fiber/v3"`, `
	app := fiber.New(fiber.Config{ReadBufferSize: 32 << 10})
	app.Get("/", adapter.New(auth).Require())
	response, err := app.Test(request, fiber.TestConfig{})
	if err != nil {
		panic(err)
	}`},
	{"nethttp", nil, nil, `"net/http"`, `
	w := httptest.NewRecorder()
	adapter.New(auth).Require()(http.NotFoundHandler()).ServeHTTP(w, request)
	response := w.Result()`},
}

const program = `package main

import (
	"fmt"
	"io"
	"net/http/httptest"
	%s

	adapter "github.com/authgear/authgear-sdk-go/adapters/%s"
	authgear "github.com/authgear/authgear-sdk-go/core"
)

func main() {
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: "https://myapp.authgear.cloud"})
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequest("GET", "/", nil)
	%s
	body, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	fmt.Print(response.StatusCode, " ", string(body))
}
`

func TestConsumers(t *testing.T) {
	t.Parallel()
	for _, c := range consumers {
		t.Run(c.adapter, func(t *testing.T) {
			t.Parallel()
			user := newUser(t, append([]string{"core", "adapters/" + c.adapter}, c.shared...)...)
			write(t, filepath.Join(user.dir, "main.go"), fmt.Sprintf(program, c.imports, c.adapter, c.serve))
			user.run(t, "go", "build", "-o", "program", ".")
			got := user.run(t, filepath.Join(user.dir, "program"))
			if want := `401 {"error":"authentication_required","error_description":"This request needs an access token."}` + "\n"; got != want {
				t.Errorf("the program prints %q, want %q", got, want)
			}
			user.checkGraph(t, c.own)
			if compiled := strings.Count(user.run(t, "go", "version", "-m", "program"), "\tdep\t"); c.own == nil && compiled > 1+12 {
				t.Errorf("%d modules are compiled into the program, at most 12 beside the adapter", compiled)
			}
		})
	}
}

// Somebody who writes an adapter imports the module that adapters are made of.
func TestWithoutAdapter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		modules, packages []string
		own               []string // the modules of frameworks that the user gets
	}{
		{[]string{"core"}, []string{"core", "core/authgeartest", "core/guard"}, nil},
		{[]string{"core", "adapters/fasthttp"}, []string{"core/guard", "adapters/fasthttp"}, []string{"github.com/valyala/fasthttp"}},
		{[]string{"core", "stores/redis"}, []string{"stores/redis"}, []string{"github.com/redis/go-redis/v9"}},
	} {
		user := newUser(t, c.modules...)
		imports := ""
		for _, directory := range c.packages {
			imports += "import _ \"" + root + directory + "\"\n"
		}
		write(t, filepath.Join(user.dir, "main.go"), "package main\n\n"+imports+"\nfunc main() {}\n")
		user.run(t, "go", "build", ".")
		user.checkGraph(t, c.own)
	}
}

// user is the module of a user, outside the repository.
type user struct {
	dir string
	env []string
}

// newUser makes a module that requires these modules of ours. Its other dependencies
// come from the download cache, which was filled when the modules were built. So no
// server is asked. Their sums are those that we have recorded.
func newUser(t *testing.T, directories ...string) user {
	t.Helper()
	cache, upstream := goEnv(t, "GOMODCACHE"), goEnv(t, "GOPROXY")
	proxy := publish(t, directories...)
	u := user{dir: t.TempDir()}
	u.env = append(os.Environ(),
		"GOWORK=off",
		"GOFLAGS=-mod=mod -modcacherw -trimpath", // -trimpath lets the build cache be used, although directories differ
		"GOMODCACHE="+t.TempDir(),
		"GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(cache)+"/cache/download,"+upstream,
		"GONOSUMDB="+root+"*",
	)
	mod, sums := "module example.com/user\n\ngo 1.26\n", ""
	for _, directory := range directories {
		mod += "\nrequire " + root + directory + " " + version + "\n"
		recorded, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(directory), "go.sum"))
		if err != nil {
			t.Fatal(err)
		}
		sums += string(recorded)
	}
	write(t, filepath.Join(u.dir, "go.mod"), mod)
	write(t, filepath.Join(u.dir, "go.sum"), sums)
	return u
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	value, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(value))
}

func (u user) run(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Dir, command.Env = u.dir, u.env
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, out)
	}
	return string(out)
}

// checkGraph fails if the module graph has a framework that the user does not use.
func (u user) checkGraph(t *testing.T, own []string) {
	t.Helper()
	graph := u.run(t, "go", "mod", "graph")
	for _, framework := range frameworks {
		isOwn := slices.Contains(own, framework)
		if has := strings.Contains(graph, framework+"@"); has != isOwn {
			t.Errorf("%s in the module graph: %v, want %v\n%s", framework, has, isOwn, graph)
		}
	}
}
