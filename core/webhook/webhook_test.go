package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
	"github.com/authgear/authgear-sdk-go/core/webhook"
)

// receiver is a handler. It keeps what the handler has told the store and the operator.
type receiver struct {
	*webhook.Handler
	mu      sync.Mutex
	told    []string
	notices []authgear.Notice
	store   func() error // returns the store's error; nil: none
}

func (r *receiver) note(ctx context.Context, format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	// On a slow machine the deadline may have passed, but nobody may cancel the context.
	if deadline, ok := ctx.Deadline(); !ok || errors.Is(ctx.Err(), context.Canceled) || time.Until(deadline) > 5*time.Second {
		return fmt.Errorf("the context: %v, until %v", ctx.Err(), deadline)
	}
	r.told = append(r.told, fmt.Sprintf(format, args...))
	if r.store != nil {
		return r.store()
	}
	return nil
}

func (r *receiver) Revoke(ctx context.Context, userID string, issuedUntil time.Time) error {
	return r.note(ctx, "revoke %s %d", userID, issuedUntil.Unix())
}
func (r *receiver) Forget(ctx context.Context, userID string) error {
	return r.note(ctx, "forget %s", userID)
}
func (*receiver) Cutoff(string) authgear.Cutoff { return authgear.Cutoff{} }

func newReceiver(t testing.TB, config webhook.Config) *receiver {
	t.Helper()
	r := &receiver{}
	config.Revocations = r
	config.Observer = &authgear.Observer{Notice: func(_ context.Context, n authgear.Notice) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.notices = append(r.notices, n)
	}}
	if config.Secrets == nil {
		config.Secrets = []string{secret}
	}
	var err error
	if r.Handler, err = webhook.New(config); err != nil {
		t.Fatal(err)
	}
	return r
}

// took returns what the store and the operator were told since the last call.
func (r *receiver) took() (told string, notices []authgear.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	told, notices = strings.Join(r.told, "\n"), r.notices
	r.told, r.notices = nil, nil
	return told, notices
}

const secret = "whsec"

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func (r *receiver) post(body string, signatures ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("POST", "/authgear/events", strings.NewReader(body))
	request.Header["X-Authgear-Body-Signature"] = signatures
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // the client goes away at once, but the event still counts
	w := httptest.NewRecorder()
	r.ServeHTTP(w, request.WithContext(ctx))
	return w
}

// send posts a signed body, and reports an error unless it is accepted.
func (r *receiver) send(t *testing.T, body string) {
	t.Helper()
	w := r.post(body, sign(secret, body))
	if w.Code != 200 || w.Body.String() != `{"is_allowed":true}` || w.Header().Get("Content-Length") != "19" ||
		w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: answered %d %v %s", body, w.Code, w.Header(), w.Body)
	}
}

func event(eventType, userID string, at int64) string {
	return fmt.Sprintf(`{"id":"01","seq":1,"type":%q,"payload":{"user":{"id":%q}},"context":{"timestamp":%d}}`, eventType, userID, at)
}

