package authgeartest_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/recordings"
)

// send writes a request to a server's socket, unchanged, and reads the answer.
func send(t *testing.T, server, method, path string, headers [][2]string, body string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\n", method, path)
	for _, h := range headers {
		if h[0] != "Content-Length" {
			fmt.Fprintf(&raw, "%s: %s\r\n", h[0], h[1])
		}
	}
	fmt.Fprintf(&raw, "Connection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := conn.Write(raw.Bytes()); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(got)
}

// answer is a response without the parts that differ from call to call.
type answer struct {
	status int
	fields map[string][]string
	body   any
}

func normalize(status int, headers http.Header, body string) answer {
	a := answer{status: status, fields: make(map[string][]string), body: body}
	nonce := ""
	for _, c := range (&http.Response{Header: headers}).Cookies() {
		if c.Name == "csp_nonce" {
			nonce = c.Value
		}
	}
	for name, values := range headers {
		switch name {
		case "Date", "Server", "Connection", "Content-Length", "Transfer-Encoding":
			continue
		}
		for _, v := range values {
			switch {
			case nonce != "":
				v = strings.ReplaceAll(v, nonce, "NONCE")
			case name == "Content-Security-Policy":
				v = "(nonce of the request's cookie)"
			}
			if name == "X-Authgear-User-Roles" {
				roles := strings.Split(v, ",")
				slices.Sort(roles)
				v = strings.Join(roles, ",")
			}
			a.fields[name] = append(a.fields[name], v)
		}
	}
	var object map[string]any
	if json.Unmarshal([]byte(body), &object) == nil {
		if e, ok := object["error"].(map[string]any); ok {
			e["tracking_id"] = fmt.Sprint(len(fmt.Sprint(e["tracking_id"])), " characters")
		}
		a.body = object
	}
	return a
}

func answerOf(r recordings.Recording) answer {
	h := make(http.Header)
	for _, f := range r.Response.Headers {
		h.Add(f[0], f[1])
	}
	return normalize(r.Response.Status, h, r.Response.Body)
}

// shape replaces values by their types, so that names and types are compared.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		names := make(map[string]any)
		for name, value := range v {
			names[name] = shape(value)
		}
		return names
	case []any:
		return "array"
	}
	return fmt.Sprintf("%T", v)
}

// read decodes a token without verifying it.
func read(t *testing.T, token string) recordings.Token {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %q", token)
	}
	d := recordings.Token{Raw: token}
	for i, into := range []*map[string]any{&d.Header, &d.Claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return d
}
