// Package age measures how old something is that was learnt from elsewhere.
package age

import "time"

// Of returns the age of t.
func Of(t time.Time) time.Duration { return At(time.Now(), t) }

// At returns the age that t has now: the greater of what the two clocks say, since the
// monotonic one stops while a machine sleeps and the other can be set back.
func At(now, t time.Time) time.Duration {
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}
