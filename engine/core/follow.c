/* follow.c - what follows from a run: asked in the same batch, in runs of its own; and where it goes if it cannot be done.
 *
 *     run_follow() ──> run.follows ──asked──> done
 *                                      └──refused──> a parked task of the service "rota.follow", with the reason
 *     such a task ──redrive──> asked again, ──cancel──> (the row goes)
 *
 * Nobody waits for an answer to what follows, so a refusal would be heard by nobody: it becomes work that waits for a
 * person, where parked work is looked for. The same step that is refused again is the same task. No service has this name
 * (`rota.` is reserved), so it is never given out.
 */
#include "core/inside.h"

enum {
    STEP_BYTES_MAX = 48 * 1024, /* of a step that is kept, so that its leaf stays small enough */
    STEP_NOTE_MAX = 400
};

static int64_t depth_of(const struct core *core)
{
    return core->question->kind == QUESTION_FOLLOW
               ? value_get_int(core->question->follow, "depth", 0)
               : 0;
}

static void add_follow(struct core *core, struct slice record, const char *event, int64_t cause,
                       const struct value *args, struct slice from, int64_t depth)
{
    struct value follow = value_map();

    if (core->run->follows.count == RUN_FOLLOW_MAX) {
        core->has_too_many =
            true; /* not a refusal yet: a guard that does not hold would take it back */
        return;
    }
    value_set(core->arena, &follow, "record", value_text(keep_text(core, record)));
    if (event != NULL)
        value_set(core->arena, &follow, "event", value_str(event));
    value_set(core->arena, &follow, "cause", value_int(cause));
    if (args != NULL)
        value_set(core->arena, &follow, "args", *args);
    if (from.len > 0)
        value_set(core->arena, &follow, "from", value_text(keep_text(core, from)));
    value_set(core->arena, &follow, "depth", value_int(depth));
    value_push(core->arena, &core->run->follows, follow);
}

void run_follow(struct core *core, struct slice record, const char *event, int64_t cause,
                const struct value *args, struct slice from)
{
    add_follow(core, record, event, cause, args, from, depth_of(core) + 1);
}

/* The rest of a list is no deeper than its beginning, and gets shorter by itself. */
void run_follow_rest(struct core *core, struct slice record, const char *event, int64_t cause,
                     const struct value *args)
{
    add_follow(core, record, event, cause, args, NOBODY, depth_of(core));
}

int check_follows(struct core *core)
{
    return !core->has_too_many
               ? 0
               : run_refuse(core, 413, "too-large",
                            "More than %d things would follow from this at once.", RUN_FOLLOW_MAX);
}

void follows_drop_idle(struct core *core)
{
    struct value *follows = &core->run->follows;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < follows->count; i++) {
        const struct value *follow = &follows->as.items[i];

        if (value_get(follow, "event") != NULL ||
            automatic_may_come(core, value_get_text(follow, "record"), value_get(follow, "args")))
            follows->as.items[kept++] = *follow;
    }
    follows->count = kept;
}

/* ---- asked ---- */

static int try_neighbours(struct core *core, const struct question *question)
{
    neighbours_follow(core, value_get_text(question->follow, "record"),
                      value_get_text(value_get(question->follow, "args"), "after"),
                      value_get_int(question->follow, "cause", 0));
    return 0;
}

static int recount(struct core *core, const struct question *question)
{
    struct subject subject;

    return subject_find(core, value_get_text(question->follow, "record"), &subject)
               ? round_recount(core, &subject, value_get_int(question->follow, "cause", 0))
               : 0;
}

/* A round whose time was up by then; another that was opened since is not meant. */
static int expire(struct core *core, const struct question *question)
{
    int64_t round = value_get_int(value_get(question->follow, "args"), "round", 0);
    struct subject subject;

    return subject_find(core, value_get_text(question->follow, "record"), &subject) &&
                   subject.round != NULL && value_get_int(subject.round, "n", 0) == round
               ? round_expire(core, &subject, value_get_int(question->follow, "cause", 0))
               : 0;
}

/* More than whoever keeps the journal takes from one question: it says how many it did not ask. */
static int refuse_beyond(struct core *core, const struct question *question)
{
    return run_refuse(core, 413, "too-large", "%lld more steps would have followed from one.",
                      (long long)value_get_int(question->follow, "count", 0));
}

static const struct {
    const char *event;
    int (*answer)(struct core *core, const struct question *question);
} steps[] = {
    {"rule", rule_more},
    {"tell", notice_more},
    {"erase", contents_erase_more},
    {IMPORT_GONE, import_gone},
    {ROUNDS_RECOUNT, rounds_recount},
    {ROUND_RECOUNT, recount},
    {ROUND_EXPIRES, expire},
    {NEIGHBOURS, try_neighbours},
    {FOLLOW_BEYOND, refuse_beyond},
};

