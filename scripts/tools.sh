#!/bin/sh
# Installs what building needs, at pinned versions, into the user's cache folder: nothing global.
# Idempotent; a second clone finds everything there. `scripts/tools.sh deny` adds cargo-deny.
set -eu
cd "$(dirname "$0")/.."
. scripts/versions.sh

say() { printf '%s\n' "tools: $*" >&2; }
need() { command -v "$1" >/dev/null 2>&1 || { say "$1 is missing: $2"; exit 1; }; }

need rustup "install it from https://rustup.rs"
need node "install Node.js 20 or newer from https://nodejs.org"
need npm "it comes with Node.js"
need cc "install a C compiler (Debian: apt install gcc; macOS: xcode-select --install)"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' \
  || { say "Node.js 20 or newer is needed, this is $(node --version)"; exit 1; }

# rustup installs the toolchain of rust-toolchain.toml by itself unless RUSTUP_AUTO_INSTALL=0.
channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
rustc --version >/dev/null 2>&1 || rustup toolchain install "$channel" --profile minimal --component clippy --component rustfmt
if [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
  rustup target add wasm32-unknown-unknown
fi

# node_modules carries a stamp of the lock it was installed from.
stamp=node_modules/.postern-lock
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
  say "installing wrangler and its tools from package-lock.json"
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi

locked=$(awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
[ "$locked" = "$WASM_BINDGEN_VERSION" ] \
  || { say "Cargo.lock has wasm-bindgen $locked, scripts/versions.sh says $WASM_BINDGEN_VERSION: make them equal"; exit 1; }

# The tools run for seconds and compile for minutes: optimise a little, share what they have in common.
install() { # crate version root binary
  [ -x "$3/bin/$4" ] && return 0
  say "compiling $1 $2 (once per machine, a few minutes)"
  export CARGO_TARGET_DIR="$POSTERN_CACHE/compile"
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
  # A lagging mirror may not have every locked version: then resolve anew, at the same tool version.
  cargo install "$1" --version "=$2" --bin "$4" --root "$3" --locked --quiet 2>/dev/null \
    || cargo install "$1" --version "=$2" --bin "$4" --root "$3" --quiet
  unset CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL CARGO_PROFILE_RELEASE_LTO CARGO_PROFILE_RELEASE_CODEGEN_UNITS
}

# wasm-bindgen publishes binaries; take one when it can be had, else compile.
published_wasm_bindgen() {
  [ -x "$WASM_BINDGEN_ROOT/bin/wasm-bindgen" ] && return 0
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) target=x86_64-unknown-linux-musl ;;
    Linux-aarch64) target=aarch64-unknown-linux-musl ;;
    Darwin-arm64) target=aarch64-apple-darwin ;;
    Darwin-x86_64) target=x86_64-apple-darwin ;;
    *) return 1 ;;
  esac
  name="wasm-bindgen-$WASM_BINDGEN_VERSION-$target"
  url="https://github.com/wasm-bindgen/wasm-bindgen/releases/download/$WASM_BINDGEN_VERSION/$name.tar.gz"
  temporary=$(mktemp -d)
  if node scripts/download.mjs "$url" "$temporary/archive.tar.gz" \
    && tar -xzf "$temporary/archive.tar.gz" -C "$temporary" \
    && "$temporary/$name/wasm-bindgen" --version 2>/dev/null | grep -qF "$WASM_BINDGEN_VERSION"; then
    mkdir -p "$WASM_BINDGEN_ROOT/bin"
    mv "$temporary/$name/wasm-bindgen" "$WASM_BINDGEN_ROOT/bin/wasm-bindgen"
    rm -rf "$temporary"
    return 0
  fi
  rm -rf "$temporary"
  return 1
}

published_wasm_bindgen || install wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "$WASM_BINDGEN_ROOT" wasm-bindgen
install worker-build "$WORKER_BUILD_VERSION" "$WORKER_BUILD_ROOT" worker-build
[ "${1:-}" != deny ] || install cargo-deny "$CARGO_DENY_VERSION" "$CARGO_DENY_ROOT" cargo-deny
rm -rf "$POSTERN_CACHE/compile"
