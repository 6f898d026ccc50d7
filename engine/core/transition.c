/* transition.c - a record changes state, and all that goes with it, in one leaf; then what follows from it.
 *
 *     guard -> own patch (state, fields, validity, timers) -> round -> tasks, notices -> leaf
 *           -> predecessor superseded -> successor opened -> rules -> automatic transitions
 */
#include "core/inside.h"

#include "base/check.h"

enum {
    ASKED_MAX = 800, /* people asked to acknowledge by one leaf */
    NEIGHBOURS_AT_ONCE = 200
};

/* ---- what must hold before ---- */

/* What a grant of this person means: as frozen in the open round, else as the approval says. */
static const char *meaning_of_grant(const struct subject *subject, struct slice actor)
{
    const struct approval *approval = subject->kind->approval;
    const struct value *stage = round_stage(subject->round, actor);

    for (int i = 0; i < approval->stage_count; i++) {
        if (slice_is(value_get_text(stage, "name"), approval->stages[i].name))
            return approval->stages[i].meaning;
    }
    return approval->stages[0].meaning;
}

const char *meaning_of(const struct subject *subject, const struct transition *transition,
                       struct slice actor)
{
    if (transition->meaning != NULL)
        return transition->meaning;
    if (transition->vote == VOTE_GRANT && subject->kind->approval != NULL)
        return meaning_of_grant(subject, actor);
    /* To refuse or return is to have looked at it: that is signed too. */
    return transition->vote != VOTE_NONE ? "reviewed" : NULL;
}

struct slice statement_of(struct core *core, const struct subject *subject,
                          const struct transition *transition, struct slice actor)
{
    const char *name = meaning_of(subject, transition, actor);
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));
    const struct meaning *meaning = name != NULL ? pack_meaning(pack, name) : NULL;
    const char *template = transition->statement;
    struct slice digest = value_get_bin(subject->row, "digest");
    struct value names = value_map();
    char *hex = arena_take(core->arena, 2 * HASH_LEN + 1);

    if (template == NULL)
        template = meaning != NULL ? meaning->statement : "I sign {{record}} as {{meaning}}.";
    hex_encode(digest, hex);
    value_set(core->arena, &names, "record", value_text(subject->id));
    value_set(core->arena, &names, "version", value_text(value_get_text(subject->row, "version")));
    value_set(core->arena, &names, "title", value_text(value_get_text(subject->row, "title")));
    value_set(core->arena, &names, "kind", value_str(subject->kind->title));
    value_set(core->arena, &names, "event", value_str(transition->event));
    value_set(core->arena, &names, "meaning", value_str(name != NULL ? name : ""));
    value_set(core->arena, &names, "digest", value_str(hex));
    return render(core, template, &names);
}

struct slice statement_for(struct core *core, const struct subject *subject,
                           const struct transition *transition, struct slice actor,
                           struct slice right)
{
    struct slice statement = statement_of(core, subject, transition, right);

    if (slice_equal(actor, right))
        return statement;
    return textf(core, "%.*s In the place of %.*s.", (int)statement.len, (const char *)statement.at,
                 (int)right.len, (const char *)right.at);
}

static int refuse_guard(struct core *core, const struct transition *transition,
                        const struct error *why)
{
    return run_refuse(
        core, 422, "guard-failed", "%s%s%s",
        transition->says != NULL ? transition->says : "The condition does not hold: ",
        transition->says != NULL ? "" : expr_text(transition->when),
        why->class != ERROR_NONE && transition->says == NULL ? " (a field it reads is empty)" : "");
}

int guard_transition(struct core *core, const struct subject *subject,
                     const struct transition *transition, struct slice actor,
                     const struct value *args)
{
    return guard_alone(core, subject, transition, actor, args) != 0
               ? -1
               : bundle_guard(core, subject, transition, actor);
}

/* Is this the moment? Its condition holds, what it waits for is closed, what is erased has had its time. */
static int guard_moment(struct core *core, const struct subject *subject,
                        const struct transition *transition, struct slice actor,
                        const struct value *args)
{
    struct error why = {ERROR_NONE, ""};
    struct slice child;

    if (transition->when != NULL && !scope_holds(core, transition->when, subject,
                                                 slice_str(transition->event), actor, args, &why))
        return refuse_guard(core, transition, &why);
    if (!gates_are_open(core, subject, transition->event, &child))
        return run_refuse(core, 422, "guard-failed", "%s waits until %.*s is closed.",
                          transition->event, (int)child.len, (const char *)child.at);
    return transition->erases ? guard_erasing(core, subject) : 0;
}

int guard_alone(struct core *core, const struct subject *subject,
                const struct transition *transition, struct slice actor, const struct value *args)
{
    return guard_moment(core, subject, transition, actor, args) != 0
               ? -1
               : record_check_complete(core, subject, transition);
}

static const struct value *origin_row(struct core *core)
{
    return state_row(core->state, slice_str("journal"));
}

static int refuse_signature(struct core *core, const char *what)
{
    return run_refuse(core, 403, "not-allowed", "The signature is refused: %s.", what);
}

static bool is_hash_of(struct slice given, struct slice bytes)
{
    uint8_t hash[HASH_LEN];

    hash_bytes(bytes, hash);
    return slice_equal(given, slice_of(hash, HASH_LEN));
}

/* Who may what is settled by the directory and a pack: the person signs under which. A signature that was made under others
 * is not one under these, though nothing else may have changed: it is asked for again. */
