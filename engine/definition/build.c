#include "definition/build_inside.h"

#include "base/date.h"
#include "core/span.h"
#include "definition/condition.h"
#include "base/nearest.h"

#include <stdlib.h>

struct
    source { /* what a kind's lifecycle is made from: the one that it names, and the one that this ends with, or NULL */
    const struct written_lifecycle *written;
    int own; /* so many states are the first one's */
};

struct rows { /* transitions of one kind, still as written */
    struct written_transition *at;
    int count;
};

/* Gives the index of `name` among `count` names, or says that it is unknown. */
static int find_name(struct builder *b, const char *name, struct where where, const char *what,
                     const char *const *names, int count)
{
    struct nearest nearest = nearest_to(slice_str(name));
    int i;

    for (i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
        nearest_offer(&nearest, names[i]);
    }
    problem(b->problems, where, "unknown %s '%s'%s", what, name,
            nearest_hint(&nearest, &b->problems->arena));
    return MODEL_NONE;
}

int find_placed(struct builder *b, const char *name, const char *what, const char *const *names,
                int count)
{
    return find_name(b, name, where_of(name), what, names, count);
}

/* ---- states ---- */

static const char *const STAGES[] = {"draft",        "approved", "in_force",
                                     "under_review", "changed",  "closed"};

static enum pdca stage_pdca(enum stage stage)
{
    static const enum pdca BY_STAGE[] = {PDCA_PLAN,  PDCA_PLAN, PDCA_DO,
                                         PDCA_CHECK, PDCA_ACT,  PDCA_ACT};

    return BY_STAGE[stage];
}

static struct state build_state(struct builder *b, const struct written_state *written)
{
    static const char *const PDCA[] = {"plan", "do", "check", "act"};
    struct state state = written->state;
    int stage = STAGE_DRAFT, pdca;

    if (written->stage != NULL)
        stage = find_placed(b, written->stage, "stage", STAGES, 6);
    state.stage = stage == MODEL_NONE ? STAGE_DRAFT : (enum stage)stage;
    state.pdca = stage_pdca(state.stage);
    if (written->pdca != NULL) {
        pdca = find_placed(b, written->pdca, "pdca phase", PDCA, 4);
        state.pdca = pdca == MODEL_NONE ? state.pdca : (enum pdca)pdca;
    }
    state.is_closed =
        written->closed == FLAG_UNSET ? state.stage == STAGE_CLOSED : written->closed == 1;
    if (state.title == NULL)
        state.title = state.name;
    return state;
}

static void build_states(struct builder *b, struct reader *reader,
                         const struct written_lifecycle *written, struct lifecycle *lifecycle)
{
    int count = written->states == NULL                    ? 0
                : config_setting_is_group(written->states) ? 1
                                                           : config_setting_length(written->states),
        i, k;

    if (lifecycle->state_count + count > STATES_MAX) {
        problem(b->problems, written->where, "more than %d states", STATES_MAX);
        return;
    }
    for (i = 0; i < count; i++) {
        struct written_state state = grammar_state(reader, group_at(written->states, i));

        if (state.state.name == NULL)
            continue;
        for (k = 0; k < lifecycle->state_count; k++) {
            if (strcmp(lifecycle->states[k].name, state.state.name) == 0)
                problem(b->problems, state.state.where, "a second state '%s'", state.state.name);
        }
        lifecycle->states[lifecycle->state_count++] = build_state(b, &state);
    }
    if (lifecycle->state_count == 0)
        problem(b->problems, written->where, "a lifecycle needs at least one state");
}

static const char **state_names(struct builder *b, const struct lifecycle *lifecycle)
{
    const char **names = arena_zero(b->arena, sizeof *names * (size_t)(lifecycle->state_count + 1));
    int i;

    for (i = 0; i < lifecycle->state_count; i++)
        names[i] = lifecycle->states[i].name;
    return names;
}

static bool is_stage_word(const char *word)
{
    return strncmp(word, "stage:", 6) == 0;
}

/* "stage:closed" stands for every state of that stage among the lifecycle's own; those that it ends with are left out. */
static struct words spread_stages(struct builder *b, const struct lifecycle *lifecycle, int own,
                                  const struct words *words)
{
    struct words made = {NULL, 0};
    int i, k, stage, stages = 0;

    for (i = 0; i < words->count; i++)
        stages += is_stage_word(words->at[i]);
    if (stages == 0)
        return *words;
    made.at = arena_zero(b->arena, sizeof *made.at * (size_t)(words->count + stages * own));
    for (i = 0; i < words->count; i++) {
        if (!is_stage_word(words->at[i])) {
            made.at[made.count++] = words->at[i];
            continue;
        }
        stage = find_name(b, words->at[i] + 6, where_of(words->at[i]), "stage", STAGES, 6);
        for (k = 0; k < own && stage != MODEL_NONE; k++) {
            if (lifecycle->states[k].stage == (enum stage)stage)
                made.at[made.count++] =
                    text_placed(b->arena, where_of(words->at[i]), lifecycle->states[k].name);
        }
    }
    return made;
}