// The recorded events of a real Authgear are accepted and have the right effect.
func TestRecordings(t *testing.T) {
	t.Parallel()
	const alice, dave = "66a95b0e-8068-40d1-8b5c-a15f18254225", "1698555e-3818-44a3-9f9f-72881fff31dd"
	want := map[string]string{
		"identity.email.verified": "forget " + alice,
		"oidc.jwt.pre_create":     "",
		"user.anonymized":         "revoke e981a050-b338-4540-9e2d-4759cbfa0251 1795468406",
		"user.authenticated":      "",
		"user.created":            "",
		"user.deletion_scheduled": "revoke 45af7d15-d589-4430-9d97-a990b30a6ab6 1795468405",
		"user.disabled":           "revoke " + dave + " 1795468403",
		"user.pre_create":         "",
		"user.reenabled":          "forget " + dave,
	}
	recorded := recordings.All(t, "webhook-")
	for _, recording := range recorded {
		var got webhook.Event
		r := newReceiver(t, webhook.Config{
			Secrets: []string{recording.WebhookSecret},
			OnEvent: func(_ context.Context, e webhook.Event) error { got = e; return nil },
		})
		eventType := strings.TrimPrefix(recording.Name, "webhook-")
		blocking := strings.Contains(eventType, ".pre_")
		body, signature := *recording.Request.Body, ""
		for _, header := range recording.Request.Headers {
			if header[0] == "X-Authgear-Body-Signature" {
				signature = header[1]
			}
		}
		if w := r.post(body, signature); w.Code != 200 || w.Body.String() != `{"is_allowed":true}` {
			t.Errorf("%s: answered %d %s", eventType, w.Code, w.Body)
		}
		told, notices := r.took()
		if wanted, known := want[eventType]; !known || told != wanted {
			t.Errorf("%s: told %q", eventType, told)
		}
		if blocking != (len(notices) == 1 && notices[0].Kind == authgear.NoticeBlockingEvent) || blocking != (got.ID == "") {
			t.Errorf("%s: notices %v, event %v", eventType, notices, got)
		}
		if w := r.post(strings.Replace(body, `"seq":`, `"seq":1`, 1), signature); w.Code != 401 {
			t.Errorf("%s: a changed body is answered %d", eventType, w.Code)
		}
		if eventType == "user.disabled" {
			var payload struct {
				User struct {
					Reason string `json:"disable_reason"`
				} `json:"user"`
			}
			if err := got.Payload(&payload); err != nil || payload.User.Reason != "golden test" || string(got.Body) != body {
				t.Errorf("payload %v, %v", payload, err)
			}
			if got.ID != "00000000000000f2" || got.Seq != 242 || got.Type != eventType || got.Time.Unix() != 1795468403 ||
				got.AppID != "live" || got.User.ID != dave || !got.User.IsDisabled || !got.User.IsVerified || !got.User.CanReauthenticate {
				t.Errorf("event %+v", got)
			}
		}
	}
	if len(recorded) != len(want) {
		t.Errorf("%d recordings", len(recorded))
	}
}

