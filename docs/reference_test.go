package docs

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	authgearecho "github.com/authgear/authgear-sdk-go/adapters/echo"
	authgearechov5 "github.com/authgear/authgear-sdk-go/adapters/echov5"
	authgearfiber "github.com/authgear/authgear-sdk-go/adapters/fiber"
	authgearfiberv3 "github.com/authgear/authgear-sdk-go/adapters/fiberv3"
	authgeargin "github.com/authgear/authgear-sdk-go/adapters/gin"
	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
)

// reasons returns the constants of core/reason.go.
func reasons(t *testing.T) []authgear.Reason {
	t.Helper()
	var found []authgear.Reason
	for _, code := range constants(t, "reason.go", "Reason") {
		found = append(found, authgear.Reason(code))
	}
	if len(found) < 20 {
		t.Fatalf("only %d reasons found", len(found))
	}
	return found
}

// constants returns the values of a type's constants in a file of core.
func constants(t *testing.T, name, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "core", name), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == typeName {
			for _, value := range spec.Values {
				code, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, code)
			}
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s has no %s", name, typeName)
	}
	return found
}

// sections returns the text of each section of this level, by its heading.
func sections(document, level string) map[string]string {
	found := map[string]string{}
	for _, part := range strings.Split("\n"+document, "\n"+level+" ")[1:] {
		title, text, _ := strings.Cut(part, "\n")
		found[title] = text
	}
	return found
}

// refuses is an authenticator that refuses every request for this reason.
type refuses authgear.Reason

func (r refuses) Authenticate(context.Context, authgear.Request) (*authgear.Identity, error) {
	return nil, &authgear.Error{Reason: authgear.Reason(r)}
}

func answer(reason authgear.Reason) *httptest.ResponseRecorder {
	guard := authgearhttp.New(refuses(reason), authgearhttp.Config{Observer: &authgear.Observer{}})
	w := httptest.NewRecorder()
	guard.Require()(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w
}

// Each reason has one section, which says what the client sees.
func TestReasons(t *testing.T) {
	t.Parallel()
	found := sections(read(t, "reasons.md"), "##")
	for _, reason := range reasons(t) {
		title := "`" + string(reason) + "`"
		text, ok := found[title]
		delete(found, title)
		if !ok {
			t.Errorf("%s has no section", reason)
			continue
		}
		w := answer(reason)
		code := strings.Split(w.Body.String(), `"`)[3]
		for _, want := range []string{
			"\n> " + reason.Description() + "\n",
			fmt.Sprintf("The client sees %d `%s`:", w.Code, code),
			"Outcome: " + strings.ReplaceAll(reason.Outcome().String(), "_", " ") + ".",
			"**How to see it.** ",
			"**What to do.** ",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing", reason, want)
			}
		}
	}
	for title := range found {
		t.Errorf("%s is not a reason", title)
	}
}

// The answers in docs/decisions.md are exactly those of the guard.
func TestAnswers(t *testing.T) {
	t.Parallel()
	outcomes := map[authgear.Outcome]bool{}
	for _, b := range blocks(read(t, "decisions.md")) {
		if b.language != "http" {
			continue
		}
		code, ok := strings.CutPrefix(b.mark, "answer: ")
		if !ok {
			t.Errorf("line %d: the block has no comment that names its reason", b.line)
			continue
		}
		outcomes[authgear.Reason(code).Outcome()] = true
		if got := render(answer(authgear.Reason(code)).Result(), answer(authgear.Reason(code)).Body.String()); got != b.text {
			t.Errorf("line %d: the answer is\n%s", b.line, got)
		}
	}
	for _, reason := range reasons(t) {
		if !outcomes[reason.Outcome()] {
			t.Errorf("the outcome %v is not shown", reason.Outcome())
		}
	}
}

// The challenge in docs/websites.md is the one that RecentAuth sends.
func TestStepUpChallenge(t *testing.T) {
	t.Parallel()
	alice := &authgear.Identity{Kind: authgear.KindUser, ID: "alice", CanReauthenticate: true}
	err := authgear.AsError(authgear.RecentAuth(5*time.Minute).Check(t.Context(), alice))
	want := "HTTP/1.1 401 Unauthorized\nWww-Authenticate: " + err.Refusal().Header.Get("WWW-Authenticate") + "\n"
	if err.Outcome() != authgear.OutcomeStepUp || !strings.Contains(read(t, "websites.md"), "```http\n"+want+"```\n") {
		t.Errorf("the answer is now\n%s", want)
	}
}

