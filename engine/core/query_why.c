/* query_why.c - why and prepare: what stands between somebody and an event, and what they will sign.
 *
 * Asks the same functions that decide: permission, guard, gates, needed fields, the plan of a round. So what is said here is what
 * will happen.
 */
#include "core/query_inside.h"

static void say(struct asking *asking, const char *key, struct slice sentence)
{
    struct value *list = value_at(asking->out, slice_str(key));

    value_push(asking->arena, list, value_text(sentence));
}

static struct slice names_text(struct asking *asking, const struct value *names)
{
    struct slice text = slice_str("nobody");

    for (uint32_t i = 0; i < names->count; i++) {
        struct slice name = value_slice(&names->as.items[i]);

        text = i == 0 ? name
                      : textf(asking->core, "%.*s, %.*s", (int)text.len, (const char *)text.at,
                              (int)name.len, (const char *)name.at);
    }
    return text;
}

static const struct words *who_may(const struct subject *subject,
                                   const struct transition *transition)
{
    return transition->creates && transition->by.count == 0 ? &subject->kind->create
                                                            : &transition->by;
}

static void put_who(struct asking *asking, const struct subject *subject, const struct words *words,
                    const char *key)
{
    struct value who = value_array();

    for (int i = 0; i < words->count; i++) {
        struct value one = value_map(), people = value_array();

        authority_people(asking->core, subject, slice_str(words->at[i]), &people);
        if (people.count == 0)
            authority_heirs(asking->core, subject, slice_str(words->at[i]), &people);
        value_set(asking->arena, &one, "word", value_str(words->at[i]));
        value_set(asking->arena, &one, "people", people);
        value_push(asking->arena, &who, one);
    }
    value_set(asking->arena, asking->out, key, who);
}

/* Who is kept apart, and by which rule. */
static void put_apart(struct asking *asking, const struct subject *subject,
                      const struct transition *transition)
{
    const struct approval *approval = subject->kind->approval;
    bool is_of_approval =
        transition->apart.count == 0 && transition->vote == VOTE_GRANT && approval != NULL;
    const struct words *words = is_of_approval ? &approval->apart : &transition->apart;
    struct value *list;

    if (words->count == 0)
        return;
    put_who(asking, subject, words, "apart");
    list = value_at(asking->out, slice_str("apart"));
    for (int i = 0; i < words->count; i++) {
        const char *rule = is_of_approval ? approval_rule(approval, i) : transition->apart_rule;

        value_set(asking->arena, &list->as.items[i], "rule",
                  value_str(rule != NULL ? rule : APART_RULE));
    }
}

static void put_transition(struct asking *asking, const struct subject *subject,
                           const struct transition *transition, struct slice person)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    const char *meaning = meaning_of(subject, transition, person);
    struct value out = value_map(), from = value_array();

    for (int i = 0; i < lifecycle->state_count; i++) {
        if (transition->from[i])
            value_push(asking->arena, &from, value_str(lifecycle->states[i].name));
    }
    value_set(asking->arena, &out, "event", value_str(transition->event));
    value_set(asking->arena, &out, "from", from);
    value_set(asking->arena, &out, "to", value_str(lifecycle->states[transition->to].name));
    value_set(asking->arena, &out, "meaning", meaning != NULL ? value_str(meaning) : VALUE_NONE);
    value_set(asking->arena, &out, "reason", value_bool(transition->reason));
    if (transition->when != NULL)
        value_set(asking->arena, &out, "when", value_str(expr_text(transition->when)));
    value_set(asking->arena, asking->out, "transition", out);
}

/* The row that answers the event here; else, with `*is_elsewhere`, one that answers it in another state. */
static const struct transition *find_row(const struct subject *subject, struct slice event,
                                         bool *is_elsewhere)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    int state = kind_state_index(subject->kind, value_get_text(subject->row, "state"));
    const struct transition *found =
        state != MODEL_NONE ? kind_transition(subject->kind, state, event) : NULL;

    *is_elsewhere = found == NULL;
    for (int i = 0; found == NULL && i < lifecycle->transition_count; i++) {
        if (slice_is(event, lifecycle->transitions[i].event))
            found = &lifecycle->transitions[i];
    }
    return found;
}

