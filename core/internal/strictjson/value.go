package strictjson

import "github.com/go-json-experiment/json/jsontext"

// IsString reports whether the value to be read is a string.
func (r *Reader) IsString() bool { return r.err == nil && r.decoder.PeekKind() == '"' }

// IsArray reports whether the value to be read is an array.
func (r *Reader) IsArray() bool { return r.err == nil && r.decoder.PeekKind() == '[' }

// String reads a string.
func (r *Reader) String() string {
	if !r.expect('"', "is not a string") {
		return ""
	}
	return r.string()
}

// AppendStrings reads an array of strings and appends its elements to list.
func (r *Reader) AppendStrings(list []string) []string {
	if !r.expect('[', "is not an array of strings") {
		return list
	}
	r.token()
	for r.err == nil && r.decoder.PeekKind() != ']' {
		if !r.take(&r.left.Elements, "array elements") || !r.expect('"', "has an element that is not a string") {
			return list
		}
		list = append(list, r.string())
	}
	r.token()
	return list
}

// Bool reads true or false.
func (r *Reader) Bool() bool {
	value := r.err == nil && r.decoder.PeekKind() == 't'
	if value || r.expect('f', "is not true or false") {
		r.token() // fails when only the first letter is right
	}
	return value && r.err == nil
}

// Number reads a number and returns its text, which is valid until the next call. The
// caller decides about range and precision.
func (r *Reader) Number() []byte {
	if !r.expect('0', "is not a number") {
		return nil
	}
	raw, err := r.decoder.ReadValue()
	if err != nil {
		r.syntax(err)
		return nil
	}
	return raw
}

// Skip reads a value of any kind and checks its structure.
func (r *Reader) Skip() {
	if r.err != nil {
		return
	}
	switch r.decoder.PeekKind() {
	case '{':
		r.skipComposite('}', &r.left.Members, "members")
	case '[':
		r.skipComposite(']', &r.left.Elements, "array elements")
	default:
		r.skipScalar()
	}
}

// skipComposite reads to the end of an object or array. It recurses no deeper than the
// limit Depth.
func (r *Reader) skipComposite(end jsontext.Kind, left *int, what string) {
	if !r.take(&r.left.Depth, "depth") {
		return
	}
	r.token()
	for r.err == nil && r.decoder.PeekKind() != end {
		if !r.take(left, what) {
			return
		}
		if end == '}' {
			r.skipScalar() // the member's name
		}
		r.Skip()
	}
	if r.err == nil {
		r.token()
		r.left.Depth++
	}
}

func (r *Reader) skipScalar() {
	if err := r.decoder.SkipValue(); err != nil {
		r.syntax(err)
	}
}

// expect fails with the reason unless the next value is of the kind.
func (r *Reader) expect(kind jsontext.Kind, reason string) bool {
	if r.err != nil {
		return false
	}
	switch got := r.decoder.PeekKind(); got {
	case kind:
		return true
	case 0: // not JSON: the decoder says why
		r.skipScalar()
	default:
		r.Fail(reason + " but " + describe(got))
	}
	return false
}

// describe names a kind as an operator would.
func describe(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	default:
		return "no value"
	}
}
