#!/bin/sh
# Somebody is away: from the delegation to the evidence. Who is asked instead, who signs, what the pages and the log say, and
# that rota-verify finds every signature.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
cat >"$ROTA_DIR/pack/documents/data_contract.cfg" <<'CFG'
kind = {
  name = "data_contract";  prefix = "DCO";  title = "Data processing contract";  clause = "A.5.20";
  lifecycle = "document";  owner = "isms_manager";  create = ["isms_manager"];  audience = ["employee"];
  approval = { ask = ["top_management"]; need = 2; meaning = "approved"; expires = "30 days"; };
  fields = { supplier = { type = "text"; required = true; };
             retain_until = { type = "date"; computed = true; }; legal_hold = { type = "bool"; computed = true; }; };
};
CFG
ends 0 up
ends 0 --as ines pack install --reason "Contracts are approved by both of the board"
ends 0 --as marta agree 1

# ---- given ----
ends 2 --as henrik delegate pavel
ends 1 --as bo delegate pavel --of henrik --reason "He is away"
ends 1 --as henrik delegate henrik --reason "I am away"
complains "Nobody stands in for themselves"
ends 1 --as henrik delegate pavel --kind data_contrakt --reason "On leave"
ends 1 --as henrik delegate pavel --until 2020-01-01 --reason "On leave"
ends 0 --as henrik delegate pavel --kind data_contract --reason "On leave"
says "I let pavel stand in for me, in data_contract"
says "pavel stands in for you"
ends 1 --as pavel delegate henrik --reason "I am away too"
complains "circle"
ends 0 --as ines delegate list
says "DEL-0001"
says "Pavel Nov"
says "active"
json --as ines delegate list
has number from to state kinds

# ---- asked instead ----
ends 0 --as ines open data_contract --title "Hosting" supplier=Cumulus
ends 0 --as ines submit DCO-0001
ends 0 --as pavel inbox
says "top_management"
json --as pavel inbox
says '"for":"henrik"'
says '"delegation":"DEL-0001"'
ends 0 --as henrik inbox
says "is asked for you"
ends 0 --as pavel why DCO-0001 approve
says "pavel may do it for henrik, by delegation DEL-0001"
ends 0 --as ines show DCO-0001
says "asked instead"
ends 1 --as pavel approve DCO-0001 --for amara
complains "does not stand in for amara"
ends 0 --as pavel approve DCO-0001
says "for Henrik Lindqvist"
says "In the place of henrik."
ends 1 --as henrik approve DCO-0001
complains "in the place of henrik already"
ends 0 --as ines show DCO-0001
says "delegation DEL-0001"
ends 0 --as amara approve DCO-0001
ends 0 --as ines show DCO-0001
says "Approval, round 1, granted"
rota --as ines log DCO-0001 | tr -s ' \n' ' ' >"$out"
says "for Henrik"

# ---- ended in the middle of a round ----
ends 0 --as ines open data_contract --title "Backup" supplier=Cumulus
ends 0 --as ines submit DCO-0002
ends 0 --as henrik delegate end DEL-0001
ends 1 --as henrik delegate end 1
complains "is over already"
ends 0 --as pavel inbox
says_not "DCO-0002"
ends 1 --as pavel approve DCO-0002 --for henrik
ends 0 --as henrik approve DCO-0002
ends 0 --as ines delegate list
says "nobody stands in for anybody"
ends 0 --as ines delegate list --all
says "ended"

# ---- for somebody who is absent ----
ends 0 --as ines delegate sofia --of amara --until 2099-12-31 --onward --reason "She is ill"
ends 0 --as sofia inbox
says "DCO-0002"
ends 0 --as sofia approve DCO-0002
ends 0 --as ines show DCO-0002
says "Approval, round 1, granted"

# ---- the evidence ----
ends 0 down
ends 0 verify
says "signatures   7 by people, checked"
# What an auditor wants first: what was approved, by whom, in whose place, by which delegation, with which key; 80 columns.
rota-verify "$ROTA_DIR/journal.db" --vkey "@$ROTA_DIR/keys/log.vkey" --approvals >"$out" 2>"$err" || wrong "the journal does not hold"
says "signed by   pavel as \"approved\""
says "in the place of henrik, by DEL-0001, given by henrik"
says "in the place of amara, by DEL-0002, given by ines"
says "2 of 2"
[ -z "$(sed -n '/^approvals/,$p' "$out" | awk 'length($0) > 80')" ] || wrong "a line of the table is longer than 80 columns"
rota-verify "$ROTA_DIR/journal.db" --vkey "@$ROTA_DIR/keys/log.vkey" --approvals --json >"$out" 2>"$err" || wrong "the journal does not hold"
"$python" -c '
import json, sys
all = {one["record"]: one for one in json.load(open(sys.argv[1]))["approvals"]}
votes = all["DCO-0001@1.0"]["votes"]
assert [v["for"] for v in votes if v["by"] == "pavel"] == ["henrik"] and all["DCO-0001@1.0"]["count"] == "2 of 2"
assert all["DCO-0001@1.0"]["takes_approval"] and sum(v["signed"] and len(v["key"]) == 64 for v in votes) == 2' "$out" 2>"$err" || wrong "the table as JSON says something else"
if [ -n "${ROTA_AUDITOR:-}" ]; then
    "$python" "$ROTA_AUDITOR" "$ROTA_DIR/journal.db" --vkey "$(cat "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" || wrong "the independent auditor disagrees"
fi
is_as_written
told "standing in for somebody"
