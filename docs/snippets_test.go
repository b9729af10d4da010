// Package docs holds the documentation; its tests compile what it shows, run
// what can be run, and compare the answers.
//
// A block of Go in a document is either a whole program, or a fragment after a
// comment that says where it stands:
//
//	<!-- snippet: core -->   auth, ctx, token and identity are there
//	<!-- snippet: http -->   auth, guard, mux and handlers are there, and so
//	<!-- snippet: gin -->    on for the other frameworks
//	<!-- snippet: test -->   a test, which is run, or a function that the
//	                         tests of testdata test
//
// What a fragment imports of a code generator, that generator makes first, of the
// files in testdata/generate.
//
// All fragments of a kind are files of one package, since a package each takes
// long to compile.
package docs

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	// What the snippets import beside the adapters.
	_ "connectrpc.com/connect"
	_ "github.com/99designs/gqlgen/graphql"
	_ "github.com/99designs/gqlgen/graphql/handler"
	_ "github.com/99designs/gqlgen/graphql/handler/transport"
	_ "github.com/99designs/gqlgen/graphql/introspection"
	_ "github.com/coder/websocket"
	_ "github.com/fasthttp/websocket"
	_ "github.com/gin-contrib/cors"
	_ "github.com/gin-gonic/gin"
	_ "github.com/go-chi/chi/v5"
	_ "github.com/gofiber/contrib/websocket"
	_ "github.com/gofiber/fiber/v2"
	_ "github.com/gofiber/fiber/v3"
	_ "github.com/gofiber/fiber/v3/middleware/cache"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	_ "github.com/labstack/echo/v4"
	_ "github.com/labstack/echo/v5"
	_ "github.com/modelcontextprotocol/go-sdk/mcp"
	_ "github.com/oapi-codegen/nethttp-middleware"
	_ "github.com/oapi-codegen/runtime"
	_ "github.com/redis/go-redis/v9"
	_ "github.com/rs/cors"
	_ "github.com/vektah/gqlparser/v2/gqlerror"
	_ "google.golang.org/grpc"
	_ "google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	_ "github.com/authgear/authgear-sdk-go/stores/redis"
)

// packages are what fragments use without an import.
var packages = map[string]string{
	"authgear":        "github.com/authgear/authgear-sdk-go/core",
	"authgeartest":    "github.com/authgear/authgear-sdk-go/core/authgeartest",
	"authgearecho":    "github.com/authgear/authgear-sdk-go/adapters/echo",
	"authgearechov5":  "github.com/authgear/authgear-sdk-go/adapters/echov5",
	"authgearfiber":   "github.com/authgear/authgear-sdk-go/adapters/fiber",
	"authgearfiberv3": "github.com/authgear/authgear-sdk-go/adapters/fiberv3",
	"authgeargin":     "github.com/authgear/authgear-sdk-go/adapters/gin",
	"authgearhttp":    "github.com/authgear/authgear-sdk-go/adapters/nethttp",
	"cmp":             "cmp",
	"context":         "context",
	"doctor":          "github.com/authgear/authgear-sdk-go/core/doctor",
	"echo":            "github.com/labstack/echo/v5",
	"errors":          "errors",
	"expvar":          "expvar",
	"fiber":           "github.com/gofiber/fiber/v3",
	"fmt":             "fmt",
	"fstest":          "testing/fstest",
	"gin":             "github.com/gin-gonic/gin",
	"http":            "net/http",
	"httptest":        "net/http/httptest",
	"httputil":        "net/http/httputil",
	"json":            "encoding/json",
	"io":              "io",
	"log":             "log",
	"middleware":      "github.com/labstack/echo/v5/middleware",
	"os":              "os",
	"sha256":          "crypto/sha256",
	"slices":          "slices",
	"recover":         "github.com/gofiber/fiber/v3/middleware/recover",
	"redis":           "github.com/redis/go-redis/v9",
	"logging":         "github.com/redis/go-redis/v9/logging",
	"redisstore":      "github.com/authgear/authgear-sdk-go/stores/redis",
	"slog":            "log/slog",
	"strings":         "strings",
	"testing":         "testing",
	"time":            "time",
	"tls":             "crypto/tls",
	"url":             "net/url",
	"webhook":         "github.com/authgear/authgear-sdk-go/core/webhook",
	"x509":            "crypto/x509",
}

