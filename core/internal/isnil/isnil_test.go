package isnil_test

import (
	"errors"
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/isnil"
)

func TestIsNil(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		v    any
		want bool
	}{
		"nil":             {nil, true},
		"a nil pointer":   {(*int)(nil), true},
		"a nil function":  {(func())(nil), true},
		"a nil map":       {map[int]int(nil), true},
		"a nil slice":     {[]int(nil), true},
		"a nil channel":   {(chan int)(nil), true},
		"a pointer":       {new(int), false},
		"a function":      {func() {}, false},
		"an empty map":    {map[int]int{}, false},
		"an empty slice":  {[]int{}, false},
		"a channel":       {make(chan int), false},
		"the zero number": {0, false},
		"the zero struct": {struct{}{}, false},
		"an empty string": {"", false},
		"an error":        {errors.New("text"), false},
	} {
		if got := isnil.IsNil(c.v); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
