/* migrate.c - a record that exists moves from the pack it was opened under to the one that counts; and back.
 *
 *     migration_plan()   reads alone: maps, needs a decision, or refused, and what would change
 *     migrate            the same plan, and if it maps: one leaf, `record.migrate`, that holds all of it
 *     migrate_back       while nothing has followed: what the leaf changed stands again as it stood
 *
 * What holds:
 *   1. A definition never carries a record over a gate: its stage, whether it counts and whether it is closed stay as they are.
 *   2. What was signed or approved keeps its content; a record whose content would have to change stays where it is.
 *   3. A round that is open goes on under the definition it was opened under (SOD-6). It is never kept over a migration: its
 *      votes are over a digest, and the digest names the pack. Who wants to migrate all the same voids it openly.
 *   4. Timers keep the moments they run from; steps that were taken are not taken again.
 */
#include "core/inside.h"

#include "base/check.h"
#include "base/dmp.h"
#include "core/span.h"

enum { WHY_MAX = 20 };

static const char *const verdicts[] = {"maps", "decide", "refused"};

/* ---- what stands in the way ---- */

static void add_why(struct core *core, struct migration *plan, enum verdict verdict,
                    struct slice sentence)
{
    if (plan->why.count < WHY_MAX)
        value_push(core->arena, &plan->why, value_text(sentence));
    if (verdict > plan->verdict)
        plan->verdict = verdict;
}

/* ---- the state ---- */

static bool is_alike(const struct state *a, const struct state *b)
{
    return a->stage == b->stage && a->is_valid == b->is_valid && a->is_closed == b->is_closed;
}

/* The states that would do, as a sentence lists them. */
static struct slice states_like(struct core *core, const struct kind *kind,
                                const struct state *like)
{
    struct slice names = slice_str("");

    for (int i = 0; i < kind->lifecycle->state_count; i++) {
        const struct state *state = &kind->lifecycle->states[i];

        if (is_alike(state, like))
            names = textf(core, "%.*s%s%s", (int)names.len, (const char *)names.at,
                          names.len > 0 ? ", " : "", state->name);
    }
    return names.len > 0 ? names : slice_str("none");
}

static void plan_state(struct core *core, struct migration *plan, const struct value *args)
{
    const struct subject *subject = &plan->subject;
    struct slice name = value_get_text(subject->row, "state");
    const struct state *from = kind_state(subject->kind, name);
    struct slice to = value_slice(value_find(value_get(args, "map"), name));
    struct slice like;

    plan->state = kind_state(plan->kind, to.len > 0 ? to : name);
    if (plan->state != NULL && is_alike(plan->state, from)) {
        if (!slice_is(name, plan->state->name))
            value_set(core->arena, &plan->own, "state", value_str(plan->state->name));
        return;
    }
    like = states_like(core, plan->kind, from);
    if (plan->state == NULL)
        add_why(core, plan, VERDICT_DECIDE,
                textf(core, "There is no state %.*s; say where it goes: --map %.*s=STATE (%.*s).",
                      to.len > 0 ? (int)to.len : (int)name.len,
                      (const char *)(to.len > 0 ? to.at : name.at), (int)name.len,
                      (const char *)name.at, (int)like.len, (const char *)like.at));
    else
        add_why(core, plan, VERDICT_DECIDE,
                textf(core,
                      "%.*s is of stage %s%s, %s is not: migrating moves no record over a stage. "
                      "Say where it goes: --map %.*s=STATE (%.*s).",
                      (int)name.len, (const char *)name.at, stage_name(from->stage),
                      from->is_valid ? " and counts" : "", plan->state->name, (int)name.len,
                      (const char *)name.at, (int)like.len, (const char *)like.at));
    plan->state = NULL;
}

/* ---- fields ---- */