// ofKind are packages whose names mean something else in other kinds.
var ofKind = map[string]map[string]string{
	"gin":    {"cors": "github.com/gin-contrib/cors"},
	"echov4": {"echo": "github.com/labstack/echo/v4"},
	"fiber": {
		"adaptor": "github.com/gofiber/fiber/v3/middleware/adaptor",
		"cors":    "github.com/gofiber/fiber/v3/middleware/cors",
	},
	"fiberv2": {
		"adaptor":   "github.com/gofiber/fiber/v2/middleware/adaptor",
		"fiber":     "github.com/gofiber/fiber/v2",
		"websocket": "github.com/gofiber/contrib/websocket",
	},
	"http": {"cors": "github.com/rs/cors"},
	"test": {
		"api":       "github.com/authgear/authgear-sdk-go/docs/api",
		"cache":     "github.com/gofiber/fiber/v3/middleware/cache",
		"chi":       "github.com/go-chi/chi/v5",
		"connect":   "connectrpc.com/connect",
		"cors":      "github.com/gin-contrib/cors",
		"gqlerror":  "github.com/vektah/gqlparser/v2/gqlerror",
		"graph":     "github.com/authgear/authgear-sdk-go/docs/graph",
		"graphql":   "github.com/99designs/gqlgen/graphql",
		"grpc":      "google.golang.org/grpc",
		"handler":   "github.com/99designs/gqlgen/graphql/handler",
		"health":    "github.com/authgear/authgear-sdk-go/docs/health",
		"mcp":       "github.com/modelcontextprotocol/go-sdk/mcp",
		"mcpauth":   "github.com/modelcontextprotocol/go-sdk/auth",
		"metadata":  "google.golang.org/grpc/metadata",
		"runtime":   "github.com/grpc-ecosystem/grpc-gateway/v2/runtime",
		"transport": "github.com/99designs/gqlgen/graphql/handler/transport",
		"websocket": "github.com/fasthttp/websocket",
	},
}

// surroundings are what a fragment finds declared.
var surroundings = map[string]string{
	"core": `var (
	ctx      context.Context
	auth     *authgear.JWT
	token    string
	identity *authgear.Identity
)

func isMember(context.Context, string) (bool, error)     { return false, nil }
func traced(transport http.RoundTripper) http.RoundTripper { return transport }
`,
	"http": `var (
	auth           *authgear.JWT
	guard          *authgearhttp.Guard
	mux            *http.ServeMux
	hooks          *webhook.Handler
	me, deletePost http.Handler
	pay            http.Handler

	reports, machine, notes, transfer http.Handler
)

func accessLog(next http.Handler) http.Handler { return next }
`,
	"gin": `var (
	auth                 *authgear.JWT
	guard                *authgeargin.Guard
	r                    *gin.Engine
	hooks                *webhook.Handler
	me, home, deletePost gin.HandlerFunc
	accessLogGin         gin.HandlerFunc

	reports, machine, notes, transfer gin.HandlerFunc
)
`,
	"echo": `var (
	auth                 *authgear.JWT
	guard                *authgearechov5.Guard
	e                    *echo.Echo
	hooks                *webhook.Handler
	me, home, deletePost echo.HandlerFunc
	accessLogEcho        echo.MiddlewareFunc
)
`,
	"echov4": `var (
	e     *echo.Echo
	hooks *webhook.Handler
)
`,
	"fiber": `var (
	auth                 *authgear.JWT
	guard                *authgearfiberv3.Guard
	app                  *fiber.App
	hooks                *webhook.Handler
	me, home, deletePost fiber.Handler
	accessLogFiber       fiber.Handler
)

func listOrders(context.Context, string) []string { return nil }
`,
	"fiberv2": `var (
	guard *authgearfiber.Guard
	app   *fiber.App
	hooks *webhook.Handler
)
`,
	// What ogen generates. generate makes what others do.
	"test": `type OperationName = string

type BearerAuth struct {
	Token string
	Roles []string
}
`,
}

// imports returns the import declarations for the packages that the file uses.
func imports(file *ast.File, kind string) string {
	known := maps.Clone(packages)
	maps.Copy(known, ofKind[kind])
	used := map[string]bool{}
	for _, name := range file.Unresolved { // so no variable of that name
		used[name.Name] = true
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if used[name] {
			fmt.Fprintf(&b, "import %s %q\n", name, known[name])
		}
	}
	return b.String()
}

