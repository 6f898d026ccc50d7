#!/bin/sh
# Workflows change while records exist: checked, installed with a reason, refused where something would be lost.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"

ends 0 --as ines pack
says "(counts now)"
ends 2 --as ines pack install
complains "--reason"

# ---- a pack with an error is shown with file and line, and nothing is installed ----
cp "$ROTA_DIR/pack/calendar.cfg" "$ROTA_DIR/calendar.kept"
echo 'calender = { };' >>"$ROTA_DIR/pack/calendar.cfg"
ends 1 --as ines pack install --reason "A better calendar"
says "pack/calendar.cfg:"
says "calendar"
mv "$ROTA_DIR/calendar.kept" "$ROTA_DIR/pack/calendar.cfg"
ends 1 --as ines pack install --reason "Nothing has changed"
complains "wrong-state"

# ---- only the ISMS manager, and the kinds of records stay ----
sed 's/every = "12 months"/every = "6 months"/' "$ROTA_DIR/pack/documents/interested_parties.cfg" >"$ROTA_DIR/changed"
mv "$ROTA_DIR/changed" "$ROTA_DIR/pack/documents/interested_parties.cfg"
ends 1 --as bo pack install --reason "Twice a year"
complains "not-allowed"
ends 0 --as ines pack install --reason "Twice a year"
says "rota --as WHO agree 1"
ends 0 --as amara agree 1
ends 0 --as ines pack list
says "Twice a year"
json --as ines pack list
has digest current version by at_ms records why
ends 0 --as ines log
says "installed the workflow definitions"

# ---- a record stays under its pack until somebody moves it ----
ends 0 --as ines submit IPR-0001
ends 0 --as amara approve IPR-0001
ends 0 --as dmitri do IPR-0001 put_in_force
ends 0 --as ines show IPR-0001 --json
cp "$out" "$ROTA_DIR/before.json"
sed 's/every = "6 months"/every = "3 months"/' "$ROTA_DIR/pack/documents/interested_parties.cfg" >"$ROTA_DIR/changed"
mv "$ROTA_DIR/changed" "$ROTA_DIR/pack/documents/interested_parties.cfg"
ends 0 --as ines pack install --reason "Four times a year"
ends 0 --as marta agree 2
json --as ines migrate --dry-run --kind interested_parties
has record kind verdict from state to_state timers
ends 0 --as ines migrate --dry-run --kind interested_parties
says "IPR-0001@1.0: maps"
says "timer       review: "
says "1 would move"
ends 2 --as ines migrate
complains "--reason"
ends 1 --as bo migrate --kind interested_parties --reason "Why not"
complains "not-allowed"
ends 0 --as ines migrate --kind interested_parties --reason "The parties change often"
says "signing"
says "1 moved"
ends 0 --as ines show IPR-0001 --json
"$python" - "$ROTA_DIR/before.json" "$out" <<'END' 2>"$err" || wrong "the review did not move: $(cat "$err")"
import json, sys
def month(name):
    due = json.load(open(name))["fields"]["next_review_due"].split("-")
    return 12 * int(due[0]) + int(due[1])
before, after = map(month, sys.argv[1:])
sys.exit(None if before - after == 9 else "%d months earlier, not 9" % (before - after))
END
ends 0 --as ines migrate --dry-run --kind interested_parties
says "every record follows"
ends 0 --as ines log IPR-0001
says "moved it to the workflows"

# ---- and back, while nothing has followed ----
ends 0 --as ines migrate --back IPR-0001 --reason "Too early"
ends 0 --as ines show IPR-0001 --json
"$python" - "$ROTA_DIR/before.json" "$out" <<'END' 2>"$err" || wrong "not as it was: $(cat "$err")"
import json, sys
before, after = (json.load(open(name)) for name in sys.argv[1:])
for key in set(before) | set(after):
    if key not in ("revision", "changed_ms", "last", "next_events", "under") and before.get(key) != after.get(key):
        sys.exit("%s: %r became %r" % (key, before.get(key), after.get(key)))
END
ends 1 --as ines migrate --back IPR-0001 --reason "Once more"
complains "wrong-state"

# ---- what was installed is there after a restart ----
ends 0 down
ends 0 up
ends 0 --as ines show IPR-0001
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
says "IPR-0002@1.0"
ends 0 --as ines migrate --kind interested_parties --reason "The parties change often"
ends 0 backup "$ROTA_DIR/copy.db"
ends 0 verify "$ROTA_DIR/copy.db"
[ -z "${ROTA_AUDITOR:-}" ] ||
    "$python" "$ROTA_AUDITOR" "$ROTA_DIR/copy.db" --vkey "$(cat "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" ||
    wrong "the independent auditor does not agree"
is_as_written
told "packs: installed with a reason, refused where something would be lost; records move and come back"