static int check_signed_under(struct core *core, const struct question *question,
                              const struct signing *signing)
{
    const struct value *signed_under = value_get(question->args, "under");
    struct value now = under_of(core, signing->pack);

    if (!value_is(signed_under, VALUE_MAP))
        return refuse_signature(core, "it must name the directory and the definitions that it is "
                                      "made under (`under`, as `prepare` says it)");
    if (value_equal(signed_under, &now))
        return 0;
    return run_refuse(core, 409, "stale-rules",
                      "The directory or the definitions have changed since you were told what to "
                      "sign for %.*s. Nothing was done; look at it and sign it again.",
                      (int)signing->about.len, (const char *)signing->about.at);
}

int check_signing(struct core *core, const struct question *question, const struct signing *signing)
{
    struct slice key = value_get_bin(authority_person(core, question->principal), "sign");
    struct slice signature = question->signature;
    struct value content = VALUE_NONE;
    struct buf message = BUF_EMPTY;
    bool holds;

    if (key.len != SIGN_KEY_LEN)
        return refuse_signature(core, "you have no signing key in the directory");
    if (!slice_is(value_get_text(question->args, "meaning"), signing->meaning))
        return refuse_signature(core, "it must carry the meaning of this decision");
    if (!slice_equal(value_get_bin(question->args, "digest"), signing->digest))
        return run_refuse(core, 409, "stale-content",
                          "What you signed is not the present content of %.*s; look at it again.",
                          (int)signing->about.len, (const char *)signing->about.at);
    if (!is_hash_of(value_get_bin(question->args, "key"), key))
        return refuse_signature(core, "it was not made with the key in the directory");
    if (check_signed_under(core, question, signing) != 0)
        return -1;
    if (!is_hash_of(value_get_bin(question->args, "statement"), signing->statement))
        return refuse_signature(core, "the sentence that was signed is another one");
    if (signature.len != SIGNATURE_LEN)
        return refuse_signature(core, "there is none; this decision must be signed");
    if (leaf_contents(core->arena, question->args, &content) != 0)
        return run_refuse(core, 413, "too-large", "Too many files in one command.");
    leaf_command_message(&message, value_get_text(origin_row(core), "origin"),
                         core->run->command_id, signing->type, signing->stream, signing->rev,
                         question->principal, question->args, &content);
    if (slice_is(value_get_text(question->args, "sig_format"), "sshsig"))
        sign_wrap_for_ssh(&message);
    holds = sign_verify(key.at, buf_slice(&message), signature.at);
    buf_release(&message);
    core->is_signature_checked = holds;
    return holds ? 0 : refuse_signature(core, "it does not match what was sent");
}

int check_signature(struct core *core, const struct question *question,
                    const struct subject *subject, const struct transition *transition,
                    struct slice stream, uint64_t rev_before, struct slice digest)
{
    struct signing signing = {
        .type = textf(core, "record.%.*s", (int)question->command.len,
                      (const char *)question->command.at),
        .stream = stream,
        .rev = rev_before,
        .meaning = meaning_of(subject, transition, question_right(question)),
        .statement =
            statement_for(core, subject, transition, question->principal, question_right(question)),
        .digest = digest,
        .about = subject->id,
        .pack = value_get_bin(subject->row, "pack")};

    return check_signing(core, question, &signing);
}

/* ---- the record's own patch ---- */

/* A record that is being created is seen as it is born. */
/* Does what a person gave with the event become content, which is approved under its digest? Then they are among its
 * editors. What the engine keeps (field_is_content()) is none: who notes an outcome may vote in the next round. */
static bool writes_content(const struct move *move, const struct setting *setting)
{
    const struct field *field = kind_field(move->subject.kind, slice_str(setting->field));

    return field != NULL && field_is_content(field) && move->subject.row != NULL &&
           !slice_is(move->author.actor, "engine") &&
           strstr(expr_text(setting->value), "args.") != NULL;
}

static int put_settings(struct core *core, struct move *move)
{
    const struct transition *transition = move->transition;
    struct value scope, *fields, born = move->own;
    struct subject seen = move->subject;

    if (transition->set_count == 0)
        return 0;
    if (seen.row == NULL) {
        born = value_copy(core->arena, &move->own);
        seen.row = &born;
    }
    fields = value_sub(core->arena, &move->own, slice_str("fields"));
    for (int i = 0; i < transition->set_count; i++) {
        const struct setting *setting = &transition->set[i];
        struct value value = VALUE_NONE;
        struct error why = {ERROR_NONE, ""};

        scope = scope_of(core, &seen, slice_str(transition->event), move->author.actor, move->args,
                         expr_uses(setting->value));
        if (scope_eval(core, setting->value, &scope, &value, &why) != 0)
            return run_refuse(core, 422, "guard-failed", "Field %s could not be computed: %s.",
                              setting->field, why.text);
        value = held(core, &seen, kind_field(seen.kind, slice_str(setting->field)), value);
        value_set(core->arena, fields, setting->field, value);
        if (writes_content(move, setting))
            put_editor(core, &move->subject, move->author.actor, &move->own);
    }
    return 0;
}

/* Fields that a person gives together with an event: decisions, results, dates. */
static void put_given(struct core *core, struct move *move)
{
    const struct value *set = value_get(move->args, "set");
    struct value *fields;

    if (set == NULL || move->subject.row == NULL)
        return;
    fields = value_sub(core->arena, &move->own, slice_str("fields"));
    for (uint32_t i = 0; i < set->count; i++)
        value_put(core->arena, fields, set->as.pairs[i].key, set->as.pairs[i].value);
    if (set->count == 0 || slice_is(move->author.actor, "engine"))
        return;
    put_editor(core, &move->subject, move->author.actor, &move->own);
    if (value_get_text(move->args, "for").len > 0)
        put_editor(core, &move->subject, value_get_text(move->args, "for"), &move->own);
}