/* Can nobody change this field of the record now, because somebody answers for what it says? */
static bool is_sealed(struct core *core, const struct migration *plan, struct slice name)
{
    const struct subject *subject = &plan->subject;
    const struct state *state = kind_state(subject->kind, value_get_text(subject->row, "state"));
    const struct field *field = kind_field(subject->kind, name);

    if (field != NULL && !field_is_content(field))
        return false;
    if (subject->kind->lifecycle->versioned)
        return state->edit.count == 0;
    return record_is_granted(core, subject) &&
           (state->edit.count == 0 ||
            (state->edit_fields.count > 0 && !words_have(&state->edit_fields, name)));
}

/* What is wrong with one value under a kind; NULL if nothing is. `given`: by a person, with the command. */
static const char *fault_of(struct core *core, const struct kind *kind, struct slice name,
                            const struct value *value, bool given)
{
    struct value one = value_map();

    value_put(core->arena, &one, name, *value);
    if (record_check_fields(core, kind, &one, false) == 0 &&
        (!given || record_check_put_up(core, kind, &one) == 0))
        return NULL;
    core->run->is_refused = false;
    return core->run->refusal.sentence;
}

static void plan_value(struct core *core, struct migration *plan, const struct pair *pair,
                       struct value *fields)
{
    const char *fault;

    if (kind_field(plan->kind, pair->key) == NULL) {
        if (is_sealed(core, plan, pair->key))
            add_why(core, plan, VERDICT_REFUSED,
                    textf(core, "Field %.*s is gone, and is part of what was signed.",
                          (int)pair->key.len, (const char *)pair->key.at));
        value_put(core->arena, fields, pair->key, VALUE_NONE);
        value_push(core->arena, &plan->dropped, value_text(pair->key));
        return;
    }
    fault = fault_of(core, plan->kind, pair->key, &pair->value, false);
    /* What its own definition forbids as well is not this migration's business (somebody left, say). */
    if (fault == NULL || fault_of(core, plan->subject.kind, pair->key, &pair->value, false) != NULL)
        return;
    add_why(core, plan, is_sealed(core, plan, pair->key) ? VERDICT_REFUSED : VERDICT_DECIDE,
            textf(core, "%s%s", fault,
                  is_sealed(core, plan, pair->key) ? " It is part of what was signed."
                                                   : " Give it another value: FIELD=VALUE."));
}

/* A value that a person gives with the migration: only where the new definition asks for one. */
static void plan_given(struct core *core, struct migration *plan, const struct value *set,
                       struct value *fields)
{
    const struct value *old = value_get(plan->subject.row, "fields");

    for (uint32_t i = 0; value_is(set, VALUE_MAP) && i < set->count; i++) {
        const struct pair *pair = &set->as.pairs[i];
        const struct value *now = value_find(old, pair->key);
        const char *fault = fault_of(core, plan->kind, pair->key, &pair->value, true);
        const struct field *field = kind_field(plan->kind, pair->key);

        if (fault != NULL)
            add_why(core, plan, VERDICT_DECIDE, slice_str(fault));
        else if (field->computed)
            add_why(core, plan, VERDICT_REFUSED,
                    textf(core, "Field %s is kept by the engine and cannot be set.", field->name));
        else if (!is_empty_value(now) && fault_of(core, plan->kind, pair->key, now, false) == NULL)
            add_why(core, plan, VERDICT_REFUSED,
                    textf(core, "Field %s has a value that stands; change it with `rota edit`.",
                          field->name));
        else if (is_sealed(core, plan, pair->key))
            add_why(core, plan, VERDICT_REFUSED,
                    textf(core, "Field %s: the content of this record is signed.", field->name));
        else
            value_put(core->arena, fields, pair->key, pair->value);
    }
}

static void plan_presets(struct core *core, struct migration *plan, struct value *fields)
{
    const struct value *old = value_get(plan->subject.row, "fields");

    for (int i = 0; i < plan->kind->field_count; i++) {
        const struct field *field = &plan->kind->fields[i];
        struct slice name = slice_str(field->name);

        if (field->preset.type == VALUE_NIL || value_find(old, name) != NULL ||
            kind_field(plan->subject.kind, name) != NULL || value_find(fields, name) != NULL ||
            is_sealed(core, plan, name))
            continue;
        value_put(core->arena, fields, name, field->preset);
    }
}

