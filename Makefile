# Run 'make' for the list. The recipes install what they need where they may
# (Debian, root), and say what is missing where they may not.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
WEB := dashboard/web
PEERS := cmd/mcp-gw/e2e/peers
SUITE := cmd/mcp-gw/conformance

# The reaper of testcontainers is an image of its own; the tests remove what
# they start.
export TESTCONTAINERS_RYUK_DISABLED := true

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## gateway and demo backend in containers, built without any registry
	@.ci/demo

# The tag release: no program without its dashboard, see dashboard/web/release.go.
.PHONY: build
build: dashboard ## the binary, for this machine: .build/mcp-gw
	CGO_ENABLED=0 go build -tags release -trimpath -ldflags "-s -w -X main.version=$$(.ci/version)" -o .build/mcp-gw ./cmd/mcp-gw

.PHONY: dashboard
dashboard: $(WEB)/dist/index.html ## the page that go build embeds

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	npm ci --prefix $(WEB) --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(shell find $(WEB)/src $(WEB)/public -type f 2>/dev/null) $(wildcard $(addprefix $(WEB)/,index.html *.json *.js *.ts))
	npm run build --prefix $(WEB)

.PHONY: image
image: ## the image mcp-gw, by the whole Dockerfile
	docker build --build-arg VERSION=$$(.ci/version) -t mcp-gw .

.PHONY: check
check: lint ## the quick loop: lint and unit tests, no engine, no peers
	go test -short $$(go list ./... | grep -vE '/(e2e|conformance)$$')

# Compiled as the programs of the images and of the tests are, so that what lint has
# compiled need not be compiled once more for them.
.PHONY: lint
lint: export CGO_ENABLED := 0
lint: export GOFLAGS := -trimpath
lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

.PHONY: peers
peers: $(PEERS)/node_modules/.package-lock.json ## the MCP servers and clients of others that the tests talk to

$(PEERS)/node_modules/.package-lock.json: $(PEERS)/package-lock.json
	npm ci --prefix $(PEERS) --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: suite
suite: $(SUITE)/node_modules/.package-lock.json ## the official MCP conformance suite, and what it needs

$(SUITE)/node_modules/.package-lock.json: $(SUITE)/package-lock.json
	npm ci --prefix $(SUITE) --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: conformance
conformance: suite ## run that suite against both sides of the gateway
	go test -C $(SUITE) -race -vet=off -count=1 -timeout 15m

# No pipe after go test: its last lines are the last of this target's, and its
# exit code is this target's. Vet is lint's, which need not be done once more for
# what is compiled with the race detector.
.PHONY: test
test: peers ## all tests but conformance, with the race detector, a real engine, real peers and a real browser
	@.ci/engine
	@.ci/tools
	@.ci/page
	go test -race -vet=off -shuffle=on -timeout 30m $$(go list ./... | grep -v '/conformance$$')

.PHONY: soak
soak: peers ## five minutes of clients and backends that come and go, and more of what floods: nothing may be left
	SOAK=5m SCALE=1m go test -race -count=1 -timeout 20m -run 'TestChurnLeavesNothing|TestSessionsOpenedAndAbandoned|TestFloodOnOneStream|TestScaleKillOneEverySecond' ./cmd/mcp-gw/e2e

.PHONY: screenshots
screenshots: peers dashboard ## every page, both themes, desktop and phone: .build/screenshots
	@.ci/tools
	SCREENSHOTS=$(CURDIR)/.build/screenshots go test -count=1 -timeout 20m -run TestScreenshots ./cmd/mcp-gw/e2e

.PHONY: bench
bench: ## CPU and latency of the gateway beside a bare reverse proxy
	go run ./cmd/mcp-gw-bench

.PHONY: bench-discovery
bench-discovery: ## time from docker start to a listed tool, and from docker kill to its end
	@.ci/engine
	go run ./cmd/mcp-gw-bench discovery

.PHONY: clean
clean: ## what was built, and the demo's containers; registrations stay
	@if docker info >/dev/null 2>&1; then docker compose --profile demo down --remove-orphans; fi
	rm -rf .build $(WEB)/node_modules $(WEB)/dist/* $(PEERS)/node_modules $(SUITE)/node_modules
