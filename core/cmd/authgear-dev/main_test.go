package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	authgear "github.com/authgear/authgear-sdk-go/core"
)

// start runs the command until the test ends. It returns the endpoint and the command's
// output.
func start(t *testing.T, arguments ...string) (endpoint, printed string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, arguments...), in, io.Discard)
		_ = in.CloseWithError(io.EOF)
		ended <- err
	}()
	lines := bufio.NewScanner(out)
	for !strings.Contains(printed, "In a browser") && lines.Scan() {
		printed += lines.Text() + "\n"
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	_, rest, _ := strings.Cut(printed, "endpoint: ")
	if endpoint, _, _ = strings.Cut(rest, "\n"); endpoint == "" {
		t.Fatalf("no endpoint:\n%s", printed)
	}
	return endpoint, printed
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, _ := http.NewRequest("GET", url, nil)
	return send(t, request)
}

func send(t *testing.T, request *http.Request) string {
	t.Helper()
	res, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestRun(t *testing.T) {
	users := file(t, `[{"id":"zoe?","verified":true,"roles":["editor"],"email":"zoe@example.com"},{"roles":["admin"]}]`)
	clients := file(t, `[{"id":"web","redirect_uris":["http://localhost:3000/"]},{"id":"cron","secret":"s","resources":{"https://api.example.com":["read"]}}]`)
	events := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		events <- string(body)
	}))
	defer hook.Close()
	endpoint, printed := start(t, "-origins", "https://app.example.com, https://admin.example.com", "-users", users, "-clients", clients, "-seed", "a seed", "-webhook", hook.URL, "-webhook-secret", "whsec")

	if !regexp.MustCompile(`\nuser:     zoe\? editor\nuser:     [0-9a-f-]{36} admin\n`).MatchString(printed) {
		t.Error(printed)
	}
	token := get(t, endpoint+regexp.MustCompile(`/token/[^\s']+`).FindString(printed))
	auth, err := authgear.NewJWT(authgear.JWTConfig{Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	identity, err := auth.Verify(t.Context(), token)
	if err != nil || identity.ID != "zoe?" || !identity.Verified || !identity.HasRole("editor") {
		t.Errorf("%v %v", identity, err)
	}
	page := get(t, endpoint+"/oauth2/authorize?client_id=web&response_type=code&scope=openid&code_challenge=x&code_challenge_method=S256")
	if strings.Count(page, "<button") != 2 || !strings.Contains(page, "zoe@example.com") {
		t.Error(page)
	}
	request, _ := http.NewRequest("GET", endpoint+"/reauthenticate", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(request)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	request, _ = http.NewRequest("OPTIONS", endpoint+"/oauth2/token", nil)
	request.Header.Set("Origin", "https://admin.example.com")
	if res, err = http.DefaultClient.Do(request); err != nil || res.Header.Get("Access-Control-Allow-Origin") != "https://admin.example.com" {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	if event := <-events; !strings.Contains(event, "user.reauthenticated") {
		t.Error(event)
	}
	request, _ = http.NewRequest("POST", endpoint+regexp.MustCompile(`/disable/[^\s']+`).FindString(printed), nil)
	if body := send(t, request); body != "" {
		t.Error(body)
	}
	if event := <-events; !strings.Contains(event, "user.disabled") {
		t.Error(event)
	}
}

// Without flags there are users and clients to get tokens for.
func TestDefaults(t *testing.T) {
	endpoint, _ := start(t)
	for _, path := range []string{"/token/alice", "/token/bob", "/client-token/cron?resource=https://api.example.com"} {
		if token := get(t, endpoint+path); strings.Count(token, ".") != 2 {
			t.Errorf("%s: %s", path, token)
		}
	}
}

// With a public endpoint, the printed commands call this machine and name the endpoint's
// host.
func TestAnnouncedCommandsBehindProxy(t *testing.T) {
	_, printed := start(t, "-endpoint", "https://auth.example.com")
	commands := regexp.MustCompile(`curl -s -H 'Host: ([^']*)' (-X POST )?'(http://[^'\s]*)'`).FindAllStringSubmatch(printed, -1)
	if len(commands) != 3 {
		t.Fatal(printed)
	}
	for i, command := range commands {
		request, _ := http.NewRequest("GET", command[3], nil)
		want := 2 // dots in a JWT
		if command[2] != "" {
			request.Method, want = "POST", 0
		}
		request.Host = command[1]
		if answer := send(t, request); strings.Count(answer, ".") != want || (answer == "") != (i == 2) {
			t.Errorf("%q: %s", command, answer)
		}
	}
}

// A script reads the endpoint: without it nobody can use the server.
func TestNothingCanBePrinted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in, out := io.Pipe()
	_ = in.Close()
	if err := run(ctx, []string{"-addr", "127.0.0.1:0"}, out, io.Discard); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestMistakes(t *testing.T) {
	for want, arguments := range map[string][]string{
		"flag provided but not defined":   {"-user", "x"},
		"is no flag":                      {"users.json"},
		"no such file":                    {"-users", "/nowhere/users.json"},
		"role":                            {"-users", file(t, `[{"id":"a","role":"admin"}]`)},
		"a control character":             {"-users", file(t, `[{"id":"a\u001b[2J"}]`)},
		"one of the user's roles":         {"-users", file(t, `[{"id":"a","roles":["b\nendpoint: http://127.0.0.1:1"]}]`)},
		"an empty list":                   {"-users", file(t, `[]`)},
		"file.json: \"a\" is there twice": {"-users", file(t, `[{"id":"a"},{"id":"b"},{},{},{"id":"a"}]`)},
		"-clients: ":                      {"-clients", file(t, `{}`)},
		`client "a": another one`:         {"-clients", file(t, `[{"id":"a"},{"id":"a"}]`)},
		"is no URL":                       {"-webhook", "localhost:1", "-webhook-secret", "x"},
		`"ftp://localhost:1/" is no`:      {"-webhook", "ftp://localhost:1/", "-webhook-secret", "x"},
		`"http:///events" is no`:          {"-webhook", "http:///events", "-webhook-secret", "x"},
		"go together":                     {"-webhook", "http://localhost:1"},
		"not a loopback address":          {"-addr", "192.0.2.1:80"},
		"is not an origin":                {"-endpoint", "https://auth.example.com/"},
		"Lifetime is negative":            {"-lifetime", "-1s"},
		"AllowedOrigins":                  {"-origins", "http://localhost:3000, http://localhost:3001/"},
	} {
		if err := run(t.Context(), append([]string{"-addr", "127.0.0.1:0"}, arguments...), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", arguments, err, want)
		}
	}
}