static void mark_states(struct builder *b, const struct lifecycle *lifecycle,
                        const struct words *words, bool marks[STATES_MAX])
{
    const char **names = state_names(b, lifecycle);
    int i, index;

    for (i = 0; i < words->count; i++) {
        index = find_placed(b, words->at[i], "state", names, lifecycle->state_count);
        if (index != MODEL_NONE)
            marks[index] = true;
    }
}

/* ---- transitions ---- */

static void add_row(struct builder *b, struct rows *rows, const struct written_transition *row)
{
    rows->at = list_add(b->arena, rows->at, &rows->count, sizeof *rows->at);
    rows->at[rows->count - 1] = *row;
}

static bool words_meet(const struct words *a, const struct words *b)
{
    int i;

    for (i = 0; i < a->count; i++) {
        if (words_have(b, slice_str(a->at[i])))
            return true;
    }
    return false;
}

static int count_event(const struct rows *rows, const char *event)
{
    int count = 0, i;

    for (i = 0; i < rows->count; i++)
        count += rows->at[i].event != NULL && strcmp(rows->at[i].event, event) == 0;
    return count;
}

/* Does an `on` change this row? It means the rows of its event. If it names states: where there is one row they replace
 * that row's (unless the two have none in common and it leads somewhere: then it is a row of its own); where there are
 * several they choose among them. */
static bool is_meant(const struct written_transition *row, const struct written_transition *change,
                     int alike)
{
    if (row->event == NULL || strcmp(row->event, change->event) != 0)
        return false;
    return change->from.count == 0 || words_meet(&change->from, &row->from) ||
           (alike == 1 && change->to == NULL);
}

static void unknown_event(struct builder *b, const struct rows *rows, const char *event)
{
    struct nearest nearest = nearest_to(slice_str(event));
    int i;

    for (i = 0; i < rows->count; i++) {
        if (rows->at[i].event != NULL)
            nearest_offer(&nearest, rows->at[i].event);
    }
    problem(b->problems, where_of(event),
            "the lifecycle has no event '%s' to change%s (a new transition needs `to`)", event,
            nearest_hint(&nearest, &b->problems->arena));
}

static void apply_change(struct builder *b, struct reader *reader, const config_setting_t *setting,
                         struct rows *rows)
{
    struct written_transition change = {.needs_fields = FLAG_UNSET};
    int i, alike, met = 0;

    change.where = where_setting(reader, setting);
    grammar_change(reader, setting, &change);
    if (change.event == NULL) {
        problem(b->problems, change.where, "the transition needs 'event': what happens");
        return;
    }
    alike = count_event(rows, change.event);
    for (i = 0; i < rows->count; i++) {
        struct words from = rows->at[i].from;

        if (!is_meant(&rows->at[i], &change, alike))
            continue;
        met++;
        grammar_change(reader, setting, &rows->at[i]);
        if (alike > 1)
            rows->at[i].from = from;
    }
    if (met == 0 && change.to != NULL)
        add_row(b, rows, &change);
    else if (met == 0)
        unknown_event(b, rows, change.event);
}

static int group_count(const config_setting_t *setting)
{
    if (setting == NULL)
        return 0;
    return config_setting_is_group(setting) ? 1 : config_setting_length(setting);
}

static struct notice *build_notices(struct builder *b, const struct words *audience,
                                    const struct written_notices *written, int *count);

static struct setting *build_settings(struct builder *b, const struct settings *written)
{
    struct setting *made = arena_zero(b->arena, sizeof *made * (size_t)(written->count + 1));

    if (written->count > 0)
        memcpy(made, written->at, sizeof *made * (size_t)written->count);
    return made;
}

static struct task_plan *build_tasks(struct builder *b, const struct written_tasks *written)
{
    struct task_plan *made = arena_zero(b->arena, sizeof *made * (size_t)(written->count + 1));
    int i;

    for (i = 0; i < written->count; i++) {
        made[i] = written->at[i].plan;
        made[i].input = build_settings(b, &written->at[i].input);
        made[i].input_count = written->at[i].input.count;
    }
    return made;
}

enum vote build_vote(struct builder *b, const char *name)
{
    static const char *const VOTES[] = {"grant", "refuse", "return", "abstain"};
    int index = name == NULL ? MODEL_NONE : find_placed(b, name, "vote", VOTES, 4);

