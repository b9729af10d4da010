package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// generate runs the code generators of the recipes. They make the packages that the
// recipes use.
func (m *module) generate(t *testing.T) {
	t.Helper()
	for directory, names := range map[string][]string{"api": {"openapi.yaml", "oapi-codegen.yaml"}, "graph": {"schema.graphqls", "gqlgen.yml"}} {
		for _, name := range names {
			m.write(t, directory+"/"+name, read(t, "testdata/generate/"+name))
		}
	}
	m.tool(t, "api", nil, "oapi-codegen", "-config", "oapi-codegen.yaml", "openapi.yaml")
	m.tool(t, "graph", nil, "gqlgen", "generate")

	// A Go module already has the description of this service, so protoc is not needed.
	service := protodesc.ToFileDescriptorProto(grpc_health_v1.File_grpc_health_v1_health_proto)
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{service.GetName()},
		ProtoFile:      []*descriptorpb.FileDescriptorProto{service},
		Parameter:      proto.String("generate_unbound_methods=true,standalone=true"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var generated pluginpb.CodeGeneratorResponse
	err = proto.Unmarshal(m.tool(t, ".", request, "protoc-gen-grpc-gateway"), &generated)
	if err != nil || len(generated.File) != 1 {
		t.Fatal("protoc-gen-grpc-gateway:", err, generated.GetError())
	}
	m.write(t, "health/gateway.go", generated.File[0].GetContent())
}

// tool runs a tool of go.mod in that directory and returns what it writes.
func (m *module) tool(t *testing.T, directory string, input []byte, args ...string) []byte {
	t.Helper()
	command := exec.Command("go", append([]string{"tool"}, args...)...)
	command.Dir = filepath.Join(m.dir, directory)
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	var said bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(input), &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go tool %s: %v\n%s%s", strings.Join(args, " "), err, out, &said)
	}
	return out
}
