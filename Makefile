# make test runs every check of the project. MODULES are the modules of go.work.
MODULES = $(shell go list -m -f '{{.Dir}}')
BIN := $(CURDIR)/bin

.PHONY: test quickstart need programs format vet lint vulnerabilities tidy race alone jsonv2 fasthttp next histories e2e-traefik

test: need programs format vet lint vulnerabilities tidy race alone jsonv2 fasthttp next
	@echo "all checks passed"

quickstart:
	go run ./examples/gin

# Steps run one after the other, whatever -j says, since each uses all processors.
.NOTPARALLEL:

# The race detector needs the C compiler of go env CC, which is gcc by default.
need:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/doc/install"; exit 1; }
	@cc=$$(go env CC); command -v $${cc%% *} >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq gcc libc6-dev; } || \
		{ echo "a C compiler is needed for the race detector: install gcc, or set CC"; exit 1; }

# The reverse proxies and the browser of the end-to-end tests, and Redis, as Debian
# packages. If a program cannot be installed, its tests are skipped, unless
# AUTHGEAR_E2E=required.
programs:
	@missing=; for p in nginx caddy haproxy chromium redis-server; do \
		PATH=$$PATH:/usr/sbin command -v $$p >/dev/null || missing="$$missing $$p"; \
	done; \
	[ -e /usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so ] || missing="$$missing libnginx-mod-http-headers-more-filter"; \
	[ -z "$$missing" ] || echo "end-to-end tests need:$$missing (installed by apt-get as root)"; \
	[ -z "$$missing" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq; }; \
	for p in $$missing; do \
		{ [ "$$(id -u)" = 0 ] && apt-get install -y -qq --no-install-recommends $$p; } || echo "$$p is not installed: install it to run its end-to-end tests"; \
	done

format:
	@unformatted=$$(gofmt -l $(MODULES)); [ -z "$$unformatted" ] || { echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; }

vet:
	go vet work

$(BIN)/staticcheck $(BIN)/govulncheck: tools/go.mod tools/go.sum
	GOBIN=$(BIN) GOWORK=off go -C tools install tool
	@touch $(BIN)/*

lint: $(BIN)/staticcheck
	@for m in $(MODULES); do echo "staticcheck $$m"; (cd $$m && $(BIN)/staticcheck ./...) || exit 1; done

# Some machines cannot reach the database of vulnerabilities.
vulnerabilities: $(BIN)/govulncheck
	@for m in $(MODULES); do \
		out=$$(cd $$m && $(BIN)/govulncheck ./... 2>&1); status=$$?; \
		case "$$status $$out" in \
			0*) echo "govulncheck $$m: nothing found" ;; \
			*"fetching vulnerabilities"*) echo "govulncheck: skipped, its database cannot be reached"; break ;; \
			*) echo "$$out"; exit 1 ;; \
		esac; done

tidy:
	@for m in $(MODULES) tools; do echo "go mod tidy -diff $$m"; (cd $$m && GOWORK=off go mod tidy -diff) || exit 1; done

# go test stops after ten minutes by default. A busy machine takes longer.
TEST = go test -timeout 20m

# Without the test cache, which does not notice that a document has changed.
race:
	CGO_ENABLED=1 $(TEST) -race -count=1 work

# Each module against its siblings' sources, as its own go.mod says.
alone:
	@for m in $(MODULES); do echo "alone: $$m"; (cd $$m && GOWORK=off go vet ./... && GOWORK=off $(TEST) ./...) || exit 1; done

# This is the JSON library of the next Go release.
jsonv2:
	GOEXPERIMENT=jsonv2 $(TEST) ./core/...

# go.mod names the oldest fasthttp that fiber uses. This is the newest that is tested.
FASTHTTP = v1.78.0
fasthttp:
	@t=$$(mktemp -d); trap 'rm -rf "$$t"' EXIT; for m in adapters/fasthttp adapters/fiber adapters/fiberv3; do \
		echo "fasthttp $(FASTHTTP): $$m"; \
		cp $$m/go.mod $$m/go.sum $$t && \
		go mod edit -require=github.com/valyala/fasthttp@$(FASTHTTP) $$t/go.mod && \
		(cd $$m && GOWORK=off $(TEST) -mod=mod -modfile=$$t/go.mod ./...) || exit 1; done

# Tests with the next Go release, if it can be downloaded. The end-to-end tests are left
# out, since they test other programs.
NEXT = go1.27.4
next:
	@GOTOOLCHAIN=$(NEXT) go version >/dev/null 2>&1 || { echo "$(NEXT): skipped, it cannot be downloaded"; exit 0; }; \
		echo "$(NEXT)" && export GOTOOLCHAIN=$(NEXT) && go vet work && $(TEST) $$(go list work | grep -v /authgear-sdk-go/e2e)

# Tests Hybrid with a million random histories, in about 40 minutes on one processor.
# make test uses ten thousand.
histories:
	go test ./core -count=1 -timeout 0 -run 'TestHistories$$' -histories=1000000

# Traefik is in no Debian package, but it is a Go module. It is built once, in about ten
# minutes.
$(BIN)/traefik: e2e/traefik/go.mod e2e/traefik/go.sum
	GOWORK=off go -C e2e/traefik build -o $@ github.com/traefik/traefik/v3/cmd/traefik
	@touch $@

e2e-traefik: programs $(BIN)/traefik
	GOWORK=off go -C e2e/traefik mod tidy -diff
	TRAEFIK=$(BIN)/traefik $(TEST) -count=1 -run Traefik ./e2e
