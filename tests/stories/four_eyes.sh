#!/bin/sh
# Who may what, and the workflows, change only if two people want it: proposed, seen in words, agreed to by somebody else with
# their own key; and a house of one grows until there is a second.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
ends 0 up

# ---- nothing is proposed where nothing is another ----
ends 0 reload
says "says all of this already"
ends 0 --as ines proposals
says "nothing waits for a second person"

# ---- a worker of the user's own: one line in a file, and a second person ----
ends 0 worker new tester --service exec.test
says "somebody else agrees"
sed 's/^workers = (/workers = ( { name = "tester"; title = "Tests"; serves = ["exec.test"]; },/;
     s/roles = \["employee"\]; manager = "pavel"/roles = ["employee", "risk_owner"]; manager = "pavel"/' \
    "$ROTA_DIR/directory.cfg" >"$ROTA_DIR/changed" && mv "$ROTA_DIR/changed" "$ROTA_DIR/directory.cfg"
ends 0 reload
says "tester is new"
says "serves: exec.test"
says "roles: employee -> employee, risk_owner"
says "proposal 1: nothing has changed yet"
says "amara, henrik, ines or marta agrees: rota --as WHO agree 1"
ends 0 --as ines people
says_not "tester"
ends 0 --as ines inbox
says "proposal 1"
says "rota agree 1"
ends 0 --as bo inbox
says_not "proposal 1"
ends 1 --as bo agree 1
complains "403 not-allowed"

# What was proposed is what is agreed to, whatever stands in the file by then.
sed 's/exec.test/exec.other/' "$ROTA_DIR/directory.cfg" >"$ROTA_DIR/changed" && mv "$ROTA_DIR/changed" "$ROTA_DIR/directory.cfg"
json --as ines proposals
has proposal what by at_ms says changes digest may_agree
ends 0 --as ines proposals
says "serves: exec.test"
says "waits for you, or another: rota agree 1"
ends 0 --as ines agree 1
says "tester is new"
says "I authorise that the directory changes: new tester; changed bo, as operator proposed"
says "proposal 1 is in force"
ends 0 --as ines people
says "tester"
says "agreed to by Inês Duarte (proposal 1)"
ends 1 --as ines agree 1
complains "409 wrong-state"
ends 0 --as ines log
json --as ines log --stream directory
tail -n 1 "$out" | grep -q '"agreed_by":"ines"' || wrong "the entry does not name both"

# ---- one that is not wanted is ended ----
ends 0 reload
says "serves: exec.test -> exec.other"
ends 2 --as ines proposals end 2
complains "--reason"
ends 0 --as ines proposals end 2 --reason "Not before the audit"
ends 1 --as marta agree 2
complains "409 wrong-state"
ends 0 --as ines proposals --all
says "ended by Inês Duarte"
says "Not before the audit"
ends 2 --as ines agree
ends 2 --as ines agree two
ends 1 --as ines agree 99
complains "404"

# ---- workflows: whoever proposes them does not agree, not even as somebody else's delegate ----
sed 's/every = "12 months"/every = "6 months"/' "$ROTA_DIR/pack/documents/interested_parties.cfg" >"$ROTA_DIR/changed"
mv "$ROTA_DIR/changed" "$ROTA_DIR/pack/documents/interested_parties.cfg"
ends 0 --as ines pack install --reason "Twice a year"
says "proposal 3: nothing has changed yet"
says "amara, henrik or marta agrees"
ends 0 --as amara delegate ines --reason "on leave"
ends 1 --as ines agree 3
complains "SOD-6"
ends 0 --as amara agree 3
says "documents/interested_parties.cfg: changed"
says '12 months'
says '6 months'
says "Twice a year"
says "is in force"
ends 0 --as ines pack list
says "Twice a year"
ends 0 --as ines log --limit 1000
says "was refused: pack.install"
says "installed the workflow definitions, as"

