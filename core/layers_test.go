package authgear_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const sdk = "github.com/authgear/authgear-sdk-go/"

// Arrows point one way: adapters, guard, authgear, internal. The types of jwx
// and golang-jwt cannot be in an exported signature where neither is imported.
func TestLayers(t *testing.T) {
	t.Parallel()
	libraries := []string{"github.com/lestrrat-go/jwx", "github.com/golang-jwt/jwt"}
	forbidden := map[string][]string{
		".":                    append(libraries, sdk+"core/guard", sdk+"core/authgeartest", "testing"),
		"webhook":              append(libraries, sdk+"core/guard", sdk+"core/authgeartest", "testing"),
		"doctor":               append(libraries, sdk+"core/guard", sdk+"core/authgeartest", "testing"),
		"cmd/authgear-doctor":  append(libraries, sdk+"core/guard", sdk+"core/authgeartest", "testing"),
		"guard":                append(libraries, sdk+"core/authgeartest", "testing"),
		"cmd/authgear-dev":     append(libraries, sdk+"core/guard", sdk+"core/internal", "testing"),
		"authgeartest":         {sdk, "testing", "net/http/httptest", "github.com/lestrrat-go/jwx"},
		"internal/jws":         {"net/http", "github.com/lestrrat-go/jwx", sdk + "core/internal/keys", sdk + "core/internal/project"},
		"internal/claims":      append(libraries, "net/http", sdk+"core/internal/keys", sdk+"core/internal/jws"),
		"internal/judge":       append(libraries, "net/http", sdk+"core/internal/keys", sdk+"core/internal/jws"),
		"internal/keys":        {"github.com/golang-jwt/jwt", sdk + "core/internal/jws", sdk + "core/internal/claims"},
		"internal/endpoint":    append(libraries, "net/http"),
		"internal/strictjson":  append(libraries, "net/http"),
		"internal/contextkey":  append(libraries, sdk),
		"internal/isnil":       append(libraries, sdk, "net/http"),
		"internal/quote":       append(libraries, sdk),
		"internal/age":         append(libraries, sdk, "net/http"),
		"internal/age/agetest": append(libraries, sdk, "net/http", "testing"),
		"internal/flight":      append(libraries, sdk, "net/http"),
		"internal/project":     append(libraries, sdk+"core/internal/keys"),
		"internal/answers":     append(libraries, "net/http"),
		"internal/slots":       append(libraries, sdk, "net/http"),
		"internal/health":      append(libraries, sdk, "net/http"),
		"internal/session":     append(libraries, "net/http"),
		"internal/recordings":  append(libraries, sdk),
		"internal/leaktest":    append(libraries, sdk, "net/http"),
		"internal/racetest":    append(libraries, sdk, "net/http", "testing"),
	}
	everywhere := []string{"github.com/gin-gonic", "github.com/labstack", "github.com/gofiber", "github.com/valyala", "github.com/lestrrat-go/jwx/v2/jwt", "encoding/json", sdk + "core/internal/recordings"}

	packages := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		directory := filepath.ToSlash(filepath.Dir(path))
		rules, known := forbidden[directory]
		if !known && directory != "guard/guardtest" {
			t.Errorf("%s has no rule here", directory)
		}
		packages++
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if (strings.HasPrefix(directory, "internal/") || directory == "cmd/authgear-dev") && imported == strings.TrimSuffix(sdk+"core/", "/") {
				t.Errorf("%s imports the package that is built on it", path)
			}
			for _, rule := range append(rules, everywhere...) {
				if rule == "encoding/json" && (directory == "authgeartest" || directory == "guard/guardtest" || directory == "internal/recordings") {
					continue // they read nothing from strangers
				}
				if imported == rule || strings.HasPrefix(imported, strings.TrimSuffix(rule, "/")+"/") {
					t.Errorf("%s imports %s", path, imported)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if packages < 20 {
		t.Errorf("only %d files found", packages)
	}
}
