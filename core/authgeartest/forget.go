package authgeartest

import (
	"fmt"
	"maps"
	"net/url"
)

// These constants bound what is kept of requests: anybody who can call the server may do
// so as often as they like.
const (
	crowd        = 1024     // each time that a map has so many more entries, the expired ones are removed
	maxPaths     = 1000     // how many paths are counted
	maxPath      = 255      // bytes
	maxClientID  = 255      // bytes
	maxBody      = 64 << 10 // bytes: an ID token with many roles fits
	maxParameter = 4 << 10  // bytes
)

// put adds to a map. Each time that the map has grown by crowd entries, it removes the
// entries that are over.
func put[V any](m map[string]V, key string, value V, over func(V) bool) {
	if len(m)%crowd == crowd-1 {
		maps.DeleteFunc(m, func(_ string, v V) bool { return over(v) })
	}
	m[key] = value
}

// checkLengths refuses parameters that are too long. It allows a long id_token_hint, which
// is not kept.
func checkLengths(form url.Values) error {
	for name, values := range form {
		if name != "id_token_hint" && len(values[0]) > maxParameter {
			return fmt.Errorf("the parameter %.100q is longer than %d bytes", name, maxParameter)
		}
	}
	return nil
}
