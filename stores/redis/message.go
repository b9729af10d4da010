package redisstore

import (
	"strconv"
	"strings"
)

// message is what the store publishes: the time in ms until which tokens do not count,
// the sender, and the user, who is the rest and may have any form.
func (s *Store) message(userID string, until int64) string {
	return strconv.FormatInt(until, 10) + " " + s.sender + " " + userID
}

func parseMessage(text string) (sender, userID string, until int64, ok bool) {
	at, rest, _ := strings.Cut(text, " ")
	sender, userID, ok = strings.Cut(rest, " ")
	until, err := strconv.ParseInt(at, 10, 64)
	return sender, userID, until, ok && err == nil && (until == 0 || isTime(float64(until)))
}
