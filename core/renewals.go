package authgear

import "sync"

const (
	// maxRenewals is how many answers are asked for in the background at once.
	maxRenewals = 256
	// maxUserRenewals is how many of them may be about one user's credentials. No
	// more calls about one user run at once, and a user whose calls are slow takes
	// no place from others.
	maxUserRenewals = 4
)

// renewals are the answers that are asked for in the background.
type renewals struct {
	mu    sync.Mutex
	all   int
	users map[string]int
}

// begin reports whether there is room for one more.
func (r *renewals) begin(user string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == maxRenewals || r.users[user] == maxUserRenewals {
		return false
	}
	if r.users == nil {
		r.users = make(map[string]int)
	}
	r.all++
	r.users[user]++
	return true
}

func (r *renewals) end(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	if r.users[user]--; r.users[user] == 0 {
		delete(r.users, user)
	}
}
