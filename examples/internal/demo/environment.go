// Package demo is what the example servers share because no framework is in it:
// the environment, the embedded Authgear, starting and stopping.
package demo

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
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
	for _, origin := range e.origins {
		if err := checkOrigin(origin); err != nil {
			return e, err
		}
	}
	return e, nil
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
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("ADDR: %q is not host:port", addr)
	}
	return nil
}

// checkOrigin refuses what the CORS middleware of some framework would panic at
// and that of another would never match.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if origin == "*" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Scheme+"://"+u.Host == origin {
		return nil
	}
	return fmt.Errorf("CORS_ORIGINS: %q is not an origin such as https://app.example.com, or *", origin)
}
