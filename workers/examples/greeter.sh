#!/bin/sh
# A worker in shell, by rota-exec: JSON on standard input, JSON on standard output. Start it with
#     rota-exec --dir DIR --service exec.greet -- ./greeter.sh
# An exit status other than 0 fails the run; the last line on standard error is the reason that people see.
set -eu

input=$(cat)
case $input in
'{'*) ;;
*)
    echo "the input is not a map" >&2
    exit 65
    ;;
esac
printf '{"greeting": "%d bytes of input for %s, thank you"}\n' "${#input}" "${ROTA_RECORD:-nobody}"
