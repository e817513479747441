#!/bin/sh
# Format and lints, natively and for wasm32.
set -eu
cd "$(dirname "$0")/.."
cargo fmt --all --check
cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings
cargo clippy --quiet --package postern --lib --target wasm32-unknown-unknown -- -D warnings
