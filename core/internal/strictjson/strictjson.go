// Package strictjson reads one JSON object, member by member. It accepts only text that
// every JSON reader understands in the same way: valid UTF-8, exact and
// unique member names at every depth, nothing after the object
// (RFC 7515 §4 and §10.12, RFC 7519 §4, RFC 8725 §3.7, RFC 7493 §2).
//
// The JSON library checks these rules. This package adds limits, since the text comes
// from strangers, and short errors that are safe in a log.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// Limits say how much an object may hold.
type Limits struct {
	Depth    int // of objects and arrays; the outermost object is at depth 1
	Members  int // of all objects together
	Elements int // of all arrays together
}

// Reader is at the value of one member. One call of one method has to read the value. The
// first error ends the reading.
type Reader struct {
	text    string       // the text that is read
	source  bytes.Buffer // a copy of the text: the decoder needs no second copy of a bytes.Buffer
	decoder *jsontext.Decoder
	member  func(*Reader)
	left    Limits
	name    string
	named   int // where the name ends in the text
	err     error
}

// readers are reused, since their buffers and tables of names cost more than the reading.
// No string that a reader returns shares memory with them.
var readers = sync.Pool{New: func() any {
	r := &Reader{}
	r.decoder = jsontext.NewDecoder(&r.source)
	return r
}}

// Read reads the object in text and calls member for each of its members, in order. What
// was read counts only if Read returns no error.
func Read(text string, limits Limits, member func(*Reader)) error {
	r := readers.Get().(*Reader)
	r.source.Reset()
	_, _ = r.source.WriteString(text)
	r.decoder.Reset(&r.source)
	r.text, r.member, r.left = text, member, limits
	r.object()
	r.end()
	err := r.err
	r.text, r.member, r.name, r.err = "", nil, "", nil
	readers.Put(r)
	return err
}

// Name returns the name of the member, unescaped.
func (r *Reader) Name() string { return r.name }

// Value returns the value that was read last, as it is in the text.
func (r *Reader) Value() string {
	return strings.TrimLeft(r.text[r.named:r.decoder.InputOffset()], ": \t\r\n")
}

// Failed reports whether there was an error.
func (r *Reader) Failed() bool { return r.err != nil }

// Fail records that the member is wrong, unless there is an error already.
// The reason continues a sentence that begins with the member's name.
func (r *Reader) Fail(reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s %s", quote.Quote(r.name), reason)
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

// end refuses text after the object.
func (r *Reader) end() {
	if r.err != nil {
		return
	}
	switch _, err := r.decoder.ReadToken(); {
	case err == nil:
		r.err = errors.New("not strict JSON: something follows the object")
	case !errors.Is(err, io.EOF):
		r.syntax(err)
	}
}

func (r *Reader) readName() bool {
	r.name = r.string() // RFC 7515 §5.3: names are compared after unescaping
	r.named = int(r.decoder.InputOffset())
	return r.err == nil
}

// string reads a value that is known to be a string. The result is a part of the text if
// the string has no escapes.
func (r *Reader) string() string {
	raw, err := r.decoder.ReadValue()
	if err != nil {
		r.syntax(err)
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		end := int(r.decoder.InputOffset())
		return r.text[end-len(raw)+1 : end-1]
	}
	unescaped, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		r.syntax(err)
		return ""
	}
	return string(unescaped)
}

// token reads one token.
func (r *Reader) token() jsontext.Token {
	token, err := r.decoder.ReadToken()
	if err != nil {
		r.syntax(err)
	}
	return token
}

// take subtracts one from left, or fails when nothing is left.
func (r *Reader) take(left *int, what string) bool {
	if *left <= 0 {
		r.err = fmt.Errorf("over the limit of %s", what)
		return false
	}
	*left--
	return true
}

// syntax records an error of the library. It quotes and cuts the error's text, which may
// hold member names of any length that a stranger chose.
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
