/* query_inbox.c - what waits for one person: signatures, acknowledgements, their own next steps, parked tasks.
 *
 * A step is somebody's own when it is theirs as owner, assignee, asked ... of this record, not merely as
 * holder of a role that may: a page that lists everything one could do is not read twice. So steps that a
 * person may take at any time (of a document in force, of a closed record) or that need a reason (withdraw,
 * cancel, dispute) are left out.
 */
#include "core/query_inside.h"

enum { INBOX_MAX = 500 };

struct inbox {
    struct asking *asking;
    struct slice person;
    struct value items;
};

/* By what a word of the definition means somebody: a page can then say it in a sentence. */
static const char *sort_of_word(const struct kind *kind, struct slice word)
{
    const struct field *field = kind != NULL ? kind_field(kind, word) : NULL;
    static const char *const own[] = {"owner", "author", "requester", "asked", "audience"};

    if (field != NULL && field->type == FIELD_PERSON)
        return "field";
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (slice_is(word, own[i]))
            return own[i];
    }
    return slice_starts(word, "did:")          ? "did"
           : slice_starts(word, "manager_of:") ? "manager_of"
           : memchr(word.at, '@', word.len)    ? "link"
                                               : "role";
}

/* When something happens without the person, earliest first; of several at one moment the first. */
static void put_dates(struct inbox *inbox, const struct value *row, struct value *item)
{
    const struct value *timers = value_get(row, "timers");
    struct arena *arena = inbox->asking->arena;
    struct value dates = value_array();
    int64_t after = -1;

    for (uint32_t n = 0; value_is(timers, VALUE_MAP) && n < timers->count; n++) {
        const struct pair *next = NULL;
        int64_t next_ms = INT64_MAX;
        struct value date = value_map();

        for (uint32_t i = 0; i < timers->count; i++) {
            const struct value *entry = &timers->as.pairs[i].value;
            int64_t due = value_is(entry, VALUE_ARRAY) && entry->count > 0
                              ? entry->as.items[0].as.number
                              : -1;

            if (due > after && due < next_ms && timer_is_shown(timers->as.pairs[i].key)) {
                next = &timers->as.pairs[i];
                next_ms = due;
            }
        }
        if (next == NULL)
            break;
        value_set(arena, &date, "name", value_str(arena_copy(arena, next->key.at, next->key.len)));
        value_set(arena, &date, "at_ms", value_int(next_ms));
        value_push(arena, &dates, date);
        after = next_ms;
    }
    if (dates.count > 0)
        value_set(arena, item, "dates", dates);
}

/* What it says now, against the version that it is to replace: the fields by name, not what is in them. */
static void put_change(struct inbox *inbox, const struct subject *subject, struct value *item)
{
    struct arena *arena = inbox->asking->arena;
    struct core *core = inbox->asking->core;
    struct subject before;
    struct value changes, names = value_array();

    if (!change_base(core, subject, &before))
        return;
    changes = changes_of(core, &before, subject);
    for (uint32_t i = 0; i < changes.count; i++)
        if (change_is_made(subject->kind, &changes.as.items[i]))
            value_push(arena, &names, value_copy(arena, value_get(&changes.as.items[i], "field")));
    value_set(arena, item, "against", value_str(arena_copy(arena, before.id.at, before.id.len)));
    value_set(arena, item, "changed", names);
}

static struct value begin_item(struct inbox *inbox, struct slice id, const struct value *row,
                               const char *what, struct slice why)
{
    static const char *const facts[] = {"title", "kind", "state", "digest"};
    const struct kind *kind = row != NULL ? kind_of_row(inbox->asking->core, row) : NULL;
    struct arena *arena = inbox->asking->arena;
    struct value item = value_map();
    int64_t due = timers_next(row, 0);

    value_set(arena, &item, "record", value_str(arena_copy(arena, id.at, id.len)));
    copy_facts(arena, row, facts, sizeof facts / sizeof facts[0], &item);
    value_set(arena, &item, "what", value_str(what));
    value_set(arena, &item, "why", value_str(arena_copy(arena, why.at, why.len)));
    value_set(arena, &item, "by", value_str(sort_of_word(kind, why)));
    value_set(arena, &item, "revision", value_int(value_get_int(row, "rev", 0)));
    value_set(arena, &item, "events", value_array());
    put_dates(inbox, row, &item);
    if (kind != NULL)
        put_past(inbox->asking, kind, row, &item);
    if (due >= 0)
        value_set(arena, &item, "due_ms", value_int(due));
    value_set(arena, &item, "since_ms", value_int(value_get_int(row, "entered_ms", 0)));
    return item;
}

