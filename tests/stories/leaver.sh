#!/bin/sh
# Somebody leaves: their entry ends with a day, what they own goes to somebody else, and who looks after it finds it in the inbox.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg" --owner pavel
record=$(grep -o '[A-Z]*-[0-9]\{4\}' "$out" | head -n 1)
ends 0 --as pavel show "$record"

# ---- taken out of the file: that ends nothing, and is said; a word that nobody reads is not passed over ----
cp "$ROTA_DIR/directory.cfg" "$out.kept"
sed '/name = "bo"/,/manager = "pavel"/d' "$out.kept" >"$ROTA_DIR/directory.cfg"
ends 0 --as ines reload
says "bo is not in the file and keeps every right"
says_not "amara is not in the file"
sed '/name = "bo"/,/manager = "pavel"/s/manager = "pavel"/managr = "pavel"/' "$out.kept" >"$ROTA_DIR/directory.cfg"
line=$(grep -n managr "$ROTA_DIR/directory.cfg" | cut -d: -f1)
ends 4 --as ines reload
complains "directory.cfg:$line: an entry has no managr; did you mean 'manager'?"
sed '/name = "bo"/,/manager = "pavel"/s/roles = \["employee"\]/roles = "employee"/' "$out.kept" >"$ROTA_DIR/directory.cfg"
ends 4 --as ines reload
complains "roles wants a list of texts"
sed '/name = "bo"/,/manager = "pavel"/s/"employee"/"emplyee"/' "$out.kept" >"$ROTA_DIR/directory.cfg"
ends 1 --as ines reload
complains "bo: the workflows know no role emplyee; did you mean 'employee'?"
cp "$out.kept" "$ROTA_DIR/directory.cfg"

# ---- until a day: both count, and then it is over ----
today=$(in_days 0)
sed "/name = \"pavel\"/s/name = \"pavel\";/name = \"pavel\"; until = \"$today\";/" "$ROTA_DIR/directory.cfg" >"$out.cfg" &&
    cp "$out.cfg" "$ROTA_DIR/directory.cfg"
ends 0 --as ines reload
ends 0 --as henrik agree 1
ends 0 --as pavel inbox
ends 0 --as henrik inbox
says_not "hand_over"
ends 0 clock advance "2 days"
ends 1 --as pavel inbox
complains "not-allowed"
ends 1 --as pavel edit "$record" --title "Mine still"
complains "not-allowed"

# ---- it has fallen to the manager, who hands it over ----
ends 0 --as henrik inbox
says "$record"
says "hand_over"
says "owner, who has left"
ends 2 --as henrik hand-over "$record" --reason "Pavel has left"
ends 1 --as bo hand-over "$record" --to sofia --reason "Pavel has left"
complains "not-allowed"
ends 1 --as henrik hand-over "$record" --to pavel --reason "He knows it best"
ends 0 --as henrik hand-over "$record" --to sofia --reason "Pavel has left"
says "is owned by Sofia Rossi"
ends 0 --as sofia show "$record"
says "Sofia Rossi"
ends 0 --as sofia log "$record"
says "handed it over to Sofia Rossi"
ends 0 --as henrik inbox
says_not "hand_over"
ends 0 down
ends 0 verify
is_as_written
told "somebody left, and what they owned has an owner"
