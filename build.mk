# One target a function, for SAM's makefile builder: `sam build` runs `make build-<LogicalId>` in a copy of the module, and
# deploys what it finds in ARTIFACTS_DIR.
#
#   LAMBDA_GOARCH   arm64 (default) or amd64; it has to fit the template's parameter Architecture (arm64, x86_64).
#
# A binary is static (there is no C library to rely on in a function), without the RPC mode of the retired go1.x runtime,
# and says nothing about the folder, the commit or the machine that it was built in: equal sources give equal bytes.
# GOFLAGS is emptied, because flags of the shell would get in.

LAMBDA_GOARCH ?= arm64
# linux, but for a function that `marquee local` runs on another system.
LAMBDA_GOOS ?= linux

lambda-go-build = CGO_ENABLED=0 GOOS=$(LAMBDA_GOOS) GOARCH=$(LAMBDA_GOARCH) GOFLAGS= \
	$(or $(GO),go) build -trimpath -buildvcs=false -tags lambda.norpc -ldflags "-s -w -buildid="

define lambda-build
$(if $(filter arm64 amd64,$(LAMBDA_GOARCH)),,$(error LAMBDA_GOARCH is "$(LAMBDA_GOARCH)": Lambda runs arm64 and amd64))
$(if $(ARTIFACTS_DIR),,$(error ARTIFACTS_DIR is not set: this target is run by sam build, or with ARTIFACTS_DIR=folder))
$(lambda-go-build) -o "$(ARTIFACTS_DIR)/bootstrap" $(1)
endef

.PHONY: build-MovieListFunction
build-MovieListFunction:
	$(call lambda-build,./functions/movielist)

.PHONY: build-CallerFunction
build-CallerFunction:
	$(call lambda-build,./functions/caller)
