package claims_test

import (
	"os"
	"path/filepath"
	"testing"
)

// recorded returns the payload of a token that an Authgear server issued.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
