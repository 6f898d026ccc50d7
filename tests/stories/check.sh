#!/bin/sh
# `rota check`: the shipped workflows are sound; what is wrong with others is said with its place, as the engine would say it.
set -u
. "$(dirname "$0")/house.inc"
pack="${ROTA_DIR%/org}/pack"

ends 0 check "$ROTA_SHARE/workflows"
says "is sound"
json check "$ROTA_SHARE/workflows"
tail -n 1 "$out" >"$out.last" && mv "$out.last" "$out"
has pack errors warnings took_us kinds states transitions timers rules

# ---- without a name: the organisation's own ----
ends 4 check
complains "neither pack/ nor workflows/"
ends 0 init "$ROTA_DIR"
ends 0 check
says "$ROTA_DIR/pack is sound"

# ---- a mistake: refused, with file, line and the nearest right name ----
cp -r "$ROTA_SHARE/workflows" "$pack"
sed -i 's/by = \["doc_controller", "system"\]; supersedes/by = ["doc_controler", "system"]; supersedes/' "$pack/lifecycles/document.cfg"
ends 1 check "$pack"
says "$pack/lifecycles/document.cfg:"
says "did you mean 'doc_controller'?"
says "is refused"
rota --json check "$pack" >"$out"
has severity file line text
is_json "$out" || wrong "--json check: not JSON"

# ---- nothing to read ----
ends 4 check "$pack/nowhere"

told "a pack is checked without an engine"
