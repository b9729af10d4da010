package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = ".." // the root of the repository

// documents returns the text of all documents, by their path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.ToSlash(name)] = read(t, path)
		}
	}
	if found["README.md"] == "" || found["docs/reasons.md"] == "" {
		t.Fatal("README.md or docs/reasons.md is missing")
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// block is a fenced block of a document.
type block struct {
	language string
	mark     string // the text of an HTML comment on the line before
	text     string
	line     int // the line of the fence
}

func blocks(document string) []block {
	var found []block
	var open *block
	before := ""
	for i, line := range strings.SplitAfter(document, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case open == nil && strings.HasPrefix(trimmed, "```"):
			open = &block{language: strings.TrimPrefix(trimmed, "```"), line: i + 1}
			if mark, ok := strings.CutPrefix(before, "<!--"); ok {
				open.mark = strings.TrimSpace(strings.TrimSuffix(mark, "-->"))
			}
		case open != nil && trimmed == "```":
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line
		}
		before = trimmed
	}
	return found
}

// prose returns the document without its blocks.
func prose(document string) string {
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(document, "")
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors returns the URL fragments of the document's headings.
func anchors(document string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(prose(document), -1) {
		slug := notSlug.ReplaceAllString(strings.ToLower(match[1]), "")
		found[strings.ReplaceAll(slug, " ", "-")] = true
	}
	return found
}

// Relative links lead to files, and their fragments to headings.
func TestLinks(t *testing.T) {
	t.Parallel()
	all := documents(t)
	for name, text := range all {
		for _, match := range link.FindAllStringSubmatch(prose(text), -1) {
			target := match[1]
			if strings.Contains(target, "://") {
				continue
			}
			file, fragment, _ := strings.Cut(target, "#")
			path := name
			if file != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s: %s: %v", name, target, err)
				continue
			}
			if fragment != "" && !anchors(all[path])[fragment] {
				t.Errorf("%s: %s: no such heading", name, target)
			}
		}
	}
}
