package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Readers can measure each number themselves: the benchmarks exist.
func TestBenchmarks(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile("-bench '?([\\w|\\\\$]+)'? [^`]*?\\./([\\w/]+)`").FindAllStringSubmatch(read(t, "performance.md"), -1)
	for _, command := range found {
		paths, err := filepath.Glob(filepath.Join(root, command[2], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		benchmarks := ""
		for _, path := range paths {
			benchmarks += strings.Join(regexp.MustCompile(`(?m)^func Benchmark\w+`).FindAllString(read(t, path), -1), "\n") + "\n"
		}
		for name := range strings.SplitSeq(command[1], `\|`) { // | is escaped in a table
			if !regexp.MustCompile(`(?m)` + name).MatchString(benchmarks) {
				t.Errorf("no benchmark of %s fits %q", command[2], name)
			}
		}
	}
	if len(found) < 7 {
		t.Errorf("only %d commands found", len(found))
	}
}
