package redisstore_test

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	authgear "github.com/authgear/authgear-sdk-go/core"
	redisstore "github.com/authgear/authgear-sdk-go/stores/redis"
)

// The store is there at once, and needs no Redis for a request.
func Example() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer func() { _ = rdb.Close() }() // this ends the store too

	store := redisstore.New(rdb, redisstore.Config{Observer: &authgear.Observer{}})
	_, err := authgear.NewHybrid(authgear.HybridConfig{
		Endpoint:    "https://myapp.authgear.cloud",
		Revocations: store, // the webhook receiver gets the same store
	})
	fmt.Println(err, store.Cutoff("alice").Tokens.IsZero())
	// Output: <nil> true
}
