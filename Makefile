# make run      build and serve with rains that keep falling
# make check    the fast checks: format, vet, all tests once
# make test     everything CI runs: the checks, and all tests under the race detector
# make help     the rest

GO      ?= go
RELEASE := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# The commit is stamped where git can tell it; a folder that git does not trust must still build.
STAMP := -buildvcs=$(shell git status --short >/dev/null 2>&1 && echo true || echo false)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: build
build: ## build bin/hongbao
	CGO_ENABLED=0 $(GO) build $(STAMP) -trimpath -ldflags '-s -w -X main.release=$(RELEASE)' -o bin/hongbao ./cmd/hongbao

.PHONY: run
run: build ## build and serve with rains that keep falling
	bin/hongbao serve --demo

.PHONY: run-cluster
run-cluster: build ## build and run two nodes and a worker on a Redis Cluster, a Kafka and a MySQL of their own
	scripts/run-cluster

.PHONY: format
format: ## fail when a file is not formatted
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "not formatted (run gofmt -w):" $$unformatted; exit 1; }

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: check
check: format vet ## the fast checks
	$(GO) test ./...

.PHONY: test
test: tools format vet build ## everything, under the race detector, with real services
	scripts/with-services scripts/test -race -timeout 15m ./...
	cd deploy && $(GO) vet ./... && $(GO) test ./...

.PHONY: test-long
test-long: tools ## the random and crash tests at length, for an hour or so
	HONGBAO_LONG=1 scripts/with-services scripts/test -race -timeout 2h ./...

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	scripts/fuzz

.PHONY: bench
bench: build ## measure against empty handlers and print ratios
	scripts/bench

.PHONY: bench-cluster
bench-cluster: build ## measure the cluster engine, against its own script and the embedded engine
	scripts/bench-cluster

.PHONY: bench-fair
bench-fair: build ## measure who wins, people or scripts, with and without fair start and tickets
	scripts/bench-fair

.PHONY: bench-flood
bench-flood: build ## measure how honest players fare during floods
	scripts/bench-flood

.PHONY: bench-live
bench-live: build ## measure what connections that are told of events cost, and how fast they are told
	scripts/bench-live

.PHONY: tools
tools: ## install what the tests call: a C compiler for the race detector, curl, wrk, a browser, the stores
	scripts/need gcc curl wrk node npm chromium fonts-noto-cjk redis-server redis-cli mariadbd java mvn
	$(MAKE) --no-print-directory web/test/node_modules/.package-lock.json

# npm writes this file when it is done.
web/test/node_modules/.package-lock.json: web/test/package-lock.json
	cd web/test && npm ci --ignore-scripts --no-audit --no-fund

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .cache
