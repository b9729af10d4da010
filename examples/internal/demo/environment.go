// Package demo is what the example servers share because no framework is in it:
// the environment, the embedded Authgear, starting and stopping.
package demo

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// environment is what the variables say.
type environment struct {
	addr    string
	origins []string
	jwt     authgear.JWTConfig // Endpoint "" for the embedded Authgear
}

func readEnvironment() (environment, error) {
	e := environment{
		addr:    os.Getenv("ADDR"),
		origins: list("CORS_ORIGINS"),
		jwt: authgear.JWTConfig{
			Endpoint:    os.Getenv("AUTHGEAR_ENDPOINT"),
			ClientIDs:   list("AUTHGEAR_CLIENT_IDS"),
			Resources:   list("AUTHGEAR_RESOURCES"),
			InternalURL: os.Getenv("AUTHGEAR_INTERNAL_URL"),
		},
	}
	if e.addr == "" {
		e.addr = "127.0.0.1:8080"
	}
	if err := checkAddr(e.addr); err != nil {
		return e, err
	}
	if mode := os.Getenv("AUTHGEAR_MODE"); mode != "" && mode != "jwt" {
		return e, fmt.Errorf("AUTHGEAR_MODE: %q is not a mode of this version; it knows jwt", mode)
	}
	if insecure := os.Getenv("AUTHGEAR_INSECURE_HTTP"); insecure != "" {
		if insecure != "true" && insecure != "false" {
			return e, fmt.Errorf("AUTHGEAR_INSECURE_HTTP: %q is neither true nor false", insecure)
		}
		e.jwt.InsecureHTTP = insecure == "true"
	}
	if e.jwt.Endpoint == "" && e.jwt.InternalURL != "" {
		return e, errors.New("AUTHGEAR_INTERNAL_URL: needs AUTHGEAR_ENDPOINT, whose address it takes the place of")
	}
	return e, checkOrigins(e.origins)
}

// list reads a comma-separated variable.
func list(name string) []string {
	value := os.Getenv(name)
	if value == "" {
		return nil
	}
	items := strings.Split(value, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

func checkAddr(addr string) error {
	if _, err := net.ResolveTCPAddr("tcp", addr); err != nil || strings.ContainsRune(addr, ' ') {
		return fmt.Errorf("ADDR: %q is not host:port", addr)
	}
	return nil
}

// origin is what browsers send in Origin, but for names in other scripts.
var origin = regexp.MustCompile(`^https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`)

// checkOrigins refuses what the CORS middleware of some framework would panic at
// and that of another would never match.
func checkOrigins(origins []string) error {
	for _, o := range origins {
		if o == "*" && len(origins) == 1 {
			continue
		}
		if u, err := url.Parse(o); err != nil || !origin.MatchString(o) || len(u.Port()) == 5 && u.Port() > "65535" {
			return fmt.Errorf("CORS_ORIGINS: %q is not an origin such as https://app.example.com; * stands alone", o)
		}
	}
	return nil
}
