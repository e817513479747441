#!/bin/sh
# Builds the Worker into build/: Rust to Wasm, bindings, optimised. wrangler calls it through [build].
set -eu
cd "$(dirname "$0")/.."
. scripts/versions.sh

for tool in "$WORKER_BUILD_ROOT/bin/worker-build" "$WASM_BINDGEN_ROOT/bin/wasm-bindgen" node_modules/.bin/wasm-opt; do
  [ -e "$tool" ] || { echo "build: $tool is missing: run 'make tools' once" >&2; exit 1; }
done

# Nothing has changed since the last build: a second `make dev` starts in seconds.
if [ $# -eq 0 ] && [ -e build/index.js ] && [ -e build/index_bg.wasm ] && [ -z "$(find src templates worker .cargo Cargo.toml Cargo.lock \
  rust-toolchain.toml scripts/build.sh scripts/order-functions.mjs scripts/versions.sh package-lock.json -newer build/index.js)" ]; then
  echo "build: build/ is current"
  exit 0
fi

export WASM_BINDGEN_BIN="$WASM_BINDGEN_ROOT/bin/wasm-bindgen"
export WASM_OPT_BIN="$PWD/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="$PWD/node_modules/.bin/esbuild"
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
"$WORKER_BUILD_ROOT/bin/worker-build" --release --no-opt --out-dir ../build worker "$@"

# Only here, for size, and without the names of functions, which are a tenth of what is uploaded. A trace then has
# numbers; `worker-build --dev --out-dir ../build worker` keeps the names. What stops half-way must not be taken for
# current.
steps=$(mktemp -d)
trap 'rm -rf "$steps" build/index_bg.wasm' EXIT
features="--enable-bulk-memory --enable-exception-handling --enable-multivalue --enable-mutable-globals \
  --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext"
# Nothing lives in the lowest KiB: it is the end of the stack.
"$WASM_OPT_BIN" build/index_bg.wasm -Oz --converge --low-memory-unused $features -o "$steps/small.wasm"
# Functions that resemble each other become neighbours, and then what is uploaded compresses better (decision 46).
node scripts/order-functions.mjs "$steps/small.wasm" "$steps/named.wasm"
"$WASM_OPT_BIN" "$steps/named.wasm" --optimize-level=2 --shrink-level=2 --reorder-functions-by-name $features -o "$steps/ordered.wasm"
mv "$steps/ordered.wasm" build/index_bg.wasm
trap - EXIT
rm -rf "$steps"
