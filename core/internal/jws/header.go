package jws

import (
	"fmt"

	"github.com/authgear/authgear-sdk-go/core/internal/quote"
	"github.com/authgear/authgear-sdk-go/core/internal/strictjson"
)

// headerLimits are far above what any issuer writes. They keep the reading of a header
// cheaper than the check of the signature.
var headerLimits = strictjson.Limits{Depth: 8, Members: 32, Elements: 256}

// maxKeyID is the longest kid in bytes.
const maxKeyID = 256

// header has the members of a JOSE header that are read. An alg, typ or kid that is
// missing or not a string is "", which check refuses.
type header struct{ alg, typ, kid, forbidden string }

// readHeader checks the header of a token that should be of this type, and
// returns its kid.
//
// Keys in the header or at its URLs (jwk, jku, x5u, x5c) are ignored like any unknown
// member: a token must not choose the key that it is checked with (RFC 8725 §3.10).
func readHeader(text string, want Type) (keyID string, err error) {
	var h header
	if err := strictjson.Read(text, headerLimits, h.read); err != nil {
		return "", fmt.Errorf("%w: header: %w", ErrMalformed, err)
	}
	return h.kid, h.check(want)
}

func (h *header) read(r *strictjson.Reader) {
	switch r.Name() {
	case "alg":
		h.alg = stringOrEmpty(r)
	case "typ":
		h.typ = stringOrEmpty(r)
	case "kid":
		h.kid = stringOrEmpty(r)
	case "crit", "b64", "zip":
		h.forbidden = r.Name()
		r.Skip()
	default:
		r.Skip()
	}
}

func stringOrEmpty(r *strictjson.Reader) string {
	if r.IsString() {
		return r.String()
	}
	r.Skip()
	return ""
}

func (h *header) check(want Type) error {
	switch {
	// RFC 8725 §3.1: only one algorithm. Names are case-sensitive (RFC 7515 §4.1.1).
	case h.alg == "":
		return fmt.Errorf("%w: alg is missing or not a string", ErrAlgorithm)
	case h.alg != "RS256":
		return fmt.Errorf("%w: alg is %s", ErrAlgorithm, quote.Quote(h.alg))

	// No extension is understood here, so none may be critical. An empty crit is not
	// allowed either (RFC 7515 §4.1.11). b64 changes what is signed (RFC 7797), zip
	// changes what is read (RFC 7516 §4.1.3): a reader that ignores them reads another
	// token than a reader that knows them.
	case h.forbidden != "":
		return fmt.Errorf("%w: header has %s", ErrMalformed, h.forbidden)

	// RFC 9068 §4, RFC 8725 §3.11: access tokens and ID tokens have the same keys
	// and issuer. One must not pass for the other.
	case h.typ == "":
		return fmt.Errorf("%w: typ is missing or not a string", ErrType)
	case !want.is(h.typ):
		return fmt.Errorf("%w: typ is %s, not %s", ErrType, quote.Quote(h.typ), want)

	case h.kid == "":
		return fmt.Errorf("%w: kid is missing, empty or not a string", ErrMalformed)
	case len(h.kid) > maxKeyID:
		return fmt.Errorf("%w: kid has %d bytes, over %d", ErrMalformed, len(h.kid), maxKeyID)
	}
	return nil
}
