# What one types here. `make` alone lists the targets.
#
# build.mk holds the targets that the SAM CLI calls (build-<LogicalId>); `marquee local` calls the same ones.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

ARGS ?=
GO ?= go

include build.mk

.PHONY: help run build test lint fuzz bench scale screenshots sam-check docs man release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# The recipe becomes the program itself, so that Ctrl-C reaches it alone and make does not report it as a failure.
run: build ## the whole private API on this machine; ARGS=--once shows the movies and stops
	@exec bin/marquee local $(ARGS)

build: ## bin/marquee
	@mkdir -p bin
	$(GO) build -trimpath -o bin/marquee ./cmd/marquee

# The functions are built first: several tests do so at once, and on an empty cache each would compile everything.
test: ## all tests, with the race detector
	@for f in MovieListFunction CallerFunction; do \
	  $(MAKE) --no-print-directory build-$$f ARTIFACTS_DIR="$(CURDIR)/bin/functions/$$f" LAMBDA_GOOS=$$($(GO) env GOOS) LAMBDA_GOARCH=$$($(GO) env GOARCH) || exit; \
	done
	$(GO) test -race -shuffle=on -timeout=30m ./...

lint: ## formatting, vet, staticcheck, tidy modules, known vulnerabilities
	@GO="$(GO)" scripts/lint

# Each target runs alone: Go fuzzes one at a time.
FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME (20s)
	@GO="$(GO)" scripts/fuzz $(FUZZTIME)

bench: ## figures of this machine, as ratios in one run
	@GO="$(GO)" scripts/bench

# Half an hour and several gigabytes of memory at a million movies.
SCALE ?= 1000,100000,1000000
scale: ## what a page costs in catalogues of SCALE movies, into docs/performance.md
	$(GO) run ./internal/tools/scale -sizes $(SCALE)

screenshots: ## the pictures of docs/console.md, by a real browser
	@mkdir -p docs/screenshots
	MARQUEE_SCREENSHOTS="$(CURDIR)/docs/screenshots" $(GO) test -count=1 -run '^TestScreenshots$$' ./internal/local

sam-check: build ## validate, lint, scan, build, deploy onto an emulator and invoke with the SAM CLI
	@scripts/sam-check

docs: ## write into the documents what comes from the code, and run what they show
	$(GO) test ./internal/architecture -write
	$(GO) test ./internal/docscheck -run Costs -write
	$(GO) test -count=1 ./internal/docscheck

man: build ## manual pages and shell completions, into dist
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null)} bin/marquee man dist/man
	@mkdir -p dist/completions
	@for s in bash zsh fish powershell; do bin/marquee completion $$s > dist/completions/marquee.$$s || exit; done
	@echo "manual pages are in dist/man, completions in dist/completions"

# The version is the tag, or what lies beyond it. The same commit gives the same bytes, wherever it is built.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
release: ## archives, sums and parts list of VERSION for every platform, into dist/release; TARGETS=os/arch,… for some
	$(GO) run ./internal/tools/release -version "$(VERSION)" -revision "$$(git rev-parse HEAD)" \
	  -time "$$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)" -out dist/release $(if $(TARGETS),-targets $(TARGETS))

clean: ## what was built here
	rm -rf bin dist .aws-sam