# ---- break-glass: one event, once, although the role for it is missing ----
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
ends 0 --as ines submit IPR-0001
ends 0 --as amara approve IPR-0001
ends 1 --as nina do IPR-0001 put_in_force
ends 2 --as nina break-glass IPR-0001 put_in_force
complains "--reason"
ends 1 --as nina break-glass IPR-0001 approve --reason "Quick"
complains "No glass is broken for a vote"
ends 0 --as nina break-glass IPR-0001 put_in_force --reason "Dmitri is on a plane"
says "proposal 4: you may do nothing more yet"
ends 1 --as nina do IPR-0001 put_in_force
ends 0 --as marta inbox
says "proposal 4"
ends 0 --as marta agree 4
says "Dmitri is on a plane"
ends 0 --as nina do IPR-0001 put_in_force
ends 0 --as ines log IPR-0001
says "asked to break glass"
says "break-glass (proposal 4)"
ends 0 --as ines proposals --all
says "agreed by Marta Kowalska, used on"

# ---- who proposes in their own name does not agree to it ----
ends 0 --as ines reload
says "amara, henrik or marta agrees: rota --as WHO agree 5"
ends 1 --as ines agree 5
complains "SOD-6"
ends 0 --as ines proposals end 5 --reason "A trial"
ends 1 --as bo reload
complains "403 not-allowed"

ends 0 down
rota-verify "$ROTA_DIR/journal.db" --vkey "@$ROTA_DIR/keys/log.vkey" >"$out" 2>"$err" || wrong "rota-verify finds fault"
[ -z "${ROTA_AUDITOR:-}" ] ||
    "$python" "$ROTA_AUDITOR" "$ROTA_DIR/journal.db" --vkey "$(cat "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" ||
    wrong "the independent auditor does not agree"

# ---- a house of one ----
rm -rf "$ROTA_DIR"
ends 0 init "$ROTA_DIR"
ends 0 up
ends 0 key new ines --unsealed
ends 0 key new amara --unsealed
entry() { echo "{ name = \"$1\"; title = \"$1\"; roles = [\"$2\", \"employee\"]; }"; }
workers=$(sed -n '/^workers/,$p' "$ROTA_DIR/directory.cfg")
printf 'people = ( %s );\n%s\n' "$(entry ines isms_manager)" "$workers" >"$ROTA_DIR/directory.cfg"
ends 0 reload
says "ines is new"
says "installed at once: nobody else could agree"
ends 0 --as ines people
says "nobody else could agree"
ends 0 --as ines log
says "nobody else could agree"
printf 'people = ( %s, %s );\n%s\n' "$(entry ines isms_manager)" "$(entry amara top_management)" "$workers" >"$ROTA_DIR/directory.cfg"
ends 0 reload
says "ines agrees"
ends 0 --as ines agree 1
ends 0 --as ines people
says_not "nobody else"

# ---- more than forty at once are several proposals, and one agreement ----
for n in $(seq 1 42); do rota key new "staff$n" --unsealed >"$out" 2>"$err" || wrong "no key for staff$n"; done
many=$(for n in $(seq 1 42); do printf ', %s' "$(entry "staff$n" employee)"; done)
printf 'people = ( %s, %s%s );\n%s\n' "$(entry ines isms_manager)" "$(entry amara top_management)" "$many" "$workers" >"$ROTA_DIR/directory.cfg"
ends 0 --as ines reload
says "proposals 2 and 3, which belong together"
says "amara agrees: rota --as WHO agree 2 3"
ends 2 --as amara agree 2 3 --id one-id-for-two-of-them
ends 1 --as amara agree 2 99
ends 0 --as ines people
says_not staff1
ends 0 --as amara agree 2 3
says "proposal 2 is in force"
says "proposal 3 is in force"
ends 0 --as ines people
says staff1
says staff42
ends 0 down
rota-verify "$ROTA_DIR/journal.db" --vkey "@$ROTA_DIR/keys/log.vkey" >"$out" 2>"$err" || wrong "rota-verify finds fault"
told "four eyes: proposed, seen in words, agreed to by another; a house of one grows"
