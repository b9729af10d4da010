package examples_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	saidStatus   = regexp.MustCompile(`^# .*: ([0-9]{3})$`)
	answerStatus = regexp.MustCompile(`HTTP/1\.1 ([0-9]{3}) `)
)

// Without an endpoint the server starts an embedded Authgear, and prints commands in
// less than 2,700 bytes. A pasted command gets the answer that is printed with it.
func TestCommands(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	const (
		users = "401 200 401 200 403 403 200 403 200 "
		each  = users + "200 401 200 "
	)
	for i, c := range []struct{ env, want string }{
		{"AUTHGEAR_MODE=jwt", each + "200 200 403"},
		{"AUTHGEAR_MODE=resolver", each + "200 200 200"},
		{"AUTHGEAR_MODE=resolver AUTHGEAR_CACHE_TTL=1m AUTHGEAR_COOKIES=other", each + "200"},
		{"AUTHGEAR_MODE=hybrid AUTHGEAR_FRESHNESS=1s", each + "200 401 200 401 200"},
		{"AUTHGEAR_CLIENT_IDS=web AUTHGEAR_RESOURCES=https://a.example/it's,https://b.example", each + "200 200 403"},
		{"AUTHGEAR_CLIENT_IDS=a'b,mobile AUTHGEAR_ID_TOKEN_CLIENTS=mobile", each + "200 200 403"},
		{"AUTHGEAR_ID_TOKEN_CLIENTS=a$b,mobile", each + "200 200 403"},
		{"AUTHGEAR_CLIENT_IDS=web AUTHGEAR_ID_TOKEN_CLIENTS=mobile", users + "200 401 200 200 403"},
	} {
		s := start(t, frameworks[i%len(frameworks)], strings.Fields(c.env)...)
		missing := time.AfterFunc(time.Minute, func() { _ = s.process.Process.Kill() })
		var pasted strings.Builder
		var said []string
		for len(said) <= strings.Count(c.want, " ") && s.output.Scan() {
			line := s.output.Text()
			if status := saidStatus.FindStringSubmatch(line); status != nil && s.output.Scan() {
				said = append(said, status[1])
				line = s.output.Text()
			}
			if len(said) > 0 { // below the text at the top
				pasted.WriteString(line + "\n")
			}
		}
		missing.Stop()
		var answered []string
		for _, status := range answerStatus.FindAllStringSubmatch(paste(t, pasted.String()), -1) {
			answered = append(answered, status[1])
		}
		if strings.Join(said, " ") != c.want || strings.Join(answered, " ") != c.want || pasted.Len() > 2700 {
			t.Errorf("%s: said %s, answered %s, want %s; %d bytes:\n%s", c.env, said, answered, c.want, pasted.Len(), pasted.String())
		}
		s.terminate(t)
		for s.output.Scan() {
			t.Errorf("%s: there is more: %s", c.env, s.output.Text())
		}
		s.wait(t)
	}
}

// paste runs what a user would paste into a shell.
func paste(t *testing.T, commands string) string {
	t.Helper()
	shell := exec.Command("sh")
	shell.Stdin = strings.NewReader(commands)
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, commands)
	}
	return string(out)
}

// With the user's own endpoint there is a command for tokens of this endpoint.
func TestCommandForRealEndpoint(t *testing.T) {
	t.Parallel()
	s := start(t, "gin", "AUTHGEAR_ENDPOINT=https://myapp.authgear.cloud")
	s.terminate(t)
	want := `curl -i -H "Authorization: Bearer $TOKEN" ` + s.url + "/me"
	for s.output.Scan() && s.output.Text() != want {
	}
	if s.output.Text() != want {
		t.Error("it is missing")
	}
	s.wait(t)
}
