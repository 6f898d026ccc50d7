#!/bin/sh
# The demo is a test: it tells the main job on real processes and ends only if every step came out as told. Its journal is then
# shown to the independent auditor, where there is one, with everybody's keys.
set -eu
house=$(cd "$(dirname "$0")/../.." && pwd)
org="${TMPDIR:-/tmp}/demo-story"
bash "$house/tools/demo/demo.sh" "$ROTA_BUILD" --keep "$org"
"$ROTA_BUILD/rota-verify" "$org/journal.db" --vkey "@$org/keys/log.vkey"
if [ -n "${ROTA_AUDITOR:-}" ]; then
    python3 "$ROTA_AUDITOR" "$org/journal.db" --vkey "$(cat "$org/keys/log.vkey")"
fi
