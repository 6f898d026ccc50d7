#!/bin/sh
# The tour of README.md can be typed as it stands: each command succeeds, and the one that is said to be refused is refused.
set -eu
house=$(cd "$(dirname "$0")/../.." && pwd)
export PATH="$ROTA_BUILD:$PATH" ROTA_SHARE="$house" ROTA_DIR="${TMPDIR:-/tmp}/readme-tour"
worker=
trap '[ -z "$worker" ] || kill "$worker" 2>/dev/null || :; rota down >/dev/null 2>&1 || :' EXIT
sed -n '/^## A tour in ten minutes/,/^## Write a worker/s/^    \(\(rota\|sed\|\/usr\/bin\/python3\) .*\)/\1/p' "$house/README.md" >"$TMPDIR/tour"
[ "$(wc -l <"$TMPDIR/tour")" -gt 60 ]
while IFS= read -r line; do
    echo "\$ $line"
    case $line in
    *watch*) continue ;; # waits for what comes; tried by everyday.sh
    *" &") (cd "$house" && exec sh -c "exec ${line% &}") </dev/null >/dev/null 2>&1 & worker=$! ;;
    *"# refused"*)
        status=0
        sh -c "$line" </dev/null || status=$?
        [ "$status" -eq 1 ] || { echo "this should have been refused"; exit 1; }
        ;;
    *) sh -c "$line" </dev/null ;;
    esac
    # What workers do on their own is given a moment where the tour lets the reader look at it.
    case $line in *"clock advance"*) sleep 4 ;; esac
done <"$TMPDIR/tour"
