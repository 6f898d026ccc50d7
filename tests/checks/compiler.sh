#!/bin/sh
# The compiler keeps what was initialised. With -ftrivial-auto-var-init=zero gcc 12.2 does not: it takes members of structs in
# an array inside a struct for padding and clears them, at every level of optimisation. That made a round of approval forget
# that a stage had been granted. Compiled with the flags that the house is compiled with.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/rota-compiler.XXXXXX")
trap 'rm -rf "$work"' EXIT
cat >"$work/kept.c" <<'EOF'
#include <stdbool.h>
#include <stdint.h>
enum end { OPEN, GRANTED };
struct stage { bool is_waiting; enum end end; int64_t granted, needed; };
struct count { enum end end; bool is_tie; struct stage stages[8]; };
struct recount { const void *first, *second; struct count count; bool is_over; };
__attribute__((noinline)) static int seen(const struct recount *recount) { return recount->count.stages[0].end; }
int main(void)
{
    struct count counts[2] = {{.stages = {{.end = GRANTED}}}, {.stages = {{.end = GRANTED}}}};
    int kept = 0;
    for (int i = 0; i < 2; i++) {
        struct recount recount = {.first = counts, .second = counts, .count = counts[i], .is_over = false};
        kept += seen(&recount) == GRANTED;
    }
    return kept == 2 ? 0 : 1;
}
EOF
flags=$(make -s --no-print-directory print-flags)
${CC:-gcc} $flags -o "$work/kept" "$work/kept.c"
if ! "$work/kept"; then
    echo "with the flags of the Makefile this compiler clears what was initialised: $flags"
    exit 1
fi
