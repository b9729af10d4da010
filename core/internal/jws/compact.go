package jws

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unsafe"
)

// encoding is base64url (RFC 4648 §5) without padding (RFC 7515 §2) and in its
// canonical form: Strict refuses a last character with unused bits that are not zero
// (RFC 4648 §3.5). Otherwise one signature would have many spellings, and a
// comparison of tokens as text would take them for different tokens.
var encoding = base64.RawURLEncoding.Strict()

// dots are the positions of the two dots.
type dots struct{ first, second int }

// split finds the three parts. None may be empty, so a detached payload (RFC 7515
// appendix F) and an unsecured token (RFC 7519 §6) are refused.
func split(compact string) (dots, error) {
	// Go's decoder refuses every character outside the alphabet except these two. It
	// skips them even when it is strict.
	if strings.IndexByte(compact, '\r') >= 0 || strings.IndexByte(compact, '\n') >= 0 {
		return dots{}, fmt.Errorf("%w: it has a line break", ErrMalformed)
	}
	switch n := strings.Count(compact, "."); {
	case n == 0 && isBase64URL(compact):
		return dots{}, fmt.Errorf("%w: it has no dot", ErrOpaque)
	case n == 1:
		return dots{}, fmt.Errorf("%w: it has one dot, not two: was it cut off?", ErrMalformed)
	case n != 2:
		return dots{}, fmt.Errorf("%w: it has %d dots, not two", ErrMalformed, n)
	}
	d := dots{strings.IndexByte(compact, '.'), strings.LastIndexByte(compact, '.')}
	if d.first == 0 || d.second == d.first+1 || d.second == len(compact)-1 {
		return dots{}, fmt.Errorf("%w: it has an empty part", ErrMalformed)
	}
	return d, nil
}

// isBase64URL tells an opaque token from text that is not a token.
func isBase64URL(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// appendPart decodes a part and appends it to b.
func appendPart(b []byte, part, name string) ([]byte, error) {
	b, err := encoding.AppendDecode(b, unsafe.Slice(unsafe.StringData(part), len(part))) // AppendDecode only reads it
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not canonical base64url", ErrMalformed, name)
	}
	return b, nil
}