static bool is_wanted(struct core *core, const struct subject *subject, const struct field *field)
{
    return field->required || (field->required_if != NULL &&
                               scope_holds(core, field->required_if, subject, slice_str("migrate"),
                                           core->question->principal, NULL, NULL));
}

/* What must be there once a record has left its draft, and is not. */
static void plan_missing(struct core *core, struct migration *plan)
{
    struct subject after = plan->subject;
    struct value row = migration_after(core, plan);

    after.row = &row;
    after.kind = plan->kind;
    for (int i = 0; i < plan->kind->field_count; i++) {
        const struct field *field = &plan->kind->fields[i];
        struct slice name = slice_str(field->name);
        const struct field *before = kind_field(plan->subject.kind, name);

        if (field->computed || !is_empty_value(record_field(&after, field->name)) ||
            !is_wanted(core, &after, field) ||
            (before != NULL && is_wanted(core, &plan->subject, before)))
            continue;
        if (is_sealed(core, plan, name))
            add_why(core, plan, VERDICT_REFUSED,
                    textf(core,
                          "Field %s is required now, and the content of this record is signed.",
                          field->name));
        else
            add_why(core, plan, VERDICT_DECIDE,
                    textf(core, "Field %s is required now: %s=VALUE.", field->name, field->name));
    }
}

static void plan_fields(struct core *core, struct migration *plan, const struct value *args)
{
    const struct value *old = value_get(plan->subject.row, "fields");
    struct value fields = value_map();

    for (uint32_t i = 0; value_is(old, VALUE_MAP) && i < old->count; i++) {
        if (value_find(value_get(args, "set"), old->as.pairs[i].key) == NULL)
            plan_value(core, plan, &old->as.pairs[i], &fields);
    }
    plan_given(core, plan, value_get(args, "set"), &fields);
    plan_presets(core, plan, &fields);
    for (uint32_t i = 0; i < fields.count; i++) {
        if (fields.as.pairs[i].value.type != VALUE_NIL)
            value_push(core->arena, &plan->added, value_text(fields.as.pairs[i].key));
    }
    if (fields.count > 0)
        value_set(core->arena, &plan->own, "fields", fields);
    if (plan->state != NULL && plan->state->stage != STAGE_DRAFT && !plan->state->is_closed)
        plan_missing(core, plan);
}

/* ---- the review ---- */

/* The date of the next review follows the period if the engine computed it from the period; one that a person chose stays. */
static void plan_review(struct core *core, struct migration *plan)
{
    const struct subject *subject = &plan->subject;
    const struct span *old = &subject->kind->review_every, *now = &plan->kind->review_every;
    const struct value *due = record_field(subject, "next_review_due");
    const struct calendar *calendar = calendar_of(core);
    int64_t reviewed_ms = value_get_int(subject->row, "reviewed_ms", -1);
    int32_t date;
    char *text;

    if (kind_field(plan->kind, slice_str("next_review_due")) == NULL || reviewed_ms < 0 ||
        span_is_zero(old) || span_is_zero(now) || !value_is(due, VALUE_STR) ||
        date_parse(value_slice(due), &date) != 0 ||
        calendar_date(calendar, span_after(calendar, reviewed_ms, old)) != date)
        return;
    text = arena_take(core->arena, DATE_TEXT_LEN + 1);
    date_format(calendar_date(calendar, span_after(calendar, reviewed_ms, now)), text);
    if (!slice_is(value_slice(due), text))
        value_set(core->arena, value_sub(core->arena, &plan->own, slice_str("fields")),
                  "next_review_due", value_str(text));
}

/* How long a closed record is kept is what the rule says that counts now. */
static void plan_retention(struct core *core, struct migration *plan)
{
    const struct value *row = plan->subject.row;
    const struct retention *rule = pack_retention(core_current_pack(core), plan->kind->retention);
    struct value until;

    if (rule == NULL || plan->state == NULL || !plan->state->is_closed)
        return;
    until = kept_until(core, rule, row,
                       value_get_int(row, "closed_ms", value_get_int(row, "entered_ms", 0)));
    if (!slice_equal(value_slice(&until),
                     value_slice(record_field(&plan->subject, "retain_until"))))
        value_set(core->arena, value_sub(core->arena, &plan->own, slice_str("fields")),
                  "retain_until", until);
}

