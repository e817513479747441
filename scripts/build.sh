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
"$WORKER_BUILD_ROOT/bin/worker-build" --release "$@"

# Once more for size, and without the names of functions, which are a tenth of what is uploaded. A trace then has
# numbers; `worker-build --dev` keeps the names.
"$WASM_OPT_BIN" build/index_bg.wasm -Oz --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
  --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext -o build/.smaller.wasm
mv build/.smaller.wasm build/index_bg.wasm
