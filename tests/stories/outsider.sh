#!/bin/sh
# What somebody writes who has engine/PROTOCOL.md and engine/JOURNAL.md and nothing else: the page's own worker, other workers
# and a client (tests/outsider), and a reader of the journal that they leave.
set -u
. "$(dirname "$0")/house.inc"
outsider=$PWD/tests/outsider made=${ROTA_DIR%/org}/made
"$python" -c 'import zmq.auth' 2>/dev/null || { echo "skipped: no python3 with pyzmq"; exit 0; }
mkdir "$made"
export PYTHONDONTWRITEBYTECODE=1

ends 0 init "$ROTA_DIR" --sample
sed -i 's/^sdk_lease_ms.*/sdk_lease_ms = 6000;/' "$ROTA_DIR/rotad.cfg"
for name in one two; do
    ends 0 worker new $name --service audit.collect
    sed -i "s/^workers = (/& { name = \"$name\"; title = \"From outside\"; serves = [\"audit.collect\"]; },/" "$ROTA_DIR/directory.cfg"
done
ends 0 up
ends 0 --as ines reload
ends 0 --as amara agree 1
ends 0 --as ines --json open --from "$ROTA_DIR/sample/interested_parties.cfg"
sed -n 's/.*"record":"\([^"]*\)".*/\1/p' "$out" >"$made/parties"

PARTIES=$made/parties "$python" "$outsider/protocol.py" >"$out" 2>"$err" || wrong "the protocol is not as PROTOCOL.md says"
cat "$out"

# The worker of the page itself.
sed -n '/^```python/,/^```/p' engine/PROTOCOL.md | sed '/^```/d; s/b"translate"/b"audit.collect"/' >"$made/page.py"
"$python" "$made/page.py" "ipc://$ROTA_DIR/run/front" "$ROTA_DIR/keys/engine.pub" "$ROTA_DIR/keys/one.key" >"$made/said" 2>&1 &
worker=$!
until_says '"principal":"one"' --as ines --json workers
ends 0 --as tomas --json open audit --title "The page's worker" objectives="Does it serve?" criteria=A.8.8 scope="A host" \
    auditors=tomas,yuki auditee_owner=pavel cause="A new page" planned_start="$(in_days 1)" planned_end="$(in_days 5)" \
    collect_from=build01.lumiere-analytics.example
audit=$(sed -n 's/.*"record":"\([^"]*\)".*/\1/p' "$out")
ends 0 --as tomas do "$audit" approve_plan
ends 0 --as tomas do "$audit" begin
until_says '"out":{"text":""}' --as ines --json log "$audit"
kill $worker
wait $worker 2>/dev/null

# The journal.
ends 0 --as ines backup "$made/copy.db"
"$python" "$outsider/journal.py" "$made/copy.db" >"$out" 2>"$err" || wrong "the journal is not as JOURNAL.md says"
says "all hold"
cat "$out"
"$python" - "$made/copy.db" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
    db.execute(f'DROP TRIGGER "{name}"')
db.execute("UPDATE journal SET entry = CAST(replace(CAST(entry AS TEXT), 'Heard', 'Hoard') AS BLOB) WHERE seq = 21")
row = db.execute("SELECT seq, entry FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
db.execute("UPDATE journal SET entry = ? WHERE seq = ?", (row[1].replace(b"rota.leaf/1", b"rota.leaf/2"), row[0]))
db.commit()
END
"$python" "$outsider/journal.py" "$made/copy.db" >"$out" 2>"$err" && wrong "a changed entry goes unseen"
says "does not hold"
told "the documents are enough to write a worker, a client and an auditor"
