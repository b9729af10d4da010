package authgeartest

import (
	"fmt"
	"maps"
	"net/url"
)

// What is kept of requests, and for how long. Whoever can call the server may do so as
// often as they like.
const (
	crowd        = 1024     // entries of a map, after which it is looked through
	maxPaths     = 1000     // that are counted
	maxPath      = 255      // bytes
	maxClientID  = 255      // bytes
	maxBody      = 64 << 10 // bytes: an ID token with many roles fits
	maxParameter = 4 << 10  // bytes
)

// put adds to a map, and removes what is over each time that there is a crowd more.
func put[V any](m map[string]V, key string, value V, over func(V) bool) {
	if len(m)%crowd == crowd-1 {
		maps.DeleteFunc(m, func(_ string, v V) bool { return over(v) })
	}
	m[key] = value
}

// checkLengths refuses parameters that are too long. An ID token is not kept.
func checkLengths(form url.Values) error {
	for name, values := range form {
		if name != "id_token_hint" && len(values[0]) > maxParameter {
			return fmt.Errorf("the parameter %.100q is longer than %d bytes", name, maxParameter)
		}
	}
	return nil
}