int answer_follow(struct core *core, const struct question *question)
{
    const struct value *follow = question->follow;
    struct slice record = value_get_text(follow, "record");
    const char *event = value_get_str(follow, "event", NULL, core->arena);
    int64_t cause = value_get_int(follow, "cause", 0);

    if (value_get_int(follow, "depth", 0) > FOLLOW_DEPTH_MAX)
        return run_refuse(core, 422, "guard-failed",
                          "More than %d steps followed from one another; do the rules of the "
                          "workflows lead in a circle?",
                          FOLLOW_DEPTH_MAX);
    if (event == NULL) {
        try_automatic(core, record, cause);
        return core->run->is_refused ? -1 : 0;
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strcmp(event, steps[i].event) == 0)
            return steps[i].answer(core, question);
    }
    return signal_follow(core, record, event, cause, value_get(follow, "args"),
                         value_get_text(follow, "from"));
}

/* ---- refused ---- */

/* Under which its task is found again: what it was about, whatever caused it. */
static struct slice mark_key(struct core *core, const struct value *follow)
{
    static const char *const parts[] = {"record", "event", "args", "from"};
    char *hex = arena_take(core->arena, 2 * HASH_LEN + 1);
    struct buf bytes = BUF_EMPTY;
    uint8_t hash[HASH_LEN];

    dmp_put_array(&bytes, 4);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct value *part = value_get(follow, parts[i]);

        dmp_encode(&bytes, part != NULL ? part : &VALUE_NONE);
    }
    hash_bytes(buf_slice(&bytes), hash);
    buf_release(&bytes);
    hex_encode(slice_of(hash, HASH_LEN), hex);
    return textf(core, "follow/%s", hex);
}

static struct slice note_of(struct core *core, const struct value *follow, const char *sentence)
{
    struct slice event = value_get_text(follow, "event"), note;

    note = textf(core, "%.*s: %s", event.len > 0 ? (int)event.len : 4,
                 event.len > 0 ? (const char *)event.at : "next", sentence);
    if (note.len > STEP_NOTE_MAX)
        note.len = STEP_NOTE_MAX;
    while (note.len > 0 && !utf8_is_valid(note))
        note.len--;
    return note;
}

/* The step as bytes, whatever its arguments hold; one that is too large for a leaf is not kept. */
static void put_step(struct core *core, const struct value *follow, struct value *own)
{
    struct buf bytes = BUF_EMPTY;

    dmp_encode(&bytes, follow);
    if (bytes.len <= STEP_BYTES_MAX && !slice_is(value_get_text(follow, "event"), FOLLOW_BEYOND))
        value_set(core->arena, own, "follow",
                  value_bin(arena_copy(core->arena, bytes.at, bytes.len), bytes.len));
    buf_release(&bytes);
}

/* The task that waits for the same step already, or a new one. */
static int64_t step_task(struct core *core, struct slice mark, struct value *effects)
{
    int64_t task = value_get_int(state_row(core->state, mark), "task", -1);

    if (task >= 0 && state_row(core->state, task_key(core, task)) != NULL)
        return task;
    task = run_next_number(core, effects, "task");
    value_set(core->arena, run_patch(core, effects, mark), "task", value_int(task));
    return task;
}

void follow_park(struct core *core, const struct question *question, struct run *run)
{
    const struct value *follow = question->follow;
    struct author author = run_engine(value_get_int(follow, "cause", -1));
    struct value effects = value_map(), own = value_map(), body = value_map();
    struct slice mark = mark_key(core, follow), stream;
    struct subject subject = {0};
    int64_t task = step_task(core, mark, &effects), failures;

    stream = task_key(core, task);
    failures = value_get_int(state_row(core->state, stream), "failures", 0) + 1;
    if (subject_find(core, value_get_text(follow, "record"), &subject)) {
        value_set(core->arena, &own, "record", value_text(subject.id));
        value_set(core->arena, &own, "kind", value_str(subject.kind->name));
    }
    value_set(core->arena, &own, "service", value_str(FOLLOW_SERVICE));
    value_set(core->arena, &own, "state", value_str("parked"));
    value_set(core->arena, &own, "failures", value_int(failures));
    value_set(core->arena, &own, "attempt", value_int(failures));
    value_set(core->arena, &own, "mark", value_text(mark));
    value_set(core->arena, &own, "note", value_text(note_of(core, follow, run->refusal.sentence)));
    put_step(core, follow, &own);
    value_set(core->arena, &effects, "", own);
    value_set(core->arena, &body, "event", value_text(value_get_text(follow, "event")));
    value_set(core->arena, &body, "code", value_str(run->refusal.code));
    run_leaf(core, "task.parked", stream, subject.id, &author, &body, &effects);
}

bool follow_is_kept(const struct value *row)
{
    return value_is(value_get(row, "follow"), VALUE_BIN);
}

void follow_unmark(struct core *core, const struct value *row, struct value *effects)
{
    struct slice mark = value_get_text(row, "mark");

    if (mark.len > 0)
        value_put(core->arena, effects, keep_text(core, mark), VALUE_NONE);
}

int follow_again(struct core *core, const struct value *row)
{
    struct slice bytes = value_slice(value_get(row, "follow"));
    struct value follow = VALUE_NONE;

    if (dmp_decode(core->arena, bytes, &follow, NULL) != 0)
        return run_refuse(core, 500, "internal", "The step that was kept cannot be read.");
    add_follow(core, value_get_text(&follow, "record"),
               value_get_str(&follow, "event", NULL, core->arena),
               value_get_int(&follow, "cause", 0), value_get(&follow, "args"),
               value_get_text(&follow, "from"), 1);
    return 0;
}
