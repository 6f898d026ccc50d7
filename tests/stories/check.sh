#!/bin/sh
# `rota check`: the shipped workflows are sound; what is wrong with others is said with its place, as the engine would say it, and what
# a change of the workflows would let happen is refused with the way that shows it.
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
ends 0 init "$ROTA_DIR" --sample
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

# ---- a change of the lifecycle that leads past the approval: refused with the way that shows it ----
rm -rf "$pack"
cp -r "$ROTA_SHARE/workflows" "$pack"
sed -i 's/^    { event = "request_changes"/    { event = "publish"; from = ["draft"]; to = "in_force"; by = ["owner"]; },\n&/' "$pack/lifecycles/document.cfg"
breach="create -> publish reaches 'in_force' and no approval was granted"
ends 1 check "$pack"
says "$breach"
rota --json check "$pack" >"$out"
has severity file line text kind more_kinds
says "$breach"

# A way that is only there because what was approved may still be edited.
rm -rf "$pack"
cp -r "$ROTA_SHARE/workflows" "$pack"
sed -i 's/name = "approved";     title = "Approved";     stage = "approved";/& edit = ["owner"];/' "$pack/lifecycles/document.cfg"
ends 1 check "$pack"
says "create -> submit -> approve -> edit -> put_in_force reaches 'in_force' with another content than was approved"

# ---- the engine refuses it with the same sentence, and goes on under the pack that it has ----
ends 0 up
ends 1 --as ines pack install "$pack" --reason "Quicker"
says "create -> submit -> approve -> edit -> put_in_force reaches 'in_force' with another content than was approved"
ends 0 --as ines open context_issues --title "Issues"
says "@1.0"

# ---- with the people there are ----
ends 0 --as ines check --people
ends 1 --as ines check --people --away henrik
says "this approval cannot be granted: it takes 2 of top_management, and there is amara"
ends 0 check "$ROTA_SHARE/workflows" --directory "$ROTA_SHARE/config/sample/directory.cfg"
ends 1 check "$ROTA_SHARE/workflows" --directory "$ROTA_SHARE/config/sample/directory.cfg" --away henrik
says "scope_change.cfg:"
ends 4 check --directory "$pack/nowhere.cfg"
complains "nowhere.cfg"
ends 4 --as ines check --people --away nobody
ends 2 check --away amara

# ---- nothing to read ----
ends 4 check "$pack/nowhere"

told "a pack is checked and proven without an engine, and the engine says the same"