    return index == MODEL_NONE ? VOTE_NONE : (enum vote)(index + 1);
}

/* Leaving the first state for an open one, or asking for approval, is when a record must be complete. */
static bool needs_fields(const struct written_transition *row, const struct lifecycle *lifecycle,
                         const struct transition *made)
{
    if (row->needs_fields != FLAG_UNSET)
        return row->needs_fields == 1;
    if (made->opens_round)
        return true;
    return lifecycle->state_count > 0 && made->from[0] && made->to != 0 &&
           !lifecycle->states[made->to].is_closed && made->vote == VOTE_NONE;
}

/* A row that stays in its state is one row for each state that it names. */
static void spread_same(struct builder *b, struct rows *rows)
{
    struct rows made = {NULL, 0};
    int i, k;

    for (i = 0; i < rows->count; i++) {
        struct written_transition row = rows->at[i];

        if (row.to == NULL || strcmp(row.to, "same") != 0) {
            add_row(b, &made, &row);
            continue;
        }
        if (row.from.count == 0)
            problem(b->problems, where_of(row.to),
                    "a transition to \"same\" needs 'from': the states it stays in");
        for (k = 0; k < row.from.count; k++) {
            struct written_transition one = row;

            one.from = (struct words){&row.from.at[k], 1};
            one.to = row.from.at[k];
            add_row(b, &made, &one);
        }
    }
    *rows = made;
}

static void build_transition(struct builder *b, const struct kind *kind,
                             struct lifecycle *lifecycle, const struct written_transition *row)
{
    static const char *const ROUND[] = {"round"};
    struct transition made;

    memset(&made, 0, sizeof made);
    if (row->event == NULL || row->to == NULL)
        return;
    made.event = row->event;
    made.title = row->title != NULL ? row->title : row->event;
    made.to = find_placed(b, row->to, "state", state_names(b, lifecycle), lifecycle->state_count);
    if (made.to == MODEL_NONE)
        return;
    mark_states(b, lifecycle, &row->from, made.from);
    made.creates = row->from.count == 0;
    made.by = row->by.count == 0 && made.creates ? kind->create : row->by;
    made.apart = row->apart;
    made.apart_rule = row->apart_rule;
    made.when = row->when;
    made.says = row->says;
    made.reason = row->reason;
    made.meaning = row->meaning;
    made.statement = row->statement;
    made.opens_round =
        row->opens != NULL && find_placed(b, row->opens, "thing to open", ROUND, 1) == 0;
    made.vote = build_vote(b, row->vote);
    made.automatic = row->automatic;
    made.supersedes = row->supersedes;
    made.makes_successor = row->makes_successor;
    made.drops_successor = row->drops_successor;
    made.erases = row->erases;
    made.needs_fields = needs_fields(row, lifecycle, &made);
    made.reviewed = row->reviewed;
    made.set = build_settings(b, &row->set);
    made.set_count = row->set.count;
    made.tasks = build_tasks(b, &row->tasks);
    made.task_count = row->tasks.count;
    made.tell = build_notices(b, &kind->audience, &row->tell, &made.tell_count);
    made.where = row->where;
    lifecycle->transitions[lifecycle->transition_count++] = made;
}

static void add_transitions(struct builder *b, const struct source *source,
                            const struct lifecycle *lifecycle, struct rows *rows)
{
    struct reader reader = {b->arena, b->problems, source->written->where.file, false};

    for (int i = 0; i < group_count(source->written->transitions); i++) {
        struct written_transition row =
            grammar_transition(&reader, group_at(source->written->transitions, i));

        row.from = spread_stages(b, lifecycle, source->own, &row.from);
        add_row(b, rows, &row);
    }
}

static void build_transitions(struct builder *b, const struct source sources[2],
                              const struct written_kind *kind, struct reader *kind_reader,
                              struct lifecycle *lifecycle)
{
    const struct written_lifecycle *written = sources[0].written;
    struct rows rows = {NULL, 0};
    int i;

    for (i = 0; i < 2 && sources[i].written != NULL; i++)
        add_transitions(b, &sources[i], lifecycle, &rows);
    for (i = 0; i < group_count(kind->on); i++)
        apply_change(b, kind_reader, group_at(kind->on, i), &rows);
    spread_same(b, &rows);
    if (rows.count > TRANSITIONS_MAX) {
        problem(b->problems, written->where, "more than %d transitions", TRANSITIONS_MAX);
        return;
    }
    lifecycle->transitions =
        arena_zero(b->arena, sizeof *lifecycle->transitions * (size_t)(rows.count + 1));
    for (i = 0; i < rows.count; i++)
        build_transition(b, &kind->kind, lifecycle, &rows.at[i]);
}

