// Package strictjson reads one JSON object, member by member, and accepts only
// what every JSON reader understands in the same way: valid UTF-8, exact and
// unique member names at every depth, nothing after the object
// (RFC 7515 §4 and §10.12, RFC 7519 §4, RFC 8725 §3.7, RFC 7493 §2).
//
// The rules themselves are those of the JSON library. This package adds limits,
// since all that it reads comes from strangers, and short errors that are safe
// in a log.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// Limits say how much an object may hold.
type Limits struct {
	Depth    int // of objects and arrays; the outermost object is at depth 1
	Members  int // of all objects together
	Elements int // of all arrays together
}

// Reader is at the value of one member, which is to be read by one call of one
// method. The first error ends it all.
type Reader struct {
	decoder *jsontext.Decoder
	member  func(*Reader)
	left    Limits
	name    []byte
	buffer  [64]byte // for most names, without another allocation
	err     error
}

// Read reads the object in data and calls member for each of its members, in
// order. Until it returns without error, what was read means nothing. It leaves
// data as it is.
func Read(data []byte, limits Limits, member func(*Reader)) error {
	r := &Reader{member: member, left: limits}
	// By Unmarshal instead of a decoder of our own, since it reuses decoders and
	// their tables of names, which cost more than the reading.
	if err := json.Unmarshal(data, r); err != nil {
		r.syntax(err)
	}
	return r.err
}

// UnmarshalJSONFrom is how Unmarshal hands over its decoder.
func (r *Reader) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	r.decoder = decoder
	r.object()
	r.decoder = nil // not ours any longer
	return r.err
}

// Name returns the name of the member, unescaped. It is valid during the call.
func (r *Reader) Name() []byte { return r.name }

// Fail records that the member is wrong, unless there is an error already.
// The reason continues a sentence that begins with the member's name.
func (r *Reader) Fail(reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s %s", quote.Quote(string(r.name)), reason)
	}
}

func (r *Reader) object() {
	if kind := r.decoder.PeekKind(); kind != '{' && kind != 0 {
		r.err = fmt.Errorf("not an object but %s", describe(kind))
		return
	}
	if !r.take(&r.left.Depth, "depth") {
		return
	}
	r.token()
	for r.err == nil && r.decoder.PeekKind() != '}' {
		if r.take(&r.left.Members, "members") && r.readName() {
			r.member(r)
		}
	}
	if r.err == nil {
		r.token()
	}
}

// readName keeps the name in memory of the reader's own, because the decoder's
// is good for one call only, and a string for every name is not needed.
func (r *Reader) readName() bool {
	raw, err := r.decoder.ReadValue()
	if err != nil {
		r.syntax(err)
		return false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		r.name = append(r.buffer[:0], raw[1:len(raw)-1]...)
		return true
	}
	// RFC 7515 §5.3: names are compared after unescaping.
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		r.syntax(err)
		return false
	}
	r.name = append(r.buffer[:0], name...)
	return true
}

// token reads one token.
func (r *Reader) token() jsontext.Token {
	token, err := r.decoder.ReadToken()
	if err != nil {
		r.syntax(err)
	}
	return token
}

// take uses up one of what is left.
func (r *Reader) take(left *int, what string) bool {
	if *left <= 0 {
		r.err = fmt.Errorf("over the limit of %s", what)
		return false
	}
	*left--
	return true
}

// syntax records an error of the library. Its text may hold member names that a
// stranger chose, of any length.
func (r *Reader) syntax(err error) {
	if r.err != nil {
		return // the first error counts
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.err = errors.New("not strict JSON: ends too early")
		return
	}
	text := strings.TrimPrefix(err.Error(), "jsontext: ")
	r.err = fmt.Errorf("not strict JSON: %s", quote.Quote(text))
}
