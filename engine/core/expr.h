/* expr.h - a compiled condition: the typed, total subset of CEL that the workflow language uses.
 *
 * The definition floor compiles the text (definition/condition.h) and checks every name and type; this floor
 * evaluates. Evaluation is pure, bounded, and total but for the errors that CEL itself has (a missing key, an overflow,
 * a division that the language does not have); an error in a guard means that it does not hold.
 *
 * The scope is a map value with the names that the expression may use:
 *   record  map: id kind title version state stage owner author + every field by its name (tables inline)
 *   state event                str
 *   actor   map: name, roles
 *   now (int ms, a timestamp), today (str date), round (map: n need granted refused asked)
 *   links   map: kind -> array of maps {id, state, stage, <fields>}
 *   valid   map: kind -> the same for the valid version of that document kind, if there is one
 *   open    map: kind -> the newest that are not closed; recent: kind -> the newest, whatever became of them
 *   refs    map: field of type ref -> the records that it names
 *   process map: of the process whose cycle the record is; kpis: its figures, computed now
 *   row, n  the element of `each`
 *   args    the command's args (set expressions only)
 *   people  array of maps {name, roles, email, manager}: everyone in the directory who has not left
 *   deliveries, acks           arrays of maps (state, to / person): what the engine keeps beside the record
 */
#ifndef ROTA_CORE_EXPR_H
#define ROTA_CORE_EXPR_H

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"

struct expr;
struct calendar;

enum {
    EXPR_USES_LINKS = 1,
    EXPR_USES_VALID = 2,
    EXPR_USES_ROUND = 4,
    EXPR_USES_DELIVERIES = 8,
    EXPR_USES_ACKS = 16,
    EXPR_USES_TABLES = 32,  /* reads a table or longtext field: contents must be inlined */
    EXPR_USES_PROCESS = 64, /* of the run of a process */
    EXPR_USES_KPIS = 128,
    EXPR_USES_OPEN = 256,
    EXPR_USES_RECENT = 512,
    EXPR_USES_REFS = 1024,
    EXPR_USES_PEOPLE = 2048,
    EXPR_USES_WAIVERS = 4096,
    EXPR_USES_ERASABLE =
        8192 /* reads a field that can be erased: where it goes must be erasable too */
};

/* A step is 30 to 250 ns of a processor, so that a condition of a bad pack holds the engine for an eighth of a second at most. The
 * most that the shipped pack needs is what differs between two risk assessments of 400 risks, all of another level: 0.26 million. */
enum { EXPR_STEPS_MAX = 500000, EXPR_DEPTH_MAX = 64 };

const char *expr_text(const struct expr *expr); /* as written; lent */
unsigned expr_uses(const struct expr *expr);
/* The keys that it reads from the map `name` of its scope, each once, appended to `out` (array; memory of `arena`). */
void expr_keys(const struct expr *expr, const char *name, struct arena *arena, struct value *out);

/* Dates are str YYYY-MM-DD, timestamps int ms, durations int ms or calendar spans as the static types say.
 * 0 and the result in `out` (memory of `arena` and of the scope), -1 with an error that names the cause. */
int expr_eval(const struct expr *expr, const struct value *scope, const struct calendar *calendar,
              struct arena *arena, struct value *out, struct error *err);

/* True only if it evaluates to true; where that cannot be told `why` (may be NULL) says what went wrong, and it stays as it
 * was where the condition is merely false. */
bool expr_holds(const struct expr *expr, const struct value *scope, const struct calendar *calendar,
                struct error *why);

#endif