/* ---- notices ---- */

/* The word `audience` stands for the kind's audience, unless the kind has a field of that name. */
static struct words spread_audience(struct builder *b, const struct words *words,
                                    const struct words *audience)
{
    struct words made = {NULL, 0};
    int i, k;

    if (audience->count == 0 || !words_have(words, slice_str("audience")))
        return *words;
    made.at = arena_zero(b->arena, sizeof *made.at * (size_t)(words->count + audience->count));
    for (i = 0; i < words->count; i++) {
        if (strcmp(words->at[i], "audience") != 0) {
            made.at[made.count++] = words->at[i];
            continue;
        }
        for (k = 0; k < audience->count; k++)
            made.at[made.count++] = audience->at[k];
    }
    return made;
}

static struct notice *build_notices(struct builder *b, const struct words *audience,
                                    const struct written_notices *written, int *count)
{
    struct notice *made = arena_zero(b->arena, sizeof *made * (size_t)(written->count + 1));
    int i;

    for (i = 0; i < written->count; i++) {
        made[i].to = spread_audience(b, &written->at[i].to, audience);
        made[i].message = written->at[i].message;
    }
    *count = written->count;
    return made;
}

/* ---- timers ---- */

static void build_steps(struct builder *b, const struct words *audience,
                        const struct written_timer *written, struct timer *timer)
{
    int i;

    if (written->steps.count > STEPS_MAX) {
        problem(b->problems, written->where, "more than %d steps", STEPS_MAX);
        return;
    }
    timer->steps = arena_zero(b->arena, sizeof *timer->steps * (size_t)(written->steps.count + 1));
    timer->step_count = written->steps.count;
    for (i = 0; i < written->steps.count; i++) {
        const struct written_step *step = &written->steps.at[i];

        timer->steps[i] =
            (struct timer_step){step->after.span,
                                step->after.percent,
                                step->event,
                                {spread_audience(b, &step->tell, audience), step->message}};
        if (step->event == NULL && step->tell.count == 0)
            problem(b->problems, step->where, "the step does nothing; it needs 'event' or 'tell'");
    }
}

static void build_timer(struct builder *b, const struct words *audience,
                        struct lifecycle *lifecycle, const struct written_timer *written)
{
    struct timer timer;

    memset(&timer, 0, sizeof timer);
    timer.name = written->name;
    timer.from = TIMER_FIELD;
    timer.field = written->from;
    if (written->from != NULL && strcmp(written->from, "state") == 0)
        timer.from = TIMER_STATE;
    if (written->from != NULL && strcmp(written->from, "round") == 0)
        timer.from = TIMER_ROUND;
    if (timer.from != TIMER_FIELD)
        timer.field = NULL;
    timer.until = written->until;
    timer.every = written->every;
    timer.where = written->where;
    mark_states(b, lifecycle, &written->in, timer.in);
    build_steps(b, audience, written, &timer);
    if (timer.name != NULL && written->from != NULL)
        lifecycle->timers[lifecycle->timer_count++] = timer;
}

static void add_timers(struct builder *b, struct reader *reader, const config_setting_t *timers,
                       int own, const struct words *audience, struct lifecycle *lifecycle)
{
    int i;

    for (i = 0; i < group_count(timers); i++) {
        struct written_timer timer = grammar_timer(reader, group_at(timers, i));

        timer.in = spread_stages(b, lifecycle, own, &timer.in);
        build_timer(b, audience, lifecycle, &timer);
    }
}

/* The kind's own timer of the same name will stand in the place of the lifecycle's. */
static void drop_replaced(const config_setting_t *own, struct lifecycle *lifecycle)
{
    int kept = 0;

    for (int i = 0; i < lifecycle->timer_count; i++) {
        bool is_replaced = false;

        for (int k = 0; k < group_count(own); k++) {
            const char *name = NULL;

            if (config_setting_lookup_string(group_at(own, k), "name", &name) == CONFIG_TRUE)
                is_replaced = is_replaced || strcmp(name, lifecycle->timers[i].name) == 0;
        }
        if (!is_replaced)
            lifecycle->timers[kept++] = lifecycle->timers[i];
    }
    lifecycle->timer_count = kept;
}

static void build_timers(struct builder *b, const struct source sources[2],
                         const struct written_kind *kind, struct reader *kind_reader,
                         struct lifecycle *lifecycle)
{
    int count = group_count(kind->timers), i;

