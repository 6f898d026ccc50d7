/* prove_clause.c - every clause of ISO/IEC 27001:2022 that asks for something, 4.1 to 10.2, has a kind whose records prove
 * it. A kind proves a clause if it names it, or one above it, or one below it, in `clauses`. */
#include "definition/prove_inside.h"

static const char *const CLAUSES[] = {
    "4.1",   "4.2", "4.3", "4.4", "5.1", "5.2", "5.3", "6.1.1", "6.1.2",
    "6.1.3", "6.2", "6.3", "7.1", "7.2", "7.3", "7.4", "7.5.1", "7.5.2",
    "7.5.3", "8.1", "8.2", "8.3", "9.1", "9.2", "9.3", "10.1",  "10.2",
};
enum { CLAUSE_COUNT = sizeof CLAUSES / sizeof CLAUSES[0] };

static bool is_part(const char *clause, const char *of)
{
    size_t len = strlen(of);

    return strncmp(clause, of, len) == 0 && (clause[len] == '\0' || clause[len] == '.');
}

static bool is_proven(const struct pack *pack, const char *clause)
{
    for (int i = 0; i < pack->kind_count; i++) {
        const struct words *clauses = &pack->kinds[i].clauses;

        for (int k = 0; k < clauses->count; k++) {
            if (is_part(clause, clauses->at[k]) || is_part(clauses->at[k], clause))
                return true;
        }
    }
    return false;
}

void prove_clauses(struct proof *proof)
{
    const char *open = "";
    int count = 0;

    for (int i = 0; i < CLAUSE_COUNT; i++) {
        if (is_proven(proof->pack, CLAUSES[i]))
            continue;
        open = arena_printf(proof->arena, "%s%s%s", open, count > 0 ? ", " : "", CLAUSES[i]);
        count++;
    }
    if (count > 0)
        problem_add(proof->problems, PROBLEM_WARNING, (struct where){"", 0}, 0,
                    "no kind proves clause %s; the kind that does names it in 'clauses'", open);
}
