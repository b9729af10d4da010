package demo

import (
	"errors"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/webhook"
	redisstore "github.com/authgear/authgear-sdk-go/stores/redis"
)

// hybridEnvironment is what the variables of the mode hybrid say.
type hybridEnvironment struct {
	freshness, maxStale time.Duration
	webhookSecrets      []string
	redis               *redis.Options // nil: without Redis
}

func (r *reader) hybrid() hybridEnvironment {
	h := hybridEnvironment{
		freshness:      r.duration("AUTHGEAR_FRESHNESS"),
		maxStale:       r.duration("AUTHGEAR_MAX_STALE"),
		webhookSecrets: list("AUTHGEAR_WEBHOOK_SECRET"),
	}
	if slices.Contains(h.webhookSecrets, "") {
		r.check("AUTHGEAR_WEBHOOK_SECRET", errors.New("one of its secrets is empty"))
	}
	if address := os.Getenv("REDIS_URL"); address != "" {
		var err error
		if h.redis, err = redis.ParseURL(address); err != nil { // the error may contain the password
			r.check("REDIS_URL", errors.New("is not an address such as redis://127.0.0.1:6379/0"))
			return h
		}
		h.redis.ContextTimeoutEnabled = true // so that dead connections are noticed soon
	}
	return h
}

// revocations returns revocations that all processes with the same Redis share.
func (h hybridEnvironment) revocations() authgear.Revocations {
	if h.redis == nil {
		return new(authgear.MemoryRevocations)
	}
	return redisstore.New(redis.NewClient(h.redis)) // until the program ends
}

// authenticateHybrid makes the authenticator. If there is a secret, it also makes the
// handler that receives Authgear's events. Both use the same revocations.
func (a *App) authenticateHybrid(jwt authgear.JWTConfig, resolver authgear.ResolverConfig) (err error) {
	store := a.env.hybrid.revocations()
	a.Authenticator, err = authgear.NewHybrid(authgear.HybridConfig{
		Endpoint:     jwt.Endpoint,
		InternalURL:  jwt.InternalURL,
		ResolverURL:  resolver.ResolverURL,
		InsecureHTTP: jwt.InsecureHTTP,
		TokenCookie:  jwt.TokenCookie,
		Cookies:      resolver.Cookies,
		ClientIDs:    jwt.ClientIDs,
		Resources:    jwt.Resources,
		Freshness:    a.env.hybrid.freshness,
		MaxStale:     a.env.hybrid.maxStale,
		Revocations:  store,
	})
	if err != nil || len(a.env.hybrid.webhookSecrets) == 0 {
		return err
	}
	a.Events, err = webhook.New(webhook.Config{Secrets: a.env.hybrid.webhookSecrets, Revocations: store})
	return err
}

// sendEvents makes the embedded Authgear send its events here.
func (a *App) sendEvents() {
	a.embedded.SendEvents("http://"+a.listener.Addr().String()+"/authgear/events", a.env.hybrid.webhookSecrets[0])
}
