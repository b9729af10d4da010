package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// connectService has procedures that answer with the user's id. Each is behind a guard
// with another policy, and one of them streams.
func connectService(auth authgear.Authenticator) http.Handler {
	guard, mux := connectGuard(auth), http.NewServeMux()
	whoami := func(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
		return connect.NewResponse(wrapperspb.String(authgear.MustUserFromContext(ctx).ID)), nil
	}
	idempotent := connect.WithIdempotency(connect.IdempotencyNoSideEffects)
	for procedure, require := range map[string]func(http.Handler) http.Handler{
		"/test.v1.Test/Whoami": guard.Require(),
		"/test.v1.Test/Admin":  guard.Require(authgear.Role("admin")),
		"/test.v1.Test/Recent": guard.Require(authgear.RecentAuth(5 * time.Minute)),
		"/test.v1.Test/Down": guard.Require(authgear.PolicyFunc(func(context.Context, *authgear.Identity) error {
			return authgear.Unavailable(errors.New("the database is down"))
		})),
	} {
		mux.Handle(procedure, require(connect.NewUnaryHandler(procedure, whoami, idempotent)))
	}
	const stream = "/test.v1.Test/Stream"
	mux.Handle(stream, guard.Require()(connect.NewServerStreamHandler(stream, func(ctx context.Context, _ *connect.Request[emptypb.Empty], s *connect.ServerStream[wrapperspb.StringValue]) error {
		return s.Send(wrapperspb.String(authgear.MustUserFromContext(ctx).ID))
	})))
	return mux
}

func serveConnect(t *testing.T, auth authgear.Authenticator) (server *httptest.Server, http2 *http.Client) {
	t.Helper()
	var both, only http.Protocols
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	only.SetUnencryptedHTTP2(true)
	server = httptest.NewUnstartedServer(connectService(auth))
	server.Config.Protocols = &both
	server.Start()
	t.Cleanup(server.Close)
	transport := &http.Transport{Protocols: &only}
	t.Cleanup(transport.CloseIdleConnections)
	return server, &http.Client{Transport: transport}
}