/* What top management may do about a rule of separation that stands against somebody. */
static void hint_waiver(struct asking *asking, const struct subject *subject, bool is_round_open)
{
    const char *rule = asking->core->apart.rule;
    struct slice person = asking->core->apart.person;
    struct value *hints = value_at(asking->out, slice_str("hints"));
    struct slice hint;

    if (rule == NULL || !waiver_is_possible(asking->core, subject, rule))
        return;
    hint = textf(asking->core,
                 "Where nobody else can do it, somebody of top management may waive %s for %.*s "
                 "over this very content, with a check that makes up for it: rota waive %.*s %s "
                 "--for %.*s --reason \"...\" --check \"...\"%s",
                 rule, (int)person.len, (const char *)person.at, (int)subject->id.len,
                 (const char *)subject->id.at, rule, (int)person.len, (const char *)person.at,
                 is_round_open ? ". Whom the open approval asks is settled: it is submitted again "
                                 "after that"
                               : "");
    if (hints == NULL) {
        value_set(asking->arena, asking->out, "hints", value_array());
        hints = value_at(asking->out, slice_str("hints"));
    }
    if (!value_has_text(hints, hint))
        value_push(asking->arena, hints, value_text(hint));
}

/* What a deciding function refused becomes a sentence, and the next one can be asked. */
static void take_refusal(struct asking *asking)
{
    struct core *core = asking->core;

    if (core->run->is_refused)
        say(asking, "missing", slice_str(core->run->refusal.sentence));
    core->run->is_refused = false;
}

/* The same of a function that asks about needs as well. */
static void take_need(struct asking *asking, const struct subject *subject)
{
    struct core *core = asking->core;

    if (core->run->is_refused && strcmp(core->run->refusal.code, "separation-of-duties") == 0)
        hint_waiver(asking, subject, false);
    take_refusal(asking);
}

/* What goes together with the record, and whether it can go along. */
static void explain_bundle(struct asking *asking, const struct subject *subject,
                           const struct transition *transition, struct slice person)
{
    struct value others = bundle_others(asking->core, subject);
    struct slice names = names_text(asking, &others);

    if (others.count == 0)
        return;
    say(asking, "holds",
        textf(asking->core,
              "It goes together with %.*s: all are approved and put in force, or none.",
              (int)names.len, (const char *)names.at));
    if (bundle_guard(asking->core, subject, transition, person) != 0)
        take_refusal(asking);
}

static void explain_guard(struct asking *asking, const struct subject *subject,
                          const struct transition *transition, struct slice person)
{
    struct core *core = asking->core;
    struct slice event = slice_str(transition->event), child;
    bool holds = transition->when == NULL ||
                 scope_holds(core, transition->when, subject, event, person, NULL, NULL);

    if (transition->when != NULL)
        say(asking, holds ? "holds" : "missing",
            transition->says != NULL && !holds
                ? slice_str(transition->says)
                : textf(core, "The condition %s: %s", holds ? "holds" : "does not hold",
                        expr_text(transition->when)));
    if (!gates_are_open(core, subject, transition->event, &child))
        say(asking, "missing",
            textf(core, "%s waits until %.*s is closed.", transition->event, (int)child.len,
                  (const char *)child.at));
    if (record_check_complete(core, subject, transition) != 0)
        take_need(asking, subject);
    explain_bundle(asking, subject, transition, person);
}

/* A round in stages, a line a stage. */
static void explain_stages(struct asking *asking, const struct subject *subject)
{
    const struct value *stages = value_get(subject->round, "stages");
    struct round_ballot ballot;
    struct ballot_count count;

    round_ballot(asking->core, subject->round, &ballot);
    ballot_count(&ballot.ballot, &count);
    for (int i = 0; i < ballot.ballot.stage_count; i++) {
        const struct value *stage = &stages->as.items[i];
        struct value people = still_to_vote_in(asking->arena, subject->round, stage);
        struct slice name = value_get_text(stage, "name"), names = names_text(asking, &people);
        struct slice stands = round_stage_state(subject->round, stage);
        const char *who = slice_is(stands, "open")      ? "still to answer: "
                          : slice_is(stands, "waiting") ? "will be asked when it begins: "
                                                        : NULL;

        say(asking, "holds",
            textf(asking->core, "Stage %.*s is %.*s: %lld of %lld granted%s%s%.*s.", (int)name.len,
                  (const char *)name.at, (int)stands.len, (const char *)stands.at,
                  (long long)count.stages[i].granted, (long long)count.stages[i].needed,
                  who != NULL ? "; " : "", who != NULL ? who : "", who != NULL ? (int)names.len : 0,
                  (const char *)names.at));
    }
}

