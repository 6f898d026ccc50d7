#!/bin/sh
# What the shell completes: commands, options, and the names that the running engine knows; all from the table of commands.
set -u
. "$(dirname "$0")/house.inc"
command -v bash >/dev/null || { echo "skipped: no bash"; exit 0; }
driver=${ROTA_DIR%/org}/driver
cat >"$driver" <<'DRIVER'
eval "$(rota completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
_rota
printf '%s\n' "${COMPREPLY[@]}"
DRIVER

# completes LINE: what bash would offer at its end, a word each line.
completes() {
    line=$1
    bash "$driver" "$line" >"$out" 2>"$err" || wrong "completion of '$line' fails"
}
offers() {
    for word in "$@"; do grep -qxF -- "$word" "$out" || wrong "completion of '$line' does not offer: $word"; done
}
# Nothing but this.
offers_only() {
    [ "$(cat "$out")" = "$1" ] || wrong "completion of '$line' is not just: $1"
}

# ---- without an engine ----
completes "rota sh"
offers_only show
completes "rota -C /tmp --as x sho"
offers_only show
rota help --json | sed 's/.*"command":"\([^"]*\)".*/\1/' >"$driver.all"
[ "$(wc -l <"$driver.all")" -gt 50 ] || wrong "rota help --json lists $(wc -l <"$driver.all") commands"
completes "rota "
while read -r name; do offers "$name"; done <"$driver.all"
completes "rota list --st"
offers --state --stage
completes "rota list --stage in"
offers_only in_force
completes "rota key "
offers list new request endorse enrol rotate revoke roots root seal
completes "rota show X --format "
offers text markdown html
completes "rota help si"
offers_only simulate
completes "rota check $PWD/workflo"
offers_only "$PWD/workflows"
completes "rota frobnicate x"
offers_only ""
completes "rota list "
offers_only ""

# ---- the engine knows what there is ----
ends 0 init "$ROTA_DIR" --sample
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
completes "rota --as he"
offers_only henrik
export ROTA_AS=ines
completes "rota show IP"
offers_only IPR-0001@1.0
completes "rota show IPR-0001@"
offers_only 1.0
completes "rota open find"
offers_only finding
completes "rota do IPR-0001 sub"
offers_only submit
completes 'rota edit IPR-0001 --reason "two words" change_rea'
offers_only change_reason=
completes "rota open finding sev"
offers_only severity=
completes "rota list --owner dmi"
offers_only dmitri
completes "rota list finding --state rai"
offers_only raised
completes "rota tasks --service communication.d"
offers_only communication.deliver
completes "rota why IPR-0001 submit --person edi"
offers_only edith

told "the shell completes what there is"