/* ---- rounds, gates, tasks ---- */

static bool can_ask_again(const struct migration *plan)
{
    const struct lifecycle *lifecycle = plan->kind->lifecycle;
    int state = plan->state != NULL ? (int)(plan->state - lifecycle->states) : MODEL_NONE;

    for (int i = 0; state != MODEL_NONE && i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].opens_round && lifecycle->transitions[i].from[state])
            return plan->kind->approval != NULL;
    }
    return false;
}

static void plan_round(struct core *core, struct migration *plan, const struct value *args)
{
    const struct subject *subject = &plan->subject;
    const struct value *votes = value_get(subject->round, "votes");
    int64_t n = value_get_int(subject->round, "n", 0);

    if (subject->round == NULL) {
        const struct state *state =
            kind_state(subject->kind, value_get_text(subject->row, "state"));

        /* What was approved is put in force by the rules that it was approved under. */
        if (subject->kind->lifecycle->versioned && subject->kind->approval != NULL &&
            state->stage == STAGE_APPROVED)
            add_why(core, plan, VERDICT_REFUSED,
                    slice_str("It is approved and not in force yet: it is put in force, or "
                              "withdrawn, under the definition it was approved under."));
        return;
    }
    plan->votes = value_is(votes, VALUE_MAP) ? votes->count : 0;
    plan->round = n;
    if (!value_get_bool(args, "void_round", false))
        add_why(
            core, plan, VERDICT_DECIDE,
            textf(core,
                  "Round %lld of its approval is open, with %lld vote%s: wait until it ends, or "
                  "void it (--void-rounds).",
                  (long long)n, (long long)plan->votes, plan->votes == 1 ? "" : "s"));
    else if (plan->state != NULL && !can_ask_again(plan))
        add_why(core, plan, VERDICT_REFUSED,
                textf(core,
                      "Round %lld of its approval is open, and from state %s no other could be "
                      "opened.",
                      (long long)n, plan->state->name));
}

static bool has_event(const struct kind *kind, struct slice event)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        if (slice_is(event, kind->lifecycle->transitions[i].event))
            return true;
    }
    return false;
}

/* A gate that waits for another record must be there afterwards. */
static void plan_gates(struct core *core, struct migration *plan)
{
    const struct value *gates = value_get(plan->subject.row, "gates");

    for (uint32_t i = 0; value_is(gates, VALUE_MAP) && i < gates->count; i++) {
        struct slice event = gates->as.pairs[i].key, child;
        const char *name = (const char *)keep_text(core, event).at;

        if (!has_event(plan->kind, event) && !gates_are_open(core, &plan->subject, name, &child))
            add_why(core, plan, VERDICT_REFUSED,
                    textf(core, "%s waits until %.*s is closed, and is gone.", name, (int)child.len,
                          (const char *)child.at));
    }
}

/* Whom a rule of separation keeps apart by an event that has another name now. */
static void plan_deeds(struct core *core, struct migration *plan)
{
    const struct value *did = value_get(plan->subject.row, "did");

    for (uint32_t i = 0; value_is(did, VALUE_MAP) && i < did->count; i++) {
        struct slice event = did->as.pairs[i].key;

        if (!has_event(plan->kind, event))
            value_push(core->arena, &plan->notes,
                       value_text(textf(core,
                                        "There is no event %.*s any more: who did it is kept apart "
                                        "by no rule.",
                                        (int)event.len, (const char *)event.at)));
    }
}

/* Its digest names the pack: what was waived over it has to be waived anew. */
static void plan_waivers(struct core *core, struct migration *plan)
{
    int64_t count = waivers_that_count(core, &plan->subject);

    if (count > 0)
        value_push(
            core->arena, &plan->notes,
            value_text(textf(core,
                             "%lld waiver%s of a rule of separation count%s no more: under "
                             "another definition it is given anew.",
                             (long long)count, count == 1 ? "" : "s", count == 1 ? "s" : "")));
}

