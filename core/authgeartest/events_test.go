package authgeartest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// delivery is an event as the webhook received it.
type delivery struct {
	header http.Header
	body   string
}

// receive makes the server send its events to a webhook.
func receive(t *testing.T, s *authgeartest.Server, secret string) <-chan delivery {
	t.Helper()
	deliveries := make(chan delivery, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != "POST" || r.URL.Path != "/events" {
			t.Errorf("%s %s, %v", r.Method, r.URL, err)
		}
		deliveries <- delivery{r.Header, string(body)}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(hook.Close)
	s.SendEvents(hook.URL+"/events", secret)
	return deliveries
}

// The levers send the events of a real Authgear: signed, about the same things, and with
// the recorded names and types.
func TestEvents(t *testing.T) {
	s := authgeartest.New(t)
	deliveries := receive(t, s, "whsec")
	alice := s.AddUser(authgeartest.User{ID: "alice", Email: "alice@example.com"})
	steps := []struct {
		eventType, recording string
		change               func()
		facts                string
	}{
		{"identity.email.verified", "identity.email.verified", func() { s.SetVerified(alice, true) }, "verified"},
		{"identity.email.unverified", "identity.email.verified", func() { s.SetVerified(alice, false) }, ""},
		{"user.reauthenticated", "user.authenticated", func() { s.Reauthenticate(s.AccessToken(alice)) }, ""},
		{"user.disabled", "user.disabled", func() { s.DisableUser(alice) }, "disabled"},
		{"user.reenabled", "user.reenabled", func() { s.EnableUser(alice) }, ""},
		{"user.deletion_scheduled", "user.deletion_scheduled", func() { s.ScheduleDeletion(alice) }, "disabled"},
		{"user.deletion_unscheduled", "user.reenabled", func() { s.EnableUser(alice) }, ""},
		{"user.deleted", "user.anonymized", func() { s.DeleteUser(alice) }, ""},
		{"user.anonymized", "user.anonymized", func() { s.AnonymizeUser(s.AddUser(authgeartest.User{ID: "alice", Email: "alice@example.com"})) }, ""},
	}
	for i, step := range steps {
		step.change()
		d := <-deliveries
		mac := hmac.New(sha256.New, []byte("whsec"))
		mac.Write([]byte(d.body))
		expect(t, step.eventType+": signature", d.header.Get("X-Authgear-Body-Signature"), hex.EncodeToString(mac.Sum(nil)))

		recording := recordings.Load(t, "webhook-"+step.recording)
		want, got := map[string]any{}, map[string]any{}
		if err := json.Unmarshal([]byte(*recording.Request.Body), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(d.body), &got); err != nil {
			t.Fatal(err)
		}
		user := want["payload"].(map[string]any)["user"].(map[string]any)
		delete(user, "last_login_at") // not every user has it
		delete(user, "disable_reason")
		if !reflect.DeepEqual(shape(got), shape(want)) {
			t.Errorf("%s:\n%v, recorded\n%v", step.eventType, got, want)
		}
		expect(t, "type", got["type"].(string), step.eventType)
		expect(t, "id", got["id"].(string), "000000000000000"+string(rune('1'+i)))
		user = got["payload"].(map[string]any)["user"].(map[string]any)
		expect(t, "user", user["id"].(string), alice)
		for _, fact := range []string{"verified", "disabled"} {
			if user["is_"+fact] != (step.facts == fact) {
				t.Errorf("%s: %v", step.eventType, user)
			}
		}
		var names []string
		for _, field := range recording.Request.Headers {
			if field[0] != "Host" && field[0] != "Traceparent" {
				names = append(names, field[0])
			}
		}
		slices.Sort(names)
		if got := slices.Sorted(maps.Keys(d.header)); !slices.Equal(got, names) {
			t.Errorf("%s: header %v, recorded %v", step.eventType, got, names)
		}
	}
}

// Facts §1.7 and §5: these changes show in the resolver's answers, but send no events.
func TestNoEvents(t *testing.T) {
	s := authgeartest.New(t)
	deliveries := receive(t, s, "whsec")
	alice := s.AddUser(authgeartest.User{})
	token := s.AccessToken(alice)
	s.SetRoles(alice, "admin")
	s.RevokeSession(token)
	s.RevokeSessions(alice)
	s.ValidUntil(alice, time.Now())
	s.DisableUser(alice)
	var got struct{ Seq int }
	if err := json.Unmarshal([]byte((<-deliveries).body), &got); err != nil || got.Seq != 1 {
		t.Errorf("the only event has the number %d, %v", got.Seq, err)
	}
}

// When the event arrives, the resolver already knows of the change.
func TestEventFollowsChange(t *testing.T) {
	s := authgeartest.New(t)
	deliveries := receive(t, s, "whsec")
	for range 20 {
		alice := s.AddUser(authgeartest.User{})
		cookie := s.SessionCookie(alice)
		s.DisableUser(alice)
		<-deliveries
		expect(t, "valid", resolve(t, s, "Cookie", cookie.Name+"="+cookie.Value).Get("X-Authgear-Session-Valid"), "false")
	}
}

// Neither a lever nor Close waits for a receiver, and nothing is sent after Close.
func TestHangingReceiver(t *testing.T) {
	s := authgeartest.New(t)
	arrived, end := make(chan struct{}, 2), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-end
	}))
	defer hook.Close()
	defer close(end)
	s.SendEvents(hook.URL, "whsec")
	alice := s.AddUser(authgeartest.User{})
	s.DisableUser(alice)
	<-arrived
	s.Close()
	s.EnableUser(alice)
	if len(arrived) != 0 {
		t.Error("an event was sent after Close")
	}
	defer func() {
		if recover() == nil {
			t.Error("an address without a host is taken")
		}
	}()
	s.SendEvents("/authgear/events", "whsec")
}

// lines receives the lines of a log. Each write waits until the test reads the line.
type lines chan string

func (l lines) Write(line []byte) (int, error) { l <- string(line); return len(line), nil }

// The log says why a webhook gets no events.
func TestEventNotDelivered(t *testing.T) {
	logged := make(lines)
	log.SetOutput(logged) // slog.Default writes here
	defer log.SetOutput(os.Stderr)
	closed := httptest.NewServer(nil)
	closed.Close()
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer wrong.Close()
	for url, want := range map[string]string{wrong.URL + "/events": "401 Unauthorized", closed.URL: "refused"} {
		s := authgeartest.New(t)
		s.SendEvents(url, "whsec")
		s.DisableUser(s.AddUser(authgeartest.User{}))
		line := <-logged
		for _, part := range []string{"user.disabled", url, want} {
			if !strings.Contains(line, part) {
				t.Errorf("%q is not in the log: %s", part, line)
			}
		}
	}
}
