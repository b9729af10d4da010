package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// cells returns the cells of a table row.
func cells(row string) []string {
	found := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
	for i := range found {
		found[i] = strings.TrimSpace(found[i])
	}
	return found
}

// The guarantee is stated for each event and each mode.
func TestGuarantee(t *testing.T) {
	t.Parallel()
	rows := regexp.MustCompile(`(?m)^\|.*\|$`).FindAllString(sections(read(t, "hybrid.md"), "##")["The guarantee"], -1)
	if len(rows) < 2 {
		t.Fatal("there is no table")
	}
	modes := []string{"", "`NewJWT`", "`NewResolver`", "`NewResolver` with `CacheTTL`", "`NewForwarded`", "`NewHybrid`", "`NewHybrid` with a webhook"}
	if got := cells(rows[0]); !slices.Equal(got, modes) {
		t.Errorf("the modes are %q", got)
	}
	var events []string
	for _, row := range rows[2:] {
		row := cells(row)
		events = append(events, row[0])
		if len(row) != len(modes) || slices.Contains(row, "") {
			t.Errorf("%s: not each mode has its time", row[0])
		}
	}
	if want := []string{
		"user disabled", "user deleted", "user anonymized", "deletion scheduled", "session revoked", "sign-out", "role removed",
		"reauthenticated", "password reset", "account's valid-until passed", "signing key removed, for JWTs", "webhook lost", "resolver down", "Redis down",
	}; !slices.Equal(events, want) {
		t.Errorf("the events are %q", events)
	}
}

// The numbers in the guarantee are the defaults in the code.
func TestGuaranteedNumbers(t *testing.T) {
	t.Parallel()
	text := sections(read(t, "hybrid.md"), "##")["The guarantee"]
	for _, number := range []struct{ file, constant, unit, stands string }{
		{"core/hybrid.go", "defaultFreshness", "Second", "| {} s, at most"},
		{"core/hybrid.go", "defaultMaxStale", "Second", "at most {} s |"},
		{"core/hybrid.go", "defaultMaxStale", "Second", "count for {} s, then 503"},
		{"core/internal/judge/judge.go", "DefaultLeeway", "Second", "**30 min {} s**"},
		{"core/internal/judge/judge.go", "DefaultLeeway", "Second", "| 30 min {} s |"},
		{"core/resolver.go", "defaultTimeout", "Second", "at most [`Timeout`](options.md#timeout), {} seconds"},
		{"core/internal/keys/set.go", "refreshAfter", "Minute", "| {} min, at most"},
		{"core/internal/keys/set.go", "idleAfter", "Minute", "at most {} min |"},
		{"core/internal/keys/set.go", "maxAge", "Hour", "does not answer, {} hours"},
	} {
		value := regexp.MustCompile(number.constant + ` += (\d+) \* time\.` + number.unit).FindStringSubmatch(read(t, root+"/"+number.file))
		if value == nil {
			t.Errorf("%s: %s is not there", number.file, number.constant)
			continue
		}
		if want := strings.Replace(number.stands, "{}", value[1], 1); !strings.Contains(text, want) {
			t.Errorf("%s is %s %ss, but nowhere stands %q", number.constant, value[1], number.unit, want)
		}
	}
}
