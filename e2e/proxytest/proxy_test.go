package proxytest

import (
	"os"
	"path/filepath"
	"testing"
)

// A test of a proxy is skipped, or fails, for the right reason.
func TestMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, module := filepath.Join(dir, "program"), filepath.Join(dir, "module.so")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		proxy         Proxy
		path, missing string
	}{
		"program":         {Proxy{Program: program}, program, ""},
		"no such path":    {Proxy{Program: module}, "", module},
		"no such program": {Proxy{Program: "no-such-proxy"}, "", "no-such-proxy"},
		"no such module":  {Proxy{Program: program, Needs: []string{module}}, "", module},
	} {
		if path, missing := c.proxy.find(); path != c.path || missing != c.missing {
			t.Errorf("%s: found %q, missing %q, want %q, %q", name, path, missing, c.path, c.missing)
		}
	}
}