    for (i = 0; i < 2 && sources[i].written != NULL; i++)
        count += group_count(sources[i].written->timers);
    lifecycle->timers = arena_zero(b->arena, sizeof *lifecycle->timers * (size_t)(count + 1));
    for (i = 0; i < 2 && sources[i].written != NULL; i++) {
        struct reader reader = {b->arena, b->problems, sources[i].written->where.file, false};

        add_timers(b, &reader, sources[i].written->timers, sources[i].own, &kind->kind.audience,
                   lifecycle);
    }
    drop_replaced(kind->timers, lifecycle);
    add_timers(b, kind_reader, kind->timers, sources[0].own, &kind->kind.audience, lifecycle);
}

/* ---- kinds ---- */

static void add_field(struct builder *b, struct kind *kind, const struct field *field)
{
    kind->fields = list_add(b->arena, kind->fields, &kind->field_count, sizeof *kind->fields);
    kind->fields[kind->field_count - 1] = *field;
    /* A table is put away as a whole: one column that can be erased takes all of them along. */
    for (int i = 0; i < field->column_count; i++)
        kind->fields[kind->field_count - 1].erasable |= field->columns[i].erasable;
}

static bool erases(const struct lifecycle *lifecycle)
{
    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].erases)
            return true;
    }
    return false;
}

/* Fields that every kind has, or every kind of some sort. */
enum sort { ANY, VERSIONED, REVIEWED, VERSIONED_OR_REVIEWED, KEPT };

static bool is_of_sort(const struct kind *kind, enum sort sort)
{
    bool is_versioned = kind->lifecycle->versioned;
    bool is_reviewed = !span_is_zero(&kind->review_every);

    switch (sort) {
    case VERSIONED:
        return is_versioned;
    case REVIEWED:
        return is_reviewed;
    case VERSIONED_OR_REVIEWED:
        return is_versioned || is_reviewed;
    case KEPT:
        return kind->retention != NULL || erases(kind->lifecycle);
    case ANY:
        break;
    }
    return true;
}

/* The day of the next review moves while a version is in force, and is nobody's content, whatever a kind says. */
static void keep_review_day(struct builder *b, struct kind *kind)
{
    for (int i = 0; i < kind->field_count; i++) {
        struct field *field = &kind->fields[i];

        if (strcmp(field->name, "next_review_due") != 0 || field->computed)
            continue;
        field->computed = true;
        problem_add(b->problems, PROBLEM_WARNING, field->where, 0,
                    "the engine keeps 'next_review_due', and nobody signs it: give it "
                    "'computed = true'; the day that people choose and sign is 'first_review'");
    }
}

/* What the kind itself says about one of them holds. */
static void add_own_fields(struct builder *b, struct kind *kind)
{
    static const char *const LEVELS[] = {"public", "internal", "confidential", "restricted"};
    static const struct own {
        const char *name, *title;
        enum field_type type;
        enum sort sort;
        bool list, computed;
    } OWN[] = {
        {"confidentiality", "Confidentiality", FIELD_ENUM, VERSIONED, false, false},
        {"effective_from", "In force from", FIELD_DATE, VERSIONED, false, false},
        {"first_review", "First review on", FIELD_DATE, REVIEWED, false, false},
        {"next_review_due", "Next review due", FIELD_DATE, VERSIONED_OR_REVIEWED, false, true},
        {"reviewers", "Reviewers", FIELD_PERSON, ANY, true, false},
        {"change_reason", "Reason for the change", FIELD_LONGTEXT, VERSIONED, false, false},
        {"attachments", "Attachments", FIELD_FILE, ANY, true, false},
        {"distribution_list", "Distribution list", FIELD_GROUP, VERSIONED, true, false},
        {"retain_until", "Kept until", FIELD_DATE, KEPT, false, true},
        {"legal_hold", "Legal hold", FIELD_BOOL, KEPT, false, true},
        {"disposal_proposed", "Disposal proposed", FIELD_BOOL, KEPT, false, true},
    };

    for (size_t i = 0; i < sizeof OWN / sizeof OWN[0]; i++) {
        struct field field;

        if (kind_field(kind, slice_str(OWN[i].name)) != NULL || !is_of_sort(kind, OWN[i].sort))
            continue;
        memset(&field, 0, sizeof field);
        field.name = text_placed(b->arena, kind->where, OWN[i].name);
        field.title = OWN[i].title;
        field.type = OWN[i].type;
        field.list = OWN[i].list;
        field.computed = OWN[i].computed;
        field.where = kind->where;
        if (field.type == FIELD_ENUM) {
            field.of = (struct words){(const char **)LEVELS, 4};
            field.preset = value_str(kind->confidentiality);
        }
        add_field(b, kind, &field);
    }
    keep_review_day(b, kind);
}

static void build_fields(struct builder *b, const struct written_kind *written, struct kind *kind)
{
    int i;

    if (written->fields.count > FIELDS_MAX) {
        problem(b->problems, written->where, "more than %d fields", FIELDS_MAX);
        return;
    }
    for (i = 0; i < written->fields.count; i++)
        add_field(b, kind, &written->fields.at[i].field);
    add_own_fields(b, kind);
}

