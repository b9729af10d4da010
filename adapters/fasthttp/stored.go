package authgearfasthttp

import (
	"hash/maphash"
	"slices"
	"strings"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/authgear/authgear-sdk-go/core/guard"
)

// kept returns the value of a line as far as the store still has it: middleware
// may have removed the header, or one of the cookies. Of a header that it has set
// anew every line counts as it came: else one of two values, the last that was set,
// would pass for the only one, and a foreign Origin for none.
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

// hasCookie compares with the store, which leaves empty pairs out. It takes spaces
// off, and by fasthttp 1.78 tabs as well.
func (v *view) hasCookie(pair string) bool {
	for _, space := range []string{" ", " \t"} {
		name, value := cookie(pair, space)
		if name == "" && value == "" || v.inStore("="+name, value) {
			return true
		}
	}
	return false
}

// cookie returns a pair as the store has it, without those bytes around name and
// value. One without "=" is a value.
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

// isNeverStored reports a cookie that is not in the store although nobody has
// removed it: fasthttp 1.78 leaves out a value with a quote or a backslash inside.
// It counts as long as nothing beside it was removed, so that a good cookie of the
// same name does not take its place: it is no token and no session, and is refused
// as invalid. Whether middleware has removed just this one nobody can tell.
func isNeverStored(pair string) bool {
	_, value := cookie(pair, " \t")
	return leavesOut && strings.ContainsAny(value, `"\`)
}

var leavesOut = func() bool {
	var header fasthttp.RequestHeader
	header.Set(fasthttp.HeaderCookie, `name=\`)
	return len(header.Cookie("name")) == 0
}()

// isSet tells only whether a value is empty, which is how some middleware removes a
// header.
func isSet(value string) string {
	if value == "" {
		return ""
	}
	return "set"
}

// inStore reports whether the store has a header, or a cookie by its name with
// "=" before it. It goes through the store once, since a request can have
// thousands of both, and keeps hashes, which cost no copies.
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

// hash is of a header, whose name is matched case-insensitively, or of a cookie,
// whose name is not.
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
	_ = h.WriteByte(0) // which is in no name and no value that the guard accepts
	_, _ = h.WriteString(value)
	return h.Sum64()
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// unsafeString is for what keeps nothing: fasthttp uses the bytes again.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// isSpecial reports the headers that the store keeps in another form than they
// came. None of them says who sent the request.
func isSpecial(name string) bool {
	switch len(name) {
	case len(fasthttp.HeaderHost):
		return strings.EqualFold(name, fasthttp.HeaderHost)
	case len(fasthttp.HeaderTrailer):
		return strings.EqualFold(name, fasthttp.HeaderTrailer)
	case len(fasthttp.HeaderConnection): // and User-Agent
		return strings.EqualFold(name, fasthttp.HeaderConnection) || strings.EqualFold(name, fasthttp.HeaderUserAgent)
	default:
		return strings.EqualFold(name, fasthttp.HeaderContentType) || strings.EqualFold(name, fasthttp.HeaderContentLength) ||
			strings.EqualFold(name, fasthttp.HeaderTransferEncoding)
	}
}
