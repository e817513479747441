#!/bin/sh
# `make test`: everything that has to hold. Every step runs, whatever failed before it; a step that needs the
# Worker's build fails with it. What a step says goes to target/test-logs/, and to the screen when it failed.
set -u
cd "$(dirname "$0")/.."
logs=target/test-logs
rm -rf "$logs"
mkdir -p "$logs"
PATH="$PWD/node_modules/.bin:$PATH"
export PATH WRANGLER_SEND_METRICS=false

failed=0
summary=""
started=$(date +%s)

# step NAME COMMAND…: runs it, tells how it ended and how long it took. With SHOW=1 what it says is shown anyway.
step() {
  name=$1
  shift
  log="$logs/$(printf '%s' "$name" | tr ' ' '-').log"
  printf '%-34s' "$name"
  begun=$(date +%s)
  if "$@" >"$log" 2>&1 </dev/null; then result=ok; else result=FAILED; failed=$((failed + 1)); fi
  line=$(printf '%-34s %-7s %4s s' "$name" "$result" "$(($(date +%s) - begun))")
  summary="$summary$line
"
  printf ' %s %s s\n' "$result" "$(($(date +%s) - begun))"
  if [ "$result" = FAILED ]; then
    echo "--- $log"
    cat "$log"
    echo "---"
  elif [ "${SHOW:-}" ]; then
    sed -n '/^budget /,$p' "$log"
  fi
}

# That generated files and the phone table are current are tests among them.
native_tests() { cargo test --quiet --workspace; }
in_workerd() { cargo test --quiet --features workerd --test workerd; }
# Each has a server and a browser of its own.
guides() { cargo test --quiet --features workerd --test guides -- --test-threads=2; }
openapi() { cargo xtask openapi >"$logs/openapi.json" && node scripts/validate-openapi.mjs <"$logs/openapi.json"; }
signatures() { cargo xtask signatures "$(date +%s)" >"$logs/signatures.json" && node scripts/verify-signatures.mjs <"$logs/signatures.json"; }
browser_client() {
  node scripts/client-types.mjs --check <"$logs/openapi.json" &&
    tsc --project clients/js --noEmit &&
    tsc --project clients/js/test &&
    node --test --test-timeout=10000 'clients/js/test/*.test.mjs'
}
budgets() { cargo test --quiet --features workerd --test budgets; }

step "format" cargo fmt --all --check
step "native tests" native_tests
step "OpenAPI document" openapi
step "signatures of webhooks" signatures
step "browser client" browser_client
step "lints" cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings
step "lints for wasm32" cargo clippy --quiet --package postern --lib --target wasm32-unknown-unknown -- -D warnings
step "build of the Worker" sh scripts/build.sh
step "tests in workerd" in_workerd
step "README, guides, example, run" guides
SHOW=1 step "budgets" budgets
step "wrangler deploy --dry-run" wrangler deploy --dry-run --outdir target/deploy

printf '\n%s' "$summary"
printf '%-34s %-7s %4s s\n' total "$([ "$failed" -eq 0 ] && echo ok || echo "$failed failed")" "$(($(date +%s) - started))"
[ "$failed" -eq 0 ]