static bool asks_for(const struct kind *kind, const struct kind *lost)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *transition = &kind->lifecycle->transitions[i];

        for (int t = 0; t < transition->task_count; t++) {
            const char *events[] = {transition->tasks[t].on_done, transition->tasks[t].on_failure};

            for (int e = 0; e < 2; e++) {
                if (events[e] != NULL && !has_event(lost, slice_str(events[e])))
                    return true;
            }
        }
    }
    return false;
}

/* Work that is out and whose outcome would find no answer. Looked for only if an answer is gone. */
static void plan_tasks(struct core *core, struct migration *plan)
{
    static const char *const outcomes[] = {"on_done", "on_failure"};
    struct value rows;

    if (!asks_for(plan->subject.kind, plan->kind))
        return;
    state_rows(core->state, slice_str("task/"), UINT32_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");
        struct slice key = value_get_text(&rows.as.items[i], "key");

        if (!slice_equal(value_get_text(row, "record"), plan->subject.id))
            continue;
        for (int e = 0; e < 2; e++) {
            struct slice event = value_get_text(row, outcomes[e]);

            if (event.len > 0 && !has_event(plan->kind, event))
                add_why(core, plan, VERDICT_REFUSED,
                        textf(core, "%.*s is out, and what it ends with (%.*s) is gone.",
                              (int)key.len, (const char *)key.at, (int)event.len,
                              (const char *)event.at));
        }
    }
}

/* ---- timers ---- */

static int64_t due_of(const struct value *entry)
{
    return value_is(entry, VALUE_ARRAY) && entry->count > 0 ? entry->as.items[0].as.number : -1;
}

static void plan_timers(struct core *core, struct migration *plan)
{
    const struct value *old = value_get(plan->subject.row, "timers");
    struct value after = migration_after(core, plan), timers = value_map();

    timers_migrate(core, &plan->subject, plan->kind,
                   (int)(plan->state - plan->kind->lifecycle->states), &after, &timers);
    for (uint32_t i = 0; i < timers.count; i++) {
        const struct pair *pair = &timers.as.pairs[i];
        int64_t from = due_of(value_find(old, pair->key)), to = due_of(&pair->value);
        struct value moved = value_map();

        if (from == to)
            continue;
        value_set(core->arena, &moved, "timer", value_text(pair->key));
        if (from >= 0)
            value_set(core->arena, &moved, "from_ms", value_int(from));
        if (to >= 0)
            value_set(core->arena, &moved, "to_ms", value_int(to));
        value_push(core->arena, &plan->timers, moved);
    }
    if (timers.count > 0)
        value_set(core->arena, &plan->own, "timers", timers);
}

/* ---- the plan ---- */

struct value migration_after(struct core *core, const struct migration *plan)
{
    struct value row = value_copy(core->arena, plan->subject.row);

    value_merge(core->arena, &row, &plan->own);
    return row;
}

static void put_pack(struct core *core, struct migration *plan, const struct pack *pack)
{
    struct value after = migration_after(core, plan);
    uint8_t *digest = arena_take(core->arena, HASH_LEN);

    record_digest(core, plan->subject.id, plan->kind, value_get_text(&after, "title"),
                  value_get(&after, "fields"), slice_of(pack->digest, HASH_LEN), digest);
    value_set(core->arena, &plan->own, "digest", value_bin(digest, HASH_LEN));
    value_set(core->arena, &plan->own, "pack",
              value_bin(arena_copy(core->arena, pack->digest, HASH_LEN), HASH_LEN));
}

void migration_plan(struct core *core, const struct subject *subject, const struct value *args,
                    struct migration *plan)
{
    const struct pack *pack = core_current_pack(core);

