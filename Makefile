# Needs rustup and Python 3; fetches the rest. An Envoy that ENVOY names, or that is on PATH, is used as it is.
.DEFAULT_GOAL := help
.PHONY: help setup build module programs demo-ready demo page-ready run test test-matrix test-upstreams fuzz bench bench-counts bench-crypto check test-all sizes screenshots release

CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := .tools/bin/cargo-deny
CARGO_CYCLONEDX_VERSION := 0.5.9
CARGO_CYCLONEDX := .tools/bin/cargo-cyclonedx
FUZZ_SECONDS ?= 600
FUZZ_SEED ?= 1
# What the tests need to find; nothing in them guesses.
WITH_ENVOY = ENVOY="$$(scripts/setup-envoy)" COUNTERSIGN_WASM="$(CURDIR)/dist/countersign.wasm"

# Built on one core while the tests run.
WITHOUT_KINDS = target/modules/without-kinds.wasm

TRIM_MODULE = cargo build --locked --package trim-module
DEMO_PACKAGE = --locked --package demo
DEMO = cargo build $(DEMO_PACKAGE)
# All that is no wasm module, at once, so that the dependencies have the same features and are built once.
NATIVE = --locked --workspace --exclude signature-module --exclude empty-module
# The page, and the native command, which explains its requests.
PAGE = cargo build --locked --package page --package countersign --bin countersign-page --bin countersign
COUNTERSIGN_PAGE = "$${CARGO_TARGET_DIR:-$(CURDIR)/target}/debug/countersign-page"

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## fetch what is missing: the Rust target, and an Envoy
	@scripts/setup-rust
	@scripts/setup-envoy >/dev/null

module: setup
	@scripts/at-once 'building the filter' scripts/build-module 'building the tool that trims it' '$(TRIM_MODULE)'

build: module ## dist/countersign.wasm with its .sha256, dist/countersign, the native command, its completions and manual pages
	@echo "==> building the command"
	@cargo build --release --locked --bin countersign
	@cp "$${CARGO_TARGET_DIR:-target}/release/countersign" dist/countersign
	@mkdir -p dist/completions
	@dist/countersign completions bash >dist/completions/countersign.bash
	@dist/countersign completions fish >dist/completions/countersign.fish
	@dist/countersign completions zsh >dist/completions/_countersign
	@dist/countersign man --out dist/man >/dev/null

# Side by side, since the filter is linked on one core.
demo-ready:
	@scripts/setup-rust
	@echo "==> building the filter and the demo (some minutes, once)"
	@scripts/at-once 'building the filter' scripts/build-module 'building the demo' '$(TRIM_MODULE) && $(DEMO)' \
		'fetching Envoy' 'scripts/setup-envoy >/dev/null'

demo: demo-ready ## play every situation against a real Envoy and print what comes back
	@$(WITH_ENVOY) cargo run --quiet $(DEMO_PACKAGE)

page-ready:
	@scripts/setup-rust
	@echo "==> building the filter and the page (some minutes, once)"
	@scripts/at-once 'building the filter' scripts/build-module 'building the page' '$(TRIM_MODULE) && $(PAGE)' \
		'fetching Envoy' 'scripts/setup-envoy >/dev/null'

run: $(if $(RECIPE)$(CONFIG),demo-ready,page-ready) ## start Envoy with the filter on port 10000, and a page on port 10100, and leave them running; RECIPE=role-per-path: with a recipe of docs/cookbook.md; CONFIG=FILE: with your configuration
	@$(WITH_ENVOY) $(if $(RECIPE),cargo run --quiet $(DEMO_PACKAGE) -- --recipe '$(RECIPE)',$(if $(CONFIG),cargo run --quiet $(DEMO_PACKAGE) -- --config '$(CONFIG)',$(COUNTERSIGN_PAGE) run))

programs: setup ## what compose.yaml runs, for COUNTERSIGN_PROGRAMS=prebuilt docker compose up
	@echo "==> building the programs of compose.yaml (some minutes, once)"
	@scripts/build-programs

