#!/bin/sh
# What somebody who decides is told: why they, by when, what changed against the version in force and since they last looked; and
# what they are shown before they sign.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
ends 0 up
# What was printed, in one line: where it was wrapped does not matter.
flat() { tr -s ' \n' ' ' <"$out" >"$out.flat" && mv "$out.flat" "$out"; }
letter() { cat "$ROTA_DIR"/mail/amara/new/* 2>/dev/null; }

# ---- the first look ----
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
ends 0 --as ines submit IPR-0001
ends 0 --as amara approve IPR-0001
ends 0 --as dmitri do IPR-0001 put_in_force
ends 0 --as ines open --from "$ROTA_DIR/sample/scope_statement.cfg"
ends 0 --as ines edit SCP-0001 requirements_considered=IPR-0001@1.0 effective_from="$(in_days 1)"
ends 0 --as ines submit SCP-0001
ends 0 --as amara inbox
flat
says "approve, reject"
says "because you hold the role top_management"
says "approval reminder"
says "seen not yet"
json --as amara inbox
has record why by dates digest revision events
ends 0 --as amara diff SCP-0001 --since-seen
says "you have not looked at SCP-0001@1.0 from here"
ends 0 --as amara show SCP-0001
says_not "Changed since you looked"
ends 0 --as amara inbox
flat
says "seen as it is, since"
# What is remembered is the person's own, and nobody else reads it.
[ "$(stat -c %a "$ROTA_DIR/looks/amara" 2>&1)" = 700 ] || wrong "the memory is open to others"
[ "$(stat -c %a "$ROTA_DIR/looks/amara/SCP-0001@1.0" 2>&1)" = 600 ] || wrong "the memory can be read by others"
ends 0 --as henrik inbox
flat
says "seen not yet"

# ---- an edit after it, and a resubmission ----
ends 0 --as ines edit SCP-0001 headcount_in_scope=66
ends 0 --as ines submit SCP-0001
ends 0 --as amara inbox
flat
says "changed since you looked on"
ends 0 --as amara diff SCP-0001 --since-seen
says "-  64"
says "+  66"
says_not "scope statement"
ends 0 --as amara diff SCP-0001 --since-seen # asked twice, told twice
says "+  66"
ends 0 --as amara inbox
flat
says "seen as it is, since"
ends 0 --as ines edit SCP-0001 headcount_in_scope=65
ends 0 --as ines submit SCP-0001
ends 0 --as amara show SCP-0001
says "Changed since you looked on"
says "66 → 65"

# ---- before it is signed ----
ends 0 --as amara approve SCP-0001
says "no version before: all of it is new"
says "0 of 2 signed"
says "still asked: you, Henrik Lindqvist"
says_not "Sign?"
json --as ines show SCP-0001
digest=$("$python" -c 'import json, sys; print(json.load(sys.stdin)["digest"].removeprefix("hex:"))' <"$out")
ends 0 --as henrik approve SCP-0001
says "$digest"
says "1 of 2 signed: Amara Okafor"
says "you have not looked at it from here"
ends 0 --as ines clock advance "2 days"
until_says "In force" --as ines show SCP-0001@1.0
# What is in force is what was signed: the engine's own fields, as the day of its review, change no digest.
says "$digest"
json --as ines show SCP-0001@1.0
says '"next_review_due":"20'
says "$digest"
ends 0 --as amara show SCP-0001@1.0
says_not "Changed since you looked on"

# ---- version 2 against version 1 in force: a cell, a row, a long text ----
ends 0 --as ines clock advance "340 days"
ends 0 --as sofia open --from "$ROTA_DIR/sample/scope_change.cfg"
json --as sofia list scope_change
change=$("$python" -c 'import json, sys; print(json.loads(sys.stdin.readline())["record"])' <"$out")
ends 0 --as sofia submit "$change"
ends 0 --as amara approve "$change"
ends 0 --as henrik approve "$change"
sed -e 's/Lumière Ventures SARL"; position = "out"/Lumière Ventures SARL"; position = "partial"/' \
    "$ROTA_DIR/sample/scope_v2.cfg" >"$ROTA_DIR/v2.cfg"
ends 0 --as ines edit SCP-0001@2.0 --from "$ROTA_DIR/v2.cfg" effective_from="$(in_days 14)"
ends 0 --as ines do "$change" implement
ends 0 --as ines edit "$change" to_version=SCP-0001@2.0
ends 0 --as ines submit SCP-0001@2.0
ends 0 --as amara inbox
flat
says "(against SCP-0001@1.0)"
ends 0 --as amara diff SCP-0001@2.0
says "SCP-0001@2.0, against SCP-0001@1.0"
says "~ row 2: Lumière Ventures SARL"
says "-  out"
says "+  partial"
flat
says "+ row 6: dimension: location · item: Lisbon, Rua do Açúcar 40"
says "{+Lisbon and+} in its cloud"
says_not "row 1:"
json --as amara diff SCP-0001@2.0
"$python" - "$out" <<'PY' || wrong "diff --json does not tell rows and lines"
import json, sys
changes = {c["field"]: c for c in map(json.loads, open(sys.argv[1]))}
rows = changes["boundaries"]["rows"]
assert [r["what"] for r in rows] == ["changed", "added", "added"], rows
assert rows[0]["cells"] == [{"column": "position", "before": "out", "after": "partial"}], rows[0]
lines = changes["scope_statement"]["lines"]
assert [line["what"] for line in lines] == ["changed"], lines
PY
# The older one can be asked for by name, and the other way round.
ends 0 --as amara diff SCP-0001@1.0 SCP-0001@2.0
says "+  out"

# ---- the letter says the same ----
tries=0
until letter | grep -q "What changes against"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { wrong "no letter lists the changes"; break; }
    sleep 0.1
done
grep -l "What changes against" "$ROTA_DIR"/mail/amara/new/* | head -n 1 | xargs cat |
    "$python" -c 'import email, sys; print(email.message_from_binary_file(sys.stdin.buffer).get_payload(decode=True).decode())' >"$out"
says "What changes against SCP-0001@1.0 (- before, + after):"
says "row 2, position"
says "      - out"
says "      + partial"
grep -q "^  reminder  *20..-..-..T" "$out" || wrong "the letter does not say when it is reminded of"

ends 0 --as amara approve SCP-0001@2.0
says "5 fields against SCP-0001@1.0; in full: rota diff SCP-0001@2.0"
says "1 row changed, 2 rows added"
# On a terminal it is asked first; whoever does not say yes has signed nothing.
terminal() { "$python" -c 'import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execvp("rota", ["rota", "--as", "henrik", "approve", "SCP-0001@2.0"])
said = b""
while b"[y/N]" not in said: said += os.read(fd, 4096)
os.write(fd, sys.argv[1].encode() + b"\n")
try:
    while True: said += os.read(fd, 4096)
except OSError: pass
os.write(1, said); sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$1" >"$out" 2>"$err"; }
# Where a table would part word after word it is lines.
narrow() { "$python" -c 'import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    os.execvp("rota", ["rota"] + sys.argv[1:])
said = b""
try:
    while True: said += os.read(fd, 4096)
except OSError: pass
os.write(1, said.replace(b"\r\n", b"\n")); sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$@" >"$out" 2>"$err"; }
if has_terminals; then
    narrow --as ines people || wrong "people in 40 columns"
    says "  address  amara@lumiere-analytics.example"
    says "communication-worker"
    terminal n && wrong "a no was taken for a yes"
    says "not signed"
    ends 0 --as ines show SCP-0001@2.0
    says "1 of 2 signed"
    terminal y || wrong "a yes did not sign"
else
    ends 0 --as henrik approve SCP-0001@2.0
fi
ends 0 --as ines show SCP-0001@2.0
says "Approved"
ends 0 down
ends 0 verify
told "what waits, why, by when, and what changed"
