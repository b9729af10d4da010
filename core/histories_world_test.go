package authgear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// world is an Authgear in memory and the processes that ask it. All times are since its
// start.
type world struct {
	plan
	broken *breakage // nil: the processes are as they should be
	start  time.Time
	busy   sync.WaitGroup

	mu        sync.Mutex
	random    *rand.Rand
	users     []*person
	sessions  []*session
	known     map[string]*session // by what is sent
	processes []*process          // that run
	keys      []*signer           // that are published; the last one signs
	published []event             // what a store that all share knows
	record    record
}

// person is a user. Roles and the time of the last authentication have one version, and
// each of them tells it.
type person struct {
	id        string
	versions  []time.Duration // since when each was the newest
	suspended bool            // the account's valid-until has passed
}

// session is a credential: a JWT, an opaque token or a cookie.
type session struct {
	user    *person
	name    string
	request authgear.Request
	token   string // "" for a cookie
	key     *signer
	issued  time.Time
	expires time.Duration // by the clock of the processes; 0: never
	ended   bool
	turns   []time.Duration // when it became good, bad, good …
}

func (s *session) isJWT() bool { return s.key != nil }

// process is one of several with a Hybrid. It begins with no memory.
type process struct {
	*world
	name        string
	born        time.Duration
	revocations authgear.MemoryRevocations
	auth        authenticate
	verify      func(context.Context, string) (*authgear.Identity, error)
}

// authenticate is Authenticate or AuthenticateFresh.
type authenticate func(ctx context.Context, request authgear.Request, fresh bool) (*authgear.Identity, error)

func both(h *authgear.Hybrid) authenticate {
	return func(ctx context.Context, request authgear.Request, fresh bool) (*authgear.Identity, error) {
		if fresh {
			return h.AuthenticateFresh(ctx, request)
		}
		return h.Authenticate(ctx, request)
	}
}

// event is something that Authgear tells of by a webhook.
type event struct {
	user    *person
	at      time.Duration
	revokes bool
}

const (
	oneCall  = 2 * time.Second  // and one that it has to wait for, when all is well
	lifetime = 10 * time.Minute // of a JWT
	leeway   = 10 * time.Second
)

func newWorld(p plan, broken *breakage) *world {
	w := &world{plan: p, broken: broken, start: time.Now(), random: rand.New(rand.NewPCG(p.seed, 1)), known: map[string]*session{}, keys: historyKeys()[:1]}
	for _, id := range []string{"alice", "bob", "carol"} {
		u := &person{id: id, versions: []time.Duration{0}}
		w.users = append(w.users, u)
		for range 2 {
			w.signIn(u, w.random.IntN(4))
		}
	}
	for i := range p.processes {
		w.processes = append(w.processes, nil)
		w.restart(i)
	}
	return w
}

func (w *world) now() time.Duration { return time.Since(w.start) }

// The caller of signIn holds the lock, if anybody else uses the world.
func (w *world) signIn(u *person, kind int) {
	n := len(w.sessions)
	s := &session{user: u, turns: []time.Duration{w.now()}}
	if u.suspended {
		s.turns = nil
	}
	switch kind {
	case 0:
		s.name, s.token = fmt.Sprintf("opaque token %d of %s", n, u.id), fmt.Sprint("opaque", n)
	case 1:
		s.name, s.request = fmt.Sprintf("cookie %d of %s", n, u.id), browser(fmt.Sprint("session=", n))
		w.known[fmt.Sprint("session=", n)] = s
	default:
		s.name, s.key = fmt.Sprintf("JWT %d of %s", n, u.id), w.keys[len(w.keys)-1]
		s.issued = time.Now().Add(w.skew).Truncate(time.Minute) // so that few tokens have to be signed
		s.expires = s.issued.Add(lifetime).Sub(w.start)
		s.token = historyToken(s.key, u.id, n, s.issued)
	}
	if s.token != "" {
		s.request = bearer(s.token)
		w.known["Bearer "+s.token] = s
	}
	w.sessions = append(w.sessions, s)
}

// turn notes whether a session is good from now on.
func (w *world) turn(s *session) {
	if good := !s.ended && !s.user.suspended; good != (len(s.turns)%2 == 1) {
		s.turns = append(s.turns, w.now())
	}
}

// change changes something that sessions depend on.
func (w *world) change(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	for _, s := range w.sessions {
		w.turn(s)
	}
}

func (w *world) end(ends func(*session) bool) {
	w.change(func() {
		for _, s := range w.sessions {
			s.ended = s.ended || ends(s)
		}
	})
}

// restart replaces a process by a new one, which catches up on what a shared store
// knows.
func (w *world) restart(i int) {
	p := &process{world: w, name: fmt.Sprint("process ", i), born: w.now()}
	config := w.config
	config.Endpoint, config.HTTPClient, config.Observer, config.Revocations = liveEndpoint, &http.Client{Transport: p}, &authgear.Observer{}, &p.revocations
	if w.broken != nil && w.broken.config != nil {
		w.broken.config(&config)
	}
	h, err := authgear.NewHybrid(config)
	if err != nil {
		panic(err)
	}
	p.auth, p.verify = both(h), h.Verify
	if w.broken != nil && w.broken.wrap != nil {
		p.auth = w.broken.wrap(p.auth, config)
		p.verify = func(ctx context.Context, token string) (*authgear.Identity, error) {
			return p.auth(ctx, bearer(token), false)
		}
	}
	w.mu.Lock()
	w.processes[i] = p
	published := w.published
	w.mu.Unlock()
	for _, e := range published {
		p.hear(e)
	}
}

