package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	authgear "github.com/authgear/authgear-sdk-go/core"
	redisstore "github.com/authgear/authgear-sdk-go/stores/redis"
)

func TestMain(m *testing.M) {
	logging.Disable() // go-redis would log each connection that fails
	code := m.Run()
	if code == 0 {
		code = leaks()
	}
	os.Exit(code)
}

// leaks returns 1 if goroutines still run after ten seconds. goleak itself waits for less
// than one second.
func leaks() int {
	end := time.Now().Add(10 * time.Second)
	for {
		err := goleak.Find()
		switch {
		case err == nil:
			return 0
		case time.Now().After(end):
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

// never is an interval so long that no test catches up.
const never = time.Hour

// process is the store of one of several processes.
type process struct {
	*redisstore.Store
	rdb redis.UniversalClient

	mu      sync.Mutex
	notices []string
}

// newProcess returns a process that takes no connection for dead just because the machine
// is busy.
func newProcess(t *testing.T, rdb redis.UniversalClient, interval time.Duration) *process {
	t.Helper()
	return newProcessWith(t, rdb, interval, waitLimit)
}

func newProcessWith(t *testing.T, rdb redis.UniversalClient, interval, silence time.Duration) *process {
	t.Helper()
	p := &process{rdb: rdb}
	p.Store = redisstore.NewStore(rdb, interval, silence, redisstore.Config{Observer: p.observer()})
	return p
}

func (p *process) observer() *authgear.Observer {
	return &authgear.Observer{Notice: func(_ context.Context, n authgear.Notice) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.notices = append(p.notices, fmt.Sprint(n.Kind, ": ", n.Err))
	}}
}

// processes returns n processes that all hear of each other.
func (s *server) processes(t *testing.T, n int, interval time.Duration) []*process {
	t.Helper()
	all := make([]*process, n)
	for i := range all {
		all[i] = newProcess(t, s.client(t, redis.Options{}), interval)
	}
	eventually(t, "all have subscribed", func() bool { return s.subscribers(t) == int64(n) })
	return all
}

// told returns the notices so far.
func (p *process) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.notices)
}

// toldOf expects exactly these notices, now or soon.
func (p *process) toldOf(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprint("notices ", want), func() bool { return len(p.told()) >= len(want) })
	p.alreadyToldOf(t, want...)
}

// alreadyToldOf expects exactly these notices now.
func (p *process) alreadyToldOf(t *testing.T, want ...string) {
	t.Helper()
	got := p.told()
	if !slices.EqualFunc(got, want, func(got, want string) bool {
		return strings.HasPrefix(got, "revocations") && strings.Contains(got, want) && !strings.Contains(got, "alice")
	}) {
		t.Errorf("notices %q, not %q", got, want)
	}
}

// lastToldOf expects this notice as the last one, now or soon. There may be others before
// it: each connection that is dead or slow may cause a notice.
func (p *process) lastToldOf(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the notice "+want, func() bool {
		told := p.told()
		return len(told) > 0 && strings.Contains(told[len(told)-1], want)
	})
}