# Side by side, since the filter is linked on one core.
test: setup ## the core, a real Envoy, the command, the tool that trims the module
	@echo "==> building the filter and the tests (some minutes, once)"
	@scripts/at-once 'building the filter' scripts/build-module 'building the module that verifies signatures' scripts/build-signature \
		'building the tests' '$(TRIM_MODULE) && cargo test --locked --tests --no-run'
	@echo "==> testing"
	@$(WITH_ENVOY) cargo test --locked --tests
	@cargo test --locked --profile dev --package trim-module --package release

test-matrix: module ## the tests that depend on the host, with Envoy 1.36 to 1.40; writes the results into docs/compatibility.md
	@scripts/test-matrix

test-upstreams: module ## odd requests to a fleet of real servers behind the filter, and ordinary ones: UPSTREAMS='express|flask'
	@echo "==> testing with real upstreams"
	@python="$$(scripts/setup-upstreams)" && \
		npm ci --prefix tests/upstreams/ordinary --ignore-scripts --no-audit --no-fund --loglevel=error && \
		$(WITH_ENVOY) cargo test --locked --test upstreams -- ordinary:: && \
		$(WITH_ENVOY) UPSTREAM_PYTHON="$$python" cargo test --locked --test upstreams -- --skip ordinary::

test-all: module ## what needs more than `test`: each older supported Envoy, real issuers, clients (Node.js, Chromium) and upstreams
	@echo "==> testing with each older supported Envoy"
	@scripts/at-once 'testing with each older supported Envoy' 'scripts/test-matrix --check' \
		'building a module without kinds of credentials' 'OUT=$(WITHOUT_KINDS) FEATURES= nice scripts/build-module'
	@echo "==> testing with a real issuer"
	@command -v node >/dev/null && command -v npm >/dev/null || \
		{ echo "there is no node or no npm: install Node.js 20 or later (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@npm ci --prefix tests/npm --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(WITH_ENVOY) cargo test --locked --test clients -- issuer:: introspection::
	@echo "==> testing with real clients"
	@chromium="$$(scripts/setup-clients)" && \
		$(WITH_ENVOY) CHROMIUM="$$chromium" cargo test --locked --test clients -- clients:: documented:: passwords:: digest:: possession:: handoff:: several_proxies::
	@echo "==> testing the manifests with kubectl and the models of their kinds"
	@kubectl="$$(scripts/setup-kubernetes)" && \
		KUBECTL="$$kubectl" cargo test --locked --test clients -- kubernetes::
	@echo "==> testing the image in a registry"
	@scripts/setup-registry
	@cargo build --locked --package release
	@RELEASE_TOOL="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/debug/release" COUNTERSIGN_WASM="$(CURDIR)/dist/countersign.wasm" \
		cargo test --locked --test clients -- image::
	@echo "==> testing compose.yaml with containers"
	@$(MAKE) programs
	@npm ci --prefix envoy/compose/issuer --ignore-scripts --no-audit --no-fund --loglevel=error
	@chromium="$$(scripts/setup-clients)" && \
		$(WITH_ENVOY) CHROMIUM="$$chromium" REAL_CURL=1 cargo test --locked --test clients -- compose::
	@echo "==> testing alerts and the dashboard with Prometheus"
	@monitoring="$$(scripts/setup-monitoring)" && \
		$(WITH_ENVOY) PATH="$$monitoring" cargo test --locked --test clients monitoring::
	@echo "==> testing the page"
	@$(PAGE)
	@cargo test --locked --profile dev --package page
	@chromium="$$(scripts/setup-clients)" && $(WITH_ENVOY) CHROMIUM="$$chromium" COUNTERSIGN_PAGE=$(COUNTERSIGN_PAGE) \
		cargo test --locked --test clients -- page::
	@echo "==> playing the demo"
	@$(MAKE) demo
	@cargo test --profile dev $(DEMO_PACKAGE)
	@echo "==> testing the documentation with curl"
	@command -v curl >/dev/null || { echo "there is no curl: install it (Debian: apt-get install curl)" >&2; exit 1; }
	@$(WITH_ENVOY) REAL_CURL=1 cargo test --locked --test envoy docs::
	@echo "==> testing a module without kinds of credentials"
	@$(WITH_ENVOY) WITHOUT_KINDS="$(CURDIR)/$(WITHOUT_KINDS)" \
		cargo test --locked --test clients -- kinds::
	@$(MAKE) test-upstreams

release: setup $(CARGO_CYCLONEDX) ## dist/release: module, command, image, bills of materials, checksums; of the commit that is checked out
	@scripts/release

sizes: setup ## what each kind of credentials adds to the module, in bytes: builds the module eight times
	@scripts/kind-sizes

screenshots: module ## docs/page-*.png, the pages as Chromium shows them, and docs/dashboard.png
	@$(PAGE)
	@chromium="$$(scripts/setup-clients)" && $(WITH_ENVOY) CHROMIUM="$$chromium" SCREENSHOTS="$(CURDIR)/docs" \
		COUNTERSIGN_PAGE=$(COUNTERSIGN_PAGE) cargo test --locked --test clients -- a_browser the_page
	@chromium="$$(scripts/setup-clients)" && monitoring="$$(scripts/setup-monitoring)" && \
		$(WITH_ENVOY) PATH="$$monitoring" CHROMIUM="$$chromium" SCREENSHOTS="$(CURDIR)/docs" \
		cargo test --locked --test clients monitoring::each_alert

fuzz: ## random input against independent models: FUZZ_SECONDS=600 for each target, FUZZ_SEED=1
	@for target in paths rules claims cookies jwks logins digests proofs metadata host; do \
	    cargo run --quiet --profile fuzz --locked --package countersign-fuzz --bin "$$target" -- $(FUZZ_SECONDS) $(FUZZ_SEED) || exit 1; \
	done

bench: module ## what a request costs, against Envoy's own filters: docs/benchmarks.md
	@echo "==> building the benchmark"
	@scripts/build-empty
	@$(WITH_ENVOY) cargo run --quiet --locked --profile test --example bench
	@echo "==> what finding a rule costs"
	@cargo run --quiet --locked --release --example rules
	@echo "==> what the dearest conditions in CEL cost"
	@$(WITH_ENVOY) cargo run --quiet --locked --profile test --example conditions
	@echo "==> what odd paths cost"
	@$(WITH_ENVOY) cargo run --quiet --locked --profile test --example paths
	@echo "==> how long other requests wait during a flood of wrong passwords"
	@$(WITH_ENVOY) cargo run --quiet --locked --profile test --example flood

bench-counts: module ## instructions and cache misses of a request, by callgrind: docs/benchmark-counts.md; BEFORE=FILE: compared with another build of the filter
	@echo "==> building the benchmark"
	@scripts/build-empty
	@$(WITH_ENVOY) cargo run --quiet --locked --profile test --example bench -- counts $(if $(BEFORE),'before=$(BEFORE)') '$(if $(BEFORE),after,Countersign)=dist/countersign.wasm'

bench-crypto: setup ## what the verification of a signature costs, by Envoy and in the filter
	@echo "==> building the module that verifies signatures"
	@$(WITH_ENVOY) cargo run --quiet --locked --profile test --example signatures

check: setup $(CARGO_DENY) ## formatting, lints natively and for wasm, documentation, dependencies
	cargo fmt --check
	cargo clippy $(NATIVE) --all-targets -- -D warnings
	cargo clippy $(NATIVE) --test clients --test upstreams -- -D warnings
	cargo clippy --locked --lib --target wasm32-wasip1 --package countersign --package signature-module --package empty-module -- -D warnings
	cargo clippy --locked --lib --target wasm32-wasip1 --no-default-features --features filter -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
	$(CARGO_DENY) check bans licenses sources
	@if $(CARGO_DENY) fetch db; then $(CARGO_DENY) --offline check advisories; \
	else echo "NOT RUN: the known vulnerabilities of the dependencies, since RustSec's database cannot be fetched"; fi

# Not optimised: these tools run for seconds, and take minutes to build.
$(CARGO_DENY):
	@echo "==> building cargo-deny $(CARGO_DENY_VERSION) (some minutes, once)"
	@CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --debug --locked --version $(CARGO_DENY_VERSION) --root .tools

$(CARGO_CYCLONEDX):
	@echo "==> building cargo-cyclonedx $(CARGO_CYCLONEDX_VERSION) (some minutes, once)"
	@CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-cyclonedx --debug --locked --version $(CARGO_CYCLONEDX_VERSION) --root .tools
