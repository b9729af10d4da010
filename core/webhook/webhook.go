// Package webhook receives the events that Authgear sends to a webhook
// (https://docs.authgear.com, Events and Hooks), so that a user who was disabled or
// deleted is refused at once.
//
// Authgear sends each event once, in no order. It sends none for a sign-out, a revoked
// session or a changed role. So events make a service faster, but they are no guarantee.
// The guarantee is the freshness of [authgear.Hybrid].
package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/isnil"
)

// Config configures [New]. Secrets and Revocations are required.
type Config struct {
	// Secrets are the webhook secrets of the project, from the portal: Advanced, Hooks,
	// Webhook Signature. An event counts if it is signed with any of them. While a new
	// secret replaces an old one there are two.
	Secrets []string
	// Revocations is told which users' sessions have ended, and which users have changed.
	// Give the same one to the authenticator.
	Revocations authgear.Revocations
	// OnEvent, when not nil, is given each event except blocking and repeated ones, after
	// Revocations was told and before Authgear is answered. It may be called by several
	// goroutines at once, and the context ends after five seconds. An error or a panic is
	// reported as [authgear.NoticeEvent]. It does not change the answer, since Authgear does
	// not send an event again.
	OnEvent func(context.Context, Event) error
	// Observer is told of events that are not taken. nil: LogObserver(nil).
	Observer *authgear.Observer
}

// Handler is the http.Handler to which Authgear posts events. Put no guard in front of
// it: an event has a signature, and no user's credential.
type Handler struct {
	secrets     [][]byte
	revocations authgear.Revocations
	onEvent     func(context.Context, Event) error
	observer    *authgear.Observer
	acted       acted
}

// New makes the handler. The error joins all mistakes in the configuration, each with
// the name of its field.
func New(config Config) (*Handler, error) {
	var errs []error
	wrong := func(field, why string) { errs = append(errs, fmt.Errorf("%s: %s", field, why)) }
	if len(config.Secrets) == 0 {
		wrong("Secrets", "is empty; the portal shows the secret at Advanced, Hooks, Webhook Signature")
	}
	h := &Handler{revocations: config.Revocations, onEvent: config.OnEvent, observer: config.Observer}
	for i, secret := range config.Secrets {
		switch {
		case secret == "":
			wrong(fmt.Sprintf("Secrets[%d]", i), "is empty")
		case strings.TrimSpace(secret) != secret:
			wrong(fmt.Sprintf("Secrets[%d]", i), "has white space around it")
		}
		h.secrets = append(h.secrets, []byte(secret))
	}
	if isnil.IsNil(config.Revocations) {
		wrong("Revocations", "is nil; a *authgear.MemoryRevocations does for one process")
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("authgear: webhook.Config: %w", errors.Join(errs...))
	}
	if h.observer == nil {
		h.observer = authgear.LogObserver(nil)
	}
	return h, nil
}
