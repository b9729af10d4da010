package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// visit is a page that the browser opens. The page takes its steps one after the other,
// reports what it has seen of each, and goes to the next page.
type visit struct {
	name   string
	origin string
	cookie *http.Cookie // set by the page, if any
	steps  []step
}

// step is a request that a page makes, and its expected outcome.
type step struct {
	Do     string // fetch, no-cors, form, window or socket
	Method string
	URL    string
	want   outcome
}

// outcome is the outcome of a step, seen by the page and by the example.
type outcome struct {
	seen   string // what the page's script is told
	status int    // of the example's answer; 0: no request has come to the example
	body   string // a part of that answer
	cookie bool   // whether a session cookie has come with it
	site   string // Sec-Fetch-Site; not looked at for a socket
}

// page takes its steps. It needs no timers, since each step ends with an event.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<meta charset="utf-8">
<title>{{.Name}}</title>
<link rel="icon" href="data:,">
<body>
<script>
const actions = {
	async fetch(step) {
		try {
			const response = await fetch(step.URL, { method: step.Method, credentials: "include" });
			return response.status + " " + (await response.text()).trim();
		} catch (e) {
			return "unreadable";
		}
	},
	async "no-cors"(step) {
		const response = await fetch(step.URL, { method: step.Method, credentials: "include", mode: "no-cors" });
		return response.type;
	},
	// In a frame, so that this page stays. The frame has another origin: the page
	// learns only that it has loaded.
	form(step) {
		const frame = document.createElement("iframe");
		frame.name = step.URL;
		document.body.append(frame);
		return new Promise(resolve => {
			frame.addEventListener("load", () => resolve("loaded"), { once: true });
			submit(step, frame.name);
		});
	},
	// In another window. This page learns nothing from the window, so it asks the
	// server.
	async window(step) {
		if (step.Method === "GET") {
			open(step.URL, "_blank", "noopener");
		} else {
			submit(step, "_blank");
		}
		await fetch("/-/answered?url=" + encodeURIComponent(step.URL));
		return "opened";
	},
	socket(step) {
		return new Promise(resolve => {
			const socket = new WebSocket(step.URL.replace(/^http/, "ws"));
			socket.onopen = () => resolve("open");
			socket.onerror = () => resolve("closed");
		});
	},
};
function submit(step, target) {
	const form = document.createElement("form");
	form.method = step.Method;
	form.action = step.URL;
	form.target = target;
	document.body.append(form);
	form.submit();
}
(async () => {
	const seen = [];
	for (const step of {{.Steps}}) {
		seen.push(await actions[step.Do](step));
	}
	const response = await fetch("/-/seen?visit={{.Number}}", { method: "POST", body: JSON.stringify(seen) });
	if (response.status === 200) {
		location = await response.text();
	}
})();
</script>
`))

// website serves the pages of all visits at /-/, and passes other requests on to
// an example server, as its reverse proxy.
type website struct {
	visits []visit
	said   chan struct{} // one for each page that has said what it has seen

	mu      sync.Mutex
	seen    [][]string
	arrived []arrival
	more    chan struct{} // closed and replaced when another request has arrived
}

func newWebsite(visits []visit) *website {
	return &website{visits: visits, said: make(chan struct{}, len(visits)), more: make(chan struct{})}
}

// arrival is a request that has come to an example server, and its answer.
type arrival struct {
	method, url  string
	cookie, site string
	status       int
	body         string
}

// address returns the address of a page.
func (w *website) address(number int) string {
	return fmt.Sprintf("%s/-/page?visit=%d", w.visits[number].origin, number)
}

// handler returns a website in front of an example, or of nothing if example is "".
func (w *website) handler(example string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/page", w.servePage)
	mux.HandleFunc("POST /-/seen", w.serveSeen)
	mux.HandleFunc("GET /-/answered", w.serveAnswered)
	if example != "" {
		mux.Handle("/", &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(&url.URL{Scheme: "http", Host: example})
				r.Out.Host = r.In.Host // Origin is compared with this
			},
			ModifyResponse: w.record,
			ErrorLog:       log.New(io.Discard, "", 0), // the browser has been stopped
		})
	}
	return mux
}

// number returns the number of the visit that a request belongs to.
func (w *website) number(r *http.Request) (int, bool) {
	var number int
	_, err := fmt.Sscan(r.FormValue("visit"), &number)
	return number, err == nil && number >= 0 && number < len(w.visits)
}

func (w *website) servePage(rw http.ResponseWriter, r *http.Request) {
	number, ok := w.number(r)
	if !ok {
		http.NotFound(rw, r)
		return
	}
	v := w.visits[number]
	if v.cookie != nil {
		http.SetCookie(rw, v.cookie)
	}
	rw.Header().Set("Cache-Control", "no-store")
	_ = page.Execute(rw, map[string]any{"Name": v.name, "Number": number, "Steps": v.steps})
}

// serveSeen answers with the address of the next page.
func (w *website) serveSeen(rw http.ResponseWriter, r *http.Request) {
	number, ok := w.number(r)
	var seen []string
	if err := json.NewDecoder(r.Body).Decode(&seen); err != nil || !ok {
		http.Error(rw, "no such visit, or nothing seen", http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if number != len(w.seen) {
		http.Error(rw, "not this visit's turn", http.StatusConflict)
		return
	}
	w.seen = append(w.seen, seen)
	w.said <- struct{}{}
	if len(w.seen) == len(w.visits) {
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = io.WriteString(rw, w.address(len(w.seen)))
}

// serveAnswered answers once the example has answered a request.
func (w *website) serveAnswered(_ http.ResponseWriter, r *http.Request) {
	for {
		w.mu.Lock()
		found, more := w.find(r.FormValue("url")), w.more
		w.mu.Unlock()
		if len(found) > 0 {
			return
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		}
	}
}

// find returns what has arrived for a step, without preflights. The caller holds w.mu.
func (w *website) find(url string) []arrival {
	var found []arrival
	for _, a := range w.arrived {
		if a.url == url && a.method != http.MethodOptions {
			found = append(found, a)
		}
	}
	return found
}

// record keeps an answer of the example.
func (w *website) record(answer *http.Response) error {
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	r := answer.Request
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrived = append(w.arrived, arrival{
		r.Method, "http://" + r.Host + r.URL.RequestURI(),
		r.Header.Get("Cookie"), r.Header.Get("Sec-Fetch-Site"),
		answer.StatusCode, strings.TrimSpace(string(body)),
	})
	close(w.more)
	w.more = make(chan struct{})
	return nil
}

// check compares each step of each visit with its expected outcome.
func (w *website) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, v := range w.visits {
		if i >= len(w.seen) {
			t.Errorf("%s: the page has said nothing, so that no other has come after it", v.name)
			return
		}
		if len(w.seen[i]) != len(v.steps) {
			t.Errorf("%s: the page says %q", v.name, w.seen[i])
			continue
		}
		for j, s := range v.steps {
			w.checkStep(t, fmt.Sprintf("%s: %s %s to %s", v.name, s.Do, s.Method, s.URL), s, w.seen[i][j])
		}
	}
}

func (w *website) checkStep(t *testing.T, name string, s step, seen string) {
	t.Helper()
	if !strings.Contains(seen, s.want.seen) {
		t.Errorf("%s: the page has seen %q, want %q", name, seen, s.want.seen)
	}
	found := w.find(s.URL)
	if s.want.status == 0 {
		if len(found) > 0 {
			t.Errorf("%s: has come to the example: %+v", name, found)
		}
		return
	}
	if len(found) != 1 {
		t.Errorf("%s: %d requests have come to the example", name, len(found))
		return
	}
	a := found[0]
	if a.method != s.Method || a.status != s.want.status || !strings.Contains(a.body, s.want.body) ||
		strings.Contains(a.cookie, "session=") != s.want.cookie ||
		s.Do != "socket" && a.site != s.want.site {
		t.Errorf("%s: the example's side is %+v, want %+v", name, a, s.want)
	}
}

// listen serves on a free port of loopback once the handler is known.
func listen(t *testing.T) (port string, serve func(http.Handler)) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, func(handler http.Handler) {
		server := &http.Server{Handler: handler}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
	}
}

// browse opens the first page and waits for the last one.
func browse(t *testing.T, program string, w *website) {
	t.Helper()
	if failure := openPages(t, program, w.address(0), len(w.visits), w.said); failure != "" {
		w.check(t)
		t.Fatal(failure)
	}
}

// openPages opens a page with a new profile. Each page leads to the next. It waits
// until this number of pages have reported. It returns what went wrong, or "".
func openPages(t *testing.T, program, address string, pages int, said <-chan struct{}) (failure string) {
	t.Helper()
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	// This user allows third-party cookies. Otherwise cookies with SameSite=None would
	// not be sent.
	preferences := filepath.Join(profile, "Default", "Preferences")
	if err := os.MkdirAll(filepath.Dir(preferences), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(preferences, []byte(`{"profile":{"cookie_controls_mode":0}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program,
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+profile, "--no-first-run", "--disable-popup-blocking", "--disable-component-update", "--disable-sync",
		"--disable-background-networking", "--no-proxy-server",
		"--host-resolver-rules=MAP * 127.0.0.1", // every name leads to this machine
		address)
	command.Env = append(os.Environ(), "HOME="+profile)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	command.WaitDelay = 5 * time.Second // a process of the browser may hold the pipes
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	for i := 0; i < pages && failure == ""; i++ {
		select {
		case <-said:
		case <-ended:
			failure = "the browser has ended by itself"
		case <-time.After(time.Minute):
			failure = "no page has said anything for a minute"
		}
	}
	_ = command.Process.Signal(os.Interrupt)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = command.Process.Kill()
		<-ended
	}
	// The browser's other processes may still be writing there when the first has
	// ended.
	for range 100 {
		if err = os.RemoveAll(profile); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Error(err)
	}
	if failure != "" {
		failure += ". It said:\n" + output.String()
	}
	return failure
}
