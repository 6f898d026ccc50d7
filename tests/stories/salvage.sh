#!/bin/sh
# The disk failed to keep a write: the engine does not start again before the journal was copied to fresh blocks, says what to
# type, and nothing that was answered is lost.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/scope_statement.cfg"
ends 1 salvage
complains "in use by another engine"
complains "rota down"
kill -9 "$(cat "$ROTA_DIR/run/rotad.pid")"
ends 0 down

# ---- what the engine leaves behind when fsync fails ----
: >"$ROTA_DIR/journal.salvage"
ends 4 up
complains "rota salvage"
ends 0 salvage
says "rota up $ROTA_DIR"
[ -f "$ROTA_DIR/journal.db.before-salvage.1" ] || wrong "the old file is not kept"
ends 0 up "$ROTA_DIR"
ends 0 --as ines show SCP-0001
ends 0 verify
says "The journal holds."

# ---- not a way to get a journal going that is damaged ----
ends 0 down
ends 0 --json salvage "$ROTA_DIR"
printf 'nonsense' | dd of="$ROTA_DIR/journal.db" bs=1 seek=0 conv=notrunc 2>/dev/null
ends 4 salvage
told "what the engine says has to be done can be done"
