#!/bin/sh
# What is closed is kept for six years, held, and then disposed of by two people: its files are gone from the disk, the proof stays.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
ends 0 up

# ---- a draft with a file, withdrawn ----
$python -c 'print("What the neighbour said. " * 200)' >"$ROTA_DIR/said.txt"
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
ends 0 --as ines attach IPR-0001 "$ROTA_DIR/said.txt"
ends 0 --as ines show IPR-0001 --json
cp "$out" "$ROTA_DIR/before.json"
grep -qs "What the neighbour said" "$ROTA_DIR"/journal.db* || wrong "the file is not in the journal"
ends 0 --as ines do IPR-0001 withdraw --reason "It was about the wrong house"
ends 0 clock advance 31 days
until_says "Archived" --as ines show IPR-0001

# ---- before its time, and under a hold, nothing goes ----
ends 1 --as dmitri do IPR-0001 propose_disposal --reason "Too early"
complains "retention has not ended"
ends 0 clock advance --to "$(($(date +%Y) + 7))-01-15"
ends 0 --as leila do IPR-0001 hold --reason "The neighbour sues"
ends 1 --as dmitri do IPR-0001 propose_disposal --reason "Six years are over"
complains "legal hold"
ends 0 --as leila do IPR-0001 release_hold --reason "It is settled"
ends 0 --as dmitri do IPR-0001 propose_disposal --reason "Six years are over"
ends 1 --as dmitri do IPR-0001 dispose --reason "By himself"
complains "not-allowed"
ends 1 --as ines do IPR-0001 dispose --reason "Her own"
complains "SOD-8"
ends 0 backup "$ROTA_DIR/earlier.db"

# ---- two people, and a signature; then the machine is switched off ----
ends 0 --as amara do IPR-0001 dispose --reason "Nobody needs it any more"
says "signing"
kill -9 "$(cat "$ROTA_DIR/run/rotad.pid")"
ends 0 down
ends 0 up
ends 0 --as ines show IPR-0001
says "Disposed"
says "were erased"
says "Nobody needs it any more"
says_not "What the neighbour said"
ends 0 --as ines log IPR-0001
says "erased"
ends 0 --as ines show IPR-0001 --json
"$python" - "$ROTA_DIR/before.json" "$out" <<'END' 2>"$err" || wrong "the proof is gone: $(cat "$err")"
import json, sys
before, after = (json.load(open(name)) for name in sys.argv[1:])
sys.exit(None if before["digest"] == after["digest"] else "another digest")
END
ends 1 --as leila do IPR-0001 hold --reason "Too late"
complains "wrong-state"

# ---- it is gone from the disk, and the journal holds ----
ends 0 backup "$ROTA_DIR/copy.db"
rota-verify "$ROTA_DIR/copy.db" --vkey "@$ROTA_DIR/keys/log.vkey" >"$out" 2>"$err" || wrong "the journal does not hold"
says "The journal holds."
[ -z "${ROTA_AUDITOR:-}" ] ||
    "$python" "$ROTA_AUDITOR" "$ROTA_DIR/copy.db" --vkey "$(cat "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" ||
    wrong "the other auditor disagrees"
ends 0 down
! grep -qs "What the neighbour said" "$ROTA_DIR"/journal.db* || wrong "the file is still on the disk"
! grep -qs "What the neighbour said" "$ROTA_DIR/copy.db" || wrong "the file is in a backup that was made afterwards"
grep -qs "What the neighbour said" "$ROTA_DIR/earlier.db" || wrong "a backup from before has changed"

# ---- a content that was taken away without an entry is found ----
"$python" - "$ROTA_DIR/copy.db" <<'END' 2>"$err" || wrong "the copy could not be changed: $(cat "$err")"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
# One that an entry names: what was sent with a command that was refused lies there too, and is nobody's.
gone = db.execute("DELETE FROM content WHERE hash = (SELECT hash FROM content, journal WHERE instr(entry, hash) > 0 LIMIT 1)")
assert gone.rowcount == 1
db.commit()
END
! rota-verify "$ROTA_DIR/copy.db" --vkey "@$ROTA_DIR/keys/log.vkey" >"$out" 2>"$err" || wrong "an erasure that nobody entered is not found"
says "CONTENT_MISSING"
is_as_written
told "disposal: kept, held, disposed of by two; gone from the disk, and the proof stays"