/* Whom the approval would ask if the rule did not stand against them. */
static void hint_opening(struct asking *asking, const struct subject *subject)
{
    const struct approval *approval = subject->kind->approval;
    const struct transition *grant = row_of_vote(subject, VOTE_GRANT);
    const char *sentence = "";

    for (int i = 0; grant != NULL && i < approval->stage_count; i++) {
        struct value people = value_array(), round = value_map();
        struct subject seen = *subject;

        authority_people_of(asking->core, subject, &approval->stages[i].ask, &people);
        value_set(asking->arena, &round, "ask", people);
        seen.round = &round;
        for (uint32_t k = 0; k < people.count; k++) {
            if (authority_transition(asking->core, value_slice(&people.as.items[k]), &seen, grant,
                                     &sentence) == DENY_APART)
                hint_waiver(asking, subject, false);
        }
    }
}

/* Whether the round that the event opens could be granted by anybody: once nothing else stands in the way, as when it is
 * decided. */
static void explain_opening(struct asking *asking, const struct subject *subject,
                            const struct transition *transition, struct slice person)
{
    if (transition->opens_round && value_get(asking->out, "missing")->count == 0 &&
        check_opening(asking->core, subject, transition, person) != 0) {
        take_refusal(asking);
        hint_opening(asking, subject);
    }
}

static void explain_round(struct asking *asking, const struct subject *subject,
                          const struct transition *transition, struct slice person)
{
    struct core *core = asking->core;
    struct value waiting = still_to_vote(asking->arena, subject->round);
    struct slice names = names_text(asking, &waiting);

    if (subject->round == NULL) {
        if (transition->vote != VOTE_NONE)
            say(asking, "missing", slice_str("No approval is open; it begins with a submission."));
        return;
    }
    if (value_get(subject->round, "stages") != NULL)
        explain_stages(asking, subject);
    else
        say(asking, "holds",
            textf(core,
                  "Approval round %lld is open and needs %lld signatures; still to answer: %.*s.",
                  (long long)value_get_int(subject->round, "n", 0),
                  (long long)value_get_int(subject->round, "need", 1), (int)names.len,
                  (const char *)names.at));
    if (transition->opens_round)
        say(asking, "missing",
            textf(core, "%.*s already awaits approval.", (int)subject->id.len,
                  (const char *)subject->id.at));
    if (transition->vote != VOTE_NONE && round_check_voter(core, subject, transition, person) != 0)
        take_refusal(asking);
}

static void explain_signature(struct asking *asking, const struct subject *subject,
                              const struct transition *transition, struct slice person,
                              struct slice right)
{
    const char *meaning = meaning_of(subject, transition, right);

    if (transition->reason)
        say(asking, "holds", slice_str("A reason must be given with it (--reason \"...\")."));
    if (meaning == NULL)
        return;
    say(asking, "holds",
        textf(asking->core, "It must be signed, with the meaning \"%s\".", meaning));
    if (value_get_bin(authority_person(asking->core, person), "sign").len != SIGN_KEY_LEN)
        say(asking, "missing",
            textf(asking->core, "%.*s has no signing key in the directory.", (int)person.len,
                  (const char *)person.at));
}

static void explain_permission(struct asking *asking, const struct subject *subject,
                               const struct transition *transition, struct slice person,
                               struct slice right, struct slice number)
{
    const char *sentence = "";
    enum permission permission =
        authority_transition(asking->core, person, subject, transition, &sentence);

    if (!slice_equal(person, right)) {
        say(asking, "holds",
            textf(asking->core, "%.*s may do it for %.*s, by delegation %.*s.", (int)person.len,
                  (const char *)person.at, (int)right.len, (const char *)right.at, (int)number.len,
                  (const char *)number.at));
        value_set(asking->arena, asking->out, "for", value_text(right));
        value_set(asking->arena, asking->out, "delegation", value_text(number));
        return;
    }
    if (permission != PERMIT) {
        say(asking, "missing", slice_str(sentence));
        if (permission == DENY_APART)
            hint_waiver(asking, subject, transition->vote != VOTE_NONE && subject->round != NULL);
        return;
    }
    say(asking, "holds",
        textf(asking->core, "%.*s is among those who may.", (int)person.len,
              (const char *)person.at));
}