static void build_needs(struct builder *b, const struct written_kind *written,
                        struct reader *reader, struct kind *kind)
{
    int count = group_count(written->needs), i;

    kind->needs = arena_zero(b->arena, sizeof *kind->needs * (size_t)(count + 1));
    for (i = 0; i < count; i++) {
        struct need need = grammar_need(reader, group_at(written->needs, i));

        if (need.before.count == 0)
            continue;
        if ((need.when != NULL) == (need.people.count > 0) ||
            (need.people.count > 0) != (need.apart.count > 0) ||
            (need.when != NULL && need.says == NULL))
            problem(b->problems, need.where,
                    "a need holds either `when` and `says`, or `people` and `apart`");
        else
            kind->needs[kind->need_count++] = need;
    }
}

static const struct written_lifecycle *find_lifecycle(struct builder *b, const char *name)
{
    const struct written_pack *w = b->written;
    const char **names = arena_zero(b->arena, sizeof *names * (size_t)(w->lifecycle_count + 1));
    int index, i;

    for (i = 0; i < w->lifecycle_count; i++)
        names[i] = w->lifecycles[i].name != NULL ? w->lifecycles[i].name : "";
    if (name == NULL)
        return NULL;
    index = find_placed(b, name, "lifecycle", names, w->lifecycle_count);
    return index == MODEL_NONE ? NULL : &w->lifecycles[index];
}

static struct lifecycle *build_lifecycle(struct builder *b, const struct written_lifecycle *written,
                                         const struct written_kind *kind)
{
    struct lifecycle *made = arena_zero(b->arena, sizeof *made);
    struct source sources[2] = {{written, 0}, {find_lifecycle(b, written->ends_with), 0}};
    struct reader kind_reader = {b->arena, b->problems, kind->where.file, false};
    int i;

    made->name = written->name;
    made->title = written->title != NULL ? written->title : written->name;
    made->versioned = written->versioned;
    made->where = written->where;
    made->states = arena_zero(b->arena, sizeof *made->states * STATES_MAX);
    for (i = 0; i < 2 && sources[i].written != NULL; i++) {
        struct reader reader = {b->arena, b->problems, sources[i].written->where.file, false};

        build_states(b, &reader, sources[i].written, made);
        sources[i].own = i == 0 ? made->state_count : sources[0].own;
    }
    build_transitions(b, sources, kind, &kind_reader, made);
    build_timers(b, sources, kind, &kind_reader, made);
    return made;
}

static void build_kind(struct builder *b, const struct written_kind *written)
{
    const struct written_lifecycle *lifecycle = find_lifecycle(b, written->lifecycle);
    struct reader reader = {b->arena, b->problems, written->where.file, false};
    struct kind *kind = &b->pack->kinds[b->pack->kind_count];

    if (written->kind.name == NULL || written->kind.prefix == NULL || written->kind.title == NULL ||
        lifecycle == NULL || lifecycle->name == NULL)
        return; /* said already */
    *kind = written->kind;
    kind->where = written->where;
    if (kind->confidentiality == NULL)
        kind->confidentiality = text_placed(b->arena, written->where, "internal");
    if (kind->code == NULL)
        kind->code = "";
    if (kind->clause == NULL)
        kind->clause = "";
    if (kind->brief == NULL)
        kind->brief = "";
    kind->lifecycle = build_lifecycle(b, lifecycle, written);
    kind->acknowledge = spread_audience(b, &kind->acknowledge, &kind->audience);
    build_fields(b, written, kind);
    kind->approval = build_approval(b, &written->approval, &reader);
    build_needs(b, written, &reader, kind);
    b->pack->kind_count++;
}

/* ---- rules ---- */

/* Its own faults are said already: nobody who names it has to hear of them. */
static bool is_faulty_kind(const struct builder *b, const char *name)
{
    for (int i = 0; i < b->written->kind_count; i++) {
        const char *written = b->written->kinds[i].kind.name;

        if (written != NULL && strcmp(written, name) == 0)
            return true;
    }
    return false;
}

static int find_kind(struct builder *b, const char *name, struct where where)
{
    const char **names = arena_zero(b->arena, sizeof *names * (size_t)(b->pack->kind_count + 1));
    int i;

    for (i = 0; i < b->pack->kind_count; i++) {
        names[i] = b->pack->kinds[i].name;
        if (strcmp(names[i], name) == 0)
            return i;
    }
    if (is_faulty_kind(b, name))
        return MODEL_NONE;
    return find_name(b, name, where, "kind", names, b->pack->kind_count);
}

