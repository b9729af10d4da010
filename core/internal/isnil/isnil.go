// Package isnil finds a nil pointer inside an interface. It is there, most often, because
// an error was not checked.
package isnil

import "reflect"

// IsNil reports whether v is nil, or holds a nil pointer, function, map, slice or
// channel.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return value.IsNil()
	default:
		return false
	}
}