static void explain_state(struct asking *asking, const struct subject *subject,
                          const struct transition *transition, bool is_elsewhere)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    struct slice state = value_get_text(subject->row, "state");
    struct value from = value_array();
    struct slice names;

    for (int i = 0; i < lifecycle->state_count; i++) {
        for (int t = 0; t < lifecycle->transition_count; t++) {
            if (lifecycle->transitions[t].from[i] &&
                strcmp(lifecycle->transitions[t].event, transition->event) == 0 &&
                !value_has_text(&from, slice_str(lifecycle->states[i].name)))
                value_push(asking->arena, &from, value_str(lifecycle->states[i].name));
        }
    }
    names = names_text(asking, &from);
    say(asking, is_elsewhere ? "missing" : "holds",
        textf(asking->core, "%.*s is in state %.*s; %s is possible in %.*s.", (int)subject->id.len,
              (const char *)subject->id.at, (int)state.len, (const char *)state.at,
              transition->event, (int)names.len, (const char *)names.at));
}

static int why_edit(struct asking *asking, const struct subject *subject, struct slice person)
{
    struct slice name = value_get_text(subject->row, "state");
    const struct state *state = kind_state(subject->kind, name);
    const char *sentence = "";

    if (state != NULL)
        put_who(asking, subject, &state->edit, "who");
    if (state == NULL || state->edit.count == 0)
        say(asking, "missing",
            textf(asking->core, "%.*s is in state %.*s, in which nothing is edited.",
                  (int)subject->id.len, (const char *)subject->id.at, (int)name.len,
                  (const char *)name.at));
    else if (authority_edit(asking->core, person, subject, &sentence) != PERMIT)
        say(asking, "missing", slice_str(sentence));
    if (subject->round != NULL)
        say(asking, "holds",
            slice_str(
                "An approval is open; an edit makes its votes void, and it is submitted again."));
    return 0;
}

static void begin_answer(struct asking *asking)
{
    *asking->out = value_map();
    value_set(asking->arena, asking->out, "missing", value_array());
    value_set(asking->arena, asking->out, "holds", value_array());
    value_set(asking->arena, asking->out, "who", value_array());
}

int query_why(struct asking *asking)
{
    struct slice event = value_get_text(asking->args, "event");
    struct slice person = value_get_text(asking->args, "person");
    const struct transition *transition;
    struct slice right, number;
    struct subject subject;
    bool is_elsewhere;

    if (asked_subject(asking, &subject) != 0)
        return -1;
    if (person.len == 0)
        person = asking->query->principal;
    if (authority_person(asking->core, person) == NULL)
        return run_refuse(asking->core, 404, "no-record", "%.*s is not in the directory%s",
                          (int)person.len, (const char *)person.at,
                          or_stop(person_hint(asking->core, person)));
    begin_answer(asking);
    transition = find_row(&subject, event, &is_elsewhere);
    if (transition == NULL ? !slice_is(event, "edit") : transition->creates)
        return refuse_event(asking->core, &subject, event);
    if (transition == NULL) {
        why_edit(asking, &subject, person);
    } else {
        right = right_to_use(asking, &subject, transition, person,
                             value_get_text(asking->args, "for"), &number);
        put_transition(asking, &subject, transition, right);
        put_who(asking, &subject, who_may(&subject, transition), "who");
        put_apart(asking, &subject, transition);
        explain_state(asking, &subject, transition, is_elsewhere);
        explain_permission(asking, &subject, transition, person, right, number);
        explain_round(asking, &subject, transition, right);
        explain_guard(asking, &subject, transition, person);
        explain_opening(asking, &subject, transition, person);
        explain_signature(asking, &subject, transition, person, right);
    }
    value_set(asking->arena, asking->out, "person", value_text(person));
    value_set(asking->arena, asking->out, "allowed",
              value_bool(value_get(asking->out, "missing")->count == 0));
    return 0;
}

/* ---- prepare ---- */

static void prepare_vote(struct asking *asking, const struct subject *subject, struct value *out)
{
    int64_t n = value_get_int(subject->round, "n", 0);
    struct slice who = asking->query->principal;
    struct slice stream =
        textf(asking->core, "%.*s/round/%lld/%.*s", (int)subject->id.len,
              (const char *)subject->id.at, (long long)n, (int)who.len, (const char *)who.at);

    value_set(asking->arena, out, "stream", value_text(stream));
    value_set(asking->arena, out, "rev", value_int(0));
    value_set(asking->arena, out, "digest", *value_get(subject->round, "digest"));
    value_set(asking->arena, out, "round", value_int(n));
}