// revoke allows more than a second, since the machine may be busy.
func (p *process) revoke(t *testing.T, user string, until time.Time) {
	t.Helper()
	if err := p.Revoke(t.Context(), user, until); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// revokeAlone revokes while Redis does not accept the change.
func (p *process) revokeAlone(t *testing.T, user string, until time.Time) {
	t.Helper()
	err := p.Revoke(t.Context(), user, until)
	if err == nil || !strings.HasPrefix(err.Error(), "redisstore: other processes may not have heard of it: ") || strings.Contains(err.Error(), user) {
		t.Errorf("the error is %v", err)
	}
	if c := p.Cutoff(user); !c.Tokens.Equal(until) {
		t.Errorf("this process itself does not know: %v", c)
	}
}

// hear expects that each process soon hears of the revocation.
func hear(t *testing.T, user string, until time.Time, all ...*process) {
	t.Helper()
	for i, p := range all {
		eventually(t, fmt.Sprintf("process %d hears of %s", i, user), func() bool { return p.Cutoff(user).Tokens.Equal(until) })
	}
}

// second returns a time in the past, in whole seconds like in Authgear's events.
func second(ago time.Duration) time.Time { return time.Now().Add(-ago).Truncate(time.Second) }

func TestStore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	all := s.processes(t, 3, never)
	at := second(time.Minute)
	before := time.Now()
	all[0].revoke(t, "alice", at)
	hear(t, "alice", at, all...)
	t.Logf("all have heard after %v", time.Since(before))
	if c := all[2].Cutoff("alice"); c.Answers.Before(before) {
		t.Errorf("answers until %v only", c.Answers)
	}
	noticed := all[2].Cutoff("alice").Answers
	all[1].revoke(t, "alice", at.Add(-time.Second)) // a late event, or one with a slow clock
	eventually(t, "answers before it do not count", func() bool { return all[2].Cutoff("alice").Answers.After(noticed) })
	noticed = all[2].Cutoff("alice").Answers
	all[1].revoke(t, "Böb \x00\xff 1", at.Add(500*time.Microsecond)) // Redis keeps milliseconds
	hear(t, "Böb \x00\xff 1", at.Add(time.Millisecond), all...)
	if c := all[2].Cutoff("alice"); !c.Tokens.Equal(at) || !c.Answers.Equal(noticed) {
		t.Errorf("after an older event %v", c)
	}
	if got := score(t, s, "alice"); got != at.UnixMilli() {
		t.Errorf("Redis has %d", got)
	}
	all[1].revoke(t, "alice", at) // a second event of the same second
	eventually(t, "answers before it do not count", func() bool { return all[2].Cutoff("alice").Answers.After(noticed) })

	if err := all[2].Forget(t.Context(), "carol"); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	own := all[2].Cutoff("carol")
	eventually(t, "carol is forgotten", func() bool { return !all[0].Cutoff("carol").Answers.IsZero() })
	all[0].revoke(t, "erin", at)
	hear(t, "erin", at, all[2])
	if c := all[2].Cutoff("carol"); c != own {
		t.Error("a process takes its own message for another's")
	}
	if c := all[0].Cutoff("carol"); !c.Tokens.IsZero() {
		t.Errorf("carol's tokens end: %v", c)
	}
	if c := all[0].Cutoff("dave"); c != (authgear.Cutoff{}) {
		t.Errorf("nothing was noted of dave, but %v", c)
	}

	late := newProcess(t, s.client(t, redis.Options{}), never)
	hear(t, "alice", at, late)
	for _, p := range append(all, late) {
		p.toldOf(t)
	}
}

// Redis forgets users whose tokens have expired, and the key when nobody is left.
func TestStoreForgets(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.processes(t, 1, never)[0]
	p.revoke(t, "old", second(26*time.Hour))
	p.revoke(t, "alice", second(23*time.Hour))
	eventually(t, "alice alone is kept", func() bool {
		return score(t, s, "alice") != 0 && s.do(t, "ZCARD", "authgear:revocations") == int64(1)
	})
	if got := s.do(t, "TTL", "authgear:revocations").(int64); got > 25*3600 || got < 24*3600 {
		t.Errorf("the key lives for %d s", got)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	at := second(time.Minute)
	own := redisstore.New(s.client(t, redis.Options{}), redisstore.Config{Prefix: "{shop}:", TokenLifetime: time.Hour})
	if err := own.Revoke(t.Context(), "alice", at); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	eventually(t, "the key has the prefix", func() bool { return fmt.Sprint(s.do(t, "KEYS", "*")) == "[{shop}:revocations]" })
	if got := s.do(t, "TTL", "{shop}:revocations").(int64); got > 2*3600 {
		t.Errorf("the key lives for %d s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("New(nil) does not panic")
		}
	}()
	redisstore.New(nil)
}

// If other programs have written into Redis, it does no harm.
func TestMalformed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.do(t, "ZADD", "authgear:revocations", "inf", "alice", "-5", "bob", "1.5", "carol", "1e300", "dave")
	p := s.processes(t, 1, never)[0]
	at := second(time.Minute)
	for _, text := range []string{"", "1", "1 x", "x x alice", "-1e3 x alice", "99999999999999999 x alice", "1e3 x alice"} {
		s.do(t, "PUBLISH", "authgear:revocations", text)
	}
	s.do(t, "PUBLISH", "authgear:revocations", fmt.Sprintf("%d x erin", at.UnixMilli()))
	hear(t, "erin", at, p)
	const malformed = "a message on the channel of revocations has another form"
	p.toldOf(t, slices.Repeat([]string{malformed}, 7)...)
	for _, user := range []string{"alice", "bob", "carol", "dave"} {
		if c := p.Cutoff(user); c != (authgear.Cutoff{}) {
			t.Errorf("%s: %v", user, c)
		}
	}
}

// After the client is closed no goroutine runs (TestMain checks it), and the store
// works without Redis.
func TestClosed(t *testing.T) {
	t.Parallel()
	p := newServer(t).processes(t, 1, never)[0]
	_ = p.rdb.Close()
	at := second(time.Minute)
	p.revokeAlone(t, "alice", at)
	eventually(t, "the error is ErrClosed", func() bool { return errors.Is(p.Revoke(t.Context(), "alice", at), redis.ErrClosed) })
	p.toldOf(t)
}