bool record_is_granted(struct core *core, const struct subject *subject)
{
    const struct value *round = state_rowf(core->state, "%.*s/round/%lld", (int)subject->id.len,
                                           (const char *)subject->id.at,
                                           (long long)value_get_int(subject->row, "rounds", 0));

    return slice_is(value_get_text(round, "state"), "granted");
}

/* What was approved changes by no event: only what the state lets people edit may be given with one. */
static int check_given(struct core *core, const struct subject *subject, const struct value *set)
{
    const struct state *state = kind_state(subject->kind, value_get_text(subject->row, "state"));

    if (!record_is_granted(core, subject))
        return 0;
    for (uint32_t i = 0; i < set->count; i++) {
        if (state->edit.count == 0 || (state->edit_fields.count > 0 &&
                                       !words_have(&state->edit_fields, set->as.pairs[i].key)))
            return run_refuse(core, 409, "wrong-state",
                              "Field %.*s was approved and cannot be changed in state %s.",
                              (int)set->as.pairs[i].key.len, (const char *)set->as.pairs[i].key.at,
                              state->name);
    }
    return 0;
}

/* Checks them, and shows them to the guard: the record is then seen as it will be. */
static int see_given(struct core *core, struct subject *subject, const struct value *set)
{
    struct value *row;

    if (set == NULL)
        return 0;
    if (!value_is(set, VALUE_MAP))
        return run_refuse(core, 400, "malformed", "\"set\" is a map of field names to values.");
    if (subject->kind->lifecycle->versioned &&
        kind_state(subject->kind, value_get_text(subject->row, "state"))->edit.count == 0)
        return run_refuse(core, 409, "wrong-state",
                          "The content of %.*s is signed; a change needs a new version.",
                          (int)subject->id.len, (const char *)subject->id.at);
    if (record_check_fields(core, subject->kind, set, true) != 0 ||
        check_given(core, subject, set) != 0)
        return -1;
    row = arena_take(core->arena, sizeof *row);
    *row = value_copy(core->arena, subject->row);
    value_merge(core->arena, value_sub(core->arena, row, slice_str("fields")), set);
    subject->row = row;
    return 0;
}

/* Who did what is kept by event: separation of duties asks for it later. */
static struct slice doer(const struct move *move)
{
    return move->person.len > 0 ? move->person : move->author.actor;
}

/* In whose place it is done, as the command says; what the engine does is in nobody's. */
static struct slice in_place_of(const struct move *move)
{
    return slice_is(move->author.actor, "engine") ? slice_of(NULL, 0)
                                                  : value_get_text(move->args, "for");
}

static void put_deed(struct core *core, struct move *move)
{
    struct slice who = doer(move), in_place = in_place_of(move);
    const char *event = move->transition->event;
    const struct value *did = value_get(value_get(move->subject.row, "did"), event);
    struct value people = value_array();

    if (slice_is(who, "engine"))
        return;
    for (uint32_t i = 0; value_is(did, VALUE_ARRAY) && i < did->count; i++)
        value_push(core->arena, &people, did->as.items[i]);
    if (!value_has_text(&people, who))
        value_push(core->arena, &people, value_text(who));
    if (in_place.len > 0 && !value_has_text(&people, in_place))
        value_push(core->arena, &people, value_text(in_place));
    value_set(core->arena, value_sub(core->arena, &move->own, slice_str("did")), event, people);
}

static struct slice review_due(struct core *core, const struct span *every)
{
    const struct calendar *calendar = calendar_of(core);
    char *text = arena_take(core->arena, DATE_TEXT_LEN + 1);

    date_format(zone_date(calendar->zone, span_after(calendar, core->now_ms, every)), text);
    return slice_str(text);
}

static bool is_some(const struct span *span)
{
    return span->months != 0 || span->days != 0 || span->ms != 0;
}

/* One version of a document is valid at a time, and it is known which. */
static void put_validity(struct core *core, struct move *move, const struct state *to)
{
    struct subject *subject = &move->subject;
    bool was = value_get_bool(subject->row, "valid", false);
    struct slice base = record_base(subject->id);
    struct value *document, *valid;
    const struct value *listed;
    struct slice name;

    if (!subject->kind->lifecycle->versioned || was == to->is_valid)
        return;
    name = textf(core, "valid/%s", subject->kind->name);
    listed = value_find(value_get(state_row(core->state, name), "records"), base);
    document = run_patch(core, &move->effects, base);
    if (to->is_valid) {
        value_set(core->arena, &move->own, "valid", value_bool(true));
        value_set(core->arena, &move->own, "in_force_ms", value_int(core->now_ms));
        value_set(core->arena, document, "valid", value_text(record_version(subject->id)));
        valid = value_sub(core->arena, run_patch(core, &move->effects, name), slice_str("records"));
        value_put(core->arena, valid, base, value_text(subject->id));
        return;
    }
    value_set(core->arena, &move->own, "valid", VALUE_NONE);
    if (slice_equal(value_get_text(state_row(core->state, base), "valid"),
                    record_version(subject->id)))
        value_set(core->arena, document, "valid", VALUE_NONE);
    if (value_is(listed, VALUE_STR) && slice_equal(value_slice(listed), subject->id)) {
        valid = value_sub(core->arena, run_patch(core, &move->effects, name), slice_str("records"));
        value_put(core->arena, valid, base, VALUE_NONE);
    }
}

