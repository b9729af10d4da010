// Package docs_test keeps the documentation true: its programs compile, its
// links lead somewhere, and what it quotes is what the SDK says.
package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	// The programs in the documentation import these.
	_ "github.com/gin-gonic/gin"
	_ "github.com/gofiber/fiber/v2"
	_ "github.com/labstack/echo/v4"

	_ "github.com/authgear/authgear-sdk-go/adapters/echo"
	_ "github.com/authgear/authgear-sdk-go/adapters/fiber"
	_ "github.com/authgear/authgear-sdk-go/adapters/gin"
	_ "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	_ "github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, path := range append(paths, "../README.md", "../CONTRIBUTING.md", "../SECURITY.md", "../CHANGELOG.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

var program = regexp.MustCompile("(?s)```go\n(.*?)```")

func TestProgramsCompile(t *testing.T) {
	t.Parallel()
	dir, count := t.TempDir(), 0
	for path, text := range pages(t) {
		for _, match := range program.FindAllStringSubmatch(text, -1) {
			count++
			file := filepath.Join(dir, fmt.Sprintf("program%d.go", count))
			if err := os.WriteFile(file, []byte(match[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			if formatted, err := exec.Command("gofmt", "-l", file).CombinedOutput(); err != nil || len(formatted) > 0 {
				t.Errorf("%s: not formatted: %s%v\n%s", path, formatted, err, match[1])
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("%s: %s\n%s", path, out, match[1])
			}
		}
	}
	if count < 8 {
		t.Errorf("only %d programs found", count)
	}
}

// The promises of the README: at most ten lines to add, and a whole net/http
// program in at most twenty.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	for _, match := range program.FindAllStringSubmatch(pages(t)["../README.md"], -1) {
		added, lines := strings.Count(match[1], "// +"), 0
		for line := range strings.Lines(match[1]) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
		if added > 10 || added == 0 && lines > 20 {
			t.Errorf("%d lines are added, %d in all:\n%s", added, lines, match[1])
		}
	}
}

var constant = regexp.MustCompile(`Reason = "(\w+)"`)

// Each reason has its section, with its sentence.
func TestReasons(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../core/reason.go")
	if err != nil {
		t.Fatal(err)
	}
	text := pages(t)["reasons.md"]
	constants := constant.FindAllStringSubmatch(string(source), -1)
	for _, match := range constants {
		reason := authgear.Reason(match[1])
		_, section, found := strings.Cut(text, "## `"+match[1]+"`\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found || !strings.Contains(section, `"`+reason.Description()+`"`) || !strings.Contains(section, "*What to do:*") {
			t.Errorf("%s has no section with its sentence", reason)
		}
	}
	if got := strings.Count(text, "\n## "); got != len(constants) {
		t.Errorf("%d sections, %d reasons", got, len(constants))
	}
}

var quoted = regexp.MustCompile(`"error_description":"([^"…]+)"`)

// Answers that are quoted are answers that are given.
func TestQuotedAnswers(t *testing.T) {
	t.Parallel()
	reasons := pages(t)["reasons.md"]
	for path, text := range pages(t) {
		for _, match := range quoted.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(reasons, `"`+match[1]+`"`) {
				t.Errorf("%s quotes %q, which no reason says", path, match[1])
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinks(t *testing.T) {
	t.Parallel()
	for path, text := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), match[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

var field = regexp.MustCompile(`(?m)^\t(\w+) +[*\[\]\w.]+$`)

// Each field of JWTConfig is in the table of options.
func TestOptions(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../core/jwt.go")
	if err != nil {
		t.Fatal(err)
	}
	_, config, _ := strings.Cut(string(source), "type JWTConfig struct {")
	config, _, _ = strings.Cut(config, "\n}")
	fields := field.FindAllStringSubmatch(config, -1)
	if len(fields) != 8 {
		t.Errorf("%d fields found", len(fields))
	}
	for _, match := range fields {
		if !strings.Contains(pages(t)["options.md"], "| `"+match[1]+"` |") {
			t.Errorf("%s is not in options.md", match[1])
		}
	}
}
