#!/bin/sh
# A day with `rota`: open, edit, submit, sign, look, ask why, watch, follow a task, save and verify.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
says "rota up"
ends 0 up
ends 0 status
says "health"

# ---- a record ----
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
says "IPR-0001@1.0"
json --as ines show IPR-0001
has record kind version revision state stage phase pdca title owner digest fields round tasks links
json --as ines list
has record kind title state stage owner
ends 0 --as ines edit IPR-0001 --title "Interested parties, 2026"
ends 0 --as ines show IPR-0001
says "Interested parties, 2026"

# ---- who may, and what is missing ----
ends 0 --as ines why IPR-0001 submit
says "yes"
ends 0 --as ines why IPR-0001 approve
ends 0 --as ines submit IPR-0001
ends 0 --as amara why IPR-0001 approve
says "yes"
ends 0 --as ines why IPR-0001 approve --person bo
says "no"
json --as ines why IPR-0001 approve
has allowed who
json --as amara inbox
says "IPR-0001"

# ---- refusals: 1, with the code and the sentence on stderr ----
ends 1 --as ines approve IPR-0001
complains "separation-of-duties"
ends 1 --as bo approve IPR-0001
complains "not-allowed"
ends 1 --as dmitri do IPR-0001 put_in_force
complains "wrong-state"
ends 1 --as ines show IPR-0099
complains "no-record"

# ---- signed, in force ----
ends 0 --as amara approve IPR-0001
says "signing"
ends 0 --as dmitri do IPR-0001 put_in_force
until_says "In force" --as ines show IPR-0001
json --as ines log IPR-0001
has seq time_us type stream rev actor body effects
ends 0 --as ines log IPR-0001
says "Amara Okafor"

# ---- the approval worker wrote to her ----
until_says "handed over" --as ines log IPR-0001 --all
until_says "not shown; --all shows them" --as ines log IPR-0001
says_not "handed over"
find "$ROTA_DIR/mail/amara" -type f | grep -q . || wrong "no letter to amara"

# ---- news ----
rota --as ines --json watch --count 2 >"$ROTA_DIR/news" 2>&1 &
watcher=$!
tries=0
while kill -0 $watcher 2>/dev/null && [ $tries -lt 50 ]; do
    rota --as ines open --from "$ROTA_DIR/sample/context_issues.cfg" >/dev/null 2>&1
    tries=$((tries + 1))
    sleep 0.1
done
wait $watcher || wrong "watch --count 2: exit $?"
[ "$(wc -l <"$ROTA_DIR/news")" = 2 ] || wrong "watch --count 2 gave $(wc -l <"$ROTA_DIR/news") lines: $(cat "$ROTA_DIR/news")"
is_json "$ROTA_DIR/news" || wrong "watch --json is no JSON: $(cat "$ROTA_DIR/news")"

# ---- every reading command speaks JSON ----
json --as ines status
json --as ines people
json --as ines services
json --as ines workers
json --as ines diff IPR-0001
json --as ines find parties

# ---- saved, and checked where the engine is not ----
ends 0 --as ines backup "$ROTA_DIR/copy.db"
[ -s "$ROTA_DIR/copy.db" ] || wrong "no backup"
rota-verify "$ROTA_DIR/copy.db" --vkey "@$ROTA_DIR/keys/log.vkey" >"$out" 2>"$err" || wrong "the backup does not hold"
says "The journal holds."
[ -z "${ROTA_AUDITOR:-}" ] ||
    "$python" "$ROTA_AUDITOR" "$ROTA_DIR/copy.db" --vkey "$(cat "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" ||
    wrong "the other auditor disagrees"
ends 0 --as ines verify
says "holds"
ends 0 down
rota-verify "$ROTA_DIR/journal.db" --vkey "@$ROTA_DIR/keys/log.vkey" >"$out" 2>"$err" || wrong "the journal does not hold"

told "a day with rota"
