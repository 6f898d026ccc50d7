/* late.c - what an administrator had done while the journal took no entry: remembered, and entered when it takes them again.
 *
 *     journal takes entries    -> the entry first, then it is done
 *     it takes none            -> it is done, answered with `journaled: false`, said in the log, and noted here
 *     it takes entries again   -> each becomes the entry it would have been, with `done_ms`: when it was done
 *     the engine ends before   -> the log says so; no entry is ever made
 *
 * An entry is never dated back: its time is when it was made. That a copy of everything was taken is worth an entry that comes
 * late; a full disk is no reason to be left without a backup.
 */
#include "daemon/engine.h"

#include "base/check.h"
#include "base/dmp.h"

#include <stdio.h>
#include <stdlib.h>

enum { LATES_MAX = 64, METHOD_MAX = 32, WHAT_MAX = 32 };

struct late {
    char principal[BROKER_PRINCIPAL_MAX + 1], method[METHOD_MAX], id[COMMAND_ID_MAX + 1];
    char what[WHAT_MAX]; /* the command's name */
    uint8_t key_hash[HASH_LEN];
    bool has_key;
    struct buf args; /* of the question, as DMP */
};

struct lates {
    struct late at[LATES_MAX];
    int count;
};

static bool is_of(const struct late *late, const struct question *question)
{
    return slice_is(question->id, late->id) && slice_is(question->principal, late->principal);
}

bool engine_late_is(const struct engine *engine, const struct question *question)
{
    for (int i = 0; engine->lates != NULL && i < engine->lates->count; i++)
        if (is_of(&engine->lates->at[i], question))
            return true;
    return false;
}

bool engine_late_keep(struct engine *engine, const struct question *question)
{
    struct value args = *question->args;
    struct late *late;

    if (engine->lates == NULL)
        engine->lates = calloc(1, sizeof *engine->lates);
    check(engine->lates != NULL);
    if (engine->lates->count == LATES_MAX || journal_health(engine->journal) == JOURNAL_UNKNOWN)
        return false;
    late = &engine->lates->at[engine->lates->count++];
    *late = (struct late){.has_key = question->auth_key.len == HASH_LEN, .args = BUF_EMPTY};
    snprintf(late->principal, sizeof late->principal, "%.*s", (int)question->principal.len,
             (const char *)question->principal.at);
    snprintf(late->method, sizeof late->method, "%.*s", (int)question->auth_method.len,
             (const char *)question->auth_method.at);
    snprintf(late->id, sizeof late->id, "%.*s", (int)question->id.len,
             (const char *)question->id.at);
    snprintf(late->what, sizeof late->what, "%.*s", (int)value_get_text(question->args, "what").len,
             (const char *)value_get_text(question->args, "what").at);
    if (late->has_key)
        memcpy(late->key_hash, question->auth_key.at, HASH_LEN);
    value_set(&engine->arena, &args, "done_ms", value_int(question->now_us / 1000));
    dmp_encode(&late->args, &args);
    return true;
}

static int enter_one(struct engine *engine, const struct late *late)
{
    struct question question = engine_question(engine, QUESTION_COMMAND);
    struct value args = VALUE_NONE;
    struct asked asked;

    check(dmp_decode_large(&engine->arena, buf_slice(&late->args), UINT32_MAX, &args, NULL) == 0);
    question.principal = slice_str(late->principal);
    question.auth_method = slice_str(late->method);
    if (late->has_key)
        question.auth_key = slice_of(late->key_hash, HASH_LEN);
    question.id = slice_str(late->id);
    question.command = slice_str("admin");
    question.args = &args;
    return engine_ask(engine, &question, &asked);
}

static void forget(struct lates *lates)
{
    for (int i = 0; i < lates->count; i++)
        buf_release(&lates->at[i].args);
    lates->count = 0;
}

void engine_lates_enter(struct engine *engine)
{
    int count = engine->lates != NULL ? engine->lates->count : 0;

    if (count == 0 || !engine_is_writable(engine))
        return;
    for (int i = 0; i < count && !engine->batch_is_dead; i++)
        enter_one(engine, &engine->lates->at[i]);
    engine_commit(engine);
    if (!engine_is_writable(engine))
        return; /* all of them, the next time */
    log_line(LOG_LEVEL_INFO, "%d acts of administration are journaled late", count);
    forget(engine->lates);
}

void engine_lates_release(struct engine *engine)
{
    if (engine->lates == NULL)
        return;
    for (int i = 0; i < engine->lates->count; i++)
        log_line(LOG_LEVEL_WARNING, "never journaled: %s by %s, command %s",
                 engine->lates->at[i].what, engine->lates->at[i].principal,
                 engine->lates->at[i].id);
    forget(engine->lates);
    free(engine->lates);
    engine->lates = NULL;
}