/* The first review may be on a day that people chose and signed; whatever follows is a period on. */
static void put_review(struct core *core, struct move *move, const struct state *to)
{
    const struct kind *kind = move->subject.kind;
    bool becomes_valid = to->is_valid && !value_get_bool(move->subject.row, "valid", false);
    const struct value *first = record_field(&move->subject, "first_review");
    struct value *fields;

    if (!is_some(&kind->review_every) || !(move->transition->reviewed || becomes_valid) ||
        kind_field(kind, slice_str("next_review_due")) == NULL)
        return;
    fields = value_sub(core->arena, &move->own, slice_str("fields"));
    if (value_get(fields, "next_review_due") != NULL) /* the transition's own `set` knows better */
        return;
    value_set(core->arena, fields, "next_review_due",
              becomes_valid && value_is(first, VALUE_STR)
                  ? *first
                  : value_text(review_due(core, &kind->review_every)));
    value_set(core->arena, &move->own, "reviewed_ms", value_int(core->now_ms));
}

static void put_state(struct core *core, struct move *move, const struct state *to)
{
    const struct value *row = move->subject.row;

    if (row == NULL || !slice_is(value_get_text(row, "state"), to->name)) {
        value_set(core->arena, &move->own, "state", value_str(to->name));
        value_set(core->arena, &move->own, "stage", value_str(stage_name(to->stage)));
        value_set(core->arena, &move->own, "entered_ms", value_int(core->now_ms));
    }
    value_set(core->arena, &move->own, "changed_ms", value_int(core->now_ms));
}

/* The record as it will be: what its timers and rounds are computed from. */
static struct value row_after(struct core *core, const struct move *move)
{
    return value_merged(core->arena, move->subject.row, &move->own);
}

/* Whoever is asked to acknowledge gets a row of their own when the asking begins. */
static int put_asked(struct core *core, struct move *move, const struct state *to,
                     const struct value *after)
{
    struct subject seen = {move->subject.id, after, move->subject.kind, NULL};
    struct value people = value_array();

    if (seen.kind->acknowledge.count == 0 || to->stage != STAGE_IN_FORCE)
        return 0;
    authority_asked(core, &seen, &people);
    if (people.count > ASKED_MAX)
        return run_refuse(core, 413, "too-large",
                          "More than %d people would be asked at once; split the audience.",
                          ASKED_MAX);
    for (uint32_t i = 0; i < people.count; i++) {
        struct slice name = value_slice(&people.as.items[i]);
        struct slice key = textf(core, "%.*s/ack/%.*s", (int)seen.id.len, (const char *)seen.id.at,
                                 (int)name.len, (const char *)name.at);
        struct value *row;

        if (state_row(core->state, key) != NULL)
            continue;
        row = run_patch(core, &move->effects, key);
        value_set(core->arena, row, "person", value_text(name));
        value_set(core->arena, row, "state", value_str("asked"));
        value_set(core->arena, row, "asked_ms", value_int(core->now_ms));
    }
    return 0;
}

static int prepare_own(struct core *core, struct move *move, struct value *after)
{
    const struct kind *kind = move->subject.kind;
    const struct state *to = &kind->lifecycle->states[move->transition->to];
    struct value timers;

    put_state(core, move, to);
    if (bundle_becomes_valid(&move->subject, move->transition))
        value_set(core->arena, &move->own, "bundle", VALUE_NONE);
    put_deed(core, move);
    put_act(core, &move->subject, doer(move), &move->own);
    if (in_place_of(move).len > 0)
        put_act(core, &move->subject, in_place_of(move), &move->own);
    put_given(core, move);
    put_retention(core, move, to);
    if (put_settings(core, move) != 0)
        return -1;
    put_validity(core, move, to);
    put_review(core, move, to);
    if (move->transition->erases)
        put_disposed(core, move);
    *after = row_after(core, move);
    record_put_digest(core, &move->subject, after, &move->own);
    *after = row_after(core, move);
    /* A round that this ends has ended its timers already. */
    timers =
        value_get(&move->own, "timers") != NULL ? *value_get(&move->own, "timers") : value_map();
    timers_arm(core, &move->subject, move->transition->to, value_get(after, "fields"), &timers);
    if (timers.count > 0)
        value_set(core->arena, &move->own, "timers", timers);
    return put_asked(core, move, to, after);
}

int check_opening(struct core *core, const struct subject *subject,
                  const struct transition *transition, struct slice person)
{
    const struct transition *grant = row_of_vote(subject, VOTE_GRANT);
    struct value args = value_map(), after = VALUE_NONE, plan;
    struct subject seen = *subject;
    struct move move = {.subject = *subject,
                        .transition = transition,
                        .author = {.actor = person, .cause = -1},
                        .args = &args,
                        .own = value_map(),
                        .effects = value_map()};

    if (grant == NULL || subject->kind->approval == NULL)
        return 0;
    if (prepare_own(core, &move, &after) != 0)
        return -1;
    seen.row = &after;
    seen.round = NULL;
    return round_plan(core, &seen, transition, grant, person, &plan);
}

/* ---- what follows ---- */

