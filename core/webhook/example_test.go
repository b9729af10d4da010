package webhook_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

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
	events := make(chan string, 1)
	hooks, err := webhook.New(webhook.Config{
		Secrets:     []string{"the secret of the portal"},
		Revocations: store,
		OnEvent: func(_ context.Context, e webhook.Event) error { // optional
			events <- e.Type
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /authgear/events", hooks)
	server := httptest.NewServer(mux)
	defer server.Close()

	project.SendEvents(server.URL+"/authgear/events", "the secret of the portal")
	project.DisableUser(alice)
	fmt.Println(<-events)
	fmt.Println("the tokens of alice count by themselves:", store.Cutoff(alice).Tokens.IsZero())
	// Output:
	// user.disabled
	// the tokens of alice count by themselves: false
}
