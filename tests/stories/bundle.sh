#!/bin/sh
# Two documents that go together: submitted, signed with one command each, put in force in one run, and what the evidence says.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/scope_statement.cfg"
ends 0 --as ines open scope_exclusions --title "What is left out" scope=SCP-0001@1.0 none_declared=true
ends 1 --as ines submit SCP-0001 --with EXC-0009
complains "no-record"
ends 0 --as ines submit SCP-0001 --with EXC-0001
ends 0 --as ines show EXC-0001
says "together with SCP-0001@1.0"

rota --as amara inbox | tr -s ' \n' ' ' >"$out"
says "with EXC-0001@1.0"

# ---- one command, a signature over each ----
ends 0 --as amara approve SCP-0001
[ "$(grep -c '^signing' "$out")" = 2 ] || wrong "two documents are not signed"
says "I approve"
says "I authorise"
ends 0 --as ines show EXC-0001
says "approval granted"
says "Draft"
json --as ines show EXC-0001

# ---- changed: nothing of it counts ----
ends 0 --as ines edit EXC-0001 --title "What is left out, and why"
ends 0 --as ines show SCP-0001
says "round 1, void"
says "what it went together with was changed or withdrawn"
ends 0 --as ines submit EXC-0001 --with SCP-0001
# By letter: the one command in it carries both signatures.
mkdir -p "$ROTA_DIR/mail/answers/new"
ends 0 --as henrik approve EXC-0001 --mail --out "$ROTA_DIR/answer.eml"
mv "$ROTA_DIR/answer.eml" "$ROTA_DIR/mail/answers/new/answer.eml"
until_says "approval 1 of 2" --as ines show SCP-0001
ends 0 --as amara approve SCP-0001
ends 0 --as ines show SCP-0001
says "Approved"
ends 0 --as ines show EXC-0001
says "Approved"

# ---- in force together ----
ends 0 --as dmitri do EXC-0001 put_in_force
ends 0 --as ines show SCP-0001
says "In force"
ends 0 --as ines show EXC-0001
says "In force"
rota --as ines log SCP-0001 | tr -s ' \n' ' ' >"$out"
says "put_in_force with EXC-0001@1.0"

# ---- the evidence ----
ends 0 down
ends 0 verify
says "signatures   5 by people, checked" # amara 2, henrik 2, amara 1: the exclusions had theirs
[ -z "${ROTA_AUDITOR:-}" ] ||
    "$python" "$ROTA_AUDITOR" "$ROTA_DIR/journal.db" --vkey "$(cat "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" ||
    wrong "the independent auditor disagrees"
is_as_written
told "documents that go together"