static int supersede(struct core *core, struct move *move, struct slice old_version)
{
    struct slice id = move->subject.id, base = record_base(id);
    struct subject old;
    const struct transition *transition;
    struct move next = {0};
    struct value args = value_map();

    if (old_version.len == 0 || slice_equal(old_version, record_version(id)))
        return 0;
    if (!subject_find(core,
                      textf(core, "%.*s@%.*s", (int)base.len, (const char *)base.at,
                            (int)old_version.len, (const char *)old_version.at),
                      &old))
        return 0;
    transition =
        kind_transition(old.kind, kind_state_index(old.kind, value_get_text(old.row, "state")),
                        slice_str("supersede"));
    if (transition == NULL)
        return run_refuse(
            core, 409, "wrong-state", "%.*s is valid and nothing supersedes it in its state %.*s.",
            (int)old.id.len, (const char *)old.id.at, (int)value_get_text(old.row, "state").len,
            (const char *)value_get_text(old.row, "state").at);
    if (run_has_changed(core, old.id))
        return run_refuse(core, 409, "wrong-state",
                          "%.*s changes by this very command and cannot be superseded by it too.",
                          (int)old.id.len, (const char *)old.id.at);
    value_set(core->arena, &args, "by", value_text(id));
    next.subject = old;
    next.transition = transition;
    next.author = run_engine(move->seq);
    next.args = &args;
    next.type = slice_str("record.supersede");
    next.own = value_map();
    next.effects = value_map();
    return move_make(core, &next);
}

static struct slice next_version(struct core *core, struct slice version, bool is_minor)
{
    int64_t major = 0, minor = 0;
    size_t i = 0;

    for (; i < version.len && version.at[i] != '.'; i++)
        major = major * 10 + (version.at[i] - '0');
    for (i++; i < version.len; i++)
        minor = minor * 10 + (version.at[i] - '0');
    return is_minor ? textf(core, "%lld.%lld", (long long)major, (long long)minor + 1)
                    : textf(core, "%lld.0", (long long)major + 1);
}

/* Fields that belong to one version and are not carried into the next. */
static bool stays_behind(const struct kind *kind, struct slice name)
{
    const struct field *field = kind_field(kind, name);

    return field == NULL || field->computed || slice_is(name, "effective_from") ||
           slice_is(name, "first_review") || slice_is(name, "change_reason");
}

static int open_successor(struct core *core, struct move *move, struct slice person)
{
    struct subject *subject = &move->subject;
    const struct pack *pack = core_current_pack(core);
    const struct kind *kind = pack_kind(pack, slice_str(subject->kind->name));
    struct slice base = record_base(subject->id), version = record_version(subject->id);
    struct slice latest = value_get_text(state_row(core->state, base), "latest");
    const struct value *old = value_get(subject->row, "fields");
    struct value fields = value_map(), links = value_map(), effects = value_map();
    struct value body = value_map(), extra = value_map();
    struct author author = run_engine(move->seq);
    struct slice id;

    if (kind == NULL || !slice_equal(latest, version))
        return run_refuse(core, 409, "wrong-state",
                          "Version %.*s of %.*s is already being prepared.", (int)latest.len,
                          (const char *)latest.at, (int)base.len, (const char *)base.at);
    /* A version that was begun and withdrawn keeps its number. */
    do {
        version =
            next_version(core, version, slice_is(value_get_text(move->args, "change"), "minor"));
        id = textf(core, "%.*s@%.*s", (int)base.len, (const char *)base.at, (int)version.len,
                   (const char *)version.at);
    } while (state_row(core->state, id) != NULL);
    for (uint32_t i = 0; i < old->count; i++) {
        if (!stays_behind(kind, old->as.pairs[i].key))
            value_put(core->arena, &fields, old->as.pairs[i].key, old->as.pairs[i].value);
    }
    value_put(core->arena, &links, subject->id, value_str("supersedes"));
    value_set(core->arena, &body, "kind", value_str(kind->name));
    value_set(core->arena, &body, "from", value_text(subject->id));
    value_set(core->arena, &extra, "owner", value_text(value_get_text(subject->row, "owner")));
    value_set(core->arena, &extra, "author",
              value_text(person.len > 0 ? person : value_get_text(subject->row, "owner")));
    return record_create(core, kind, &author, &body, id, value_get_text(subject->row, "title"),
                         &fields, &links, &extra, slice_str("rule"), &effects);
}

static int drop_successor(struct core *core, struct move *move, struct slice latest)
{
    struct slice base = record_base(move->subject.id);
    struct value args = value_map();
    struct move next = {0};

    /* What was withdrawn or rejected before stays so; move_make() has made this version the latest again. */
    if (slice_equal(latest, record_version(move->subject.id)) ||
        !subject_find(core,
                      textf(core, "%.*s@%.*s", (int)base.len, (const char *)base.at,
                            (int)latest.len, (const char *)latest.at),
                      &next.subject) ||
        slice_is(value_get_text(next.subject.row, "stage"), "closed"))
        return 0;
    next.transition = kind_transition(
        next.subject.kind,
        kind_state_index(next.subject.kind, value_get_text(next.subject.row, "state")),
        slice_str("withdraw"));
    if (next.transition == NULL)
        return run_refuse(core, 409, "wrong-state", "%.*s can no longer be withdrawn.",
                          (int)next.subject.id.len, (const char *)next.subject.id.at);
    value_set(core->arena, &args, "by", value_text(move->subject.id));
    next.author = run_engine(move->seq);
    next.args = &args;
    next.type = slice_str("record.withdraw");
    next.own = value_map();
    next.effects = value_map();
    return move_make(core, &next);
}

static int follow_up(struct core *core, struct move *move, struct slice old_version,
                     struct slice latest)
{
    const struct transition *transition = move->transition;
    struct slice person =
        slice_is(move->author.actor, "engine") ? slice_of(NULL, 0) : move->author.actor;

    if (transition->erases && contents_erase(core, move->subject.id, move->seq) != 0)
        return -1;
    if (transition->supersedes && supersede(core, move, old_version) != 0)
        return -1;
    if (transition->makes_successor && open_successor(core, move, person) != 0)
        return -1;
    if (transition->drops_successor && drop_successor(core, move, latest) != 0)
        return -1;
    if (!subject_find(core, move->subject.id, &move->subject))
        return run_refuse(core, 500, "internal", "The record vanished while it changed.");
    if (rules_fire(core, &move->subject, transition->event, move->seq, move->args) != 0)
        return -1;
    run_follow(core, move->subject.id, NULL, move->seq, NULL, NOBODY);
    return 0;
}

