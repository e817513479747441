# The two commands are `make dev` and `make test`. Everything else is a part of them.
SHELL := /bin/sh
PORT ?= 8787
PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export PATH PORT

.PHONY: help dev test tools build secrets generate simulate fmt lint deny clean

help:
	@echo "make dev       build, migrate a local D1, serve on http://localhost:$(PORT) (PORT=… changes it)"
	@echo "make test      everything that has to hold: format, lints, native tests, tests in workerd, budgets"
	@echo "make tools     install the build tools (make dev and make test do it too)"
	@echo "make secrets   fresh secrets as JSON, for: make secrets | npx wrangler secret bulk"
	@echo "make generate  write what is generated from the code's tables"
	@echo "make simulate  a week with attacks asked of the routes: the tables and the chart of docs/fraud.md (some minutes)"
	@echo "make fmt       format; make lint: format and lints only; make deny: licences and advisories"

tools:
	@sh scripts/tools.sh

dev: tools
	@exec sh scripts/dev.sh

test: tools
	@exec sh scripts/test.sh

build: tools
	@sh scripts/build.sh

secrets:
	@cargo xtask secrets

generate: tools
	@cargo xtask generate
	@cargo xtask openapi | node scripts/client-types.mjs

simulate:
	@SIMULATE=write cargo test --quiet --test simulation the_page_says -- --nocapture

fmt:
	@cargo fmt --all

lint: tools
	@sh scripts/lint.sh

deny:
	@sh scripts/deny.sh

clean:
	@rm -rf target build node_modules .wrangler
