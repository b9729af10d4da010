package authgeartest_test

import (
	"fmt"
	"net/http"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

func Example() {
	auth, err := authgeartest.Start(authgeartest.Config{}) // in a test: authgeartest.New(t)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()
	alice := auth.AddUser(authgeartest.User{ID: "alice", Verified: true, Roles: []string{"editor"}})
	token := auth.AccessToken(alice)

	ask := func() {
		req, _ := http.NewRequest(http.MethodGet, auth.Endpoint()+"/_resolver/resolve", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Close = true
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = res.Body.Close()
		fmt.Printf("user %q, roles %q\n", res.Header.Get("X-Authgear-User-Id"), res.Header.Get("X-Authgear-User-Roles"))
	}
	ask()
	auth.DisableUser(alice)
	ask()
	// Output:
	// user "alice", roles "editor"
	// user "", roles ""
}

func ExampleServer_AccessToken() {
	auth, err := authgeartest.Start(authgeartest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()
	bob := auth.AddUser(authgeartest.User{})

	usual := auth.AccessToken(bob)
	expired := auth.AccessToken(bob, authgeartest.Token{ExpiresIn: -1})
	wrongAudience := auth.AccessToken(bob, authgeartest.Token{Claims: map[string]any{"aud": []string{"https://other.example"}}})
	fmt.Println(usual != expired, expired != wrongAudience)
	// Output: true true
}
