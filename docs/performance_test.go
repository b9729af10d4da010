package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Whoever reads a number can measure it: the benchmarks are there.
func TestBenchmarks(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(root + "/core/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	benchmarks := ""
	for _, path := range paths {
		benchmarks += strings.Join(regexp.MustCompile(`(?m)^func Benchmark\w+`).FindAllString(read(t, path), -1), "\n") + "\n"
	}
	found := regexp.MustCompile(`-bench '?([\w|$]+)'? .*\./core`).FindAllStringSubmatch(read(t, "performance.md"), -1)
	for _, command := range found {
		if !regexp.MustCompile(`(?m)` + command[1]).MatchString(benchmarks) {
			t.Errorf("no benchmark fits %q", command[1])
		}
	}
	if len(found) < 3 {
		t.Errorf("only %d commands found", len(found))
	}
}