/* An open round does not survive that its record goes elsewhere. */
static bool close_round(struct core *core, struct move *move)
{
    if (move->subject.round == NULL ||
        !slice_is(value_get_text(move->subject.round, "state"), "open") ||
        value_get(&move->own, "round") != NULL)
        return false;
    round_void(core, &move->subject, &move->effects, &move->own, "void");
    return true;
}

/* What goes together with the record goes along: in force with it, void with it. */
static int take_along(struct core *core, struct move *move, const struct value *others,
                      bool becomes_valid, bool is_void)
{
    if (becomes_valid &&
        bundle_follow(core, others, move->subject.id, move->transition, doer(move), move->seq) != 0)
        return -1;
    return is_void ? rounds_void(core, others, move->seq) : 0;
}

/* Rules of separation that it would have met, had nobody waived them. */
static void put_waived(struct core *core, struct move *move)
{
    struct slice actor = doer(move);
    struct value used =
        waivers_used(core, actor, in_place_of(move), &move->subject, move->transition);

    if (used.count == 0)
        return;
    value_set(core->arena, value_sub(core->arena, &move->own, slice_str("waived")),
              move->transition->event, used);
    waivers_note(core, &move->subject, move->transition->event, actor, &used, &move->effects);
}

int move_make(struct core *core, struct move *move)
{
    const struct transition *transition = move->transition;
    struct slice base = record_base(move->subject.id);
    const struct value *document = state_row(core->state, base);
    struct slice old_version = keep_text(core, value_get_text(document, "valid"));
    struct slice latest = keep_text(core, value_get_text(document, "latest"));
    struct value after = VALUE_NONE, others = bundle_others(core, &move->subject);
    struct subject seen = move->subject;
    bool becomes_valid = bundle_becomes_valid(&move->subject, transition), is_void;

    put_waived(core, move);
    if (move->author.signature.len > 0)
        put_under(core, value_get_bin(move->subject.row, "pack"), &move->own);
    if (prepare_own(core, move, &after) != 0)
        return -1;
    is_void = close_round(core, move);
    seen.row = &after;
    if (transition->opens_round && round_open(core, move, &after) != 0)
        return -1;
    if (task_plan_all(core, &seen, transition, move->args, &move->effects, &move->own) != 0)
        return -1;
    for (int i = 0; i < transition->tell_count; i++) {
        if (tell(core, &seen, &transition->tell[i], slice_str(transition->event),
                 move->author.actor, move->args, &move->effects) != 0)
            return -1;
    }
    /* The document's newest version is again the one that stays. */
    if (transition->drops_successor)
        value_set(core->arena, run_patch(core, &move->effects, base), "latest",
                  value_text(record_version(move->subject.id)));
    value_set(core->arena, &move->effects, "", move->own);
    move->seq = run_leaf(core, (const char *)move->type.at, move->subject.id, move->subject.id,
                         &move->author, move->args, &move->effects);
    if (move->seq < 0 || take_along(core, move, &others, becomes_valid, is_void) != 0)
        return -1;
    return follow_up(core, move, old_version, latest);
}

/* ---- the ways in ---- */

static bool is_event_key(struct slice key)
{
    static const char *const keys[] = {
        "reason",       "comment", "set",       "change", "meaning",    "digest",
        "round",        "key",     "statement", "target", "sig_format", "if_revision",
        "on_behalf_of", "with",    "also",      "for",    "under"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (slice_is(key, keys[i]))
            return true;
    }
    return slice_starts(key, "x-");
}

/* A field that the engine keeps is given by a person only where the row sets it: an outcome, which is no content. */
static bool is_outcome(const struct transition *transition, const struct field *field)
{
    for (int i = 0; transition != NULL && i < transition->set_count; i++) {
        if (strcmp(transition->set[i].field, field->name) == 0)
            return true;
    }
    return false;
}

/* Besides what every event takes, fields by name: what the expressions of `set` call args.NAME. */
static int check_event_args(struct core *core, const struct kind *kind,
                            const struct transition *transition, const struct value *args)
{
    struct value given = value_map(), outcomes = value_map();
    const struct field *field;

    for (uint32_t i = 0; i < args->count; i++) {
        if (is_event_key(args->as.pairs[i].key))
            continue;
        field = kind_field(kind, args->as.pairs[i].key);
        if (field != NULL)
            value_put(core->arena,
                      field->computed && is_outcome(transition, field) ? &outcomes : &given,
                      args->as.pairs[i].key, args->as.pairs[i].value);
        else
            return run_refuse(
                core, 400, "unknown-key", "An event knows no argument \"%.*s\"%s",
                (int)args->as.pairs[i].key.len, (const char *)args->as.pairs[i].key.at,
                or_stop(field_hint(core, kind->fields, kind->field_count, args->as.pairs[i].key)));
    }
    return record_check_fields(core, kind, &given, true) != 0 ||
                   record_check_fields(core, kind, &outcomes, false) != 0 ||
                   record_check_put_up(core, kind, &outcomes) != 0
               ? -1
               : 0;
}

static bool has_reason(const struct value *args)
{
    const struct value *reason = value_get(args, "reason");

    if (reason == NULL)
        reason = value_get(args, "comment");
    return value_get_bin(reason, "content").len == HASH_LEN;
}

