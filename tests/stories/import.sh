#!/bin/sh
# A report of thousands of findings goes in, part by part. The tool is killed in the middle, then the engine; the same command goes on
# where it stood, and in the end each finding is there once. The next scan sees one of them no more.
set -u
. "$(dirname "$0")/worked.inc"
work=${ROTA_DIR%/org}
count=${ROTA_FINDINGS:-1500}

# report FILE DAY [WITHOUT]: a Lynis report with that many suggestions.
report() {
    "$python" - "$@" "$count" <<'PY' >"$1"
import sys
day, without, count = sys.argv[2], sys.argv[3] if len(sys.argv) > 4 else "", int(sys.argv[-1])
print("report_version_major=1\nreport_datetime_start=%s 03:00:00\nhostname=build01\nlynis_version=3.0.8" % day)
for n in range(1, count + 1):
    if "HRDN-%d" % n != without:
        print("suggestion[]=HRDN-%d|Harden part %d of the platform|-|Read the manual, chapter %d|" % (n, n, n))
print("lynis_tests_done=1\nfinish=true\nreport_datetime_end=%s 03:10:00" % day)
PY
}
# How many findings of the file are in, as the audit's table says it.
results() { field_of AUD-0001 imports | "$python" -c 'import json, sys; t = sys.stdin.read(); print(json.loads(t)[0]["results"] if t.strip() else 0)'; }
# cut_off_after N [PROCESS]: the import is begun, and it, or the process, killed when N findings are in. It goes on by small steps and
# stands while it is asked how far it is, so that however quick or slow the machine is, it is not done by then.
cut_off_after() {
    rota --as tomas import lynis "$work/first.dat" --audit AUD-0001 >"$work/cut" 2>&1 &
    importing=$!
    while kill -STOP $importing 2>/dev/null && [ "$(results)" -lt "$1" ]; do
        kill -CONT $importing
        sleep 0.05
    done
    kill -9 "${2:-$importing}"
    kill -CONT $importing 2>/dev/null
    wait $importing 2>/dev/null
}
engine_pid() { rota --as ines --json status | "$python" -c 'import json, sys; print(json.loads(sys.stdin.readline())["pid"])'; }

ends 0 --as tomas open audit --title "Technical audit of the platform" objectives="Are the platform hosts configured as decided?" \
    criteria=A.8.8,A.8.9 scope="The platform's build host" auditors=tomas,yuki auditee_owner=pavel \
    cause="Yearly technical check" planned_start="$(in_days 1)" planned_end="$(in_days 5)"
ends 0 --as tomas do AUD-0001 approve_plan
ends 0 --as tomas do AUD-0001 begin

# ---- cut off twice ----
report "$work/first.dat" 2026-11-20
cut_off_after 100
[ "$(results)" -lt "$count" ] || wrong "the tool was killed too late to prove anything"
cut_off_after 300 "$(engine_pid)"
ends 0 up
[ "$(results)" -lt "$count" ] || wrong "the engine was killed too late to prove anything"
began=$(date +%s)
ends 0 --as tomas import lynis "$work/first.dat" --audit AUD-0001
says "$count findings in the report"
says "were in already"
took=$(($(date +%s) - began))

# ---- and nothing is doubled or lost ----
rota --as ines --json list finding --limit 100000 >"$out" 2>"$err" || wrong "the findings cannot be listed"
"$python" -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin if line.strip()]
rows = [r for page in rows for r in (page["records"] if "records" in page else [page])]
titles = [r["title"] for r in rows]
assert len(titles) == len(set(titles)) == int(sys.argv[1]), (len(titles), len(set(titles)))
assert {r["record"] for r in rows} == {"FND-%04d" % n for n in range(1, len(rows) + 1)}' "$count" <"$out" 2>"$err" || wrong "not each finding once"
[ "$(results)" = "$count" ] || wrong "the audit says $(results) results"
ends 1 --as tomas import lynis "$work/first.dat" --audit AUD-0001
complains "was imported into AUD-0001 already, on"
complains "by tomas"
ends 1 --as bo import lynis "$work/first.dat" --audit AUD-0001
complains "403 not-allowed"

# ---- what the next scan does not see goes to verification, with its last part alone ----
gone=$(newest finding "HRDN-7: ")
kept=$(newest finding "HRDN-8: ")
for finding in "$gone" "$kept"; do
    ends 0 --as tomas edit "$finding" auditee_owner=pavel
    ends 0 --as tomas do "$finding" confirm
    ends 0 --as pavel edit "$finding" disposition=correct correction="Done."
    until_state "$finding" open
done
report "$work/second.dat" 2026-12-20 HRDN-7
if has_terminals; then
    # Whoever sits before it sees how far it is.
    "$python" -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' rota --as tomas import lynis "$work/second.dat" --audit AUD-0001 \
        </dev/null >"$out" 2>"$err" || wrong "the second scan is not taken"
    says "640 of $((count - 1)) findings"
else
    ends 0 --as tomas import lynis "$work/second.dat" --audit AUD-0001
fi
says "0 raised"
until_state "$gone" verifying
must_be "$kept" open
[ "$(field_of "$kept" occurrences)" = 2 ] || wrong "seen $(field_of "$kept" occurrences) times"

verified
told "a report of $count findings, cut off twice, each of them there once (the rest took $took s)"
