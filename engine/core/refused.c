/* refused.c - what is written down although it changes nothing: refusals, and what external auditors read.
 *
 * An attempt that a rule forbade is a fact. So many an hour and person are leaves of their own (`refusal.*`); what goes
 * beyond is counted by whoever keeps the journal, beside the state, and becomes one leaf `refusals.counted` when the hour
 * is over. So a flood of attempts is no flood of leaves, and none of them is lost.
 */
#include "core/inside.h"

enum { REFUSALS_AN_HOUR = 30, HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

#define UNHELD "role-unheld"

/* What was asked for, by its hash: a refused id stays bound to it. */
static const uint8_t *asked_hash(struct arena *arena, const struct question *question)
{
    struct buf bytes = BUF_EMPTY;
    uint8_t *hash = arena_take(arena, HASH_LEN);

    dmp_put_array(&bytes, 3);
    dmp_put_str(&bytes, question->command);
    dmp_put_str(&bytes, question->record);
    dmp_encode(&bytes, question->args);
    hash_bytes(buf_slice(&bytes), hash);
    buf_release(&bytes);
    return hash;
}

bool was_refused_so(const struct question *question, const struct leaf *leaf)
{
    struct arena arena = ARENA_EMPTY;
    bool is_so = slice_equal(value_get_bin(&leaf->body, "asked"),
                             slice_of(asked_hash(&arena, question), HASH_LEN));

    arena_release(&arena);
    return is_so;
}

/* Nobody holds a role that must act: who keeps the directory hears of it, once a day for a record. */
static void tell_keepers(struct core *core, struct slice record, const struct value *body,
                         struct value *effects)
{
    struct slice key = textf(core, "unheld/%.*s", (int)record.len, (const char *)record.at);
    int64_t told = value_get_int(state_row(core->state, key), "told_ms", -DAY_MS);

    if (core->now_ms - told < DAY_MS)
        return;
    value_set(core->arena, run_patch(core, effects, key), "told_ms", value_int(core->now_ms));
    tell_roles(core, (const char *const[]){"isms_manager", NULL},
               textf(core, "%.*s waits for a role that nobody holds", (int)record.len,
                     (const char *)record.at),
               value_get_text(body, "why"), effects);
}

/* What stands against it is a permission, a role that nobody holds, or that something else was proposed than is agreed to. */
static bool is_journaled(const struct question *question, const struct refusal *refusal)
{
    return refusal->status == 403 || strcmp(refusal->code, UNHELD) == 0 ||
           (refusal->status == 409 && value_get(question->args, "proposal") != NULL);
}

/* The row counts the leaves of the hour, and is no larger for what was only counted. */
void journal_refusal(struct core *core, const struct question *question, struct run *run)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), body = value_map(), own = value_map();
    struct slice stream = textf(core, "refusal/%.*s", (int)question->principal.len,
                                (const char *)question->principal.at);
    const struct value *row = state_row(core->state, stream);
    bool is_unheld = strcmp(run->refusal.code, UNHELD) == 0;
    struct subject subject;
    int64_t hour = core->now_ms / HOUR_MS;
    int64_t count = value_get_int(row, "hour", -1) == hour ? value_get_int(row, "count", 0) : 0;

    if (!is_journaled(question, &run->refusal) ||
        authority_person(core, question->principal) == NULL)
        return;
    if (count >= REFUSALS_AN_HOUR) {
        run->is_beyond = true;
        return;
    }
    author.signature = slice_of(NULL, 0);
    value_set(core->arena, &body, "command", value_text(keep_text(core, question->command)));
    value_set(core->arena, &body, "code", value_str(run->refusal.code));
    value_set(core->arena, &body, "asked", value_bin(asked_hash(core->arena, question), HASH_LEN));
    if (subject_find(core, question->record, &subject))
        value_set(core->arena, &body, "record", value_text(subject.id));
    if (run->refusal.rule != NULL)
        value_set(core->arena, &body, "rule", value_str(run->refusal.rule));
    if (is_unheld) {
        value_set(core->arena, &body, "why", value_str(run->refusal.sentence));
        tell_keepers(core, value_get_text(&body, "record"), &body, &effects);
    }
    value_set(core->arena, &own, "hour", value_int(hour));
    value_set(core->arena, &own, "count", value_int(count + 1));
    value_set(core->arena, &effects, "", own);
    run_leaf(core, (const char *)textf(core, "refusal.%s", run->refusal.code).at, stream,
             value_get_text(&body, "record"), &author, &body, &effects);
}

int note_counted(struct core *core, const struct question *question)
{
    struct author author = run_engine(-1);
    struct value effects = value_map(), own = value_map();
    struct slice person = value_get_text(question->args, "person");

    value_set(core->arena, &own, "counted", *value_get(question->args, "count"));
    value_set(core->arena, &effects, "", own);
    return run_leaf(core, "refusals.counted",
                    textf(core, "refusal/%.*s", (int)person.len, (const char *)person.at),
                    slice_of(NULL, 0), &author, question->args, &effects) < 0
               ? -1
               : 0;
}

/* Who reads as external auditor leaves a trace, and so does who would have read and was refused: one of each an hour for
 * each record, or for each query that is about none. A record that is not there was not read. */
int note_read(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map(), body = value_map();
    struct subject subject = {0};
    bool is_about = subject_find(core, question->record, &subject),
         is_refused = question->note.len > 0;
    const char *mark = is_refused ? "refused_hour" : "hour";
    struct slice what = is_about ? subject.id : question->command;
    struct slice stream =
        textf(core, "read/%.*s/%.*s", (int)question->principal.len,
              (const char *)question->principal.at, (int)what.len, (const char *)what.at);
    int64_t hour = core->now_ms / HOUR_MS;

    if (!authority_is_auditor(core, question->principal) ||
        value_get_int(state_row(core->state, stream), mark, -1) == hour)
        return 0;
    value_set(core->arena, &body, "query", value_text(keep_text(core, question->command)));
    if (is_about)
        value_set(core->arena, &body, "record", value_text(subject.id));
    if (is_refused)
        value_set(core->arena, &body, "code", value_text(keep_text(core, question->note)));
    value_set(core->arena, &own, mark, value_int(hour));
    value_set(core->arena, &effects, "", own);
    return run_leaf(core, is_refused ? "auditor.refused" : "auditor.read", stream,
                    is_about ? subject.id : slice_of(NULL, 0), &author, &body, &effects) < 0
               ? -1
               : 0;
}