    *plan = (struct migration){.subject = *subject,
                               .kind = pack_kind(pack, slice_str(subject->kind->name)),
                               .own = value_map(),
                               .why = value_array(),
                               .notes = value_array(),
                               .dropped = value_array(),
                               .added = value_array(),
                               .timers = value_array()};
    if (slice_equal(value_get_bin(subject->row, "pack"), slice_of(pack->digest, HASH_LEN))) {
        add_why(core, plan, VERDICT_REFUSED, slice_str("It follows the pack that counts already."));
        return;
    }
    check(plan->kind !=
          NULL); /* no pack is installed that forgets a kind of which there are records */
    plan_state(core, plan, args);
    plan_fields(core, plan, args);
    plan_review(core, plan);
    plan_retention(core, plan);
    plan_round(core, plan, args);
    plan_gates(core, plan);
    plan_deeds(core, plan);
    plan_waivers(core, plan);
    plan_tasks(core, plan);
    if (plan->state == NULL)
        return;
    plan_timers(core, plan);
    put_pack(core, plan, pack);
}

void migration_show(struct core *core, const struct migration *plan, struct value *out)
{
    const struct value *row = plan->subject.row;
    const struct value *lists[] = {&plan->why, &plan->notes, &plan->dropped, &plan->added,
                                   &plan->timers};
    static const char *const names[] = {"why", "notes", "dropped", "added", "timers"};

    *out = value_map();
    value_set(core->arena, out, "record", value_text(plan->subject.id));
    value_set(core->arena, out, "kind", value_str(plan->subject.kind->name));
    value_set(core->arena, out, "title", value_text(value_get_text(row, "title")));
    value_set(core->arena, out, "verdict", value_str(verdicts[plan->verdict]));
    value_set(core->arena, out, "from", *value_get(row, "pack"));
    value_set(core->arena, out, "state", value_text(value_get_text(row, "state")));
    if (plan->state != NULL)
        value_set(core->arena, out, "to_state", value_str(plan->state->name));
    if (plan->round > 0) {
        value_set(core->arena, out, "round", value_int(plan->round));
        value_set(core->arena, out, "votes_void", value_int(plan->votes));
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (lists[i]->count > 0)
            value_set(core->arena, out, names[i], *lists[i]);
    }
}

/* ---- who, and what they sign ---- */

const struct transition *migration_row(struct core *core, struct slice command)
{
    const struct pack *pack = core_current_pack(core);
    struct transition *row = arena_zero(core->arena, sizeof *row);
    bool is_back = slice_is(command, "migrate_back");

    row->event = is_back ? "migrate_back" : "migrate";
    row->title = is_back ? "Back to the definition before" : "Migrate";
    row->reason = true;
    row->meaning = pack->migrate_meaning;
    row->statement =
        is_back ? "I authorise that {{record}} ({{title}}) follows again the workflows that it "
                  "followed before it was migrated."
                : "I authorise that {{record}} ({{title}}) follows, from now on, the workflows "
                  "that count now.";
    return row;
}

