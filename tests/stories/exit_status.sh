#!/bin/sh
# The exit status of `rota` says what kind of "no" it was: 1 refused, 2 usage, 3 no engine, 4 malformed or damaged.
set -u
. "$(dirname "$0")/house.inc"

ends 2
ends 2 no-such-command
ends 0 --version
ends 2 --as ines list
complains "is no organisation's directory"
ends 0 init "$ROTA_DIR" --sample
ends 1 init "$ROTA_DIR" --sample
complains "$ROTA_DIR"

# ---- 3: nobody there ----
ends 3 --as ines list
complains "engine"
ends 3 status
ends 0 down

ends 0 up
ends 0 up
# ---- 0, 1, 2, 4 ----
ends 0 --as ines list
ends 1 --as ines show SCP-0001
complains "404 no-record"
ends 1 --as bo open --from "$ROTA_DIR/sample/interested_parties.cfg"
complains "403 not-allowed"
ends 2 --as nobody list
ends 2 --as ines show
ends 2 --as ines list --colour red
ends 4 --as ines open scope_statement --title T headcount=many
printf 'kind = "scope_statement";\ntitle = \n' >"$ROTA_DIR/broken.cfg"
ends 4 --as ines open --from "$ROTA_DIR/broken.cfg"
complains "broken.cfg:"
ends 4 --as ines open --from "$ROTA_DIR/missing.cfg"
ends 1 --as bo task cancel 1 --reason "r"
complains "403 not-allowed"

# ---- a journal that is damaged: 4, and the engine does not come up ----
ends 0 --as ines down
[ ! -e "$ROTA_DIR/journal.db-wal" ] || wrong "down has returned before the journal was closed"
printf 'nonsense' | dd of="$ROTA_DIR/journal.db" bs=1 seek=0 conv=notrunc 2>/dev/null
rota up >"$out" 2>"$err" && wrong "up on a damaged journal: exit 0"
cat "$err" >>"$out"
says "damaged"
rota verify >"$out" 2>"$err"
[ $? -ne 0 ] || wrong "a damaged journal is verified"

told "each no has its number"
