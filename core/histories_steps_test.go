package authgear_test

import (
	"math/rand/v2"
	"slices"
	"time"
)

// stepKinds are what can happen, each as often as its weight says.
var stepKinds = []struct {
	weight int
	do     func(*world, *rand.Rand)
}{
	{30, (*world).request},
	{6, (*world).visit},
	{3, (*world).signInAgain},
	{4, (*world).endUser},
	{4, (*world).endSession},
	{4, (*world).changeRoles},
	{2, (*world).reauthenticate},
	{1, (*world).resetPassword},
	{2, (*world).suspend},
	{1, (*world).rotateKeys},
	{6, (*world).fail},
	{1, (*world).restartOne},
	{1, (*world).sleep},
}

func stepKind(r *rand.Rand) int {
	all := 0
	for _, kind := range stepKinds {
		all += kind.weight
	}
	n := r.IntN(all)
	return slices.IndexFunc(stepKinds, func(kind struct {
		weight int
		do     func(*world, *rand.Rand)
	}) bool {
		n -= kind.weight
		return n < 0
	})
}

func (w *world) request(r *rand.Rand) {
	w.ask(pick(r, w.processes...), pick(r, w.sessions...), r.IntN(8) == 0, r.IntN(8) == 0, pick(r, time.Minute, time.Minute, time.Minute, upTo(r, time.Second)))
}

// visit is somebody who makes requests to one process for a while.
func (w *world) visit(r *rand.Rand) {
	p, s, every := pick(r, w.processes...), pick(r, w.sessions...), pick(r, time.Second, w.config.Freshness*2/3, w.config.Freshness*11/10)
	w.busy.Go(func() {
		for range 8 {
			w.ask(p, s, false, false, time.Minute)
			time.Sleep(every + upTo(r, time.Second))
		}
	})
}

func (w *world) signInAgain(r *rand.Rand) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.signIn(pick(r, w.users...), r.IntN(4))
	w.note("%s begins", w.sessions[len(w.sessions)-1].name)
}

// endUser is a user who is disabled, deleted or anonymized. Enabled again, one has to
// sign in anew.
func (w *world) endUser(r *rand.Rand) {
	u := pick(r, w.users...)
	w.end(func(s *session) bool { return s.user == u })
	w.tell(r, event{u, w.now(), true}, pick(r, "is disabled", "is deleted", "is anonymized"))
}

// endSession is a sign-out or a revoked session, of which Authgear tells nobody.
func (w *world) endSession(r *rand.Rand) {
	ended := pick(r, w.sessions...)
	w.end(func(s *session) bool { return s == ended })
	w.say(ended.name + " ends")
}

// changeRoles is told to nobody, either.
func (w *world) changeRoles(r *rand.Rand) {
	w.say(w.newVersion(pick(r, w.users...)).id + "'s roles change")
}

func (w *world) reauthenticate(r *rand.Rand) {
	u := w.newVersion(pick(r, w.users...))
	w.tell(r, event{u, w.now(), false}, "reauthenticates")
}

func (w *world) newVersion(u *person) *person {
	w.mu.Lock()
	defer w.mu.Unlock()
	u.versions = append(u.versions, w.now())
	return u
}

// resetPassword has no effect on sessions.
func (w *world) resetPassword(r *rand.Rand) { w.say(pick(r, w.users...).id + "'s password is reset") }

// suspend is an account's valid-until that passes, or is set to later.
func (w *world) suspend(r *rand.Rand) {
	u := pick(r, w.users...)
	w.change(func() { u.suspended = !u.suspended })
	w.say(u.id + "'s account has ended, or has no end again")
}

// rotateKeys removes the first key at once.
func (w *world) rotateKeys(*rand.Rand) {
	if w.keys[0] == historyKeys()[1] {
		return
	}
	w.mu.Lock()
	w.keys, w.record.rotated = historyKeys()[1:], w.now()
	w.mu.Unlock()
	w.end(func(s *session) bool { return s.key == historyKeys()[0] })
	w.say("the signing key is replaced")
}

// fail is Authgear that fails for a while.
func (w *world) fail(r *rand.Rand) {
	f := fault{pick(r, down, fails, slow, full, failsForOne, silentForOne, keysDown), nil, w.now(), w.now() + pick(r, time.Second, 10*time.Second, time.Minute, 10*time.Minute)}
	text := string(f.trouble)
	if f.trouble == failsForOne || f.trouble == silentForOne {
		f.session = pick(r, w.sessions...)
		text += " " + f.session.name
	}
	w.mu.Lock()
	w.record.faults = append(w.record.faults, f)
	w.mu.Unlock()
	w.say(text + " until " + f.to.String())
}

func (w *world) restartOne(r *rand.Rand) {
	i := r.IntN(len(w.processes))
	w.restart(i)
	w.say(w.processes[i].name + " restarts")
}

// sleep is a machine that is suspended, or nobody who comes.
func (w *world) sleep(r *rand.Rand) {
	time.Sleep(pick(r, 6*time.Minute, 11*time.Minute, 25*time.Hour))
}

func (w *world) say(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("%s", text)
}

// tell sends an event to one process: at once, or late and so in another order, not at
// all, or twice. With a shared store the other processes hear of it then, unless the
// store fails.
func (w *world) tell(r *rand.Rand, e event, text string) {
	w.say(e.user.id + " " + text)
	if r.IntN(4) == 0 {
		return // lost
	}
	for range 1 + r.IntN(5)/4 {
		to, delay := r.IntN(len(w.processes)), upTo(r, pick(r, 50*time.Millisecond, time.Second, 20*time.Second))
		works, spread := r.IntN(4) > 0, upTo(r, pick(r, 5*time.Millisecond, time.Second))
		w.busy.Go(func() {
			time.Sleep(delay)
			w.process(to).hear(e)
			if !w.shared || !works {
				return
			}
			w.mu.Lock()
			w.published = append(w.published, e)
			w.mu.Unlock()
			time.Sleep(spread)
			for i := range w.plan.processes {
				if i != to {
					w.process(i).hear(e)
				}
			}
		})
	}
}

func (w *world) process(i int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.processes[i]
}