static void prepare_event(struct asking *asking, const struct subject *subject,
                          const struct transition *transition, struct slice right,
                          struct value *out)
{
    struct slice person = asking->query->principal;
    const char *meaning = meaning_of(subject, transition, right);

    value_set(asking->arena, out, "record", value_text(subject->id));
    value_set(asking->arena, out, "event", value_str(transition->event));
    value_set(asking->arena, out, "type",
              value_text(textf(asking->core, "record.%s", transition->event)));
    value_set(asking->arena, out, "stream", value_text(subject->id));
    value_set(asking->arena, out, "rev", value_int(value_get_int(subject->row, "rev", 0)));
    value_set(asking->arena, out, "digest", *value_get(subject->row, "digest"));
    if (transition->vote != VOTE_NONE)
        prepare_vote(asking, subject, out);
    if (!slice_equal(person, right))
        value_set(asking->arena, out, "for", value_text(right));
    value_set(asking->arena, out, "needs_signature", value_bool(meaning != NULL));
    value_set(asking->arena, out, "reason", value_bool(transition->reason));
    if (meaning == NULL)
        return;
    value_set(asking->arena, out, "meaning", value_str(meaning));
    value_set(asking->arena, out, "statement",
              value_text(statement_for(asking->core, subject, transition, person, right)));
    value_set(asking->arena, out, "under",
              under_of(asking->core, value_get_bin(subject->row, "pack")));
}

void put_refused(struct asking *asking)
{
    struct core *core = asking->core;
    const struct refusal *refusal = &core->run->refusal;
    struct value refused = value_map();

    if (!core->run->is_refused)
        return;
    value_set(asking->arena, &refused, "status", value_int(refusal->status));
    value_set(asking->arena, &refused, "code", value_str(refusal->code));
    value_set(asking->arena, &refused, "message",
              value_str(arena_str(asking->arena, refusal->sentence)));
    value_set(asking->arena, asking->out, "refused", refused);
    core->run->is_refused = false;
}

/* May they, now, as far as it takes no look at what will be given with it? So that nobody signs for nothing. */
static void check_preparing(struct asking *asking, const struct subject *subject,
                            const struct transition *transition, struct slice right)
{
    struct core *core = asking->core;
    struct slice person = asking->query->principal, wanted = value_get_text(asking->args, "for");
    enum permission permission = PERMIT;
    const char *sentence = "";

    if (wanted.len > 0)
        permission = authority_in_place(core, person, wanted, subject, transition, &sentence, NULL);
    else if (slice_equal(person, right))
        permission = authority_transition(core, person, subject, transition, &sentence);
    if (permission != PERMIT)
        refuse_permission(core, permission, sentence);
    else if (transition->vote != VOTE_NONE)
        round_check_voter(core, subject, transition, right);
    put_refused(asking);
}

/* What goes together with it and is to be signed by the same command. */
static void prepare_also(struct asking *asking, const struct subject *subject,
                         const struct transition *transition, struct slice right)
{
    bool is_vote = transition->vote != VOTE_NONE;
    struct value also = value_array(), others = value_array();

    if (is_vote)
        others = rounds_beside(asking->core, subject, right);
    else if (bundle_becomes_valid(subject, transition))
        others = bundle_others(asking->core, subject);
    for (uint32_t i = 0; i < others.count; i++) {
        const struct transition *row = NULL;
        struct subject other;
        struct value part = value_map();

        if (subject_find(asking->core, value_slice(&others.as.items[i]), &other))
            row = is_vote ? row_of_vote(&other, transition->vote)
                          : kind_transition(
                                other.kind,
                                kind_state_index(other.kind, value_get_text(other.row, "state")),
                                slice_str(transition->event));
        if (row == NULL || meaning_of(&other, row, right) == NULL)
            continue;
        prepare_event(asking, &other, row, right, &part);
        value_push(asking->arena, &also, part);
    }
    if (also.count > 0)
        value_set(asking->arena, asking->out, "also", also);
}

static void put_origin(struct asking *asking)
{
    *asking->out = value_map();
    value_set(
        asking->arena, asking->out, "origin",
        value_text(value_get_text(state_row(asking->core->state, slice_str("journal")), "origin")));
}