// Clients of all protocols understand why they are refused.
func TestConnect(t *testing.T) {
	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	server, http2 := serveConnect(t, newJWT(t, project))
	token := project.AccessToken(alice)
	good, old := "Bearer "+token, "Bearer "+project.AccessToken(alice, authgeartest.Token{AuthTime: time.Now().Add(-time.Hour)})
	expired := "Bearer " + project.AccessToken(alice, authgeartest.Token{ExpiresIn: -time.Minute})

	clients := map[string]struct {
		client  *http.Client
		options []connect.ClientOption
	}{
		"Connect":           {http.DefaultClient, nil},
		"Connect, JSON":     {http.DefaultClient, []connect.ClientOption{connect.WithProtoJSON()}},
		"Connect, GET":      {http.DefaultClient, []connect.ClientOption{connect.WithHTTPGet(), connect.WithIdempotency(connect.IdempotencyNoSideEffects)}},
		"Connect, HTTP/2":   {http2, nil},
		"gRPC":              {http2, []connect.ClientOption{connect.WithGRPC()}},
		"gRPC-Web":          {http.DefaultClient, []connect.ClientOption{connect.WithGRPCWeb()}},
		"gRPC-Web, HTTP/2":  {http2, []connect.ClientOption{connect.WithGRPCWeb()}},
		"Connect, a stream": {http.DefaultClient, nil},
	}
	connection, err := grpc.NewClient(server.Listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()

	for _, c := range []struct {
		procedure     string
		authorization []string
		want          connect.Code // 0: the user's id
		message       string
		challenge     string
	}{
		{"Whoami", []string{good}, 0, "alice", ""},
		{"Whoami", nil, connect.CodeUnauthenticated, "no_credentials: This request needs an access token.", "Bearer"},
		{"Whoami", []string{expired}, connect.CodeUnauthenticated, "token_expired: The access token has expired.", `Bearer error="invalid_token"`},
		{"Whoami", []string{good + " x"}, connect.CodeInvalidArgument, "authorization_malformed: ", `Bearer error="invalid_request"`},
		{"Whoami", []string{good, good}, connect.CodeInvalidArgument, "authorization_malformed: ", `Bearer error="invalid_request"`},
		{"Recent", []string{good}, 0, "alice", ""},
		{"Recent", []string{old}, connect.CodeUnauthenticated, "insufficient_user_authentication: ", `Bearer error="insufficient_user_authentication", error_description="This request needs a more recent login.", max_age="300"`},
		{"Admin", []string{good}, connect.CodePermissionDenied, "role_missing: ", ""},
		{"Down", []string{good}, connect.CodeUnavailable, "policy_unavailable: ", ""},
	} {
		for protocol, client := range clients {
			request := connect.NewRequest(&emptypb.Empty{})
			for _, value := range c.authorization {
				request.Header().Add("Authorization", value)
			}
			id, err := "", error(nil)
			if protocol == "Connect, a stream" {
				if c.procedure != "Whoami" {
					continue
				}
				id, err = firstOf(t, connect.NewClient[emptypb.Empty, wrapperspb.StringValue](client.client, server.URL+"/test.v1.Test/Stream"), request)
			} else {
				id, err = answerOf(t, connect.NewClient[emptypb.Empty, wrapperspb.StringValue](client.client, server.URL+"/test.v1.Test/"+c.procedure, client.options...), request)
			}
			if c.want == 0 {
				if err != nil || id != c.message {
					t.Errorf("%s, %s: %q, %v", protocol, c.procedure, id, err)
				}
				continue
			}
			refused, ok := errors.AsType[*connect.Error](err)
			if !ok || refused.Code() != c.want || !strings.HasPrefix(refused.Message(), c.message) {
				t.Errorf("%s, %s: %v, want %v: %s", protocol, c.procedure, err, c.want, c.message)
				continue
			}
			if got := refused.Meta().Get("WWW-Authenticate"); !strings.HasPrefix(got, c.challenge) || (got == "") != (c.challenge == "") {
				t.Errorf("%s, %s: the challenge is %q, want %q", protocol, c.procedure, got, c.challenge)
			}
		}

		// A client that does not use Connect.
		ctx := t.Context()
		for _, value := range c.authorization {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
		}
		var id wrapperspb.StringValue
		var header metadata.MD
		err := connection.Invoke(ctx, "/test.v1.Test/"+c.procedure, &emptypb.Empty{}, &id, grpc.Header(&header))
		if got := status.Convert(err); connect.Code(got.Code()) != c.want || !strings.HasPrefix(got.Message()+id.Value, c.message) {
			t.Errorf("gRPC's own client, %s: %v %q, want %v", c.procedure, err, id.Value, c.want)
		}
		if got := strings.Join(header.Get("www-authenticate"), ""); !strings.HasPrefix(got, c.challenge) {
			t.Errorf("gRPC's own client, %s: the challenge is %q, want %q", c.procedure, got, c.challenge)
		}
	}
}

func answerOf(t *testing.T, client *connect.Client[emptypb.Empty, wrapperspb.StringValue], request *connect.Request[emptypb.Empty]) (string, error) {
	t.Helper()
	response, err := client.CallUnary(t.Context(), request)
	if err != nil {
		return "", err
	}
	return response.Msg.Value, nil
}

func firstOf(t *testing.T, client *connect.Client[emptypb.Empty, wrapperspb.StringValue], request *connect.Request[emptypb.Empty]) (string, error) {
	t.Helper()
	stream, err := client.CallServerStream(t.Context(), request)
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	if !stream.Receive() {
		return "", stream.Err()
	}
	return stream.Msg().Value, nil
}

// A guard refuses a request before the body has come, in the form of the request's
// protocol. In this test the body never comes.
func TestConnectDoesNotWaitForBodies(t *testing.T) {
	server, _ := serveConnect(t, newJWT(t, authgeartest.New(t)))
	for contentType, want := range map[string]string{
		"application/proto":          `400 {"code":"invalid_argument","message":"authorization_malformed: `,
		"application/json":           `400 {"code":"invalid_argument","message":"authorization_malformed: `,
		"application/connect+proto":  "200 \x02\x00\x00\x00",
		"application/grpc":           "200 3authorization_malformed: ",
		"application/grpc+proto":     "200 3authorization_malformed: ",
		"application/grpc-web":       "200 3authorization_malformed: ",
		"application/grpc-web+proto": "200 3authorization_malformed: ",
	} {
		connection, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(connection, "POST /test.v1.Test/Whoami HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nContent-Type: "+contentType+
			"\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatal(contentType, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(contentType, err)
		}
		_ = connection.Close()
		got := response.Status[:4] + string(body)
		for _, fields := range []http.Header{response.Header, response.Trailer} {
			got += fields.Get("Grpc-Status") + fields.Get("Grpc-Message")
		}
		if !strings.HasPrefix(got, want) || !strings.HasPrefix(response.Header.Get("WWW-Authenticate"), `Bearer error="invalid_request"`) {
			t.Errorf("%s: %q %v", contentType, got, response.Header)
		}
		if contentType == "application/connect+proto" {
			var end struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal(body[5:], &end); err != nil || end.Error.Code != "invalid_argument" {
				t.Errorf("%s: %q", contentType, body)
			}
		}
	}
}

// The guard does not read the body. A request that is no procedure call gets the usual
// answer.
func TestConnectReadsNoBody(t *testing.T) {
	service := connectService(newJWT(t, authgeartest.New(t)))
	for _, contentType := range []string{"application/proto", "application/json", "application/connect+json", "application/grpc", "application/grpc-web-text", "text/plain", ""} {
		body := &unread{}
		r, w := httptest.NewRequest("POST", "/test.v1.Test/Whoami", body), httptest.NewRecorder()
		r.Header.Set("Content-Type", contentType)
		service.ServeHTTP(w, r)
		if body.read {
			t.Errorf("%q: the body is read", contentType)
		}
		if usual := strings.HasPrefix(w.Body.String(), `{"error":"authentication_required"`); usual != !strings.HasPrefix(contentType, "application/") {
			t.Errorf("%q: %d %s %v", contentType, w.Code, w.Body, slices.Sorted(maps.Keys(w.Header())))
		}
	}
	for _, c := range [][2]string{
		{"GET /page", `401 {"code":"unauthenticated"`}, // it could be a Connect call
		{"PUT /page", `401 {"error":"authentication_required"`},
	} {
		answers(t, connectGuard(newJWT(t, authgeartest.New(t))).Require()(http.NotFoundHandler()), c[0], "", c[1])
	}
}