// A request that is not an event of the project is refused and changes nothing. The
// operator is told why, without the secret and the signature.
func TestRefused(t *testing.T) {
	t.Parallel()
	body := event("user.disabled", "alice", 1795468403)
	good := sign(secret, body)
	signed := func(body string) [2]string { return [2]string{body, sign(secret, body)} }
	for name, c := range map[string]struct {
		request [2]string
		status  int
		says    string
	}{
		"other secret":          {[2]string{body, sign("other", body)}, 401, "none of Secrets"},
		"upper case":            {[2]string{body, strings.ToUpper(good)}, 401, "none of Secrets"},
		"cut signature":         {[2]string{body, good[:62]}, 401, "another length"},
		"empty signature":       {[2]string{body, ""}, 401, "another length"},
		"empty body":            {[2]string{"", good}, 401, "middleware"},
		"changed body":          {[2]string{body + " ", good}, 401, "none of Secrets"},
		"signed empty body":     {signed(""), 400, "strict JSON"},
		"not JSON":              {signed("user.disabled"), 400, "strict JSON"},
		"array":                 {signed("[]"), 400, "cannot be"},
		"second event after it": {signed(body + body), 400, "strict JSON"},
		"duplicate":             {signed(strings.Replace(body, `"id":"alice"`, `"id":"bob","id":"alice"`, 1)), 400, "duplicate"},
		"duplicate in payload":  {signed(`{"type":"x","payload":{"a":{"b":1,"b":2}}}`), 400, "duplicate"},
		"invalid UTF-8":         {signed(strings.Replace(body, "alice", "al\xffce", 1)), 400, "UTF-8"},
		"lone surrogate":        {signed(strings.Replace(body, "alice", `\ud800`, 1)), 400, "surrogate"},
		"no type":               {signed(event("", "alice", 1795468403)), 400, "no type"},
		"name in other case":    {signed(strings.Replace(body, `"type"`, `"Type"`, 1)), 400, "no type"},
		"type is a number":      {signed(`{"type":1}`), 400, "/type"},
		"no user":               {signed(event("user.disabled", "", 1795468403)), 400, "user.id"},
		"long user id":          {signed(event("user.disabled", strings.Repeat("a", 256), 1795468403)), 400, "user.id"},
		"blank user id":         {signed(event("user.disabled", " ", 1795468403)), 400, "user.id is blank"},
		"control character":     {signed(strings.Replace(body, "alice", `a\u0007`, 1)), 400, "user.id has a control"},
		"user is a string":      {signed(`{"type":"user.deleted","payload":{"user":"alice"},"context":{"timestamp":1}}`), 400, "/user"},
		"no payload":            {signed(`{"type":"user.deleted","context":{"timestamp":1}}`), 400, "strict JSON"},
		"no time":               {signed(event("user.disabled", "alice", 0)), 400, "timestamp"},
		"negative time":         {signed(event("user.disabled", "alice", -1)), 400, "timestamp"},
		"milliseconds":          {signed(event("user.disabled", "alice", 1795468403000)), 400, "timestamp"},
		"fractional time":       {signed(strings.Replace(body, "1795468403", "1.5", 1)), 400, "/context/timestamp"},
		"too large":             {signed(body + strings.Repeat(" ", 1<<20+1-len(body))), 413, "1048576"},
	} {
		r := newReceiver(t, webhook.Config{})
		w := r.post(c.request[0], c.request[1])
		told, notices := r.took()
		if w.Code != c.status || told != "" || len(notices) != 1 || notices[0].Kind != authgear.NoticeEvent {
			t.Errorf("%s: %d, told %q, notices %v", name, w.Code, told, notices)
			continue
		}
		if text := notices[0].Err.Error(); !strings.Contains(text, c.says) || strings.Contains(text, secret) || strings.Contains(text, good[:8]) || strings.Contains(text, "alice") {
			t.Errorf("%s: the operator reads %q", name, text)
		}
	}

	r := newReceiver(t, webhook.Config{})
	for _, signatures := range [][]string{nil, {good, good}} {
		if w := r.post(body, signatures...); w.Code != 401 {
			t.Errorf("%d signatures: %d", len(signatures), w.Code)
		}
	}
	for _, method := range []string{"GET", "HEAD", "PUT"} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != 405 || w.Header().Get("Allow") != "POST" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	if told, notices := r.took(); told != "" || len(notices) != 2 {
		t.Errorf("told %q, notices %v", told, notices)
	}
	r.send(t, body+strings.Repeat(" ", 1<<20-len(body))) // 1 MiB is not too large
}

// These are all the types that the store is told about. Other types are accepted with any
// payload.
func TestTypes(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, webhook.Config{})
	for _, c := range []struct {
		want  string
		types []string
	}{
		{"revoke alice 5", []string{"user.disabled", "user.deleted", "user.anonymized", "user.deletion_scheduled", "user.anonymization_scheduled"}},
		{"forget alice", []string{"user.reenabled", "user.deletion_unscheduled", "user.anonymization_unscheduled", "user.reauthenticated",
			"user.profile.updated", "user.anonymous.promoted", "identity.phone.unverified", "identity.oauth.disconnected"}},
		{"", []string{"user.created", "user.authenticated", "user.next_year", "authentication.identity.login_id.failed", "email.sent"}},
		{"blocking", []string{"user.pre_create", "user.profile.pre_update", "user.pre_schedule_deletion", "user.pre_schedule_anonymization",
			"oidc.jwt.pre_create", "oidc.id_token.pre_create", "authentication.pre_initialize", "authentication.post_identified", "authentication.pre_authenticated"}},
	} {
		for _, eventType := range c.types {
			r.send(t, event(eventType, "alice", 5))
			told, notices := r.took()
			if len(notices) == 1 && notices[0].Kind == authgear.NoticeBlockingEvent {
				told += "blocking"
			}
			if told != c.want {
				t.Errorf("%s: %q, notices %v", eventType, told, notices)
			}
		}
	}
	for _, body := range []string{`{"type":"x"}`, `{"type":"x","payload":[]}`, `{"type":"x","payload":{"user":7},"context":{"timestamp":-1},"more":{}}`} {
		r.send(t, body)
	}
	r.send(t, `{"type":"user.anonymous.promoted","payload":{"anonymous_user":{"id":"guest"},"user":{"id":"alice"}},"context":{"timestamp":5}}`)
	if told, notices := r.took(); told != "forget alice\nforget guest" || notices != nil {
		t.Errorf("told %q, notices %v", told, notices)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, webhook.Config{Secrets: []string{"new", "old"}})
	for i, c := range []struct {
		secret string
		status int
	}{{"old", 200}, {"new", 200}, {"older", 401}, {"", 401}, {"newold", 401}} {
		body := event("user.disabled", "alice", int64(i+1))
		if w := r.post(body, sign(c.secret, body)); w.Code != c.status {
			t.Errorf("%s: %d", c.secret, w.Code)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	var nothing *authgear.MemoryRevocations
	for _, c := range []struct {
		config webhook.Config
		want   []string
	}{
		{webhook.Config{}, []string{"Secrets: ", "Revocations: "}},
		{webhook.Config{Secrets: []string{"whsec", "", "whsec\n"}, Revocations: nothing}, []string{"Secrets[1]: ", "Secrets[2]: ", "Revocations: "}},
		{webhook.Config{Secrets: []string{"whsec"}, Revocations: new(authgear.MemoryRevocations)}, nil},
	} {
		h, err := webhook.New(c.config)
		if (err == nil) != (c.want == nil) || (h == nil) != (err != nil) {
			t.Errorf("%v: %v", c.config, err)
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "whsec") {
				t.Errorf("%v does not say %q, or says a secret", err, want)
			}
		}
	}
}

