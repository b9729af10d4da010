package authgear_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/racetest"
)

var (
	histories = flag.Int("histories", 0, "how many random histories are played; 0: as many as take some seconds")
	history   = flag.Uint64("history", 0, "the seed of one history that is played and told")
)

// plan is a random history before it is played: a configuration, and what happens.
type plan struct {
	seed      uint64
	config    authgear.HybridConfig
	processes int
	shared    bool          // the processes tell each other of events
	skew      time.Duration // how much later it is by Authgear's clock
	steps     []step
	told      bool
}

// step is something that happens, after a while. It makes its choices by a seed of its
// own, so that they stay the same when other steps are left out.
type step struct {
	wait time.Duration
	kind int // of stepKinds; -1: nothing
	seed uint64
}

func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 0))
	p := plan{seed: seed, processes: 1 + r.IntN(3), shared: r.IntN(2) == 0}
	p.skew = pick(r, 0, 8*time.Second, -8*time.Second)
	p.config.Freshness = pick(r, time.Second, 5*time.Second, 10*time.Second)
	p.config.MaxStale = max(p.config.Freshness, pick(r, 5*time.Second, 30*time.Second, 2*time.Minute))
	p.config.InsecureJWTFallback = r.IntN(2) == 0
	p.config.CacheSize = pick(r, 0, 0, -1, 2)
	p.config.TokenCookie = "token"
	for range 40 {
		longest := pick(r, 20*time.Millisecond, time.Second, time.Second, 5*time.Second, 5*time.Second, p.config.MaxStale, 2*time.Minute)
		p.steps = append(p.steps, step{1 + upTo(r, longest), stepKind(r), r.Uint64()})
	}
	return p
}

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// play returns what broke a rule, nil when nothing did.
func play(t *testing.T, p plan, b *breakage) (found *violation, lines []line) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(p, b)
		for _, s := range p.steps {
			time.Sleep(s.wait)
			if s.kind >= 0 {
				stepKinds[s.kind].do(w, rand.New(rand.NewPCG(s.seed, 0)))
			}
		}
		w.busy.Wait()
		time.Sleep(10 * time.Second) // what goes on in the background ends
		w.mu.Lock()
		defer w.mu.Unlock()
		m := &model{p, w.record}
		found, lines = m.check(), w.record.lines
	})
	return found, lines
}

// TestHistories plays random histories: users, sessions, events, faults and requests of
// several processes, on a clock of their own. No answer may break the rules of the model.
func TestHistories(t *testing.T) {
	t.Parallel()
	if *history > 0 {
		if text := tell(t, newPlan(*history), nil); text != "" {
			t.Fatal(text)
		}
		return
	}
	n := *histories
	switch {
	case n > 0:
	case racetest.Enabled:
		n = 300
	default:
		n = 10_000
	}
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			for seed := 1 + worker; seed <= n; seed += workers {
				p := newPlan(uint64(seed))
				if found, _ := play(t, p, nil); found != nil {
					t.Fatalf("%s\n%s", found.text, tell(t, p, nil))
				}
			}
		})
	}
}

// tell plays a history again, without what is not needed for the violation, and returns
// what happens in it. The SDK spreads its calls at random, so playing once may not be
// enough.
func tell(t *testing.T, p plan, b *breakage) string {
	t.Helper()
	const times = 20
	fails := func(p plan) (*violation, []line) {
		for range times {
			if found, lines := play(t, p, b); found != nil {
				return found, lines
			}
		}
		return nil, nil
	}
	p.told = true
	found, lines := fails(p)
	if found == nil {
		return ""
	}
	for i := len(p.steps) - 1; i >= 0; i-- {
		shorter := p
		shorter.steps = slices.Clone(p.steps)
		shorter.steps[i].kind = -1
		if f, l := fails(shorter); f != nil {
			p, found, lines = shorter, f, l
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "go test ./core -run TestHistories -history=%d\n", p.seed)
	fmt.Fprintf(&text, "Freshness %v, MaxStale %v, fallback %v, cache %d, %d processes, shared %v, skew %v\n", p.config.Freshness, p.config.MaxStale, p.config.InsecureJWTFallback, p.config.CacheSize, p.processes, p.shared, p.skew)
	for _, l := range lines {
		if l.at <= found.at {
			fmt.Fprintf(&text, "%12v %s\n", l.at, l.text)
		}
	}
	fmt.Fprintf(&text, "%12v VIOLATION %s\n", found.at, found.text)
	return text.String()
}

func upTo(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
