package strictjson_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/strictjson"
)

var limits = strictjson.Limits{Depth: 3, Members: 4, Elements: 5}

// names reads the names of the members and skips their values.
func names(data string) (list []string, err error) {
	err = strictjson.Read(data, limits, func(r *strictjson.Reader) {
		list = append(list, r.Name())
		r.Skip()
	})
	return list, err
}

func TestNames(t *testing.T) {
	long := strings.Repeat("n", 100)
	got, err := names(`{"a":1,"\u0062\n":{"x":[]},"` + long + `":null}`)
	if want := []string{"a", "b\n", long}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("names = %q, %v, want %q", got, err, want)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name, data string
		ok         bool
	}{
		{"depth", `{"a":[[]],"b":{"c":{}}}`, true},
		{"too deep, array", `{"a":[[[]]]}`, false},
		{"too deep, object", `{"a":{"b":{"c":{}}}}`, false},
		{"members", `{"a":{"b":0,"c":0},"d":0}`, true},
		{"too many members", `{"a":{"b":0,"c":0},"d":0,"e":0}`, false},
		{"elements", `{"a":[1,2,3],"b":[4,5]}`, true},
		{"too many elements", `{"a":[1,2,3],"b":[4,5,6]}`, false},
		{"too many elements, nested", `{"a":[[1,2],[3,4]]}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := names(c.data); (err == nil) != c.ok {
				t.Errorf("err = %v, want ok = %v", err, c.ok)
			}
		})
	}
}

// Readers are reused. Nothing of an object may be seen when the next one is read, whether
// it was accepted or its reading ended somewhere inside.
func TestReuse(t *testing.T) {
	for _, before := range []string{
		`{"a":1}`, `{"a":{"b":{"a":`, `{"a":1,"a":2}`, `{"a":[[[[`, `{"a":1}}`, `{"a":"\ud800"}`, ``, `null`, `[`,
	} {
		for range 3 {
			_, _ = names(before)
			if got, err := names(`{"a":1,"b":{"a":2}}`); err != nil || len(got) != 2 {
				t.Errorf("after %q: %q, %v", before, got, err)
			}
			if _, err := names(`{"a":1,"a":2}`); err == nil {
				t.Errorf("after %q a duplicate is accepted", before)
			}
		}
	}
}

func TestFailEndsReading(t *testing.T) {
	calls := 0
	err := strictjson.Read(`{"a":1,"b":2}`, limits, func(r *strictjson.Reader) {
		calls++
		r.Number()
		r.Fail("is bad")
		r.Fail("is worse")
	})
	if err == nil || err.Error() != `"a" is bad` || calls != 1 {
		t.Errorf("err = %v after %d calls", err, calls)
	}
}

// Strings that were read do not change while readers are reused, by other goroutines too.
func TestConcurrentReaders(t *testing.T) {
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			want := []string{fmt.Sprint("name", n), "a\n", fmt.Sprint("value", n), fmt.Sprint("\u00e4", n)}
			text := fmt.Sprintf(`{"%s":"a\n","x":["%s","\u00e4%d"]}`, want[0], want[2], n)
			var kept [][]string
			for range 100 {
				var got []string
				err := strictjson.Read(text, limits, func(r *strictjson.Reader) {
					if r.IsArray() {
						got = r.AppendStrings(got)
					} else {
						got = append(got, r.Name(), r.String())
					}
				})
				if err != nil {
					t.Error(err)
				}
				kept = append(kept, got)
			}
			for _, got := range kept {
				if !slices.Equal(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}
	all.Wait()
}