// complete makes a file of a fragment: declarations as they are, statements in a
// function of that name, which uses what they declare as the rest of a program
// would.
func complete(fragment, kind, name string) (string, error) {
	const head = "package main\n\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", head+fragment, 0)
	if err != nil {
		fragment = "func " + name + "() {\n" + fragment
		if file, err = parser.ParseFile(token.NewFileSet(), "", head+fragment+"}\n", 0); err != nil {
			return "", err
		}
		body := file.Decls[len(file.Decls)-1].(*ast.FuncDecl).Body
		for _, statement := range body.List {
			if assign, ok := statement.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
				for _, left := range assign.Lhs {
					if name := left.(*ast.Ident).Name; name != "_" {
						fragment += "_ = " + name + "\n"
					}
				}
			}
		}
		fragment += "}\n"
	}
	return head + imports(file, kind) + "\n" + fragment, nil
}

// module is a temporary one, outside the workspace, with the requirements of
// this one.
type module struct{ dir string }

func newModule(t *testing.T) *module {
	t.Helper()
	m := &module{t.TempDir()}
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "go.mod", strings.ReplaceAll(read(t, "go.mod"), "=> ..", "=> "+absolute))
	m.write(t, "go.sum", read(t, "go.sum"))
	return m
}

func (m *module) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (m *module) run(t *testing.T, args ...string) {
	t.Helper()
	command := exec.Command("go", args...)
	command.Dir = m.dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Every block of Go compiles, and the tests among them pass. TestREADME has the
// whole programs.
func TestSnippets(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	for kind, around := range surroundings {
		source, err := complete("func main() {}\n\n"+around, kind, "")
		if err != nil {
			t.Fatal(kind, err)
		}
		m.write(t, kind+"/main.go", source)
	}
	for name, text := range documents(t) {
		for _, b := range blocks(text) {
			if b.language != "go" || strings.HasPrefix(b.text, "package ") {
				continue
			}
			where := fmt.Sprintf("%s:%d", name, b.line)
			kind := strings.TrimPrefix(b.mark, "snippet: ")
			if _, ok := surroundings[kind]; !ok {
				t.Errorf("%s: no comment says where the fragment stands", where)
				continue
			}
			formatted(t, where, b.text)
			name := strings.NewReplacer("/", "_", ".", "_", "-", "_", ":", "_").Replace(where)
			source, err := complete(b.text, kind, name)
			if err != nil {
				t.Errorf("%s: %v", where, err)
				continue
			}
			file := name + "_snippet.go"
			if kind == "test" {
				file = name + "_test.go"
			}
			m.write(t, kind+"/"+file, source)
		}
	}
	tests, err := filepath.Glob("testdata/*_test.go")
	if err != nil || len(tests) == 0 {
		t.Fatal("no tests of the recipes", err)
	}
	for _, path := range tests {
		m.write(t, "test/"+filepath.Base(path), read(t, path))
	}
	m.generate(t)
	m.run(t, "vet", "./...")
	m.run(t, "test", "./test")
}

func formatted(t *testing.T, where, source string) {
	t.Helper()
	want, err := format.Source([]byte(source))
	if err != nil {
		t.Errorf("%s: %v", where, err)
	} else if string(want) != source {
		t.Errorf("%s: not formatted by gofmt; it would be\n%s", where, want)
	}
}

// The programs of README.md are short, serve, and answer as it says.
func TestREADME(t *testing.T) {
	t.Parallel()
	text := documents(t)["README.md"]
	programs, m := map[string]string{}, newModule(t)
	for _, b := range blocks(text) {
		if b.language != "go" || !strings.HasPrefix(b.text, "package ") {
			continue
		}
		formatted(t, fmt.Sprintf("README.md:%d", b.line), b.text)
		framework := regexp.MustCompile(`adapters/(\w+)`).FindStringSubmatch(b.text)[1]
		programs[framework] = b.text
		if lines := len(regexp.MustCompile(`(?m)^.*\S.*$`).FindAllString(b.text, -1)); lines > 25 {
			t.Errorf("the program on %s has %d lines, more than 25", framework, lines)
		}
	}
	if len(programs) != 6 {
		t.Fatalf("%d programs found", len(programs))
	}
	for framework, program := range programs {
		for literal, variable := range map[string]string{`"https://myapp.authgear.cloud"`: "endpoint", `"127.0.0.1:8081"`: "addr"} {
			if strings.Count(program, literal) != 1 {
				t.Errorf("%s: %s does not stand there once", framework, literal)
			}
			program = strings.Replace(program, literal, variable, 1)
		}
		m.write(t, framework+"/main.go", program)
		m.write(t, framework+"/variables.go", "package main\n\nimport \"os\"\n\nvar endpoint, addr = os.Getenv(\"ENDPOINT\"), os.Getenv(\"ADDR\")\n")
	}
	m.run(t, "build", "-o", m.dir+"/bin/", "./...")
	if t.Failed() {
		return
	}

	server := authgeartest.New(t)
	tokens := map[string]string{
		"TOKEN": server.AccessToken(server.AddUser(authgeartest.User{ID: "alice", Roles: []string{"admin"}})),
		"BOB":   server.AccessToken(server.AddUser(authgeartest.User{ID: "bob"})),
	}
	for framework := range programs {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, filepath.Join(m.dir, "bin", framework), server.Endpoint())
			commands := 0
			for _, b := range blocks(text) {
				if b.language != "console" {
					continue
				}
				commands++
				command, want, _ := strings.Cut(b.text, "\n")
				got := curl(t, command, addr, tokens)
				if strings.HasPrefix(want, "HTTP/1.1 200") { // the framework's own headers are not shown
					got = regexp.MustCompile(`(?s)^([^\n]*\n).*?\n\n`).ReplaceAllString(got, "$1\n")
				}
				if got != want {
					t.Errorf("%s\nanswers\n%s", command, got)
				}
			}
			if commands != 3 {
				t.Errorf("%d commands found", commands)
			}
		})
	}
}