static void add_event(struct inbox *inbox, struct value *item, const char *event)
{
    struct value *events = value_at(item, slice_str("events"));

    if (!value_has_text(events, slice_str(event)))
        value_push(inbox->asking->arena, events, value_str(event));
}

static void add_item(struct inbox *inbox, struct value item)
{
    value_push(inbox->asking->arena, &inbox->items, item);
}

/* The first of these words that means the person; empty if none does. */
static struct slice word_of(struct inbox *inbox, const struct subject *subject,
                            const struct words *words)
{
    for (int i = 0; i < words->count; i++) {
        struct value people = value_array();

        authority_people(inbox->asking->core, subject, slice_str(words->at[i]), &people);
        if (value_has_text(&people, inbox->person))
            return slice_str(words->at[i]);
    }
    return slice_of(NULL, 0);
}

/* ---- signatures ---- */

/* Which of the words of the person's stage asks them. */
static struct slice word_of_stage(struct inbox *inbox, const struct subject *subject,
                                  const struct value *stage)
{
    const struct approval *approval = subject->kind->approval;

    for (int i = 0; approval != NULL && i < approval->stage_count; i++) {
        if (stage == NULL || slice_is(value_get_text(stage, "name"), approval->stages[i].name))
            return word_of(inbox, subject, &approval->stages[i].ask);
    }
    return slice_of(NULL, 0);
}

static int64_t stage_began(const struct value *round, const struct value *stage)
{
    const struct value *stands =
        value_find(value_get(round, "stage"), value_get_text(stage, "name"));

    return value_get_int(stands, "began_ms", value_get_int(round, "opened_ms", 0));
}

/* The item of a vote that is `right`'s; they may be the person themself. */
static void add_vote(struct inbox *inbox, const struct subject *subject, struct slice right,
                     struct slice number)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    struct arena *arena = inbox->asking->arena;
    int state = kind_state_index(subject->kind, value_get_text(subject->row, "state"));
    const struct value *stage = round_stage(subject->round, right);
    const struct value *asked = value_find(value_get(subject->round, "asked"), right);
    struct inbox theirs = {inbox->asking, right, inbox->items};
    struct slice why = word_of_stage(&theirs, subject, stage);
    struct value item = begin_item(inbox, subject->id, subject->row, "approve",
                                   why.len > 0 ? why : slice_str("asked"));

    for (int i = 0; state != MODEL_NONE && i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].vote != VOTE_NONE && lifecycle->transitions[i].from[state])
            add_event(inbox, &item, lifecycle->transitions[i].event);
    }
    value_set(arena, &item, "round", value_int(value_get_int(subject->round, "n", 0)));
    value_set(arena, &item, "since_ms", value_int(stage_began(subject->round, stage)));
    if (timer_due(subject->row, ROUND_EXPIRES) >= 0)
        value_set(arena, &item, "by_ms", value_int(timer_due(subject->row, ROUND_EXPIRES)));
    put_change(inbox, subject, &item);
    if (value_get(subject->row, "bundle") != NULL)
        value_set(arena, &item, "with", bundle_others(inbox->asking->core, subject));
    if (stage != NULL)
        value_set(arena, &item, "stage", *value_get(stage, "name"));
    if (number.len > 0) {
        value_set(arena, &item, "for", value_str(arena_copy(arena, right.at, right.len)));
        value_set(arena, &item, "delegation", value_str(arena_copy(arena, number.at, number.len)));
    } else if (asked != NULL) {
        value_set(arena, &item, "asked_instead", value_copy(arena, asked));
    }
    add_item(inbox, item);
}