static int check_authorised(struct core *core, const struct question *question,
                            const struct subject *subject)
{
    const struct transition *row = migration_row(core, question->command);
    const char *sentence = "";

    if (authority_command(core, question->principal, "migrate", &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    if (value_get_bin(value_get(question->args, "reason"), "content").len != HASH_LEN)
        return run_refuse(core, 422, "guard-failed", "%s needs a reason (--reason \"...\").",
                          row->event);
    if (row->meaning == NULL)
        return 0;
    return check_signature(core, question, subject, row, subject->id,
                           (uint64_t)value_get_int(subject->row, "rev", 0),
                           value_get_bin(subject->row, "digest"));
}

/* ---- doing it ---- */

/* The patch that takes `patch` back again from a row that stood as `row`. */
static struct value undo_of(struct core *core, const struct value *row, const struct value *patch)
{
    struct value undo = value_map();

    for (uint32_t i = 0; i < patch->count; i++) {
        const struct pair *pair = &patch->as.pairs[i];
        const struct value *old = value_find(row, pair->key);

        if (old == NULL)
            value_put(core->arena, &undo, pair->key, VALUE_NONE);
        else if (old->type == VALUE_MAP && pair->value.type == VALUE_MAP)
            value_put(core->arena, &undo, pair->key, undo_of(core, old, &pair->value));
        else
            value_put(core->arena, &undo, pair->key, *old);
    }
    return undo;
}

/* What was and how to get back to it. The way back is bytes: a nil in it means something. */
static void put_way_back(struct core *core, struct migration *plan)
{
    struct value undo = undo_of(core, plan->subject.row, &plan->own), way = value_map();
    struct buf bytes = BUF_EMPTY;

    dmp_encode(&bytes, &undo);
    value_set(core->arena, &way, "at", value_int((int64_t)core->question->seq));
    value_set(core->arena, &way, "from", *value_get(plan->subject.row, "pack"));
    value_set(core->arena, &way, "undo",
              value_bin(arena_copy(core->arena, bytes.at, bytes.len), (uint32_t)bytes.len));
    value_set(core->arena, &plan->own, "migrated", way);
    buf_release(&bytes);
}

static int check_target(struct core *core, const struct question *question)
{
    const struct value *to = value_get(question->args, "to"), *set, *map;
    const struct pack *pack = core_current_pack(core);

    if (to != NULL && !slice_equal(value_slice(to), slice_of(pack->digest, HASH_LEN)))
        return run_refuse(core, 409, "stale-content",
                          "Another pack counts by now; look at the migration again.");
    set = value_get(question->args, "set");
    map = value_get(question->args, "map");
    if ((set != NULL && set->type != VALUE_MAP) || (map != NULL && map->type != VALUE_MAP))
        return run_refuse(core, 400, "malformed",
                          "\"set\" is a map of fields to values, \"map\" one of states to states.");
    return 0;
}

int record_migrate(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), others;
    struct migration plan;
    struct subject subject;
    int64_t cause;

    if (subject_of(core, question->record, &subject) != 0 ||
        check_authorised(core, question, &subject) != 0 || check_target(core, question) != 0)
        return -1;
    migration_plan(core, &subject, question->args, &plan);
    if (plan.verdict != VERDICT_MAPS)
        return run_refuse(core, 422, "guard-failed", "%.*s is not migrated: %.*s",
                          (int)subject.id.len, (const char *)subject.id.at,
                          (int)plan.why.as.items[0].count, plan.why.as.items[0].as.text);
    put_way_back(core, &plan);
    others = bundle_others(core, &subject);
    if (subject.round != NULL)
        round_void(core, &subject, &effects, &plan.own, "void");
    put_under(core, value_get_bin(&plan.own, "pack"), &plan.own);
    value_set(core->arena, &plan.own, "changed_ms", value_int(core->now_ms));
    value_set(core->arena, &effects, "", plan.own);
    cause =
        run_leaf(core, "record.migrate", subject.id, subject.id, &author, question->args, &effects);
    if (cause < 0 || (subject.round != NULL && rounds_void(core, &others, cause) != 0))
        return -1;
    run_follow(core, subject.id, NULL, cause, NULL, NOBODY);
    return 0;
}

int record_migrate_back(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = VALUE_NONE;
    const struct value *way;
    struct subject subject;
    int64_t last;

    if (subject_of(core, question->record, &subject) != 0 ||
        check_authorised(core, question, &subject) != 0)
        return -1;
    way = value_get(subject.row, "migrated");
    last = value_get_int(subject.row, "last", -1);
    if (way == NULL)
        return run_refuse(core, 409, "wrong-state", "%.*s was not migrated.", (int)subject.id.len,
                          (const char *)subject.id.at);
    if (value_get_int(way, "at", -1) != last)
        return run_refuse(core, 409, "wrong-state",
                          "Since %.*s was migrated something has followed (entry %lld): there is "
                          "no way back.",
                          (int)subject.id.len, (const char *)subject.id.at, (long long)last);
    check(dmp_decode_large(core->arena, value_get_bin(way, "undo"), UINT32_MAX, &own, NULL) == 0);
    value_set(core->arena, &own, "migrated", VALUE_NONE);
    put_under(core, value_get_bin(&own, "pack"), &own);
    value_set(core->arena, &own, "changed_ms", value_int(core->now_ms));
    value_set(core->arena, &effects, "", own);
    return run_leaf(core, "record.migrate_back", subject.id, subject.id, &author, question->args,
                    &effects) < 0
               ? -1
               : 0;
}