int refuse_event(struct core *core, const struct subject *subject, struct slice event)
{
    struct slice state = value_get_text(subject->row, "state");
    const struct lifecycle *lifecycle = subject->kind->lifecycle;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (slice_is(event, lifecycle->transitions[i].event))
            return run_refuse(core, 409, "wrong-state",
                              "%.*s is in state %.*s; %.*s is not possible there.",
                              (int)subject->id.len, (const char *)subject->id.at, (int)state.len,
                              (const char *)state.at, (int)event.len, (const char *)event.at);
    }
    return run_refuse(core, 405, "unknown-command", "%s: there is no event \"%.*s\"%s",
                      subject->kind->title, (int)event.len, (const char *)event.at,
                      or_stop(event_hint(core, subject->kind, event)));
}

int question_for(struct core *core, const struct question *question, struct slice *person)
{
    const struct value *named = value_get(question->args, "for");

    *person = value_slice(named);
    if (named == NULL || (value_is(named, VALUE_STR) && named->count > 0))
        return 0;
    return run_refuse(core, 400, "malformed",
                      "\"for\" is the name of the person in whose place this is done.");
}

int refuse_permission(struct core *core, enum permission permission, const char *sentence)
{
    return permission == DENY_APART ? run_refuse_apart(core, core->apart.rule, "%s", sentence)
                                    : run_refuse(core, 403, "not-allowed", "%s", sentence);
}

int permit_event(struct core *core, const struct question *question, const struct subject *subject,
                 const struct transition *transition)
{
    const char *sentence = "";
    enum permission permission;
    struct slice person;

    if (question_for(core, question, &person) != 0)
        return -1;
    permission = person.len > 0 ? authority_in_place(core, question->principal, person, subject,
                                                     transition, &sentence, NULL)
                                : authority_transition(core, question->principal, subject,
                                                       transition, &sentence);
    if (permission != PERMIT)
        return refuse_permission(core, permission, sentence);
    if (transition->reason && !has_reason(question->args))
        return run_refuse(core, 422, "guard-failed", "%s needs a reason (--reason \"...\").",
                          transition->event);
    return 0;
}

/* Is it an event of any kind? Then what is missing is the record. */
static bool is_event(struct core *core, struct slice event)
{
    const struct pack *pack = core_current_pack(core);

    for (int k = 0; pack != NULL && k < pack->kind_count; k++) {
        const struct lifecycle *lifecycle = pack->kinds[k].lifecycle;

        for (int i = 0; i < lifecycle->transition_count; i++) {
            if (slice_is(event, lifecycle->transitions[i].event))
                return true;
        }
    }
    return false;
}

/* The event itself, and what is submitted together with it. */
static int make_event(struct core *core, const struct question *question, struct move *move)
{
    struct bundle_submit together;
    struct slice lead = move->subject.id;
    int64_t glass = 0;

    if (bundle_gather(core, question, &move->subject, move->transition, &together) != 0)
        return -1;
    move->author = run_principal(core);
    move->args = question->args;
    move->type =
        textf(core, "record.%.*s", (int)question->command.len, (const char *)question->command.at);
    move->own = value_map();
    move->effects = value_map();
    if (together.count > 0)
        value_set(core->arena, &move->own, "bundle", together.ids);
    if (value_get(question->args, "for") == NULL)
        glass = authority_glass(core, question->principal, &move->subject, move->transition);
    if (glass > 0)
        glass_use(core, glass, move);
    if (move_make(core, move) != 0)
        return -1;
    return together.count > 0 ? bundle_submit(core, lead, &together, move->seq) : 0;
}

int transition_command(struct core *core, const struct question *question)
{
    struct move move = {0};
    const struct transition *transition;

    if (question->record.len == 0 && !is_event(core, question->command))
        return run_refuse(core, 405, "unknown-command", "There is no command \"%.*s\".",
                          (int)question->command.len, (const char *)question->command.at);
    if (subject_of(core, question->record, &move.subject) != 0)
        return -1;
    transition = kind_transition(
        move.subject.kind,
        kind_state_index(move.subject.kind, value_get_text(move.subject.row, "state")),
        question->command);
    if (check_event_args(core, move.subject.kind, transition, question->args) != 0)
        return -1;
    if (transition == NULL || transition->creates)
        return refuse_event(core, &move.subject, question->command);
    if (transition->vote != VOTE_NONE && move.subject.round == NULL)
        return run_refuse(core, 409, "wrong-state",
                          "No approval of %.*s is open; what was voted on before is void.",
                          (int)move.subject.id.len, (const char *)move.subject.id.at);
    if (permit_event(core, question, &move.subject, transition) != 0)
        return -1;
    if (transition->opens_round && move.subject.round != NULL)
        return run_refuse(core, 409, "wrong-state", "%.*s already awaits approval.",
                          (int)move.subject.id.len, (const char *)move.subject.id.at);
    if (transition->vote != VOTE_NONE && value_get(question->args, "set") != NULL)
        return run_refuse(core, 400, "malformed",
                          "A vote changes no field; \"set\" has no place in it.");
    if (transition->vote != VOTE_NONE)
        return round_vote(core, question, &move.subject, transition);
    if (see_given(core, &move.subject, value_get(question->args, "set")) != 0)
        return -1;
    if (bundle_check_also(core, question,
                          bundle_signed(core, &move.subject, transition, question->principal)) != 0)
        return -1;
    if (guard_transition(core, &move.subject, transition, question->principal, question->args) != 0)
        return -1;
    if (meaning_of(&move.subject, transition, question_right(question)) != NULL &&
        check_signature(core, question, &move.subject, transition, move.subject.id,
                        (uint64_t)value_get_int(move.subject.row, "rev", 0),
                        value_get_bin(move.subject.row, "digest")) != 0)
        return -1;
    move.transition = transition;
    return make_event(core, question, &move);
}

