package proxytest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is the name of a backend that is no example server. hanging is the recorder with
// a resolver that hangs.
const (
	recorder = "recorder"
	hanging  = "recorder, Authgear hangs"
)

// startBackend starts an example server or the recorder, and returns its address. goOn is
// passed to record.
func startBackend(t *testing.T, framework string, goOn <-chan struct{}) string {
	t.Helper()
	if framework == recorder || framework == fronted || framework == hanging {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: record(goOn)}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
		return listener.Addr().String()
	}
	command := exec.Command(filepath.Join(programs, framework))
	command.Env = append(os.Environ(),
		"ADDR=127.0.0.1:0", "AUTHGEAR_MODE=forwarded", "AUTHGEAR_FORWARDED_ROLES=true",
		"AUTHGEAR_PROXY_SECRET="+testSecret)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &programLog{}
	command.Stderr = said
	start(t, framework, command, said)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), "listening on http://"); ok {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return addr
		}
	}
	t.Fatalf("%s does not listen", framework)
	return ""
}

// programLog keeps the output of a program, to show it if a test fails.
type programLog struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *programLog) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *programLog) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// start starts a program that ends with the test. The channel is closed when it
// has ended.
func start(t *testing.T, name string, command *exec.Cmd, said *programLog) <-chan struct{} {
	t.Helper()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		stop(command, ended)
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said)
		}
	})
	return ended
}

// stop asks a program to end, since nginx's master has to end its workers. If the
// program does not end, stop kills it.
func stop(command *exec.Cmd, ended <-chan struct{}) {
	_ = command.Process.Signal(os.Interrupt)
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		_ = command.Process.Kill()
		<-ended
	}
}
