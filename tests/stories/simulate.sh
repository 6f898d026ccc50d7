#!/bin/sh
# `rota simulate` as a person types it: the years of the sample, its options, its mistakes. No engine runs.
set -u
. "$(dirname "$0")/house.inc"
house=$(cd "$(dirname "$0")/../.." && pwd)
sample=$house/config/sample/scenarios/three_years.cfg
work=${ROTA_DIR%/org}

ends 0 simulate "$sample"
says "2028-02-29 Tue"
says "review opened, due"
says "reminder: approval_waiting"
says "escalation:"
says "withdraw refused (not-allowed)"
says "is parked"
says "What happened"
says "what is stored equals their fold"
cp "$out" "$work/first"
# Who is asked about a risk assessment follows from what its submission computes: the owners of its risks.
says_not "cannot be granted"

# The same twice, byte for byte; with another seed not.
ends 0 simulate "$sample"
cmp -s "$out" "$work/first" || wrong "the same scenario gave other years"
ends 0 simulate "$sample" --seed 2
! cmp -s "$out" "$work/first" || wrong "another seed gave the same years"
says "seed 2"

# The summary alone, and a picture.
ends 0 simulate "$sample" --quiet --chart "$work/load.svg"
says_not "2028-02-29 Tue"
says "At the end"
"$python" -c 'import sys, xml.dom.minidom as x; d = x.parse(sys.argv[1]); assert d.documentElement.tagName == "svg"; assert "ines" in d.toxml()' \
    "$work/load.svg" 2>"$err" || wrong "the chart is no SVG"
ends 4 simulate "$sample" --quiet --chart "$work/nowhere/load.svg"
complains "nowhere/load.svg"

# Other workflows: reviews every six months are more reviews.
cp -r "$house/workflows" "$work/changed"
sed -i 's/every = "12 months"/every = "6 months"/' "$work"/changed/documents/*.cfg
ends 0 --json simulate "$sample" --quiet
before=$("$python" -c 'import json,sys; print(json.load(sys.stdin)["summary"]["reviews_opened"])' <"$out")
ends 0 --json simulate "$sample" --quiet --pack "$work/changed"
after=$("$python" -c 'import json,sys; print(json.load(sys.stdin)["summary"]["reviews_opened"])' <"$out")
[ "$after" -gt "$before" ] || wrong "reviews twice a year: $after, once a year: $before"
ends 4 simulate "$sample" --pack "$work/nothing"
complains "$work/nothing"

# An end of one's own.
ends 0 simulate "$sample" --until 2026-06-30
says "2026-01-05 to 2026-06-30"
ends 0 simulate "$sample" --until "2 months" --quiet
says "2026-01-05 to 2026-03-04"
ends 2 simulate "$sample" --until 2025-01-01
complains "is not after the start"
ends 2 simulate "$sample" --until "some day"
complains "is no moment"
ends 2 simulate "$sample" --seed many
complains "--seed takes a whole number"

# For programs: a line an event, and the summary last.
json simulate "$sample"
has at day time what record who text
tail -n 1 "$out" | "$python" -c '
import json, sys
s = json.load(sys.stdin)["summary"]
assert s["reviews_opened"] > 0 and s["documents"] and s["people"] and s["at_the_end"], s
assert len(s["people"][0]["months"]) == 37' 2>"$err" || wrong "the summary: $(cat "$err")"

# Mistakes have a place and a remedy.
sed 's/who = "pavel"/who = "paval"/; s|"\.\./|"'"$house"'/config/sample/|' "$sample" >"$work/wrong.cfg"
ends 4 simulate "$work/wrong.cfg"
complains "no person is called 'paval'; did you mean 'pavel'?"
complains "wrong.cfg:"
ends 4 simulate "$work/nowhere.cfg"
complains "there is no file"
ends 2 simulate

# In an organisation, what is lived through are the workflows of that organisation.
ends 0 init "$ROTA_DIR" --sample
mine=$ROTA_DIR/sample/scenarios/three_years.cfg
ends 0 --json simulate "$mine" --quiet
before=$("$python" -c 'import json,sys; print(json.load(sys.stdin)["summary"]["reviews_opened"])' <"$out")
sed -i 's/every = "12 months"/every = "6 months"/' "$ROTA_DIR"/pack/documents/*.cfg
ends 0 --json simulate "$mine" --quiet
after=$("$python" -c 'import json,sys; print(json.load(sys.stdin)["summary"]["reviews_opened"])' <"$out")
[ "$after" -gt "$before" ] || wrong "the organisation's own workflows: $after reviews, before $before"

told "three years, and every way to ask for them"
