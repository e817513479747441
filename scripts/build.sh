#!/bin/sh
# Builds the Worker into build/: Rust to Wasm, bindings, optimised. wrangler calls it through [build].
set -eu
cd "$(dirname "$0")/.."
. scripts/versions.sh

for tool in "$WORKER_BUILD_ROOT/bin/worker-build" "$WASM_BINDGEN_ROOT/bin/wasm-bindgen" node_modules/.bin/wasm-opt; do
  [ -e "$tool" ] || { echo "build: $tool is missing: run 'make tools' once" >&2; exit 1; }
done

export WASM_BINDGEN_BIN="$WASM_BINDGEN_ROOT/bin/wasm-bindgen"
export WASM_OPT_BIN="$PWD/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="$PWD/node_modules/.bin/esbuild"
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec "$WORKER_BUILD_ROOT/bin/worker-build" --release "$@"