/* What the person is asked, and what others are for whom they may vote. */
static void look_at_round(struct inbox *inbox, const struct subject *subject)
{
    const struct transition *grant = row_of_vote(subject, VOTE_GRANT);
    struct slice right, number = {NULL, 0};

    if (round_waits_for(subject->round, inbox->person)) {
        add_vote(inbox, subject, inbox->person, number);
        return;
    }
    if (grant == NULL)
        return;
    right = right_to_use(inbox->asking, subject, grant, inbox->person, number, &number);
    if (number.len > 0)
        add_vote(inbox, subject, right, number);
}

/* ---- acknowledgements ---- */

static void look_at_ack(struct inbox *inbox, const struct subject *subject)
{
    struct slice stage = value_get_text(subject->row, "stage"), why;
    const struct value *row;
    struct value item;

    if (!slice_is(stage, "in_force") && !slice_is(stage, "under_review"))
        return;
    why = word_of(inbox, subject, &subject->kind->acknowledge);
    if (why.len == 0 || authority_is_auditor(inbox->asking->core, inbox->person))
        return;
    row = state_rowf(inbox->asking->core->state, "%.*s/ack/%.*s", (int)subject->id.len,
                     (const char *)subject->id.at, (int)inbox->person.len,
                     (const char *)inbox->person.at);
    if (slice_is(value_get_text(row, "state"), "acknowledged"))
        return;
    item = begin_item(inbox, subject->id, subject->row, "ack", why);
    add_event(inbox, &item, "ack");
    put_change(inbox, subject, &item);
    add_item(inbox, item);
}

/* ---- steps of one's own ---- */

static bool is_own_word(const struct kind *kind, const char *word)
{
    const struct field *field = kind_field(kind, slice_str(word));

    return strcmp(word, "owner") == 0 || strcmp(word, "author") == 0 ||
           strcmp(word, "requester") == 0 || strncmp(word, "did:", 4) == 0 ||
           strncmp(word, "manager_of:", 11) == 0 || strchr(word, '@') != NULL ||
           (field != NULL && field->type == FIELD_PERSON);
}

static bool has_fallen_to(struct inbox *inbox, const struct subject *subject, const char *word)
{
    struct value heirs = value_array();

    authority_heirs(inbox->asking->core, subject, slice_str(word), &heirs);
    return value_has_text(&heirs, inbox->person);
}

static struct slice own_word(struct inbox *inbox, const struct subject *subject,
                             const struct words *by)
{
    for (int i = 0; i < by->count; i++) {
        const struct words one = {&by->at[i], 1};
        struct slice word;

        if (!is_own_word(subject->kind, by->at[i]))
            continue;
        word = word_of(inbox, subject, &one);
        if (word.len > 0)
            return word;
        if (has_fallen_to(inbox, subject, by->at[i]))
            return textf(inbox->asking->core, "%s, who has left", by->at[i]);
    }
    return slice_of(NULL, 0);
}

static bool is_due(const struct subject *subject, const struct transition *transition, int state)
{
    return transition->from[state] && transition->vote == VOTE_NONE && !transition->reason &&
           !(transition->opens_round && subject->round != NULL);
}

static void look_at_steps(struct inbox *inbox, const struct subject *subject)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    int state = kind_state_index(subject->kind, value_get_text(subject->row, "state"));
    struct value item = VALUE_NONE;
    const char *sentence = "";

    if (state == MODEL_NONE || subject->round != NULL ||
        (lifecycle->versioned && lifecycle->states[state].stage == STAGE_IN_FORCE))
        return;
    for (int i = 0; i < lifecycle->transition_count; i++) {
        const struct transition *transition = &lifecycle->transitions[i];
        struct slice why;

        if (!is_due(subject, transition, state))
            continue;
        why = own_word(inbox, subject, &transition->by);
        if (why.len == 0 || authority_transition(inbox->asking->core, inbox->person, subject,
                                                 transition, &sentence) != PERMIT)
            continue;
        if (item.type == VALUE_NIL)
            item = begin_item(inbox, subject->id, subject->row, "event", why);
        add_event(inbox, &item, transition->event);
    }
    if (item.type != VALUE_NIL)
        add_item(inbox, item);
}

