#!/bin/sh
# The core has no clock, file, socket, random number or log: nm lists every symbol that its objects want from elsewhere,
# and only these are let through:
#   mem*, str*                    bytes and texts, those without a locale, a clock or memory of their own
#   malloc calloc realloc free    memory, which decides nothing: where it runs out the process stops (check), so
#                                 no answer depends on how much there is
#   qsort                         order, by a comparison that is given; no elements that are equal are ever told apart
#   check_failed                  a bug stops the process
#   names that base or core itself defines
# The compiler's own support (stack protector, sanitizers) is no library that the code called.
#
# Usage: core_purity.sh BUILD   (the folder that holds engine/base/*.o and engine/core/*.o)
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
defined=$(mktemp)
wanted=$(mktemp)
trap 'rm -f "$defined" "$wanted"' EXIT

set -- "$build"/engine/core/*.o
if [ ! -e "$1" ]; then
    echo "core_purity: no objects in $build/engine/core" >&2
    exit 2
fi
nm --defined-only -g "$build"/engine/base/*.o "$build"/engine/core/*.o | awk 'NF == 3 { print $3 }' | sort -u >"$defined"
nm -u -A "$@" | awk '{ split($1, file, ":"); print file[1], $NF }' | sort -u |
    awk '$2 !~ /^_*(mem|str)(chr|cmp|cpy|move|set|len|ncmp|str|mem|rchr|spn|cspn|nlen|pbrk)(_chk)?$/ &&
         $2 !~ /^(malloc|calloc|realloc|free|qsort|check_failed)$/ &&
         $2 !~ /^(__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__asan_.*|__ubsan_.*|__sanitizer_.*|__tsan_.*)$/' >"$wanted"

awk 'NR == FNR { known[$1] = 1; next } !($2 in known) { print $1 ": wants " $2; bad = 1 } END { exit bad }' \
    "$defined" "$wanted"
