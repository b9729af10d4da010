package authgear_test

import (
	"fmt"
	"net/netip"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// Behind a reverse proxy that asks Authgear's resolver, it has to be proven
// that a request came through the proxy. The authenticator is then given to the
// adapter of the framework, like any other.
func ExampleNewForwarded() {
	auth, err := authgear.NewForwarded(authgear.ForwardedConfig{
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Secrets:        []string{"made-by-openssl-rand-hex-32-and-read-from-the-environment"},
		TrustRoles:     true, // the proxy sets or removes the field for each request
	})
	fmt.Println(auth != nil, err)

	// Nothing that any client could fulfil is accepted.
	_, err = authgear.NewForwarded(authgear.ForwardedConfig{
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")},
	})
	fmt.Println(err)
	// Output:
	// true <nil>
	// authgear: ForwardedConfig: TrustedProxies: 0.0.0.0/0 is everybody
}
