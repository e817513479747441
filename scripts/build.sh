#!/bin/sh
# Builds the Worker into build/: Rust to Wasm, bindings, optimised. wrangler calls it through [build].
set -eu
cd "$(dirname "$0")/.."
. scripts/versions.sh

for tool in "$WORKER_BUILD_ROOT/bin/worker-build" "$WASM_BINDGEN_ROOT/bin/wasm-bindgen" node_modules/.bin/wasm-opt; do
  [ -e "$tool" ] || { echo "build: $tool is missing: run 'make tools' once" >&2; exit 1; }
done

# Nothing has changed since the last build: a second `make dev` starts in seconds.
if [ $# -eq 0 ] && [ -e build/index.js ] && [ -e build/index_bg.wasm ] && [ -z "$(find src templates .cargo Cargo.toml Cargo.lock \
  rust-toolchain.toml scripts/build.sh scripts/versions.sh package-lock.json -newer build/index.js)" ]; then
  echo "build: build/ is current"
  exit 0
fi

export WASM_BINDGEN_BIN="$WASM_BINDGEN_ROOT/bin/wasm-bindgen"
export WASM_OPT_BIN="$PWD/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="$PWD/node_modules/.bin/esbuild"
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec "$WORKER_BUILD_ROOT/bin/worker-build" --release "$@"
