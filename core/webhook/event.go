package webhook

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/authgear/authgear-sdk-go/core/internal/claims"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// Event is one event with a good signature.
type Event struct {
	// ID and Seq identify the event in the project.
	ID  string
	Seq int64
	// Type is such as "user.disabled"; Authgear's documentation lists them.
	Type string
	// Time is that of Authgear's clock, in whole seconds.
	Time time.Time
	// AppID is the project's.
	AppID string
	// User is whom the event is about; its ID is "" in an event about nobody.
	User User
	// Body is the whole event as it was sent, JSON.
	Body []byte

	payload   jsontext.Value
	anonymous string // the ID of the anonymous user who was promoted to User
}

// User is what an event says of a user. [Event.Payload] has the rest.
type User struct {
	ID                string   `json:"id"`
	IsAnonymous       bool     `json:"is_anonymous"`
	IsVerified        bool     `json:"is_verified"`
	IsDisabled        bool     `json:"is_disabled"`
	IsAnonymized      bool     `json:"is_anonymized"`
	CanReauthenticate bool     `json:"can_reauthenticate"`
	Roles             []string `json:"roles"`
}

// Payload decodes the event's payload into v, a pointer to a struct whose fields have
// json tags. Names have to match exactly.
func (e Event) Payload(v any) error { return json.Unmarshal(e.payload, v) }

// parse reads a body whose signature is good.
func parse(body []byte) (*Event, error) {
	var wire struct {
		ID      string         `json:"id"`
		Seq     int64          `json:"seq"`
		Type    string         `json:"type"`
		Payload jsontext.Value `json:"payload"`
		Context struct {
			Timestamp int64  `json:"timestamp"`
			AppID     string `json:"app_id"`
		} `json:"context"`
	}
	// Names are exact and unique at every depth, strings are UTF-8 (RFC 7493 §2).
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, describe(err)
	}
	if wire.Type == "" {
		return nil, errors.New("no type")
	}
	e := &Event{
		ID: wire.ID, Seq: wire.Seq, Type: wire.Type, Time: time.Unix(wire.Context.Timestamp, 0),
		AppID: wire.Context.AppID, Body: body, payload: wire.Payload,
	}
	var payload struct {
		User          User `json:"user"`
		AnonymousUser User `json:"anonymous_user"`
	}
	err := e.Payload(&payload)
	if err == nil {
		e.User, e.anonymous = payload.User, payload.AnonymousUser.ID
	}
	if actionOf(e.Type) == none {
		return e, nil // nothing is done about this type, so its payload may have any form
	}
	if err != nil {
		return nil, describe(err)
	}
	if err := claims.CheckSubject(e.User.ID); err != nil {
		return nil, fmt.Errorf("payload.user.id %w", err)
	}
	if e.anonymous != "" {
		if err := claims.CheckSubject(e.anonymous); err != nil {
			return nil, fmt.Errorf("payload.anonymous_user.id %w", err)
		}
	}
	if seconds := wire.Context.Timestamp; seconds <= 0 || seconds >= claims.MaxDate {
		return nil, fmt.Errorf("context.timestamp is %d", seconds)
	}
	return e, nil
}

// describe makes an error of the JSON library short, without values.
func describe(err error) error {
	if of, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Errorf("%s cannot be a %s", quote.Quote(string(of.JSONPointer)), of.JSONKind)
	}
	return fmt.Errorf("not strict JSON: %s", quote.Quote(strings.TrimPrefix(err.Error(), "jsontext: ")))
}
