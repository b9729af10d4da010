package authgearfasthttp

import (
	"hash/maphash"
	"slices"
	"strings"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// kept returns the part of a line's value that the store still has: middleware may have
// removed the header, or one of the cookies. If middleware has set a header anew, every
// line of it still counts as it was received. Otherwise the value that was set last
// would hide a second value, and an emptied Origin would hide a foreign one.
func (v *view) kept(line guard.Line) (value string, ok bool) {
	switch {
	case isSpecial(line.Name):
		return line.Value, true
	case !strings.EqualFold(line.Name, fasthttp.HeaderCookie):
		return line.Value, v.inStore(line.Name, isSet(line.Value))
	}
	var removed bool
	for pair := range strings.SplitSeq(line.Value, ";") {
		removed = removed || !v.hasCookie(pair) && !isNeverStored(pair)
	}
	if !removed {
		return line.Value, true
	}
	var cookies []string
	for pair := range strings.SplitSeq(line.Value, ";") {
		if v.hasCookie(pair) {
			cookies = append(cookies, pair)
		}
	}
	return strings.Join(cookies, ";"), cookies != nil
}

// hasCookie reports whether the store has the pair. The store leaves out empty pairs.
// It trims spaces, and with fasthttp 1.78 tabs as well.
func (v *view) hasCookie(pair string) bool {
	for _, space := range []string{" ", " \t"} {
		name, value := cookie(pair, space)
		if name == "" && value == "" || v.inStore("="+name, value) {
			return true
		}
	}
	return false
}

// cookie returns a pair as the store has it, without the bytes of space around name and
// value. A pair without "=" is a value.
func cookie(pair, space string) (name, value string) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		name, value = "", name
	}
	name, value = strings.Trim(name, space), strings.Trim(value, space)
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return name, value
}

// isNeverStored reports a cookie that is not in the store although nobody has removed
// it: fasthttp 1.78 leaves out a value with a quote or a backslash inside. Such a
// cookie counts as long as no other cookie was removed. Otherwise a good cookie of the
// same name would take its place. It can be neither a token nor a session, so it is
// refused as invalid. Nobody can tell whether middleware has removed just this cookie.
func isNeverStored(pair string) bool {
	_, value := cookie(pair, " \t")
	return leavesOut && strings.ContainsAny(value, `"\`)
}

var leavesOut = func() bool {
	var header fasthttp.RequestHeader
	header.Set(fasthttp.HeaderCookie, `name=\`)
	return len(header.Cookie("name")) == 0
}()

// isSet tells only whether a value is empty: some middleware removes a header by
// setting it to nothing.
func isSet(value string) string {
	if value == "" {
		return ""
	}
	return "set"
}

// inStore reports whether the store has a header or a cookie. For a cookie, "=" stands
// before its name. inStore reads the store only once, since a request can have
// thousands of headers and cookies. It keeps hashes, which need no copies.
func (v *view) inStore(name, value string) bool {
	if v.stored == nil {
		header := &v.c.Request.Header
		v.stored = make([]uint64, 0, 32)
		for name, value := range header.All() {
			v.stored = append(v.stored, hash("", unsafeString(name), isSet(unsafeString(value))))
		}
		for name, value := range header.Cookies() {
			v.stored = append(v.stored, hash("=", unsafeString(name), unsafeString(value)))
		}
		slices.Sort(v.stored)
	}
	_, ok := slices.BinarySearch(v.stored, hash("", name, value))
	return ok
}

var seed = maphash.MakeSeed()

// hash returns the hash of a header or a cookie. The case of letters does not matter in
// the name of a header, but in the name of a cookie it does.
func hash(prefix, name, value string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_, _ = h.WriteString(prefix)
	if prefix == "" && !strings.HasPrefix(name, "=") {
		for i := range len(name) {
			_ = h.WriteByte(lower(name[i]))
		}
	} else {
		_, _ = h.WriteString(name)
	}
	_ = h.WriteByte(0) // no name and no value that the guard accepts has this byte
	_, _ = h.WriteString(value)
	return h.Sum64()
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// unsafeString returns a string that must not be kept, since fasthttp reuses the bytes.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// isSpecial reports headers that the store changes. None of them says who sent the
// request.
func isSpecial(name string) bool {
	switch len(name) {
	case len(fasthttp.HeaderHost):
		return strings.EqualFold(name, fasthttp.HeaderHost)
	case len(fasthttp.HeaderTrailer):
		return strings.EqualFold(name, fasthttp.HeaderTrailer)
	case len(fasthttp.HeaderConnection): // and of User-Agent
		return strings.EqualFold(name, fasthttp.HeaderConnection) || strings.EqualFold(name, fasthttp.HeaderUserAgent)
	default:
		return strings.EqualFold(name, fasthttp.HeaderContentType) || strings.EqualFold(name, fasthttp.HeaderContentLength) ||
			strings.EqualFold(name, fasthttp.HeaderTransferEncoding)
	}
}
