package authgear_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/authgear/authgear-sdk-go/core/internal/leaktest"
)

func TestMain(m *testing.M) {
	if delay := os.Getenv(resolverServer); delay != "" {
		serveResolver(delay)
		return
	}
	leaktest.Main(m)
}

// resolverServer is the variable that makes this package's tests, in a process of their
// own, a resolver that answers after this time. So the cost of the resolver is not
// counted.
const resolverServer = "AUTHGEAR_BENCHMARK_RESOLVER"

// serveResolver answers everybody, as a user named by how the token ends, until
// standard input ends.
func serveResolver(delay string) {
	wait, err := time.ParseDuration(delay)
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // for the benchmark alone
			time.Sleep(wait)
			credential := r.Header.Get("Authorization")
			for name, values := range sessionOf(credential[max(0, len(credential)-8):]) {
				w.Header()[name] = values
			}
		})))
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startResolver returns the origin of a resolver in a process of its own.
func startResolver(b *testing.B, delay time.Duration) (origin string) {
	server := exec.Command(os.Args[0]) //nolint:gosec // this program
	server.Env = append(os.Environ(), resolverServer+"="+delay.String())
	stdin, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stdin.Close(); _ = server.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// likeJWT returns something of the form and size of Authgear's access tokens, which
// a resolver of our own takes for one.
func likeJWT(n int) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","kid":"573ed57d-b8b1-46fb-b339-6188839e558e","typ":"at+jwt"}`)) + "." +
		encode(fmt.Appendf(nil, `{"iss":"https://auth.example.com","sub":"%036d","aud":["https://auth.example.com"],"client_id":"portal","iat":1700000000,"exp":99000000000,"jti":"%064d","https://authgear.com/claims/user/is_anonymous":false,"https://authgear.com/claims/user/is_verified":true,"https://authgear.com/claims/user/roles":["editor"]}`, n, n)) + "." +
		encode(fmt.Appendf(nil, "%0256d", n))
}