// serve runs a program until the test ends. The port is free when it is chosen;
// should somebody else take it meanwhile, another is tried.
func serve(t *testing.T, program, endpoint string) (addr string) {
	t.Helper()
	var out bytes.Buffer
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr = l.Addr().String()
		_ = l.Close() // for the program
		out.Reset()
		command := exec.Command(program)
		command.Env = append(os.Environ(), "ENDPOINT="+endpoint, "ADDR="+addr)
		command.Stdout, command.Stderr = &out, &out
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = command.Wait(); close(ended) }() // it ends by a signal, or has said why
		t.Cleanup(func() { _ = command.Process.Kill(); <-ended })
		if listening(addr, ended) {
			return addr
		}
		_ = command.Process.Kill()
		<-ended
	}
	t.Fatalf("%s does not serve: %s", program, &out)
	return ""
}

// listening waits until somebody listens, or the program has ended.
func listening(addr string, ended <-chan struct{}) bool {
	for limit := time.After(20 * time.Second); ; {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-limit:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// curl does what the command of a document says.
func curl(t *testing.T, command, addr string, tokens map[string]string) string {
	t.Helper()
	match := regexp.MustCompile(`^\$ curl -i (?:-H "Authorization: Bearer \$(\w+)" )?http://127\.0\.0\.1:8081(/\w+)$`).FindStringSubmatch(command)
	if match == nil {
		t.Fatalf("%q is not understood", command)
	}
	request, err := http.NewRequest("GET", "http://"+addr+match[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	if match[1] != "" {
		request.Header.Set("Authorization", "Bearer "+tokens[match[1]])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return render(response, string(body))
}

// A service that has no release to get is built with a clone, as README says.
func TestClone(t *testing.T) {
	t.Parallel()
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	m, commands := &module{t.TempDir()}, ""
	m.write(t, "go.mod", "module example.com/service\n\ngo 1.26.0\n")
	for _, b := range blocks(documents(t)["README.md"]) {
		if b.language == "go" && strings.Contains(b.text, "adapters/nethttp") {
			m.write(t, "main.go", b.text)
		}
		if rest, ok := strings.CutPrefix(b.text, "git clone https://github.com/authgear/authgear-sdk-go ../authgear-sdk-go\n"); ok {
			commands = strings.NewReplacer("../authgear-sdk-go", absolute, "adapters/gin;", "adapters/nethttp;").Replace(rest)
		}
	}
	shell := exec.Command("sh", "-ec", commands+"\ngo vet .")
	shell.Dir, shell.Env = m.dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := shell.CombinedOutput(); err != nil || commands == "" {
		t.Errorf("%q: %v\n%s", commands, err, out)
	}
}