/* `is_last`: nothing else will try, so what the record lacks is a refusal. */
static int signal_now(struct core *core, struct slice record, const char *event, int64_t cause,
                      const struct value *args, struct slice from, bool is_last)
{
    struct move move = {0};
    struct value none = value_map();
    const char *sentence = "";

    if (!subject_find(core, record, &move.subject))
        return 0;
    if (run_has_changed(core, move.subject.id)) {
        run_follow(core, move.subject.id, event, cause, args, from);
        return 0;
    }
    move.transition = kind_transition(
        move.subject.kind,
        kind_state_index(move.subject.kind, value_get_text(move.subject.row, "state")),
        slice_str(event));
    /* A signal that nothing answers, or whose condition does not hold, is no fault of the one who caused it. */
    if (move.transition == NULL || move.transition->vote != VOTE_NONE ||
        authority_transition(core, slice_str("engine"), &move.subject, move.transition,
                             &sentence) != PERMIT)
        return 0;
    if (guard_moment(core, &move.subject, move.transition, slice_str("engine"),
                     args != NULL ? args : &none) != 0 ||
        bundle_guard(core, &move.subject, move.transition, slice_str("engine")) != 0) {
        core->run->is_refused = false;
        return 0;
    }
    /* One whose moment it is, and whose record lacks something, is no fault of theirs either, but not to be lost: it is asked in a run
     * of its own, and what is refused there waits for a person. */
    if (record_check_complete(core, &move.subject, move.transition) != 0) {
        if (is_last)
            return -1;
        core->run->is_refused = false;
        run_follow(core, move.subject.id, event, cause, args, from);
        return 0;
    }
    move.author = run_engine(cause);
    move.args = args != NULL ? args : &none;
    move.type = textf(core, "record.%s", event);
    move.own = value_map();
    move.effects = value_map();
    if (from.len > 0)
        record_link(core, move.subject.id, from, "triggered_by", "triggers", &move.own,
                    &move.effects);
    return move_make(core, &move);
}

int signal_record(struct core *core, struct slice record, const char *event, int64_t cause,
                  const struct value *args, struct slice from)
{
    return signal_now(core, record, event, cause, args, from, false);
}

int signal_follow(struct core *core, struct slice record, const char *event, int64_t cause,
                  const struct value *args, struct slice from)
{
    return signal_now(core, record, event, cause, args, from, true);
}

/* The first automatic transition from the record's state, at place `*at` of its lifecycle or after; NULL at the end. */
static const struct transition *next_automatic(const struct subject *subject, int *at)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    int state = kind_state_index(subject->kind, value_get_text(subject->row, "state"));

    while (state != MODEL_NONE && *at < lifecycle->transition_count) {
        const struct transition *transition = &lifecycle->transitions[(*at)++];

        if (transition->automatic && transition->from[state])
            return transition;
    }
    return NULL;
}

/* Which automatic transition is open to the record now, or NULL. */
static const struct transition *automatic(struct core *core, const struct subject *subject)
{
    const struct transition *transition;
    int at = 0;

    while ((transition = next_automatic(subject, &at)) != NULL) {
        if (guard_transition(core, subject, transition, slice_str("engine"), NULL) == 0)
            return transition;
        core->run->is_refused = false;
    }
    return NULL;
}

void neighbours_follow(struct core *core, struct slice record, struct slice after, int64_t cause)
{
    struct value neighbour = value_map(), rest = value_map();
    struct subject subject;
    const struct value *links;
    int count = 0;

    if (!subject_find(core, record, &subject))
        return;
    value_set(core->arena, &neighbour, "is_neighbour", value_bool(true));
    links = value_get(subject.row, "links");
    for (uint32_t i = 0; value_is(links, VALUE_MAP) && i < links->count; i++) {
        struct slice id = links->as.pairs[i].key;

        if (after.len > 0 && slice_compare(id, after) <= 0)
            continue;
        run_follow(core, id, NULL, cause, &neighbour, NOBODY);
        if (++count < NEIGHBOURS_AT_ONCE || i + 1 == links->count)
            continue;
        value_set(core->arena, &rest, "after", value_text(keep_text(core, id)));
        run_follow_rest(core, subject.id, NEIGHBOURS, cause, &rest);
        return;
    }
}

/* It was asked because a record that it is linked with changed: it asks its own no further. */
static bool is_neighbour(const struct value *args)
{
    return value_get_bool(args, "is_neighbour", false);
}

bool automatic_may_come(struct core *core, struct slice record, const struct value *args)
{
    struct subject subject;
    const struct value *links;
    int at = 0;

    if (!subject_find(core, record, &subject))
        return false;
    links = value_get(subject.row, "links");
    return next_automatic(&subject, &at) != NULL ||
           (!is_neighbour(args) && value_is(links, VALUE_MAP) && links->count > 0);
}

void try_automatic(struct core *core, struct slice record, int64_t cause)
{
    struct subject subject;
    const struct transition *transition;

    if (!subject_find(core, record, &subject))
        return;
    transition = automatic(core, &subject);
    if (transition != NULL) {
        signal_record(core, subject.id, transition->event, cause, NULL, NOBODY);
        return;
    }
    /* Those that started it may be waiting for it: one step outwards from a record that changed; one that then changes
     * itself looks on. */
    if (is_neighbour(value_get(core->question->follow, "args")))
        return;
    neighbours_follow(core, subject.id, slice_of(NULL, 0), cause);
}
