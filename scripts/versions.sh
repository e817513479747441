# Versions of the build tools that cargo and npm do not lock for us, and where they are kept.
# Sourced by the other scripts; the two numbers have to match Cargo.lock (scripts/tools.sh checks).
WORKER_BUILD_VERSION=0.8.7
WASM_BINDGEN_VERSION=0.2.130
CARGO_DENY_VERSION=0.20.2

POSTERN_CACHE="${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/postern"
WORKER_BUILD_ROOT="$POSTERN_CACHE/worker-build-$WORKER_BUILD_VERSION"
WASM_BINDGEN_ROOT="$POSTERN_CACHE/wasm-bindgen-$WASM_BINDGEN_VERSION"
CARGO_DENY_ROOT="$POSTERN_CACHE/cargo-deny-$CARGO_DENY_VERSION"
