package claims

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Packed is the payload of one token in little memory, for a cache. Authgear's names,
// times and flags take a few bytes each, and white space is left out. Nothing that the
// payload says is lost.
//
// It begins with the byte packed. For each member there follow one byte for its name and
// form, the name itself if it is not in names, and the value.
type Packed string

// packed is the first byte of a Packed. No JSON text begins with it.
const packed = 0xff

// form is how a value is written.
type form byte

const (
	asJSON   form = iota // the length of the JSON text, and the text
	asTrue               // no further bytes
	asFalse              // no further bytes
	asNumber             // five bytes: a whole number of at most twelve digits
	asString             // the length of the text between the quotes, and the text; it has no escapes
	asList               // the length of the whole list, and each string as in asString

	formBits = 3
)

const (
	// maxLength is the longest value or name that is packed.
	maxLength = 1<<14 - 1
	// maxStrings bounds the time that Claims takes.
	maxStrings = 1024
)

// appendMember appends a member to b. ok is false when the member is too long.
func appendMember(b []byte, name name, text, value string) (_ []byte, ok bool) {
	if len(text) > maxLength || len(value) > maxLength {
		return b, false
	}
	form, whole := formOf(name, value)
	b = append(b, byte(name)<<formBits|byte(form))
	if name == other {
		b = appendText(b, text)
	}
	switch form {
	case asJSON:
		b = appendText(b, value)
	case asString:
		b = appendText(b, value[1:len(value)-1])
	case asList:
		b = appendList(b, value)
	case asNumber:
		b = append(b, byte(whole>>32), byte(whole>>24), byte(whole>>16), byte(whole>>8), byte(whole))
	}
	return b, true
}

func formOf(name name, value string) (_ form, whole int64) {
	switch {
	case value == "true":
		return asTrue, 0
	case value == "false":
		return asFalse, 0
	case value[0] == '"' && strings.IndexByte(value, '\\') < 0:
		return asString, 0
	case value[0] == '[' && (name == aud || name == amr || name == roles) && strings.IndexByte(value, '\\') < 0:
		return asList, 0 // these claims have only strings
	case len(value) > 12 || value[0] < '0' || value[0] > '9':
		return asJSON, 0
	}
	whole, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return asJSON, 0
	}
	return asNumber, whole
}

func appendText(b []byte, text string) []byte {
	return append(appendLength(b, len(text)), text...)
}

// appendLength writes a length of at most maxLength in one or two bytes.
func appendLength(b []byte, n int) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	return append(b, byte(n)|0x80, byte(n>>7))
}

// appendList writes an array of strings without escapes. The result is no longer than
// the JSON text, in which each string has two quotes.
func appendList(b []byte, array string) []byte {
	start := len(b)
	_, array, found := strings.Cut(array, `"`)
	for found {
		var element string
		element, array, _ = strings.Cut(array, `"`)
		b = appendText(b, element)
		_, array, found = strings.Cut(array, `"`)
	}
	var length [2]byte
	return slices.Insert(b, start, appendLength(length[:0], len(b)-start)...)
}

func cutText(p Packed) (text string, rest Packed) {
	n := int(p[0])
	p = p[1:]
	if n >= 0x80 {
		n = n&0x7f | int(p[0])<<7
		p = p[1:]
	}
	return string(p[:n]), p[n:]
}

// member is one member of a payload.
type member struct {
	name  name
	other string // the name, if it is not a known one
	form  form
	text  string // when the form is asJSON, asString or asList
	whole int64  // when the form is asNumber
}

func cutMember(p Packed) (m member, rest Packed) {
	m.name, m.form = name(p[0]>>formBits), form(p[0]&(1<<formBits-1))
	p = p[1:]
	if m.name == other {
		m.other, p = cutText(p)
	}
	switch m.form {
	case asJSON, asString, asList:
		m.text, p = cutText(p)
	case asNumber:
		m.whole = int64(p[0])<<32 | int64(p[1])<<24 | int64(p[2])<<16 | int64(p[3])<<8 | int64(p[4])
		p = p[5:]
	}
	return m, p
}

// Payload returns the JSON object of a payload that may be packed.
func Payload(payload string) string {
	if payload == "" || payload[0] != packed {
		return payload
	}
	b := []byte{'{'}
	for p := Packed(payload[1:]); p != ""; {
		var m member
		m, p = cutMember(p)
		if len(b) > 1 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, names[m.name]+m.other) // the name comes from JSON, so it is valid UTF-8
		b = append(b, ':')
		switch m.form {
		case asJSON:
			b = append(b, m.text...)
		case asString:
			b = append(append(append(b, '"'), m.text...), '"')
		case asList:
			b = append(b, '[')
			for i, s := range m.appendStrings(nil) {
				if i > 0 {
					b = append(b, ',')
				}
				b = append(append(append(b, '"'), s...), '"')
			}
			b = append(b, ']')
		case asTrue:
			b = append(b, "true"...)
		case asFalse:
			b = append(b, "false"...)
		case asNumber:
			b = strconv.AppendInt(b, m.whole, 10)
		}
	}
	return string(append(b, '}'))
}

// Claims returns the claims that [Parse] has read from the payload. The lists belong to
// the caller. They are in the spare capacity of all, as far as that is enough.
func (p Packed) Claims(all []string) Claims {
	c := Claims{Anonymous: true}
	for p = p[1:]; p != ""; {
		var m member
		m, p = cutMember(p)
		before := len(all)
		switch m.name {
		case iss, sub, clientID, jti:
			*c.text(m.name) = m.string()
		case exp, nbf, iat, authTime:
			*c.date(m.name) = m.date()
		case isAnonymous, isVerified, canReauthenticate:
			*c.flag(m.name) = m.form == asTrue
		case scope:
			all = appendScopes(all, m.string())
			c.Scopes = from(all, before)
		case aud, amr, roles:
			all = m.appendStrings(all)
			*c.list(m.name) = from(all, before)
		}
		c.stated(m.name)
	}
	return c
}

func (m *member) date() time.Time {
	if m.form == asNumber {
		return time.Unix(m.whole, 0).UTC()
	}
	t, _ := parseDate(m.text)
	return t
}

// string returns the value of a member that is a string.
func (m *member) string() string {
	if m.form == asString {
		return m.text
	}
	return unquote(m.text)
}

// appendStrings appends the member's string, or the elements of its array of strings.
func (m *member) appendStrings(list []string) []string {
	switch m.form {
	case asString:
		return append(list, m.text)
	case asList:
		for p := Packed(m.text); p != ""; {
			var s string
			s, p = cutText(p)
			list = append(list, s)
		}
		return list
	}
	text := m.text
	for {
		start := strings.IndexByte(text, '"')
		if start < 0 {
			return list
		}
		end := start + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		list = append(list, unquote(text[start:end+1]))
		text = text[end+1:]
	}
}

// unquote returns the string that a JSON string stands for.
func unquote(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1]
	}
	b, _ := jsontext.AppendUnquote(nil, text) // no error: the text was parsed before
	return string(b)
}

// appendScopes appends the scopes, which are separated by spaces (RFC 8693 §4.2,
// RFC 6749 §3.3).
func appendScopes(list []string, scopes string) []string {
	for scope := range strings.SplitSeq(scopes, " ") {
		if scope != "" {
			list = append(list, scope)
		}
	}
	return list
}

// from returns the part of list from start on, or nil when that is empty. An append to
// it cannot overwrite the list that follows.
func from(list []string, start int) []string {
	if start == len(list) {
		return nil
	}
	return list[start:len(list):len(list)]
}