// The table of docs/policies.md has every constructor of a policy. Each reason in it
// links to the section of this reason.
func TestPolicies(t *testing.T) {
	t.Parallel()
	text := read(t, "policies.md")
	files, err := filepath.Glob(filepath.Join(root, "core", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			if result, ok := f.Type.Results.List[0].Type.(*ast.Ident); !ok || result.Name != "Policy" || strings.HasSuffix(path, "_test.go") {
				continue
			}
			found++
			if !regexp.MustCompile("(?m)^\\|.*`" + f.Name.Name + "\\(").MatchString(text) {
				t.Errorf("%s is not in the table", f.Name.Name)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d policies found", found)
	}
}

// render writes an answer as curl -i shows it, but without the date, and with sorted
// fields.
func render(response *http.Response, body string) string {
	lines := []string{}
	for name, values := range response.Header {
		if name != "Date" {
			lines = append(lines, name+": "+strings.Join(values, ", ")+"\n")
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("HTTP/1.1 %d %s\n%s\n%s", response.StatusCode, http.StatusText(response.StatusCode), strings.Join(lines, ""), body)
}

// Every option is documented.
func TestOptions(t *testing.T) {
	t.Parallel()
	text := read(t, "options.md")
	found := sections(text, "###")
	tables := sections(text, "##")
	for _, config := range []reflect.Type{
		reflect.TypeFor[authgear.JWTConfig](), reflect.TypeFor[authgear.ResolverConfig](), reflect.TypeFor[authgear.HybridConfig](), reflect.TypeFor[authgear.ForwardedConfig](),
	} {
		for field := range config.Fields() {
			if _, ok := found[field.Name]; !ok {
				t.Errorf("%v.%s has no section", config, field.Name)
			}
			if !strings.Contains(tables[config.Name()], "| [`"+field.Name+"`](#"+strings.ToLower(field.Name)+") |") {
				t.Errorf("%v.%s has no line in its table", config, field.Name)
			}
		}
	}
	for _, config := range []reflect.Type{
		reflect.TypeFor[authgearecho.Config](), reflect.TypeFor[authgearechov5.Config](), reflect.TypeFor[authgearfiber.Config](), reflect.TypeFor[authgearfiberv3.Config](),
		reflect.TypeFor[authgeargin.Config](), reflect.TypeFor[authgearhttp.Config](),
	} {
		for field := range config.Fields() {
			if !field.Anonymous && !strings.Contains(text, "| `"+field.Name+"` |") {
				t.Errorf("%v.%s is missing", config, field.Name)
			}
		}
	}
	_, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: "myapp.authgear.cloud", Leeway: 5 * time.Minute})
	if !strings.Contains(text, err.Error()) {
		t.Errorf("the error of NewJWT is now\n%v", err)
	}
	text = read(t, "observability.md")
	for field := range reflect.TypeFor[authgear.Observer]().Fields() {
		if !strings.Contains(text, "| `"+field.Name+"` |") {
			t.Errorf("Observer.%s is missing", field.Name)
		}
	}
	for _, kind := range constants(t, "observer.go", "NoticeKind") {
		if !strings.Contains(text, "| `"+kind+"` | ") {
			t.Errorf("the notice %s is missing", kind)
		}
	}
	for _, label := range append(constants(t, "observer.go", "FetchKind"), constants(t, "identity.go", "Source")...) {
		if !strings.Contains(text, "`"+label+"`") {
			t.Errorf("%s is missing", label)
		}
	}
}

// The table has every variable of the example servers, and no other.
func TestVariables(t *testing.T) {
	t.Parallel()
	variables := map[string]bool{}
	for _, name := range regexp.MustCompile(`"(ADDR|CORS_ORIGINS|REDIS_URL|AUTHGEAR_[A-Z_]+)"`).FindAllStringSubmatch(read(t, "../examples/internal/demo/environment.go"), -1) {
		variables[name[1]] = true
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(read(t, "testing.md"), -1) {
		if !variables[row[1]] {
			t.Errorf("%s is not read by the examples", row[1])
		}
		delete(variables, row[1])
	}
	for name := range variables {
		t.Errorf("%s is not in the table", name)
	}
}

// The log lines in the document are those that the SDK logs.
func TestLogLines(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	err := &authgear.Error{Reason: authgear.ReasonTokenExpired, Err: errors.New("expired at 2026-11-25T12:00:00Z")}
	authgear.LogObserver(logger).Decision(t.Context(), authgear.Decision{Outcome: err.Outcome(), Reason: err.Reason, Err: err})
	logger.Warn("message dropped", "error", err)
	for i, line := range strings.SplitAfterN(log.String(), "\n", 2) {
		if name := []string{"reasons.md", "observability.md"}[i]; !strings.Contains(read(t, name), "```\n"+line+"```\n") {
			t.Errorf("%s: the line is now\n%s", name, line)
		}
	}
}

// The recipes for routers and code generators are short.
func TestRecipes(t *testing.T) {
	t.Parallel()
	found := 0
	for _, b := range blocks(sections(read(t, "frameworks.md"), "##")["Routers and code generators"]) {
		if b.language != "go" {
			continue
		}
		found++
		if lines := len(regexp.MustCompile(`(?m)^\s*[^/\s].*$`).FindAllString(b.text, -1)); lines > 15 {
			t.Errorf("a recipe has %d lines of code, more than 15:\n%s", lines, b.text)
		}
	}
	if found < 9 {
		t.Errorf("only %d recipes found", found)
	}
}
