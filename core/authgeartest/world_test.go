package authgeartest_test

import (
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// world is a server with the recorded project's origin and a clock of its own.
// Each case has its own users.
type world struct {
	*authgeartest.Server
	clock atomic.Int64

	t           *testing.T
	ids         map[string]string // user IDs by name
	recordedIDs map[string]string // recorded user IDs by name
	credentials map[string]string // minted credentials by recorded ones
}

func newWorld(t *testing.T, config authgeartest.Config) *world {
	w := &world{}
	config.Now = w.time
	w.Server = authgeartest.New(t, config)
	return w
}

func (w *world) time() time.Time { return time.Unix(0, w.clock.Load()) }

func (w *world) begin(t *testing.T, r recordings.Recording) {
	w.t = t
	w.ids, w.recordedIDs, w.credentials = make(map[string]string), make(map[string]string), make(map[string]string)
	w.clock.Store(r.RecordedAt.UnixNano())
	for _, h := range r.Response.Headers {
		if h[0] == "X-Authgear-User-Id" {
			w.recordedIDs[w.name(h[1])] = h[1]
		}
	}
}

func (w *world) name(recordedID string) string {
	w.t.Helper()
	name, ok := subjects[recordedID[:8]]
	if !ok {
		w.t.Fatalf("who is %s?", recordedID)
	}
	return name
}

// id returns the ID of a user of this case. The first call for a name adds the user.
func (w *world) id(name string) string {
	w.t.Helper()
	if id := w.ids[name]; id != "" {
		return id
	}
	user, ok := people[name]
	if !ok {
		w.t.Fatalf("who is %s?", name)
	}
	w.ids[name] = w.AddUser(user)
	return w.ids[name]
}

// minted returns the case's only credential.
func (w *world) minted() string {
	w.t.Helper()
	if len(w.credentials) != 1 {
		w.t.Fatalf("%d credentials", len(w.credentials))
	}
	for _, c := range w.credentials {
		return c
	}
	return ""
}

// substitute replaces recorded credentials by equivalent ones of this server. authTime is
// the time of the login for opaque ones.
func (w *world) substitute(value string, authTime time.Time) string {
	w.t.Helper()
	as := func(mint func(string) string) func(string) string {
		return func(recorded string) string {
			if w.credentials[recorded] == "" {
				w.credentials[recorded] = mint(recorded)
			}
			return w.credentials[recorded]
		}
	}
	token := authgeartest.Token{AuthTime: authTime}
	value = jwtPattern.ReplaceAllStringFunc(value, as(w.jwt))
	value = cookiePattern.ReplaceAllStringFunc(value, as(func(recorded string) string {
		name, ok := opaque[recorded[:8]]
		if !ok {
			return recorded // has no session, for example a refresh token
		}
		return w.SessionCookie(w.id(name), token).Value
	}))
	return opaquePattern.ReplaceAllStringFunc(value, func(recorded string) string {
		if name, ok := opaque[recorded[:8]]; ok {
			return as(func(string) string { return w.OpaqueToken(w.id(name), token) })(recorded)
		}
		return recorded
	})
}

// jwt mints a JWT like a recorded one, as it was at the time of the recording.
func (w *world) jwt(recorded string) string {
	w.t.Helper()
	parts := strings.Split(recorded, ".")
	if len(recorded) > 4000 || parts[2] == "" || strings.Trim(parts[2], "A") == "" {
		return recorded // not a JWT, or one with alg none
	}
	old := read(w.t, recorded)
	if old.Header["typ"] != "at+jwt" {
		return w.IDToken(w.id("alice"), "spa")
	}
	subject := old.Claims["sub"].(string)
	if strings.HasPrefix(subject, "client_id_") {
		return w.ClientToken("m2m-jwt", "https://api.example.com", "read:orders", "write:orders")
	}
	tampered := strings.Contains(w.t.Name(), "-invalid-jwt-")
	name := "alice" // if the subject was tampered with
	if !tampered {
		name = w.name(subject)
	}
	seconds := func(claim string) time.Time { return time.Unix(int64(old.Claims[claim].(float64)), 0) }
	recordedAt := w.clock.Load()
	w.clock.Store(seconds("iat").UnixNano()) // the JWT is minted at its iat
	token := w.AccessToken(w.id(name), authgeartest.Token{
		ClientID:  old.Claims["client_id"].(string),
		Scopes:    strings.Fields(old.Claims["scope"].(string)),
		AuthTime:  seconds("auth_time"),
		ExpiresIn: seconds("exp").Sub(seconds("iat")),
	})
	w.clock.Store(recordedAt)
	if tampered {
		cut := strings.LastIndexByte(token, '.')
		return token[:cut-4] + "AAAA" + token[cut:]
	}
	return token
}

// replay sends a recorded request in its situation and compares the answer.
func (w *world) replay(t *testing.T, r recordings.Recording, compare func(want, got *answer)) {
	w.begin(t, r)
	want := answerOf(r)

	authTime := w.time()
	if at := want.fields["X-Authgear-Session-Authenticated-At"]; len(at) == 1 {
		seconds, err := strconv.ParseInt(at[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		authTime = time.Unix(seconds, 0)
	}
	var headers [][2]string
	for _, h := range r.Request.Headers {
		headers = append(headers, [2]string{h[0], w.substitute(h[1], authTime)})
	}
	path, body := w.substitute(r.Request.Path, authTime), ""
	if r.Request.Body != nil {
		body = w.substitute(*r.Request.Body, authTime)
	}
	if situation := situations[r.Name]; situation != nil {
		situation(w)
	} else if _, known := situations[r.Name]; !known && strings.HasPrefix(r.Name, "lifecycle-") {
		t.Fatal("no situation")
	}

	res, raw := send(t, w.URL(), r.Request.Method, path, headers, body)
	got := normalize(res.StatusCode, res.Header, raw)
	for name, recordedID := range w.recordedIDs {
		if id := got.fields["X-Authgear-User-Id"]; len(id) == 1 && id[0] == w.ids[name] {
			got.fields["X-Authgear-User-Id"] = []string{recordedID}
		}
	}
	if compare != nil {
		compare(&want, &got)
	}
	if want.status != got.status {
		t.Errorf("status %d, recorded %d", got.status, want.status)
	}
	for name := range want.fields {
		if !reflect.DeepEqual(got.fields[name], want.fields[name]) {
			t.Errorf("%s: %q, recorded %q", name, got.fields[name], want.fields[name])
		}
	}
	for name := range got.fields {
		if want.fields[name] == nil {
			t.Errorf("%s: %q, not recorded", name, got.fields[name])
		}
	}
	if !reflect.DeepEqual(got.body, want.body) {
		t.Errorf("body\n%v, recorded\n%v", got.body, want.body)
	}
}