// hear is a webhook that arrives, or a message of a shared store.
func (p *process) hear(e event) {
	if e.revokes {
		_ = p.revocations.Revoke(context.Background(), e.user.id, p.start.Add(e.at+p.skew).Truncate(time.Second))
	} else {
		_ = p.revocations.Forget(context.Background(), e.user.id)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record.heard = append(p.record.heard, heard{p, e, p.now()})
	p.note("%s has heard of the event about %s of %v", p.name, e.user.id, e.at)
}

// ask is a request of somebody who goes away after so long.
func (w *world) ask(p *process, s *session, fresh, verify bool, patience time.Duration) {
	w.busy.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r := asked{process: p, session: s, fresh: fresh, began: w.now()}
		var err error
		if verify && !fresh && s.token != "" {
			r.identity, err = p.verify(ctx, s.token)
		} else {
			r.identity, err = p.auth(ctx, s.request, fresh)
		}
		r.err, _ = errors.AsType[*authgear.Error](err)
		r.left = ctx.Err() != nil
		w.mu.Lock()
		defer w.mu.Unlock()
		r.ended = w.now()
		w.record.requests = append(w.record.requests, r)
		w.note("%v", &r)
	})
}

// The caller of note holds the lock.
func (w *world) note(format string, args ...any) {
	if w.told {
		w.record.lines = append(w.record.lines, line{w.now(), fmt.Sprintf(format, args...)})
	}
}

// RoundTrip is Authgear, as the process finds it.
func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	w := p.world
	if !strings.HasPrefix(r.URL.Path, "/_resolver") {
		w.mu.Lock()
		latency := upTo(w.random, 50*time.Millisecond)
		w.mu.Unlock()
		if err := pause(r, latency); err != nil {
			return nil, err
		}
		response, err := w.answerForKeys(r)
		return response, errors.Join(err, pause(r, latency))
	}
	credential := r.Header.Get("Authorization")
	if credential == "" {
		credential, _, _ = strings.Cut(r.Header.Get("Cookie"), "; ")
	}
	w.mu.Lock()
	s := w.known[credential] // nil for a health check
	sent := w.now()
	there, back := upTo(w.random, 300*time.Millisecond), upTo(w.random, 300*time.Millisecond)
	if s == nil || w.random.IntN(4) > 0 { // after an outage nobody waits for a check longer than 250 ms
		there, back = there/50, back/50
	}
	if w.record.fault(slow, nil, sent) {
		there += 2*time.Second + upTo(w.random, 6*time.Second)
	}
	w.mu.Unlock()
	if err := pause(r, there); err != nil {
		return nil, err
	}
	w.mu.Lock()
	response, err := w.answer(r, s)
	if s != nil {
		good := response != nil && response.Header.Get("X-Authgear-Session-Valid") == "true"
		w.record.calls = append(w.record.calls, call{p, s, sent, good})
		w.note("%s has asked about %s at %v, good: %v", p.name, s.name, sent, good)
	}
	w.mu.Unlock()
	if err := pause(r, back); err != nil {
		return nil, err
	}
	return response, err
}

func (w *world) answerForKeys(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.record.fault(keysDown, nil, w.now()) {
		return nil, errors.New("connection refused")
	}
	p := publisher{}
	for _, key := range w.keys {
		p.keys = append(p.keys, key.jwk())
	}
	return p.RoundTrip(r)
}

func pause(r *http.Request, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// The caller of answer holds the lock.
func (w *world) answer(r *http.Request, s *session) (*http.Response, error) {
	now, version := w.now(), 0
	switch {
	case w.record.fault(down, nil, now):
		return nil, errors.New("connection refused")
	case w.record.fault(fails, nil, now), s != nil && (w.record.fault(full, nil, now) || w.record.fault(failsForOne, s, now)):
		return answered(r, 500, nil, "{}"), nil
	case s != nil && w.record.fault(silentForOne, s, now):
		return answered(r, 200, nil, ""), nil
	case s == nil, len(s.turns)%2 == 0, s.isJWT() && now+w.skew >= s.expires:
		return answered(r, 200, refusedSession(), ""), nil
	default:
		version = len(s.user.versions) - 1
	}
	header := sessionOf(s.user.id)
	header["X-Authgear-User-Roles"] = []string{fmt.Sprint("v", version)}
	header["X-Authgear-Session-Authenticated-At"] = []string{fmt.Sprint(authenticatedAt(version))}
	return answered(r, 200, header, ""), nil
}

// authenticatedAt is what Authgear tells for a version.
func authenticatedAt(version int) int64 { return 946_684_000 + int64(version) }

// historyKeys are made once.
var historyKeys = sync.OnceValue(func() (keys []*signer) {
	var t testing.T
	for _, kid := range []string{"old", "new"} {
		s := newSigner(&t, kid)
		keys = append(keys, &s)
	}
	return keys
})

var historyTokens sync.Map

// historyToken signs each token once: time begins anew in each history.
func historyToken(key *signer, user string, n int, issued time.Time) string {
	name := fmt.Sprint(key.kid, user, n, issued.Unix())
	if token, ok := historyTokens.Load(name); ok {
		return token.(string)
	}
	var t testing.T
	token := key.token(&t, user, m{"iat": issued.Unix(), "exp": issued.Add(lifetime).Unix(), "jti": name, aUser + "roles": []string{"token"}})
	historyTokens.Store(name, token)
	return token
}
