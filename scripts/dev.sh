#!/bin/sh
# `make dev`: secrets, a migrated and seeded local D1, then wrangler dev, which builds and serves.
set -eu
cd "$(dirname "$0")/.."

cargo xtask dev-vars
echo "dev: migrating the local D1"
wrangler d1 migrations apply DB --local >/dev/null
wrangler d1 execute DB --local --file scripts/seed.sql >/dev/null
echo "dev: building; the first build takes a minute"

# Once it serves, below what the build said.
{
  node scripts/ready.mjs "http://127.0.0.1:$PORT/health" $$ && cat <<TEXT

  Open    http://localhost:$PORT           what is configured, and what is missing
          http://localhost:$PORT/dev/inbox  every message
          http://localhost:$PORT/docs       the API

  A form  npm run example                 in another terminal: sign-in on a page of your own, http://localhost:3000

  Try     curl -s http://localhost:$PORT/v1/challenges \\
            -H "Authorization: Bearer \$(sed -n s/^SERVER_API_KEY=//p .dev.vars)" \\
            -H 'Content-Type: application/json' -d '{"to":{"phone":"+14155552671"}}'

TEXT
} &
# The issuer of tokens and the domain of passkeys, where .dev.vars has none: it moves with the port. That of
# wrangler.toml is the deployment's, whose keys are not here.
if grep -Eqs '^[[:space:]]*(export[[:space:]]+)?PUBLIC_URL[[:space:]]*=[[:space:]]*[^[:space:]]' .dev.vars; then
  set --
else
  set -- --var "PUBLIC_URL:http://localhost:$PORT"
fi
# On loopback only: the dev inbox shows codes. The shell becomes wrangler, so a signal ends it and workerd.
exec wrangler dev --ip 127.0.0.1 --port "$PORT" --show-interactive-dev-session=false "$@"
