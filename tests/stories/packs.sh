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
says "is installed"
ends 0 --as ines pack list
says "Twice a year"
json --as ines pack list
has digest current version by at_ms records why
ends 0 --as ines log
says "installed the workflow definitions"

# ---- what was installed is there after a restart ----
ends 0 down
ends 0 up
ends 0 --as ines show IPR-0001
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
says "IPR-0002@1.0"
ends 0 verify
told "packs: installed with a reason, refused where something would be lost"
