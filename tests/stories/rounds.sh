#!/bin/sh
# An approval in two stages, from an empty folder to the evidence: who is asked when, what the pages and the log say, and that
# rota-verify finds every signature.
set -u
. "$(dirname "$0")/house.inc"

ends 0 init "$ROTA_DIR" --sample
cat >"$ROTA_DIR/pack/documents/data_contract.cfg" <<'CFG'
kind = {
  name = "data_contract";  prefix = "DCO";  title = "Data processing contract";  clause = "A.5.20";
  lifecycle = "document";  owner = "isms_manager";  create = ["isms_manager"];  audience = ["employee"];
  approval = {
    meaning = "approved";  expires = "30 days";  on_expiry = "refuse";
    stages = (
      { name = "legal"; ask = ["legal_compliance"]; meaning = "confirmed"; },
      { name = "board"; ask = ["top_management"]; percent = 66; closing = "all"; veto = ["chair"]; }
    );
  };
  fields = { supplier = { type = "text"; required = true; }; chair = { type = "person"; };
             retain_until = { type = "date"; computed = true; }; legal_hold = { type = "bool"; computed = true; }; };
};
CFG
ends 0 check
ends 0 up
ends 0 --as ines pack install --reason "Contracts are approved in two stages"
ends 0 --as marta agree 1
ends 0 --as ines open data_contract --title "Hosting" supplier=Cumulus chair=henrik
ends 0 --as ines submit DCO-0001
says "legal 0 of 1, board waiting"

# ---- the lawyer first ----
ends 0 --as leila inbox
says "legal_compliance (stage"
ends 0 --as amara inbox
says_not "DCO-0001"
ends 1 --as amara approve DCO-0001
complains "has not begun yet"
ends 0 --as ines why DCO-0001 approve --person leila
says "Stage legal is open: 0 of 1 granted; still to answer"
ends 0 --as ines show DCO-0001
says "legal: open, 0 of 1"
says "is asked when it begins"
ends 0 --as leila approve DCO-0001
says "confirm"
says "legal granted, board 0 of 2"

# ---- then the board, which hears everyone ----
ends 0 --as amara inbox
says "top_management (stage"
ends 0 --as amara approve DCO-0001
says "legal granted, board 1 of 2"
ends 0 --as ines show DCO-0001
says "board: open, 1 of 2, 66 % of those who do not abstain"
says "a refusal of Henrik Lindqvist"
ends 0 --as henrik approve DCO-0001
ends 0 --as ines show DCO-0001
says "Approval, round 1, granted: legal granted, board granted"
rota --as ines log DCO-0001 | tr -s ' \n' ' ' >"$out"
says "stage legal is granted; stage board begins"
says "in 2 stages"
json --as ines show DCO-0001
"$python" - "$out" <<'PY' || wrong "show --json does not tell the stages"
import json, sys
shown = json.load(open(sys.argv[1]))
stages = shown["rounds"][0]["stages"]
assert [s["name"] for s in stages] == ["legal", "board"], stages
assert [s["state"] for s in stages] == ["granted", "granted"], stages
assert stages[1]["veto"] == ["henrik"] and stages[0]["meaning"] == "confirmed", stages
PY

# ---- the evidence ----
ends 0 down
ends 0 verify
says "signatures   4 by people, checked"
if [ -n "${ROTA_AUDITOR:-}" ]; then
    "$python" "$ROTA_AUDITOR" "$ROTA_DIR/journal.db" --vkey "$(cat "$ROTA_DIR/keys/log.vkey")" >"$out" 2>"$err" || wrong "the independent auditor disagrees"
fi
is_as_written
told "approval in stages"
