package docs

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// The programs of README.md are short. They run, and answer as it says.
func TestREADME(t *testing.T) {
	t.Parallel()
	text := documents(t)["README.md"]
	programs, m := map[string]string{}, newModule(t)
	for _, b := range blocks(text) {
		if b.language != "go" || !strings.HasPrefix(b.text, "package ") {
			continue
		}
		formatted(t, fmt.Sprintf("README.md:%d", b.line), b.text)
		framework := regexp.MustCompile(`adapters/(\w+)`).FindStringSubmatch(b.text)[1]
		programs[framework] = b.text
		if lines := len(regexp.MustCompile(`(?m)^.*\S.*$`).FindAllString(b.text, -1)); lines > 25 {
			t.Errorf("the program on %s has %d lines, more than 25", framework, lines)
		}
	}
	if len(programs) != 6 {
		t.Fatalf("%d programs found", len(programs))
	}
	for framework, program := range programs {
		for literal, variable := range map[string]string{`"https://myapp.authgear.cloud"`: "endpoint", `"127.0.0.1:8081"`: "addr"} {
			if strings.Count(program, literal) != 1 {
				t.Errorf("%s: %s does not stand there once", framework, literal)
			}
			program = strings.Replace(program, literal, variable, 1)
		}
		m.write(t, framework+"/main.go", program)
		m.write(t, framework+"/variables.go", "package main\n\nimport \"os\"\n\nvar endpoint, addr = os.Getenv(\"ENDPOINT\"), os.Getenv(\"ADDR\")\n")
	}
	m.run(t, "build", "-o", m.dir+"/bin/", "./...")
	if t.Failed() {
		return
	}

	server := authgeartest.New(t)
	tokens := map[string]string{
		"TOKEN": server.AccessToken(server.AddUser(authgeartest.User{ID: "alice", Roles: []string{"admin"}})),
		"BOB":   server.AccessToken(server.AddUser(authgeartest.User{ID: "bob"})),
	}
	for framework := range programs {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, filepath.Join(m.dir, "bin", framework), server.Endpoint())
			commands := 0
			for _, b := range blocks(text) {
				if b.language != "console" {
					continue
				}
				commands++
				command, want, _ := strings.Cut(b.text, "\n")
				got := curl(t, command, addr, tokens)
				if strings.HasPrefix(want, "HTTP/1.1 200") { // README.md does not show the framework's own headers
					got = regexp.MustCompile(`(?s)^([^\n]*\n).*?\n\n`).ReplaceAllString(got, "$1\n")
				}
				if got != want {
					t.Errorf("%s\nanswers\n%s", command, got)
				}
			}
			if commands != 3 {
				t.Errorf("%d commands found", commands)
			}
		})
	}
}

// ports is the last port that freePort has tried. It starts at random, from 20000 to 29999.
// A system chooses ports above 32767 for programs that ask for any port. So no other
// program gets one of these by chance before the program under test listens.
var ports atomic.Int64

func init() { ports.Store(20_000 + rand.Int64N(10_000)) }

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) int64 {
	t.Helper()
	for {
		port := ports.Add(1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = l.Close()
			return port
		}
		if port > 32_767 {
			t.Fatal(err)
		}
	}
}

// serve runs a program until the test ends.
func serve(t *testing.T, program, endpoint string) (addr string) {
	t.Helper()
	var out bytes.Buffer
	addr = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	command := exec.Command(program)
	command.Env = append(os.Environ(), "ENDPOINT="+endpoint, "ADDR="+addr)
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }() // a signal ends the program, or it has written why it ended
	t.Cleanup(func() { _ = command.Process.Kill(); <-ended })
	if !listening(addr, ended) {
		_ = command.Process.Kill()
		<-ended
		t.Fatalf("%s does not serve: %s", program, &out)
	}
	return addr
}

// listening waits until the program listens, or has ended.
func listening(addr string, ended <-chan struct{}) bool {
	for limit := time.After(time.Minute); ; {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-limit:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// curl does what the command of a document says.
func curl(t *testing.T, command, addr string, tokens map[string]string) string {
	t.Helper()
	match := regexp.MustCompile(`^\$ curl -i (?:-H "Authorization: Bearer \$(\w+)" )?http://127\.0\.0\.1:8081(/\w+)$`).FindStringSubmatch(command)
	if match == nil {
		t.Fatalf("%q is not understood", command)
	}
	request, err := http.NewRequest("GET", "http://"+addr+match[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	if match[1] != "" {
		request.Header.Set("Authorization", "Bearer "+tokens[match[1]])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return render(response, string(body))
}

// While there is no release, a service is built with a clone, as README says.
func TestClone(t *testing.T) {
	t.Parallel()
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	m, commands := &module{t.TempDir()}, ""
	m.write(t, "go.mod", "module example.com/service\n\ngo 1.26.0\n")
	for _, b := range blocks(documents(t)["README.md"]) {
		if b.language == "go" && strings.Contains(b.text, "adapters/nethttp") {
			m.write(t, "main.go", b.text)
		}
		if rest, ok := strings.CutPrefix(b.text, "git clone https://github.com/authgear/authgear-sdk-go ../authgear-sdk-go\n"); ok {
			commands = strings.NewReplacer("../authgear-sdk-go", absolute, "adapters/gin;", "adapters/nethttp;").Replace(rest)
		}
	}
	shell := exec.Command("sh", "-ec", commands+"\ngo vet .")
	shell.Dir, shell.Env = m.dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := shell.CombinedOutput(); err != nil || commands == "" {
		t.Errorf("%q: %v\n%s", commands, err, out)
	}
}
