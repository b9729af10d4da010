// Package examples_test runs the example servers as their users do.
package examples_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if programs, err = os.MkdirTemp("", "examples"); err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(programs) }()
		for _, framework := range frameworks {
			out, err := exec.Command("go", "build", "-o", programs+"/", "./"+framework).CombinedOutput()
			if err != nil {
				panic(string(out))
			}
		}
		return m.Run()
	}())
}

// server is a running example.
type server struct {
	url     string
	process *exec.Cmd
	output  *bufio.Scanner
	log     strings.Builder // to be read after wait
}

func start(t *testing.T, framework string, env ...string) *server {
	t.Helper()
	s := &server{process: exec.Command(filepath.Join(programs, framework))}
	s.process.Env = append(os.Environ(), append([]string{"ADDR=127.0.0.1:0"}, env...)...)
	s.process.Stderr = &s.log
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.process.Process.Kill() }) // it has usually ended before
	s.output = bufio.NewScanner(stdout)
	for s.output.Scan() {
		if url, ok := strings.CutPrefix(s.output.Text(), "listening on "); ok {
			s.url = url
			return s
		}
	}
	t.Fatalf("%s does not listen", framework)
	return nil
}

// terminate asks the server to stop, as an orchestrator does.
func (s *server) terminate(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// stop ends the server and expects status 0.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.terminate(t)
	s.wait(t)
}

func (s *server) wait(t *testing.T) {
	t.Helper()
	for s.output.Scan() { // to the end, before Wait closes the pipe
	}
	if err := s.process.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// answer is the part of a response that matters.
type answer struct {
	status               int
	challenge, kind      string
	cache, retry, length string
	body                 string
}

func bearer(token string) string { return "Authorization: Bearer " + token }

func (s *server) ask(t *testing.T, method, path, token string) answer {
	t.Helper()
	headers := []string{"Origin: https://app.example.com"}
	if token != "" {
		headers = append(headers, bearer(token))
	}
	return s.send(t, method, path, headers...)
}

func (s *server) send(t *testing.T, method, path string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequest(method, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
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
	h := response.Header
	return answer{response.StatusCode, h.Get("Www-Authenticate"), h.Get("Content-Type"), h.Get("Cache-Control"), h.Get("Retry-After"), h.Get("Content-Length"), string(body)}
}

// errorCode returns the code in the body of a refusal, or "" if the request was
// allowed.
func errorCode(t *testing.T, body string) string {
	t.Helper()
	var said struct{ Error string }
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return said.Error
}

// fails runs a program that ends by itself. It returns the status and the standard
// error of the program.
func fails(t *testing.T, framework string, env ...string) (status int, stderr string) {
	t.Helper()
	command := exec.Command(filepath.Join(programs, framework))
	command.Env = append(os.Environ(), env...)
	var said strings.Builder
	command.Stderr = &said
	err := command.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("%s with %q: %v", framework, env, err)
	}
	return exit.ExitCode(), said.String()
}
