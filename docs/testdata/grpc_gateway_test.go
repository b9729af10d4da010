package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authgearhttp "github.com/authgear/authgear-sdk-go/adapters/nethttp"
	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	health "github.com/authgear/authgear-sdk-go/docs/health"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

// healthService remembers what it was called with.
type healthService struct {
	grpc_health_v1.UnimplementedHealthServer
	calls []metadata.MD
	user  string
}

func (s *healthService) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	received, _ := metadata.FromIncomingContext(ctx)
	s.calls = append(s.calls, received)
	if user, ok := authgear.UserFromContext(ctx); ok {
		s.user = user.ID
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

// Only the gateway can tell the service who the user is.
func TestGRPCGateway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service, server := &healthService{}, grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, service)
	go func() { _ = server.Serve(listener) }() // until Stop
	defer server.Stop()
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()

	project := authgeartest.New(t)
	alice := project.AddUser(authgeartest.User{ID: "alice"})
	guard := authgearhttp.New(newResolver(t, project))
	handler, err := grpcGateway(t.Context(), guard, connection)
	if err != nil {
		t.Fatal(err)
	}
	token, cookie := "Bearer "+project.OpaqueToken(alice), project.SessionCookie(alice)
	forged := http.Header{
		"Grpc-Metadata-User-Id":             {"bob"},
		"grpc-metadata-user-id":             {"bob"},
		"Grpc-Metadata-Grpcgateway-User-Id": {"bob"},
		"Grpc-Metadata-X-Authgear-User-Id":  {"bob"},
		"User-Id":                           {"bob"},
		"X-Authgear-User-Id":                {"bob"},
		"Cookie":                            {"a=b"},
	}
	ask := func(handler http.Handler, header http.Header) string {
		t.Helper()
		r, w := httptest.NewRequest("POST", "/grpc.health.v1.Health/Check", strings.NewReader("{}")), httptest.NewRecorder()
		r.Header = header
		handler.ServeHTTP(w, r)
		return w.Result().Status[:4] + w.Body.String()
	}
	for want, header := range map[string]http.Header{
		`401 {"error":"authentication_required"`: forged.Clone(),
		`401 {"error":"invalid_token"`:           {"Authorization": {"Bearer bad"}},
		`403 {"error":"cross_origin"`:            {"Cookie": {cookie.Name + "=" + cookie.Value}, "Sec-Fetch-Site": {"cross-site"}},
	} {
		if got := ask(handler, header); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if len(service.calls) > 0 {
		t.Fatalf("%d refused calls reach the service", len(service.calls))
	}

	withToken := forged.Clone()
	withToken.Set("Authorization", token)
	for _, header := range []http.Header{{"Authorization": {token}}, withToken, {"Cookie": {cookie.Name + "=" + cookie.Value}}} {
		service.calls = nil
		if got := ask(handler, header); got != `200 {"status":"SERVING"}` || len(service.calls) != 1 {
			t.Fatal(got, service.calls)
		}
		call := service.calls[0]
		if ids := call.Get("user-id"); len(ids) != 1 || ids[0] != "alice" {
			t.Errorf("the ids are %q", ids)
		}
		if got := call.Get("authorization"); len(got) != len(header["Authorization"]) {
			t.Errorf("Authorization is %q", got)
		}
		for name, values := range call {
			if text := strings.Join(values, " "); strings.Contains(text, "bob") || strings.Contains(text, "a=b") || strings.Contains(text, cookie.Value) {
				t.Errorf("the service gets %s: %s", name, text)
			}
		}
	}

	// The gateway calls the service in the same process.
	mux := runtime.NewServeMux()
	if err := health.RegisterHealthHandlerServer(t.Context(), mux, service); err != nil {
		t.Fatal(err)
	}
	if got := ask(guard.Require()(mux), withToken); got != `200 {"status":"SERVING"}` || service.user != "alice" {
		t.Error(got, service.user)
	}
}
