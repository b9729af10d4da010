package authgear

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/authgear/authgear-sdk-go/core/internal/endpoint"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

// Options is what the configurations of all adapters share. The zero value is
// right for most services.
type Options struct {
	// TrustedOrigins are the origins of other websites, such as
	// "https://app.example.com", whose pages may send unsafe requests and
	// Upgrades with the user's cookies. A sibling subdomain is another website,
	// and so is another port. A request with a Bearer token needs none of this.
	// (See [http.CrossOriginProtection], which decides.)
	TrustedOrigins []string
	// Observer is told of each decision. nil: LogObserver(nil).
	Observer *Observer
}

// Validate returns all mistakes, each with the name of its field. An adapter's
// New panics with it.
func (o Options) Validate() error {
	var wrong mistakes
	for _, origin := range o.TrustedOrigins {
		wrong.add("TrustedOrigins", checkTrustedOrigin(origin))
	}
	return wrong.err("Options")
}

// checkTrustedOrigin refuses what no browser ever sends, too: it would never
// match.
func checkTrustedOrigin(origin string) error {
	if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
		return fmt.Errorf("%s is not an origin such as https://app.example.com", quote.Quote(origin))
	}
	u, err := url.Parse(origin)
	if err != nil {
		return fmt.Errorf("%s is not a URL", quote.Quote(origin))
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil // of an app: capacitor://localhost
	}
	if sent := endpoint.Of(u); sent != origin {
		return fmt.Errorf("%s is not what a browser sends; write scheme and host in lower case, without a default port", quote.Quote(origin))
	}
	return nil
}