/* args {rule, person} besides: who may not, or need not, hears it before he signs. */
static int prepare_waiver(struct asking *asking, const struct subject *subject)
{
    struct slice rule = value_get_text(asking->args, "rule");
    struct slice person = value_get_text(asking->args, "person");

    if (waiver_check(asking->core, subject, rule, person, asking->query->principal) != 0)
        return -1;
    put_origin(asking);
    prepare_event(asking, subject, waiver_row(asking->core, subject, rule, person),
                  asking->query->principal, asking->out);
    value_set(asking->arena, asking->out, "stream",
              value_text(waiver_stream(asking->core, subject)));
    value_set(asking->arena, asking->out, "rev", value_int(0));
    return 0;
}

/* args {waiver} besides. */
static int prepare_waiver_end(struct asking *asking, const struct subject *subject)
{
    int64_t n = value_get_int(asking->args, "waiver", 0);

    if (waiver_end_check(asking->core, subject, n, asking->query->principal) != 0)
        return -1;
    put_origin(asking);
    prepare_event(asking, subject, waiver_end_row(asking->core, subject, n),
                  asking->query->principal, asking->out);
    value_set(asking->arena, asking->out, "stream",
              value_text(waiver_end_stream(asking->core, subject, n)));
    value_set(asking->arena, asking->out, "rev",
              value_int((int64_t)waiver_end_rev(asking->core, subject, n)));
    return 0;
}

/* args: what will be given, but for the reason. */
static int prepare_delegation(struct asking *asking)
{
    struct slice number;
    struct signing signing =
        delegation_signing(asking->core, asking->query->principal, asking->args, &number);

    put_origin(asking);
    value_set(asking->arena, asking->out, "type", value_text(signing.type));
    value_set(asking->arena, asking->out, "stream", value_text(signing.stream));
    value_set(asking->arena, asking->out, "rev", value_int((int64_t)signing.rev));
    value_set(asking->arena, asking->out, "number", value_text(number));
    value_set(asking->arena, asking->out, "needs_signature", value_bool(true));
    value_set(asking->arena, asking->out, "reason", value_bool(true));
    value_set(asking->arena, asking->out, "meaning", value_str(signing.meaning));
    value_set(asking->arena, asking->out, "statement", value_text(signing.statement));
    value_set(asking->arena, asking->out, "under", under_of(asking->core, signing.pack));
    delegation_check(asking->core, asking->query->principal, asking->args);
    put_refused(asking);
    return 0;
}

static int prepare_migration(struct asking *asking, const struct subject *subject,
                             struct slice event)
{
    const char *sentence = "";

    put_origin(asking);
    prepare_event(asking, subject, migration_row(asking->core, event), asking->query->principal,
                  asking->out);
    if (authority_command(asking->core, asking->query->principal, "migrate", &sentence) != PERMIT)
        refuse_permission(asking->core, DENY_ROLE, sentence);
    put_refused(asking);
    return 0;
}

int query_prepare(struct asking *asking)
{
    struct slice event = value_get_text(asking->args, "event");
    const struct transition *transition;
    struct slice right, number;
    struct subject subject;
    bool is_elsewhere;

    if (value_get(asking->args, "proposal") != NULL)
        return prepare_agreement(asking);
    if (slice_is(event, DELEGATION_COMMAND))
        return prepare_delegation(asking);
    if (asked_subject(asking, &subject) != 0)
        return -1;
    if (slice_is(event, WAIVE_COMMAND))
        return prepare_waiver(asking, &subject);
    if (slice_is(event, WAIVE_END_COMMAND))
        return prepare_waiver_end(asking, &subject);
    if (slice_is(event, "migrate") || slice_is(event, "migrate_back"))
        return prepare_migration(asking, &subject, event);
    transition = find_row(&subject, event, &is_elsewhere);
    if (transition == NULL || is_elsewhere || transition->creates)
        return refuse_event(asking->core, &subject, event);
    if (transition->vote != VOTE_NONE && subject.round == NULL)
        return run_refuse(asking->core, 409, "wrong-state", "No approval of %.*s is open.",
                          (int)subject.id.len, (const char *)subject.id.at);
    put_origin(asking);
    right = right_to_use(asking, &subject, transition, asking->query->principal,
                         value_get_text(asking->args, "for"), &number);
    prepare_event(asking, &subject, transition, right, asking->out);
    if (number.len > 0)
        value_set(asking->arena, asking->out, "delegation", value_text(number));
    prepare_also(asking, &subject, transition, right);
    check_preparing(asking, &subject, transition, right);
    return 0;
}
