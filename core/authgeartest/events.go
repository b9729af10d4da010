package authgeartest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"time"
)

const (
	eventTimeout  = time.Minute // time-out of one attempt
	maxAttempts   = 10_000      // that wait or run at the same time
	maxConns      = 100         // connections to one host
	deletionGrace = 30 * 24 * time.Hour
)

// events has what is needed to send events to webhooks.
type events struct {
	receivers []receiver
	attempts  chan struct{} // has one element for each attempt that waits or runs
	seq       int64
	sender    http.Client
}

type receiver struct{ url, secret string }

// SendEvents makes the server send an event to this address whenever a user is disabled,
// enabled, deleted or anonymized, is scheduled for deletion or no longer so, is verified
// or no longer so, or reauthenticates. These are the events that a project's webhook for
// all non-blocking events gets, signed with the secret. As with a real Authgear there is
// one attempt, nobody waits for it, and there is no event for a changed role or an ended
// session. A failure is logged to [slog.Default]. At most 10,000 attempts wait or run at
// the same time. A further event is not sent, which is a failure too. The resolver knows
// of the change before the event is sent. SendEvents panics if the address is not a URL
// of http or https.
func (s *Server) SendEvents(address, secret string) {
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		panic(fmt.Sprintf("authgeartest: %q is no address to send events to", address))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receivers = append(s.receivers, receiver{address, secret})
}

// byAdmin returns the context of an event that an administrator has caused.
func (s *Server) byAdmin() map[string]any {
	return map[string]any{
		"triggered_by":  "admin_api",
		"audit_context": map[string]any{"http_url": s.Endpoint() + "/_api/admin/graphql"},
	}
}

// emit sends an event about a user. payload and by are added to the payload and context
// that all events have. The caller holds s.mu, so nobody sees the event before the change.
func (s *Server) emit(eventType string, u *user, payload, by map[string]any) {
	if len(s.receivers) == 0 || s.closed {
		return
	}
	s.seq++
	all := map[string]any{"user": u.event()}
	maps.Copy(all, payload)
	about := map[string]any{
		"app_id":              "live",
		"geo_location_code":   nil,
		"ip_address":          "127.0.0.1",
		"language":            "en",
		"preferred_languages": []string{},
		"timestamp":           s.now().Unix(),
		"tracking_id":         randomHex(16) + "-" + randomHex(8),
		"user_id":             u.ID,
	}
	maps.Copy(about, by)
	body, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("%016x", s.seq), "seq": s.seq, "type": eventType, "payload": all, "context": about,
	})
	if err != nil {
		panic(err) // cannot happen: all values can be written as JSON
	}
	for _, to := range s.receivers {
		s.sending.Go(func() {
			if err := s.send(to, body); err != nil && s.open.Err() == nil {
				slog.Warn("authgeartest: an event was not delivered", "type", eventType, "url", to.url, "error", err)
			}
		})
	}
}

// send tries once to send the event.
func (s *Server) send(to receiver, body []byte) error {
	ctx, cancel := context.WithTimeout(s.open, eventTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	select {
	case s.attempts <- struct{}{}:
		defer func() { <-s.attempts }()
	default:
		return fmt.Errorf("%d events already wait to be sent", maxAttempts)
	}
	mac := hmac.New(sha256.New, []byte(to.secret))
	_, _ = mac.Write(body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Authgear-Body-Signature", hex.EncodeToString(mac.Sum(nil)))
	answer, err := s.sender.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return errors.New(answer.Status)
	}
	return nil
}

// event returns a user as events describe it.
func (u *user) event() map[string]any {
	roles := u.Roles
	if roles == nil {
		roles = []string{}
	}
	attributes := map[string]any{"updated_at": u.updated.Unix()}
	if u.Email != "" {
		attributes["email"], attributes["email_verified"] = u.Email, u.Verified
	}
	told := map[string]any{
		"id":                  u.ID,
		"created_at":          u.updated.UTC(),
		"updated_at":          u.updated.UTC(),
		"is_anonymous":        u.Anonymous,
		"is_verified":         u.Verified,
		"is_disabled":         u.disabled,
		"is_deactivated":      false,
		"is_anonymized":       false,
		"can_reauthenticate":  u.canReauthenticate(),
		"standard_attributes": attributes,
		"custom_attributes":   map[string]any{},
		"x_web3":              map[string]any{},
		"roles":               roles,
		"groups":              []string{},
	}
	if !u.deleteAt.IsZero() {
		told["delete_at"], told["delete_reason"] = u.deleteAt.UTC(), ""
	}
	return told
}

// identity returns the login ID that an event is about.
func (u *user) identity() map[string]any {
	return map[string]any{"identity": map[string]any{
		"id":         newUUID(),
		"created_at": u.updated.UTC(),
		"updated_at": u.updated.UTC(),
		"type":       "login_id",
		"user_id":    u.ID,
		"claims": map[string]any{
			"email": u.Email,
			"https://authgear.com/claims/login_id/key":            "email",
			"https://authgear.com/claims/login_id/original_value": u.Email,
			"https://authgear.com/claims/login_id/type":           "email",
			"https://authgear.com/claims/login_id/value":          u.Email,
		},
	}}
}

// event returns a login as an event describes it.
func (of *login) event(u *user) map[string]any {
	kind := "offline_grant"
	if of.browser {
		kind = "idp"
	}
	return map[string]any{"session": map[string]any{
		"id":                                 of.id,
		"created_at":                         of.authTime.UTC(),
		"updated_at":                         of.authTime.UTC(),
		"type":                               kind,
		"amr":                                u.amr(),
		"lastAccessedAt":                     of.authTime.UTC(),
		"createdByIP":                        "127.0.0.1",
		"lastAccessedByIP":                   "127.0.0.1",
		"lastAccessedByIPCountryCode":        "",
		"lastAccessedByIPEnglishCountryName": "",
		"clientID":                           of.clientID,
		"displayName":                        "",
	}}
}
