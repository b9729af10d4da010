package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"

	// The snippets import these besides the adapters.
	_ "connectrpc.com/connect"
	_ "github.com/99designs/gqlgen/graphql"
	_ "github.com/99designs/gqlgen/graphql/handler"
	_ "github.com/99designs/gqlgen/graphql/handler/transport"
	_ "github.com/99designs/gqlgen/graphql/introspection"
	_ "github.com/authgear/authgear-sdk-go/stores/redis"
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
)

// packages are the packages that fragments use without an import.
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

// ofKind are packages by kind of fragment: in another kind the same name may mean
// another package.
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

// surroundings are the declarations around a fragment, by its kind.
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
	// ogen generates this. generate runs the other generators.
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
	for _, name := range file.Unresolved { // so it is no variable
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

// complete makes a Go file of a fragment. It keeps declarations as they are. It puts
// statements into a function of that name, and uses the variables that they declare, as
// the rest of a program would.
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
