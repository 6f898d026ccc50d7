#!/bin/sh
# `rota draw`: the same pictures in words that never change by accident, and pictures that every reader of XML accepts.
set -u
. "$(dirname "$0")/house.inc"
here=tests/tools/draw
work=${ROTA_DIR%/org}

same() { # same FILE ARGUMENTS...: the drawing is exactly what the file says.
    wanted=$1
    shift
    ends 0 draw "$@" --pack $here/pack
    diff -u "$wanted" "$out" >"$work/diff" 2>&1 || { cp "$work/diff" "$out"; wrong "rota draw $*: not as in $wanted"; }
}
is_xml() { "$python" -c 'import sys, xml.dom.minidom as dom
picture = dom.parse(sys.argv[1]).documentElement
sys.exit(0 if picture.tagName == "svg" and picture.getElementsByTagName("g").length > 2 else "no picture")' "$1" 2>"$err"; }

# ---- words, exactly ----
same $here/visit.mmd visit --format mermaid --state inside
same $here/visit.dot visit --format dot --full
same $here/map.mmd --map --format mermaid
same $here/map.dot --map --format dot --by-clause

# ---- every kind of the shipped pack, and every lifecycle, as a picture ----
rota draw --map --pack workflows --format dot >"$out" 2>"$err" || wrong "the map cannot be drawn"
kinds=$(sed -n 's/^ *k_\([a-z0-9_]*\) \[.*/\1/p' "$out")
[ "$(echo "$kinds" | wc -l)" -ge 10 ] || wrong "found few kinds: $kinds"
for kind in $kinds; do
    ends 0 draw "$kind" --pack workflows -o "$work/kind.svg"
    is_xml "$work/kind.svg" || wrong "$kind: $(cat "$err")"
    ends 0 draw "$kind" --pack workflows --format mermaid
    says "flowchart TB"
done
ends 0 draw document --pack workflows
says "Controlled document"
# Each stage of an approval says what it signs.
ends 0 draw exclusion_authorization --pack workflows --format dot
says "(law), “reviewed” (risk)"
says "“authorised” (management)"
ends 0 draw policy --pack workflows --format dot
says "signed “approved”"
ends 0 draw --map --pack workflows -o "$work/map.svg"
is_xml "$work/map.svg" || wrong "the map: $(cat "$err")"
ends 0 draw --map --by-clause --pack workflows --format png -o "$work/map.any"
[ "$(dd if="$work/map.any" bs=1 skip=1 count=3 2>/dev/null)" = PNG ] || wrong "no PNG"

# ---- a record's place: the engine is asked ----
ends 0 init "$ROTA_DIR" --sample
ends 3 --as ines draw CTX-0001
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/context_issues.cfg"
ends 0 --as ines draw CTX-0001 --format dot
says "CTX-0001@1.0 is here"
ends 1 --as ines draw CTX-0099
ends 0 down

# ---- what cannot be drawn ----
ends 2 draw
ends 2 draw finding --map
ends 2 draw fnding --pack workflows
complains "did you mean 'finding'?"
ends 2 draw finding --pack workflows --state nowhere
complains "has no state 'nowhere'"
ends 2 draw finding --pack workflows --format gif
ends 4 draw finding --pack "$work/nothing"
ends 4 draw finding --pack workflows -o "$work/no/such/place.svg"
all=$PATH PATH="$build"
ends 0 draw finding --pack workflows --format dot
ends 5 draw finding --pack workflows
PATH=$all
complains "Graphviz is not here"

told "workflows are drawn"
