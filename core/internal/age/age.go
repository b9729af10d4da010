// Package age measures how long ago something was learnt from elsewhere.
package age

import "time"

// Of returns the age of t.
func Of(t time.Time) time.Duration { return At(time.Now(), t) }

// At returns the age of t at now. It takes the greater of what the monotonic clock and
// the wall clock say: the first stops while a machine sleeps, the second can be set back.
func At(now, t time.Time) time.Duration {
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}
