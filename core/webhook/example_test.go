package webhook_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/webhook"
)

// The authenticator and the handler share one store, so that a user who is disabled is
// refused at once.
func Example() {
	project, err := authgeartest.Start(authgeartest.Config{}) // your project instead
	if err != nil {
		log.Fatal(err)
	}
	defer project.Close()
	alice := project.AddUser(authgeartest.User{})

	store := new(authgear.MemoryRevocations)
	hooks, err := webhook.New(webhook.Config{Secrets: []string{"the secret of the portal"}, Revocations: store})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /authgear/events", hooks)
	server := httptest.NewServer(mux)
	defer server.Close()

	project.SendEvents(server.URL+"/authgear/events", "the secret of the portal")
	project.DisableUser(alice)
	for store.Cutoff(alice).Tokens.IsZero() { // within milliseconds
		time.Sleep(time.Millisecond)
	}
	fmt.Println("no token of alice counts by itself")
	// Output: no token of alice counts by itself
}
