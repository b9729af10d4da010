package guard

import (
	"iter"
	"slices"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// record shows a request to an authenticator and keeps what the authenticator
// reads. If another request, or the same one later, has the same values there,
// the authenticator would find the same.
//
// Each of the arrays saves an allocation for the usual credentials.
type record struct {
	request authgear.Request

	headers            []readHeader
	names              []string // nil: not asked for
	method, host, peer asked

	headerSpace [2]readHeader
	valueSpace  [2]string
	valuesUsed  int
}

type readHeader struct {
	name   string
	values []string // a copy, since a header can be changed in place
}

// asked is a value that the authenticator may have asked for.
type asked struct {
	value string
	asked bool
}

func (a *asked) keep(value string) string {
	*a = asked{value, true}
	return value
}

func (a *asked) holds(value func() string) bool { return !a.asked || a.value == value() }

func (r *record) Method() string     { return r.method.keep(r.request.Method()) }
func (r *record) Host() string       { return r.host.keep(r.request.Host()) }
func (r *record) RemoteAddr() string { return r.peer.keep(r.request.RemoteAddr()) }

func (r *record) Values(name string) []string {
	values := r.request.Values(name)
	if slices.ContainsFunc(r.headers, func(h readHeader) bool { return h.name == name }) {
		return values
	}
	if r.headers == nil {
		r.headers = r.headerSpace[:0]
	}
	space := r.valueSpace[r.valuesUsed:r.valuesUsed]
	if len(values) <= cap(space) {
		r.valuesUsed += len(values)
	}
	r.headers = append(r.headers, readHeader{name, append(space, values...)})
	return values
}

func (r *record) Names() iter.Seq[string] {
	r.names = names(r.request)
	return r.request.Names()
}

// names returns the set of header names; it is never nil.
func names(r authgear.Request) []string {
	set := slices.AppendSeq([]string{}, r.Names())
	slices.Sort(set)
	return slices.Compact(set)
}

// holds reports whether a request has the values that were read. With stripped
// it is the very request that the guard has handed on, from which the identity
// headers were removed.
func (r *record) holds(request authgear.Request, stripped bool) bool {
	for _, h := range r.headers {
		read := h.values
		if stripped && IsIdentityHeader(h.name) {
			read = nil
		}
		if !slices.Equal(request.Values(h.name), read) {
			return false
		}
	}
	if r.names != nil {
		read := r.names
		if stripped {
			read = slices.DeleteFunc(slices.Clone(read), IsIdentityHeader)
		}
		if !slices.Equal(names(request), read) {
			return false
		}
	}
	return r.method.holds(request.Method) && r.host.holds(request.Host) && r.peer.holds(request.RemoteAddr)
}
