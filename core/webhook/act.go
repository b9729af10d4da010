package webhook

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
)

// actTimeout is how long the store may take, and after it OnEvent.
const actTimeout = 5 * time.Second

type action int

const (
	none   action = iota
	revoke        // all sessions of the user have ended
	forget        // something about the user has changed
)

// actionOf says what to do about an event of this type.
func actionOf(eventType string) action {
	switch eventType {
	case "user.disabled", "user.deleted", "user.anonymized", "user.deletion_scheduled", "user.anonymization_scheduled":
		return revoke
	case "user.reenabled", "user.deletion_unscheduled", "user.anonymization_unscheduled",
		"user.reauthenticated", "user.profile.updated", "user.anonymous.promoted":
		return forget
	}
	if strings.HasPrefix(eventType, "identity.") { // such an event can change whether the user is verified
		return forget
	}
	return none
}

// isBlocking reports whether Authgear waits for permission. All blocking types, and no
// others, have a part such as "pre_create" or "post_identified".
func isBlocking(eventType string) bool {
	for part := range strings.SplitSeq(eventType, ".") {
		if strings.HasPrefix(part, "pre_") || strings.HasPrefix(part, "post_") {
			return true
		}
	}
	return false
}

// act acts upon an event, once. It goes on when the client goes away, since Authgear does
// not send the event again.
func (h *Handler) act(ctx context.Context, e *Event) error {
	key := sha256.Sum256(e.Body)
	if !h.acted.begin(key) {
		return nil
	}
	err := safely(ctx, func(ctx context.Context) error { return h.tell(ctx, e) })
	if h.onEvent != nil {
		if own := safely(ctx, func(ctx context.Context) error { return h.onEvent(ctx, *e) }); own != nil {
			err = errors.Join(err, fmt.Errorf("OnEvent: %w", own))
		}
	}
	if err != nil {
		h.acted.failed(key)
	}
	return err
}

// tell tells the store about an event.
func (h *Handler) tell(ctx context.Context, e *Event) (err error) {
	switch actionOf(e.Type) {
	case revoke:
		err = h.revocations.Revoke(ctx, e.User.ID, e.Time)
	case forget:
		err = h.revocations.Forget(ctx, e.User.ID)
		if e.anonymous != "" && e.anonymous != e.User.ID {
			err = errors.Join(err, h.revocations.Forget(ctx, e.anonymous))
		}
	}
	if err != nil {
		return fmt.Errorf("other processes may not have heard of it: %w", err)
	}
	return nil
}

// safely calls code that is not ours, and returns its panic as an error.
func safely(ctx context.Context, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f(ctx)
}