/* "finding.confirm" */
static int split_watched(struct builder *b, const struct written_rule *written, struct rule *rule)
{
    const char *dot = strchr(written->when, '.');
    const char *kind;

    if (dot == NULL || dot == written->when || dot[1] == '\0') {
        problem(b->problems, where_of(written->when), "'when': expected kind.event, found '%s'",
                written->when);
        return -1;
    }
    kind = arena_copy(b->arena, written->when, (size_t)(dot - written->when));
    rule->kind = find_kind(b, kind, where_of(written->when));
    rule->event = text_placed(b->arena, where_of(written->when), dot + 1);
    return rule->kind == MODEL_NONE ? -1 : 0;
}

/* "30 days" is today + days(30); for a moment it is counted from now. */
static struct expr *due_expr(struct builder *b, const struct field *field, struct expr *written)
{
    bool moment = field != NULL && field->type == FIELD_DATETIME;
    const char *from = moment ? "now" : "today", *text;
    struct span span;

    if (span_parse(slice_str(written->text), &span) != 0)
        return written;
    text = arena_printf(b->arena, "%s", from);
    if (span.months != 0)
        text = arena_printf(b->arena, "%s + months(%d)", text, span.months);
    if (span.days != 0)
        text = arena_printf(b->arena, "%s + %s(%d)", text, span.working ? "workdays" : "days",
                            span.days);
    if (span.ms != 0)
        text = arena_printf(b->arena, "%s + duration('%lldms')", text, (long long)span.ms);
    return condition_pending(b->arena, text, (struct where){written->file, written->line});
}

static void build_due(struct builder *b, const struct written_rule *written, struct rule *rule)
{
    const struct kind *kind = rule->starts == MODEL_NONE ? NULL : &b->pack->kinds[rule->starts];
    int i;

    rule->due = build_settings(b, &written->due);
    rule->due_count = written->due.count;
    for (i = 0; i < rule->due_count; i++) {
        const struct field *field =
            kind == NULL ? NULL : kind_field(kind, slice_str(rule->due[i].field));

        rule->due[i].value = due_expr(b, field, rule->due[i].value);
    }
}

static void build_rule(struct builder *b, const struct written_rule *written)
{
    struct rule *rule = &b->pack->rules[b->pack->rule_count];

    if (written->name == NULL || written->when == NULL)
        return;
    rule->name = written->name;
    rule->where = written->where;
    rule->starts = MODEL_NONE;
    if (split_watched(b, written, rule) != 0)
        return;
    if (written->starts != NULL) {
        rule->starts = find_kind(b, written->starts, where_of(written->starts));
        if (rule->starts == MODEL_NONE)
            return;
    }
    rule->when = written->condition;
    rule->each = written->each;
    rule->title = written->title;
    rule->once = written->once;
    rule->set = build_settings(b, &written->set);
    rule->set_count = written->set.count;
    build_due(b, written, rule);
    rule->signal_to = written->signal.to;
    rule->signal = written->signal.event;
    rule->tell.to = spread_audience(b, &written->tell, &b->pack->kinds[rule->kind].audience);
    rule->tell.message = written->message;
    rule->gate = written->gate != NULL;
    rule->gate_event = written->gate;
    b->pack->rule_count++;
}

/* ---- processes ---- */

static void build_process(struct builder *b, const struct written_process *written)
{
    static const char *const PHASES[] = {"plan", "do", "check", "act"};
    struct process *process = &b->pack->processes[b->pack->process_count];
    int phase;

    *process = written->process;
    if (process->id == NULL || process->title == NULL || written->phase == NULL ||
        process->owner.count == 0)
        return; /* said already */
    phase = find_placed(b, written->phase, "phase", PHASES, 4);
    if (phase == MODEL_NONE)
        return;
    process->phase = (enum pdca)phase;
    process->kpis = written->kpis.at;
    process->kpi_count = written->kpis.count;
    if (process->kpi_count > KPIS_MAX)
        problem(b->problems, process->where, "more than %d kpis", KPIS_MAX);
    b->pack->process_count++;
}

/* ---- the calendar ---- */

static int by_date(const void *a, const void *b)
{
    int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;

    return (first > second) - (first < second);
}

