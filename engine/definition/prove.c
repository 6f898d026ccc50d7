#include "definition/prove_inside.h"

void prove_pack(const struct pack *pack, struct problems *problems)
{
    struct arena arena = ARENA_EMPTY;
    struct proof proof = {.pack = pack, .problems = problems, .arena = &arena};

    lives_find(&proof);
    for (proof.kind = 0; proof.kind < pack->kind_count; proof.kind++) {
        prove_reach(&proof);
        prove_round(&proof);
        prove_timers(&proof);
        prove_versions(&proof);
        prove_needs(&proof);
    }
    prove_rules(&proof);
    prove_gates(&proof);
    prove_messages(&proof);
    prove_clauses(&proof);
    arena_release(&arena);
}
