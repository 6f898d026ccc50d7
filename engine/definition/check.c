#include "definition/check.h"

#include "definition/check_inside.h"
#include "base/nearest.h"
#include "core/span.h"

/* ---- names that stand twice ---- */

static void check_twice(struct checks *c, const char *what, const char *placed, const char *other)
{
    struct where first;

    if (placed == NULL || other == NULL || strcmp(placed, other) != 0)
        return;
    first = where_of(other);
    problem(c->problems, where_of(placed), "a second %s '%s' (the first is at %s:%d)", what, placed,
            first.file, first.line);
}

static void check_duplicates(struct checks *c)
{
    const struct written_pack *w = c->written;
    const struct pack *p = c->pack;
    int i, k;

    for (i = 0; i < w->lifecycle_count; i++) {
        for (k = 0; k < i; k++)
            check_twice(c, "lifecycle", w->lifecycles[i].name, w->lifecycles[k].name);
    }
    for (i = 0; i < p->kind_count; i++) {
        for (k = 0; k < i; k++) {
            check_twice(c, "kind", p->kinds[i].name, p->kinds[k].name);
            check_twice(c, "prefix", p->kinds[i].prefix, p->kinds[k].prefix);
        }
    }
    for (i = 0; i < p->rule_count; i++) {
        /* A rule that watches several events stands here once for each. */
        for (k = 0; k < i; k++) {
            if (p->rules[i].where.file != p->rules[k].where.file ||
                p->rules[i].where.line != p->rules[k].where.line)
                check_twice(c, "rule", p->rules[i].name, p->rules[k].name);
        }
    }
    for (i = 0; i < p->role_count; i++) {
        for (k = 0; k < i; k++)
            check_twice(c, "role", p->roles[i].name, p->roles[k].name);
    }
    for (i = 0; i < p->meaning_count; i++) {
        for (k = 0; k < i; k++)
            check_twice(c, "meaning", p->meanings[i].name, p->meanings[k].name);
    }
    for (i = 0; i < p->message_count; i++) {
        for (k = 0; k < i; k++) {
            if (strcmp(p->messages[i].language, p->messages[k].language) == 0)
                check_twice(c, "message", p->messages[i].name, p->messages[k].name);
        }
    }
}

static void check_unused_lifecycles(struct checks *c)
{
    const struct written_pack *w = c->written;
    int i, k;

    for (i = 0; i < w->lifecycle_count; i++) {
        bool used = w->lifecycles[i].name == NULL;

        for (k = 0; k < w->kind_count && !used; k++)
            used = w->kinds[k].lifecycle != NULL &&
                   strcmp(w->kinds[k].lifecycle, w->lifecycles[i].name) == 0;
        for (k = 0; k < w->lifecycle_count && !used; k++)
            used = w->lifecycles[k].ends_with != NULL &&
                   strcmp(w->lifecycles[k].ends_with, w->lifecycles[i].name) == 0;
        if (!used)
            problem_add(c->problems, PROBLEM_WARNING, w->lifecycles[i].where, 0,
                        "no kind uses lifecycle '%s'", w->lifecycles[i].name);
    }
}

/* ---- kinds ---- */

