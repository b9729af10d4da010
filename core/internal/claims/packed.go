package claims

import (
	"math"
	"strings"
	"time"
	"unsafe"
)

// Packed are the claims of one token in little memory, for a cache: times are numbers,
// and strings are parts of one text. It does not change.
type Packed struct {
	// text is the payload, and behind it the strings that do not stand there as they
	// are, since the token has written them with escapes.
	text    string
	payload uint16 // its length
	// strings has issuer, subject, client id and id, and then the elements of the
	// lists, whose lengths follow.
	strings                          []span
	audience, scopes, amr, roles     uint16
	expires, notBefore, issued, auth int64 // microseconds; 10¹¹ seconds fit
	flags                            flags
}

// span is a part of the text.
type span struct{ start, end uint16 }

type flags uint8

const (
	anonymous flags = 1 << iota
	verified
	canReauthenticate
	canReauthenticateStated
	userClaims
)

// maxStrings bounds the time that Pack takes.
const maxStrings = 1024

// Pack returns the claims that [Parse] has read of the payload, with times cut to
// microseconds. ok is false for a token with more strings, or a longer text, than is
// worth keeping.
func Pack(c *Claims, payload string) (packed Packed, ok bool) {
	n := 4 + len(c.Audience) + len(c.Scopes) + len(c.AMR) + len(c.Roles)
	if n > maxStrings || len(payload) > math.MaxUint16 {
		return Packed{}, false
	}
	p := Packed{
		text: strings.Clone(payload), payload: uint16(len(payload)), strings: make([]span, 0, n),
		audience: uint16(len(c.Audience)), scopes: uint16(len(c.Scopes)), amr: uint16(len(c.AMR)), roles: uint16(len(c.Roles)),
		expires: c.ExpiresAt.UnixMicro(), notBefore: c.NotBefore.UnixMicro(), issued: c.IssuedAt.UnixMicro(), auth: c.AuthTime.UnixMicro(),
		flags: flagsOf(c),
	}
	p.add(payload, c.Issuer, c.Subject, c.ClientID, c.ID)
	for _, list := range [...][]string{c.Audience, c.Scopes, c.AMR, c.Roles} {
		p.add(payload, list...)
	}
	return p, len(p.text) <= math.MaxUint16
}

func (p *Packed) add(payload string, values ...string) {
	for _, s := range values {
		at := place(payload, s)
		if at < 0 {
			at = len(p.text)
			p.text += s
		}
		p.strings = append(p.strings, span{uint16(at), uint16(at + len(s))})
	}
}

// place returns where in the text s is a part of it, or -1. It looks at where s is in
// memory, since to search for each string takes time.
func place(text, s string) int {
	at := uintptr(unsafe.Pointer(unsafe.StringData(s))) - uintptr(unsafe.Pointer(unsafe.StringData(text)))
	if at > uintptr(len(text)) || at+uintptr(len(s)) > uintptr(len(text)) {
		return -1
	}
	return int(at)
}

func flagsOf(c *Claims) flags {
	var f flags
	for _, flag := range [...]struct {
		set  bool
		flag flags
	}{
		{c.Anonymous, anonymous}, {c.Verified, verified}, {c.CanReauthenticate, canReauthenticate},
		{c.CanReauthenticateStated, canReauthenticateStated}, {c.UserClaims, userClaims},
	} {
		if flag.set {
			f |= flag.flag
		}
	}
	return f
}

// Payload returns the payload of the token.
func (p *Packed) Payload() string { return p.text[:p.payload] }

// Claims returns the claims, whose lists belong to the caller.
func (p *Packed) Claims() Claims {
	all := make([]string, len(p.strings)) // one block for all lists
	for i, s := range p.strings {
		all[i] = p.text[s.start:s.end]
	}
	c := Claims{
		Issuer: all[0], Subject: all[1], ClientID: all[2], ID: all[3],
		ExpiresAt: fromMicro(p.expires), NotBefore: fromMicro(p.notBefore), IssuedAt: fromMicro(p.issued), AuthTime: fromMicro(p.auth),
		Anonymous:               p.flags&anonymous != 0,
		Verified:                p.flags&verified != 0,
		CanReauthenticate:       p.flags&canReauthenticate != 0,
		CanReauthenticateStated: p.flags&canReauthenticateStated != 0,
		UserClaims:              p.flags&userClaims != 0,
	}
	rest := all[4:]
	for _, list := range [...]struct {
		to *[]string
		n  uint16
	}{{&c.Audience, p.audience}, {&c.Scopes, p.scopes}, {&c.AMR, p.amr}, {&c.Roles, p.roles}} {
		if list.n > 0 {
			*list.to, rest = rest[:list.n:list.n], rest[list.n:]
		}
	}
	return c
}

// fromMicro returns the zero time for that of the zero time.
func fromMicro(n int64) time.Time { return time.UnixMicro(n).UTC() }
