/* trial.h - a condition tried outside any record: for `rota eval` and for the cases of tests/definition/cel.
 *
 *   1. With a kind, names are checked exactly as in the pack, and what is given is read as a record of that kind
 *      would be; without one, the names that are given are values of unknown type, as in an unchecked CEL program.
 *   2. Nothing is read but what is given: the clock, the calendar and the names come from the caller.
 */
#ifndef ROTA_DEFINITION_TRIAL_H
#define ROTA_DEFINITION_TRIAL_H

#include "definition/condition.h"

struct trial {
    const struct pack *pack; /* NULL: no kind, Monday to Friday, UTC */
    const struct kind *kind; /* of `pack`, or NULL */
    struct value names;      /* map: what stands in scope. Moments may be texts (RFC 3339) or ms */
    int64_t now_ms;          /* what `now` and `today` say where `names` does not */
};

enum trial_end {
    TRIAL_VALUE,   /* `value` and `type` */
    TRIAL_NAMES,   /* `names` does not fit the kind */
    TRIAL_CHECKED, /* the condition cannot be compiled */
    TRIAL_FAILED   /* it was compiled; evaluating it is an error */
};

struct trial_result {
    enum trial_end end;
    struct value value; /* moments and durations as texts, the rest as it is */
    const char *type;   /* bool int string null list map timestamp duration date span */
    struct fault fault; /* unless TRIAL_VALUE; column 0: about no column */
};

/* Everything in `out` lives in `arena`, and in `trial` and `text`. */
void trial_run(const struct trial *trial, const char *text, struct arena *arena,
               struct trial_result *out);

#endif
