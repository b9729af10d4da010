package claims

import (
	"math"
	"strconv"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/strictjson"
)

// MaxDate is in seconds: the year 5138. A greater number is a mistake, for example
// milliseconds, or is meant to overflow.
const MaxDate = 1e11

// date reads a NumericDate: seconds since 1970, as a JSON number that may have a
// fraction (RFC 7519 §2).
func date(r *strictjson.Reader) time.Time {
	number := r.Number()
	if number == nil {
		return time.Time{}
	}
	t, ok := parseDate(string(number))
	if !ok {
		r.Fail("is not a time between 0 and 1e11 seconds")
	}
	return t
}

// parseDate converts only numbers that are in range. Go does not define the conversion
// of a larger float to an integer: it could move a time to the past.
func parseDate(number string) (time.Time, bool) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), 0 < n && n < MaxDate
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !(0 < f && f < MaxDate) {
		return time.Time{}, false
	}
	seconds, fraction := math.Modf(f)
	return time.Unix(int64(seconds), int64(fraction*1e9)).UTC(), true
}