/* What somebody who left still owns has fallen to the person: it can be given to another. */
static void look_at_owner(struct inbox *inbox, const struct subject *subject)
{
    struct value item;

    if (!has_fallen_to(inbox, subject, "owner"))
        return;
    item = begin_item(inbox, subject->id, subject->row, "owner", slice_str("owner, who has left"));
    add_event(inbox, &item, "hand_over");
    add_item(inbox, item);
}

static bool look(void *with, struct slice id, const struct value *row)
{
    struct inbox *inbox = with;
    struct core *core = inbox->asking->core;
    struct subject subject = {id, row, NULL, NULL};

    if (slice_is(value_get_text(row, "stage"), "closed"))
        return true;
    subject.kind = kind_of_row(core, row);
    if (subject.kind == NULL)
        return true;
    subject.round = round_of_row(core, id, row);
    if (subject.round != NULL)
        look_at_round(inbox, &subject);
    if (subject.kind->acknowledge.count > 0)
        look_at_ack(inbox, &subject);
    look_at_steps(inbox, &subject);
    look_at_owner(inbox, &subject);
    return inbox->items.count < INBOX_MAX;
}

/* ---- parked tasks ---- */

static void look_at_tasks(struct inbox *inbox)
{
    struct value args = value_map(), tasks = VALUE_NONE;
    struct asking inner = *inbox->asking;

    if (!authority_has_role(inner.core, inbox->person, slice_str("isms_manager")))
        return;
    value_set(inner.arena, &args, "state", value_str("parked"));
    inner.args = &args;
    inner.out = &tasks;
    query_tasks(&inner);
    for (uint32_t i = 0; i < tasks.count && inbox->items.count < INBOX_MAX; i++) {
        const struct value *task = &tasks.as.items[i];
        struct slice record = value_get_text(task, "record");
        const struct value *row = record.len > 0 ? state_row(inner.core->state, record) : NULL;
        struct value item = begin_item(inbox, record, row, "task", slice_str("isms_manager"));

        add_event(inbox, &item, "task.redrive");
        value_set(inner.arena, &item, "task", *value_get(task, "task"));
        copy_facts(inner.arena, task, (const char *const[]){"service", "note"}, 2, &item);
        add_item(inbox, item);
    }
}

/* ---- proposals ---- */

static void add_proposal(void *with, const struct value *row)
{
    struct inbox *inbox = with;
    struct core *core = inbox->asking->core;
    struct arena *arena = inbox->asking->arena;
    bool is_manager = authority_has_role(core, inbox->person, slice_str("isms_manager"));
    struct slice nothing = {NULL, 0}, says = value_get_text(row, "says");
    struct value item = begin_item(inbox, nothing, NULL, "agree",
                                   slice_str(is_manager ? "isms_manager" : "top_management"));

    if (inbox->items.count >= INBOX_MAX)
        return;
    add_event(inbox, &item, "agree");
    value_set(arena, &item, "proposal", value_int(value_get_int(row, "n", 0)));
    value_set(arena, &item, "title", value_str(arena_copy(arena, says.at, says.len)));
    value_set(arena, &item, "since_ms", value_int(value_get_int(row, "at_ms", 0)));
    add_item(inbox, item);
}

int query_inbox(struct asking *asking)
{
    struct slice person = value_get_text(asking->args, "person");
    struct inbox inbox = {asking, person.len > 0 ? person : asking->query->principal,
                          value_array()};

    if (authority_person(asking->core, inbox.person) == NULL)
        return run_refuse(asking->core, 404, "no-record", "%.*s is not in the directory%s",
                          (int)inbox.person.len, (const char *)inbox.person.at,
                          or_stop(person_hint(asking->core, inbox.person)));
    each_open_proposal(asking, inbox.person, add_proposal, &inbox);
    look_at_tasks(&inbox);
    each_record(asking, slice_of(NULL, 0), slice_of(NULL, 0), look, &inbox, NULL);
    *asking->out = inbox.items;
    return 0;
}