// Neither an error nor a panic of OnEvent changes the answer or the revocation.
func TestOnEventFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"the table is full": func() error { return errors.New("the table is full") },
		"nil map":           func() error { panic("nil map") },
	} {
		r := newReceiver(t, webhook.Config{OnEvent: func(context.Context, webhook.Event) error { return fail() }})
		r.send(t, event("user.disabled", "alice", 5))
		told, notices := r.took()
		if told != "revoke alice 5" || len(notices) != 1 || !strings.Contains(notices[0].Err.Error(), "OnEvent: ") || !strings.Contains(notices[0].Err.Error(), name) {
			t.Errorf("told %q, notices %v", told, notices)
		}
	}
}

// A store that hangs is given five seconds, and OnEvent another five.
func TestSlowStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := newReceiver(t, webhook.Config{OnEvent: func(ctx context.Context, _ webhook.Event) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		r.store = func() error { time.Sleep(5 * time.Second); return context.DeadlineExceeded }
		r.send(t, event("user.disabled", "alice", 5))
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("answered after %v", took)
		}
	})
}

// A body without a signature is not read.
func TestUnsignedBodyIsNotRead(t *testing.T) {
	t.Parallel()
	for _, signatures := range [][]string{nil, {""}, {"abc"}, {sign(secret, ""), sign(secret, "")}} {
		r := newReceiver(t, webhook.Config{})
		request := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("it is read")))
		request.Header["X-Authgear-Body-Signature"] = signatures
		w := httptest.NewRecorder()
		r.ServeHTTP(w, request)
		if w.Code != 401 {
			t.Errorf("%d for the signatures %q", w.Code, signatures)
		}
	}
}

// When a body stops coming, the request ends.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, webhook.Config{})
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	body := event("user.created", "alice", 5)
	request := httptest.NewRequest("POST", "/", strings.NewReader(body))
	request.Header.Set("X-Authgear-Body-Signature", sign(secret, body))
	r.ServeHTTP(w, request)
	if len(w.set) != 2 || time.Until(w.set[0]) > 10*time.Second || !w.set[1].IsZero() {
		t.Errorf("read deadlines %v", w.set)
	}
	w = &deadlines{ResponseRecorder: httptest.NewRecorder()}
	request = httptest.NewRequest("POST", "/", iotest.ErrReader(os.ErrDeadlineExceeded))
	request.Header.Set("X-Authgear-Body-Signature", sign(secret, body))
	r.ServeHTTP(w, request)
	if len(w.set) != 1 || w.Code != 400 {
		t.Errorf("read deadlines %v, status %d", w.set, w.Code)
	}
}

type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error { d.set = append(d.set, at); return nil }
