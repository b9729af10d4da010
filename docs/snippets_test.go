// Package docs holds the documentation; its tests compile what it shows, run
// what can be run, and compare the answers.
//
// A block of Go in a document is a whole program or a fragment. A comment before a
// fragment says what is declared around it:
//
//	<!-- snippet: core -->   auth, ctx, token and identity are there
//	<!-- snippet: http -->   auth, guard, mux and handlers are there, and so
//	<!-- snippet: gin -->    on for the other frameworks
//	<!-- snippet: test -->   a test, which is run, or a function that the
//	                         tests of testdata test
//
// A fragment may import a generated package. The code generator makes it first, from
// the files in testdata/generate.
//
// All fragments of a kind are files of one package, since one package for each fragment
// would take long to compile.
package docs

import (
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is a temporary module outside the workspace, with the same requirements as
// this module.
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

// Every block of Go compiles, and those that are tests pass. TestREADME tests the whole
// programs.
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
	m.run(t, "test", "-timeout", "20m", "./test")
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
