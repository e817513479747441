#!/bin/sh
# Licences, sources and duplicate versions of the crates; advisories where their database can be had.
set -eu
cd "$(dirname "$0")/.."
sh scripts/tools.sh deny
. scripts/versions.sh
deny="$CARGO_DENY_ROOT/bin/cargo-deny"
"$deny" --log-level error check bans licenses sources
if "$deny" --log-level off fetch db >/dev/null 2>&1; then
  "$deny" --log-level error check advisories
else
  echo "deny: the advisory database cannot be had here; advisories were not checked"
fi