static bool is_prefix(const char *text)
{
    return strlen(text) >= 2 && strlen(text) <= 8 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

static void check_retention(struct checks *c, const char *retention)
{
    struct nearest nearest;
    int i;

    if (retention == NULL || pack_retention(c->pack, retention) != NULL)
        return;
    nearest = nearest_to(slice_str(retention));
    for (i = 0; i < c->pack->retention_count; i++)
        nearest_offer(&nearest, c->pack->retention[i].name);
    if (nearest.best == NULL) {
        problem(c->problems, where_of(retention),
                "unknown retention rule '%s'; `retention = ( { name; keeps; says; } )` declares "
                "one, a kind names it",
                retention);
        return;
    }
    problem(c->problems, where_of(retention), "unknown retention rule '%s'%s", retention,
            nearest_hint(&nearest, &c->problems->arena));
}

/* Counted from the opening, a record could be disposed of on the day that it closes, before anybody reviewed it. */
static void check_kept_long_enough(struct checks *c)
{
    const struct retention *rule = pack_retention(c->pack, c->kind->retention);
    const struct span *every = &c->kind->review_every;

    if (rule == NULL || !rule->from_opening || span_is_zero(every) ||
        span_add_moment(&rule->keeps, NULL, 0) >= span_add_moment(every, NULL, 0))
        return;
    problem_add(c->problems, PROBLEM_WARNING, where_of(c->kind->retention), 0,
                "'%s' keeps a %s for %s from its opening, which is less than the %s between two "
                "reviews; count from = \"closed\", or keep it longer",
                rule->name, c->kind->name, span_text(&c->problems->arena, &rule->keeps),
                span_text(&c->problems->arena, every));
}

/* What erases is an end, and somebody answers for it. A kind without a rule of retention is kept for ever. */
static void check_erasing(struct checks *c)
{
    const struct kind *kind = c->kind;
    int i;

    for (i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *row = &kind->lifecycle->transitions[i];

        if (!row->erases)
            continue;
        if (!kind->lifecycle->states[row->to].is_closed)
            problem(c->problems, row->where, "'%s' erases and leads to '%s', which is no end%s",
                    row->event, kind->lifecycle->states[row->to].name,
                    check_for_kind(c, row->where.file));
        if (row->by.count > 0 && row->meaning == NULL)
            problem_add(c->problems, PROBLEM_WARNING, row->where, 0,
                        "'%s' erases and is not signed: give it a meaning%s", row->event,
                        check_for_kind(c, row->where.file));
    }
    for (i = 0; i < kind->kept_while.count; i++) {
        const struct field *field = kind_field(kind, slice_str(kind->kept_while.at[i]));

        if (field == NULL || (field->type != FIELD_PERSON && field->type != FIELD_REF))
            problem(c->problems, where_of(kind->kept_while.at[i]),
                    "'%s' is no field of type person or ref", kind->kept_while.at[i]);
    }
}

static void check_confidentiality(struct checks *c)
{
    static const char *const LEVELS[] = {"public", "internal", "confidential", "restricted"};
    const char *level = c->kind->confidentiality;
    struct nearest nearest = nearest_to(slice_str(level));
    int i;

    for (i = 0; i < 4; i++) {
        if (strcmp(level, LEVELS[i]) == 0)
            return;
        nearest_offer(&nearest, LEVELS[i]);
    }
    problem(c->problems, where_of(level), "unknown confidentiality '%s'%s", level,
            nearest_hint(&nearest, &c->problems->arena));
}

static void check_kind(struct checks *c)
{
    const struct kind *kind = c->kind;
    int i;

    if (!is_prefix(kind->prefix))
        problem(c->problems, where_of(kind->prefix), "'%s' is no prefix: 2 to 8 capital letters",
                kind->prefix);
    check_retention(c, kind->retention);
    check_kept_long_enough(c);
    check_erasing(c);
    check_confidentiality(c);
    check_who(c, &kind->owner, false);
    check_who(c, &kind->create, false);
    check_who(c, &kind->audience, false);
    check_who(c, &kind->acknowledge, false);
    check_fields(c);
    for (i = 0; i < kind->need_count; i++) {
        for (int e = 0; e < kind->needs[i].before.count; e++)
            (void)check_event(c, kind, kind->needs[i].before.at[e]);
        check_who(c, &kind->needs[i].people, false);
        check_who(c, &kind->needs[i].apart, true);
        check_separation(c, kind->needs[i].rule);
    }
    check_lifecycle(c);
}

/* ---- rules ---- */

static void check_signal(struct checks *c, const struct rule *rule)
{
    struct nearest nearest = nearest_to(slice_str(rule->signal));
    int i, k;

    for (i = 0; i < c->pack->kind_count; i++) {
        const struct kind *kind = &c->pack->kinds[i];

        if (kind_has_event(kind, rule->signal))
            return;
        for (k = 0; k < kind->lifecycle->transition_count; k++)
            nearest_offer(&nearest, kind->lifecycle->transitions[k].event);
    }
    problem(c->problems, where_of(rule->signal), "no kind has an event '%s'%s", rule->signal,
            nearest_hint(&nearest, &c->problems->arena));
}

static void check_rule(struct checks *c, const struct rule *rule)
{
    const struct kind *watched = &c->pack->kinds[rule->kind];
    bool signals = rule->signal != NULL && rule->signal_to != NULL;

    c->kind = watched;
    (void)check_event(c, watched, rule->event);
    if (rule->starts != MODEL_NONE && signals)
        problem(c->problems, rule->where, "rule '%s' both starts and signals; make it two rules",
                rule->name);
    if (rule->starts == MODEL_NONE && !signals && rule->tell.to.count == 0)
        problem(c->problems, rule->where,
                "rule '%s' does nothing; it needs 'starts', 'signal' or 'tell'", rule->name);
    if (rule->starts == MODEL_NONE && (rule->due_count > 0 || (rule->set_count > 0 && !signals)))
        problem(c->problems, rule->where, "rule '%s' sets fields, but starts no record",
                rule->name);
    if (signals)
        check_signal(c, rule);
    check_notice(c, &rule->tell, rule->event);
    if (rule->gate && rule->starts == MODEL_NONE)
        problem(c->problems, rule->where, "rule '%s' has a gate, but starts no record to wait for",
                rule->name);
    if (rule->gate)
        (void)check_event(c, watched, rule->gate_event);
}

/* ---- processes ---- */

/* Each of `words` must be one of `names`. */
static void check_each(struct checks *c, const char *what, const struct words *words,
                       const char *const *names, int count)
{
    int i, k;

    for (i = 0; i < words->count; i++) {
        struct nearest nearest = nearest_to(slice_str(words->at[i]));

        for (k = 0; k < count && strcmp(words->at[i], names[k]) != 0; k++)
            nearest_offer(&nearest, names[k]);
        if (k == count)
            problem(c->problems, where_of(words->at[i]), "unknown %s '%s'%s", what, words->at[i],
                    nearest_hint(&nearest, &c->problems->arena));
    }
}

static void check_process(struct checks *c, const struct process *process)
{
    const struct pack *p = c->pack;
    int most = p->kind_count + p->role_count + p->process_count + 1, i;
    const char **names = arena_zero(&c->problems->arena, sizeof *names * (size_t)most);

    for (i = 0; i < p->role_count; i++)
        names[i] = p->roles[i].name;
    check_each(c, "role", &process->owner, names, p->role_count);
    check_each(c, "role", &process->approves, names, p->role_count);
    check_each(c, "role", &process->tell, names, p->role_count);
    for (i = 0; i < p->kind_count; i++)
        names[i] = p->kinds[i].name;
    check_each(c, "kind", &process->runs, names, p->kind_count);
    for (i = 0; i < p->process_count; i++)
        names[i] = p->processes[i].id;
    check_each(c, "process", &process->triggers, names, p->process_count);
    check_retention(c, process->retention);
}

/* A cycle names its process by a value of the enum `process`. */
static void check_processes(struct checks *c)
{
    const struct pack *p = c->pack;
    bool has_runs = p->process_count == 0;
    int i, k;

    for (i = 0; i < p->process_count; i++) {
        check_process(c, &p->processes[i]);
        for (k = 0; k < i; k++)
            check_twice(c, "process", p->processes[i].id, p->processes[k].id);
    }
    for (i = 0; i < p->kind_count; i++) {
        const struct field *field = kind_field(&p->kinds[i], slice_str("process"));

        if (!kind_is_run(&p->kinds[i]))
            continue;
        has_runs = true;
        for (k = 0; k < p->process_count; k++) {
            if (!words_have(&field->of, slice_str(p->processes[k].id)))
                problem(c->problems, field->where, "'process' lacks the value '%s': %s",
                        p->processes[k].id, p->processes[k].title);
        }
    }
    if (!has_runs)
        problem(c->problems, p->processes[0].where,
                "no kind has the enum field 'process': there is nothing that a cycle could be");
}

void check_pack(const struct pack *pack, const struct written_pack *written,
                struct problems *problems)
{
    struct checks c = {pack, written, problems, NULL};
    int i;

    check_duplicates(&c);
    check_unused_lifecycles(&c);
    /* A kind that could not be built is missing wherever it is named; its own faults, which are said, come first. */
    if (pack->kind_count < written->kind_count)
        return;
    for (i = 0; i < pack->kind_count; i++) {
        c.kind = &pack->kinds[i];
        check_kind(&c);
    }
    for (i = 0; i < pack->rule_count; i++)
        check_rule(&c, &pack->rules[i]);
    check_processes(&c);
    c.kind = NULL;
    check_migration(&c);
    for (i = 0; i < pack->separation_count; i++)
        check_conflict(&c, &pack->separation[i]);
    for (i = 0; i < pack->message_count; i++)
        check_message(&c, &pack->messages[i]);
}
