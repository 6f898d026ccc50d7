#!/bin/sh
# A code with which something is refused can be sent and is explained: it stands in the one table (engine/wire/status.c; the engine
# stops at another one) and in engine/PROTOCOL.md, each with the same number.
set -eu
cd "$(dirname "$0")/../.."
bad=0
table=$(sed -n 's/^ *{\([0-9]*\), "\([a-z-]*\)", .*/\1 \2/p' engine/wire/status.c)
[ "$(echo "$table" | wc -l)" -gt 20 ] || { echo "engine/wire/status.c: no table was found"; bad=1; }

echo "$table" | while read -r number code; do
    grep -q "^| $number |.*\`$code\`" engine/PROTOCOL.md || echo "engine/PROTOCOL.md does not explain $number $code"
done >"${TMPDIR:-/tmp}/codes.$$"

# run_refuse(core, 422, "guard-failed", ...) may be broken over lines.
cat engine/core/*.c | tr '\n' ' ' | grep -oE 'run_refuse\([a-z>-]+, *[0-9]+, *"[a-z-]+"' |
    sed 's/.*, *\([0-9]*\), *"\(.*\)"/\1 \2/' | sort -u | while read -r used; do
    echo "$table" | grep -qxF "$used" || echo "engine/core refuses with $used, which engine/wire/status.c does not know"
done >>"${TMPDIR:-/tmp}/codes.$$"
cat "${TMPDIR:-/tmp}/codes.$$"
[ ! -s "${TMPDIR:-/tmp}/codes.$$" ] || bad=1
rm -f "${TMPDIR:-/tmp}/codes.$$"
exit $bad
