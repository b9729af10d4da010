// Package recordings has answers of real Authgear servers, for tests.
package recordings

import (
	"embed"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/*.json
var files embed.FS

// Recording is one case: what was sent and what came back.
type Recording struct {
	Name       string    `json:"name"`
	RecordedAt time.Time `json:"recorded_at"`
	Request    struct {
		Method  string      `json:"method"`
		Path    string      `json:"path"`
		Headers [][2]string `json:"headers"`
		Body    *string     `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int         `json:"status"`
		Headers [][2]string `json:"headers"`
		Body    string      `json:"body"`
	} `json:"response"`

	// When a JWT was issued.
	AccessToken Token `json:"access_token_decoded"`
	IDToken     Token `json:"id_token_decoded"`

	// SetCookies are the cookies that all answers of a sign-in set.
	SetCookies []string `json:"all_set_cookie_headers"`

	// When the request went through nginx.
	BackendSaw     http.Header `json:"backend_saw"`
	BackendReached *bool       `json:"backend_reached"`

	// RolesHeaders are the X-Authgear-User-Roles of several answers.
	RolesHeaders []string `json:"roles_headers"`

	// WebhookSecret is the secret that a recorded event was signed with.
	WebhookSecret string `json:"webhook_secret"`
}

// Token is a JWT and what is in it.
type Token struct {
	Raw    string         `json:"raw"`
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
}

// Load reads one recording.
func Load(t testing.TB, name string) Recording {
	t.Helper()
	data, err := files.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var r Recording
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// All reads the recordings whose name begins with prefix, in the order of their
// names.
func All(t testing.TB, prefix string) []Recording {
	t.Helper()
	entries, err := files.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var all []Recording
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".json"); ok && strings.HasPrefix(name, prefix) {
			all = append(all, Load(t, name))
		}
	}
	if len(all) == 0 {
		t.Fatalf("no recordings %s", prefix)
	}
	return all
}
