#!/usr/bin/env bash
# Builds the scheduler in JavaScript, and puts it to all that a guest passes:
#     bash tests/guests/js/check.sh
# Where npm, or what it installs, cannot be had it says so, and fails only with
# REFRAIN_WEB=required.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."

lacking() {
    echo "$1 cannot be had here: the scheduler in JavaScript is not tried." >&2
    [ "${REFRAIN_WEB:-}" != required ] || exit 1
    exit 0
}
command -v npm >/dev/null || lacking 'npm'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
guest=$work/chain.wasm
export REFRAIN_DB=$work/chain.db
refrain() { cargo run -q -- "$@"; }

(cd "$here" && npm ci --no-audit --no-fund) || lacking 'what npm installs'
(cd "$here" && npm run build -- "$guest")
refrain guest check "$guest"

# A run with a retry: its log audits clean, the built-in scheduler decides the same, and what
# is exported audits clean elsewhere.
refrain run "$here/backup.json" --guest "$guest"
refrain audit --all
refrain whatif --all
refrain export @last --with-guest -o "$work/log.ndjson"
refrain audit --file "$work/log.ndjson"
node host/clients/js/audit/bin/refrain-audit.js "$work/log.ndjson"

# What it cannot do, it refuses before anything begins.
if refrain run host/examples/approval.json --guest "$guest"; then
    echo 'A workflow that it cannot run was begun.' >&2
    exit 1
fi

REFRAIN_GUEST=$guest REFRAIN_GUEST_WORKFLOWS=$here/workflows.txt \
    cargo test --workspace --test engine your_own_guest