static void build_calendar(struct builder *b)
{
    static const char *const DAYS[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const struct written_pack *w = b->written;
    struct calendar *calendar = &b->pack->calendar;
    int32_t *holidays = arena_zero(b->arena, sizeof *holidays * (size_t)(w->holidays.count + 1));
    int i, day, working = 0;

    for (i = 0; i < 5 && w->working.at == NULL; i++)
        calendar->working[i] = true;
    for (i = 0; i < w->working.count; i++) {
        day = find_placed(b, w->working.at[i], "day of the week", DAYS, 7);
        if (day != MODEL_NONE)
            calendar->working[day] = true;
    }
    for (i = 0; i < 7; i++)
        working += calendar->working[i];
    if (working == 0)
        problem(b->problems, w->where, "the calendar has no working day");
    for (i = 0; i < w->holidays.count; i++) {
        if (date_parse(slice_str(w->holidays.at[i]), &holidays[calendar->holiday_count]) != 0)
            problem(b->problems, where_of(w->holidays.at[i]),
                    "'%s' is not a day of the calendar; write 2026-12-25", w->holidays.at[i]);
        else
            calendar->holiday_count++;
    }
    qsort(holidays, (size_t)calendar->holiday_count, sizeof *holidays, by_date);
    calendar->holidays = holidays;
}

/* ---- all of it ---- */

/* Drops entries whose name is missing: said already. */
#define KEEP_NAMED(list, count, field)                                                             \
    do {                                                                                           \
        int from_, to_ = 0;                                                                        \
        for (from_ = 0; from_ < (count); from_++) {                                                \
            if ((list)[from_].name != NULL && (list)[from_].field != NULL)                         \
                (list)[to_++] = (list)[from_];                                                     \
        }                                                                                          \
        (count) = to_;                                                                             \
    } while (0)

static void build_retention(struct builder *b)
{
    static const char *const FROM[] = {"closed", "opened"};
    const struct written_pack *w = b->written;
    struct pack *pack = b->pack;
    int i;

    pack->retention =
        arena_zero(b->arena, sizeof *pack->retention * (size_t)(w->retention_count + 1));
    for (i = 0; i < w->retention_count; i++) {
        struct retention made = w->retention[i].retention;

        if (made.name == NULL)
            continue;
        made.from_opening = w->retention[i].from != NULL &&
                            find_placed(b, w->retention[i].from, "beginning", FROM, 2) == 1;
        if (made.says == NULL)
            made.says = span_text(b->arena, &made.keeps);
        pack->retention[pack->retention_count++] = made;
    }
}

static void build_names(struct builder *b)
{
    const struct written_pack *w = b->written;
    struct pack *pack = b->pack;
    int i;

    pack->name = w->name != NULL ? w->name : "";
    pack->version = w->version != NULL ? w->version : "";
    pack->migrate_by = w->migrate_by;
    pack->migrate_meaning = w->migrate_meaning;
    pack->roles = w->roles;
    pack->role_count = w->role_count;
    KEEP_NAMED(pack->roles, pack->role_count, name);
    pack->meanings = w->meanings;
    pack->meaning_count = w->meaning_count;
    KEEP_NAMED(pack->meanings, pack->meaning_count, statement);
    build_retention(b);
    pack->separation = w->separation;
    pack->separation_count = w->separation_count;
    KEEP_NAMED(pack->separation, pack->separation_count, says);
    pack->messages = w->messages;
    pack->message_count = w->message_count;
    KEEP_NAMED(pack->messages, pack->message_count, subject);
    KEEP_NAMED(pack->messages, pack->message_count, body);
    for (i = 0; i < pack->role_count; i++) {
        if (pack->roles[i].title == NULL)
            pack->roles[i].title = pack->roles[i].name;
        if (pack->roles[i].clause == NULL)
            pack->roles[i].clause = "";
    }
    for (i = 0; i < pack->message_count; i++) {
        if (pack->messages[i].language == NULL)
            pack->messages[i].language = "en";
    }
}

void build_pack(struct arena *arena, struct problems *problems, const struct written_pack *written,
                struct pack *pack)
{
    struct builder b = {arena, problems, written, pack};
    int i;

    build_names(&b);
    build_calendar(&b);
    if (written->kind_count > KINDS_MAX || written->rule_count > RULES_MAX) {
        problem(problems, written->where, "more than %d kinds or %d rules", KINDS_MAX, RULES_MAX);
        return;
    }
    pack->kinds = arena_zero(arena, sizeof *pack->kinds * (size_t)(written->kind_count + 1));
    for (i = 0; i < written->kind_count; i++)
        build_kind(&b, &written->kinds[i]);
    pack->rules = arena_zero(arena, sizeof *pack->rules * (size_t)(written->rule_count + 1));
    for (i = 0; i < written->rule_count; i++)
        build_rule(&b, &written->rules[i]);
    if (written->process_count > PROCESSES_MAX) {
        problem(problems, written->where, "more than %d processes", PROCESSES_MAX);
        return;
    }
    pack->processes =
        arena_zero(arena, sizeof *pack->processes * (size_t)(written->process_count + 1));
    for (i = 0; i < written->process_count; i++)
        build_process(&b, &written->processes[i]);
}
