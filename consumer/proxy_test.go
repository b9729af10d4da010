package consumer

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const (
	root    = "github.com/authgear/authgear-sdk-go/"
	version = "v0.1.0"
)

// publish makes a file-system proxy (https://go.dev/ref/mod#goproxy-protocol) of
// the modules as a release would publish them, and returns its directory.
func publish(t *testing.T, directories ...string) string {
	t.Helper()
	proxy := t.TempDir()
	for _, directory := range directories {
		source := filepath.Join("..", filepath.FromSlash(directory))
		at := filepath.Join(proxy, filepath.FromSlash(root+directory), "@v")
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(at, version+".mod"), string(mod))
		write(t, filepath.Join(at, version+".info"), `{"Version":"`+version+`"}`)
		write(t, filepath.Join(at, "list"), version+"\n")
		archive, err := os.Create(filepath.Join(at, version+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		if err := zip.CreateFromDir(archive, module.Version{Path: root + directory, Version: version}, source); err != nil {
			t.Fatal(err)
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return proxy
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
