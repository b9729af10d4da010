package examples_test

import (
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
)

// If one process gets an event, all processes with the same Redis hear of it at once.
// If Redis was down and has lost everything, they hear of it when Redis is back.
func TestRedis(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("AUTHGEAR_E2E") == "required" {
			t.Fatal("redis-server is missing, and AUTHGEAR_E2E=required")
		}
		t.Skip("redis-server is missing: install it to run this test")
	}
	dir := t.TempDir()
	store := startRedis(t, dir)
	project := authgeartest.New(t)
	alice, bob := project.AddUser(authgeartest.User{ID: "alice"}), project.AddUser(authgeartest.User{ID: "bob"})
	token := map[string]string{alice: bearer(project.AccessToken(alice)), bob: bearer(project.AccessToken(bob))}
	instances := map[string]*server{}
	for _, framework := range frameworks {
		instances[framework] = start(t, framework, "AUTHGEAR_MODE=hybrid", "AUTHGEAR_ENDPOINT="+project.Endpoint(),
			"AUTHGEAR_FRESHNESS=1h", "AUTHGEAR_WEBHOOK_SECRET=secret", "REDIS_URL=unix://"+dir+"/redis.sock")
	}
	hears := frameworks[0]
	project.SendEvents(instances[hears].url+"/authgear/events", "secret")
	admitted := func(user string, frameworks ...string) {
		t.Helper()
		for _, framework := range frameworks {
			if got := instances[framework].send(t, "GET", "/me", token[user]); got.status != 200 {
				t.Errorf("%s: %s: %+v", framework, user, got)
			}
		}
	}
	refused := func(user string, frameworks ...string) {
		t.Helper()
		for _, framework := range frameworks {
			for end := time.Now().Add(time.Minute); instances[framework].send(t, "GET", "/me", token[user]).status != 401; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%s: %s is not refused", framework, user)
				}
			}
		}
	}
	all := slices.Collect(maps.Keys(instances))
	admitted(alice, all...)
	admitted(bob, all...)

	disabled := time.Now()
	project.DisableUser(alice)
	refused(alice, all...)
	t.Logf("the last of %d processes refused after %v", len(all), time.Since(disabled))

	_ = store.Process.Kill()
	_ = store.Wait()
	project.DisableUser(bob)
	refused(bob, hears)
	admitted(bob, frameworks[1:]...) // they have no way to know
	startRedis(t, dir)
	refused(bob, all...)
	refused(alice, all...)
	for _, s := range instances {
		s.stop(t)
	}
}

// startRedis returns when Redis listens.
func startRedis(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	store := exec.Command("redis-server", "--port", "0", "--unixsocket", dir+"/redis.sock", "--dir", dir, "--save", "")
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = store.Process.Kill()
		_ = store.Wait()
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("unix", dir+"/redis.sock"); err == nil {
			_ = conn.Close()
			return store
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
