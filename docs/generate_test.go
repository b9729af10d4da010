package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// generate lets the generators that recipes are about make the packages that the
// recipes use.
func (m *module) generate(t *testing.T) {
	t.Helper()
	m.write(t, "api/openapi.yaml", read(t, "testdata/generate/openapi.yaml"))
	for _, b := range blocks(read(t, "frameworks.md")) {
		if b.mark == "generate: api" {
			m.write(t, "api/config.yaml", b.text)
		}
	}
	m.tool(t, "api", nil, "oapi-codegen", "-config", "config.yaml", "openapi.yaml")

	m.write(t, "graph/schema.graphqls", read(t, "testdata/generate/schema.graphqls"))
	m.write(t, "graph/gqlgen.yml", read(t, "testdata/generate/gqlgen.yml"))
	m.tool(t, "graph", nil, "gqlgen", "generate")
}

// tool runs a tool of go.mod in that directory and returns what it writes.
func (m *module) tool(t *testing.T, directory string, input []byte, args ...string) []byte {
	t.Helper()
	command := exec.Command("go", append([]string{"tool"}, args...)...)
	command.Dir = filepath.Join(m.dir, directory)
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	var said bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(input), &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go tool %s: %v\n%s%s", strings.Join(args, " "), err, out, &said)
	}
	return out
}
