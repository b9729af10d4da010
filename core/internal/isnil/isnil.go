// Package isnil sees a nil pointer inside an interface, the usual result of an
// error that nobody has checked.
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
