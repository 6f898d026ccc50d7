/* waiver.c - a rule of separation of duties is waived: for one record, one rule and one person, over one content.
 *
 *     given (signed by top management) ──content changes, or ended (signed by top management)──> counts no more
 *       └──a decision that the rule would forbid──> used, and the decision says so: it stands, whatever comes after
 *
 * What holds:
 *   1. There is no switch: each waiver is a signed entry of its own, with a reason and the check that makes up for it.
 *   2. It counts as long as the record says what it said then: the digest is compared when something is decided. A new version
 *      is another record, and a migrated one has another digest: neither takes a waiver along.
 *   3. Over one content nobody signs waivers of a rule from which they are or were freed themselves, in whichever order:
 *      whoever is freed, somebody has looked at it who is not. One that was ended counts for this too: it may have been used.
 *   4. Two signatures of one round stay two people, and roles in conflict stay apart: what is signed or held twice is not
 *      made good by a check elsewhere.
 *
 * The row RECORD/waiver/N is one waiver; the record's row says how many there are, and waiver/SEQ lists them all by age.
 */
#include "core/inside.h"

enum { SCOPE_MAX = 10000 }; /* that a condition looks at */

#define MEANING "waived_sod"
#define MEANING_ENDED "waiver_ended"

static const struct value *waiver_at(struct core *core, struct slice record, int64_t n)
{
    return state_rowf(core->state, "%.*s/waiver/%lld", (int)record.len, (const char *)record.at,
                      (long long)n);
}

static bool is_of_content(const struct subject *subject, const struct value *row)
{
    return slice_equal(value_get_bin(row, "digest"), value_get_bin(subject->row, "digest"));
}

bool waiver_counts(const struct subject *subject, const struct value *row)
{
    return value_get(row, "ended") == NULL && is_of_content(subject, row);
}

/* Facts of one map in another; lent. */
static void take(struct core *core, const struct value *from, const char *const *names,
                 struct value *to)
{
    for (; *names != NULL; names++) {
        if (value_get(from, *names) != NULL)
            value_set(core->arena, to, *names, *value_get(from, *names));
    }
}

/* ---- asked by whoever decides ---- */

int64_t waiver_of(struct core *core, const struct subject *subject, const char *rule,
                  struct slice person)
{
    for (int64_t n = value_get_int(subject->row, "waivers", 0); n > 0; n--) {
        const struct value *row = waiver_at(core, subject->id, n);

        if (waiver_counts(subject, row) && slice_is(value_get_text(row, "rule"), rule) &&
            slice_equal(value_get_text(row, "person"), person))
            return n;
    }
    return 0;
}

int64_t waiver_taken_back(struct core *core, const struct subject *subject, struct slice person)
{
    for (int64_t n = value_get_int(subject->row, "waivers", 0); n > 0; n--) {
        const struct value *row = waiver_at(core, subject->id, n);

        if (is_of_content(subject, row) && value_get(row, "ended") != NULL &&
            slice_equal(value_get_text(row, "person"), person))
            return n;
    }
    return 0;
}

int64_t waivers_that_count(struct core *core, const struct subject *subject)
{
    int64_t count = 0;

    for (int64_t n = value_get_int(subject->row, "waivers", 0); n > 0; n--)
        count += waiver_counts(subject, waiver_at(core, subject->id, n));
    return count;
}

bool waiver_lets_pass(struct core *core, const struct subject *subject, const char *rule,
                      struct slice person)
{
    int64_t n = waiver_of(core, subject, rule, person);
    const struct value *row = n > 0 ? waiver_at(core, subject->id, n) : NULL;
    struct value used = value_map();

    core->apart = (struct apart){rule, person};
    if (row == NULL)
        return false;
    for (uint32_t i = 0; core->waived != NULL && i < core->waived->count; i++) {
        if (value_get_int(&core->waived->as.items[i], "n", 0) == n)
            return true;
    }
    if (core->waived == NULL)
        return true;
    value_set(core->arena, &used, "n", value_int(n));
    take(core, row, (const char *const[]){"rule", "person", "by", NULL}, &used);
    value_push(core->arena, core->waived, used);
    return true;
}

/* ---- what a decision rests on ---- */

struct value waivers_used(struct core *core, struct slice actor, struct slice in_place,
                          const struct subject *subject, const struct transition *transition)
{
    struct value used = value_array();
    const char *sentence = "", *word;
    struct slice who;

    if (value_get_int(subject->row, "waivers", 0) == 0)
        return used;
    core->waived = &used;
    if (in_place.len > 0)
        (void)authority_in_place(core, actor, in_place, subject, transition, &sentence, NULL);
    else
        (void)authority_transition(core, actor, subject, transition, &sentence);
    for (int i = 0; i < subject->kind->need_count; i++) {
        const struct need *need = &subject->kind->needs[i];

        if (need->when == NULL && words_have(&need->before, slice_str(transition->event)))
            (void)authority_apart(core, subject, need, &who, &word);
    }
    core->waived = NULL;
    return used;
}

void waivers_note(struct core *core, const struct subject *subject, const char *event,
                  struct slice actor, const struct value *used, struct value *effects)
{
    int64_t seq = (int64_t)core->question->seq + core->run->leaf_count;

    for (uint32_t i = 0; i < used->count; i++) {
        int64_t n = value_get_int(&used->as.items[i], "n", 0);
        const struct value *before = value_get(waiver_at(core, subject->id, n), "used");
        struct value *row = run_patch(core, effects,
                                      textf(core, "%.*s/waiver/%lld", (int)subject->id.len,
                                            (const char *)subject->id.at, (long long)n));
        struct value last = value_map();

        value_set(core->arena, &last, "times", value_int(value_get_int(before, "times", 0) + 1));
        value_set(core->arena, &last, "entry", value_int(seq));
        value_set(core->arena, &last, "event", value_str(event));
        value_set(core->arena, &last, "by", value_text(actor));
        value_set(core->arena, row, "used", last);
    }
}

struct value waivers_scope(struct core *core)
{
    struct value rows, list = value_array();

    state_rows(core->state, slice_str("waiver/"), SCOPE_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *listed = value_get(&rows.as.items[i], "row");
        const struct value *row =
            waiver_at(core, value_get_text(listed, "record"), value_get_int(listed, "n", 0));
        struct value one = value_map();

        take(core, row, (const char *const[]){"rule", "person", "by", NULL}, &one);
        value_set(core->arena, &one, "record", value_text(value_get_text(listed, "record")));
        value_set(core->arena, &one, "at", value_int(value_get_int(row, "at_ms", 0)));
        value_set(core->arena, &one, "used", value_bool(value_get(row, "used") != NULL));
        value_set(core->arena, &one, "ended", value_bool(value_get(row, "ended") != NULL));
        value_push(core->arena, &list, one);
    }
    return list;
}

/* ---- which rules there are ---- */

static void add_rule(struct core *core, const char *rule, struct value *out)
{
    if (!value_has_text(out, slice_str(rule)) && strcmp(rule, SIGNATURES_RULE) != 0)
        value_push(core->arena, out, value_str(rule));
}

/* Rules that keep anybody apart in records of this kind: as the refusals name them. */
static struct value rules_of(struct core *core, const struct kind *kind)
{
    struct value rules = value_array();

    for (int i = 0; kind->approval != NULL && i < kind->approval->apart.count; i++)
        add_rule(core, approval_rule(kind->approval, i), &rules);
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *row = &kind->lifecycle->transitions[i];

        if (row->apart.count > 0)
            add_rule(core, row->apart_rule != NULL ? row->apart_rule : APART_RULE, &rules);
    }
    for (int i = 0; i < kind->need_count; i++) {
        if (kind->needs[i].when == NULL)
            add_rule(core, kind->needs[i].rule != NULL ? kind->needs[i].rule : NEED_RULE, &rules);
    }
    return rules;
}

/* The rule of that name in the record's pack; NULL: there is none. */
static const struct separation *rule_named(struct core *core, const struct subject *subject,
                                           struct slice name)
{
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));

    for (int i = 0; pack != NULL && i < pack->separation_count; i++) {
        if (slice_is(name, pack->separation[i].name))
            return &pack->separation[i];
    }
    return NULL;
}

bool waiver_is_possible(struct core *core, const struct subject *subject, const char *rule)
{
    struct value rules = rules_of(core, subject->kind);

    return value_has_text(&rules, slice_str(rule));
}

static int check_rule(struct core *core, const struct subject *subject, struct slice rule)
{
    const struct separation *named = rule_named(core, subject, rule);
    struct value rules = rules_of(core, subject->kind);
    struct slice list = slice_str("none");

    if (slice_is(rule, SIGNATURES_RULE))
        return run_refuse_apart(core, SIGNATURES_RULE,
                                SIGNATURES_RULE
                                " is never waived: two signatures of one approval are two "
                                "people. Name another person in the directory.");
    if (value_has_text(&rules, rule))
        return 0;
    if (named != NULL && named->conflict.count > 0)
        return run_refuse_apart(
            core, named->name,
            "%s is never waived: it says which roles nobody holds together. Give one "
            "of the roles to somebody else in the directory.",
            named->name);
    for (uint32_t i = 0; i < rules.count; i++)
        list = textf(core, "%.*s%s%.*s", i == 0 ? 0 : (int)list.len, (const char *)list.at,
                     i == 0 ? "" : ", ", (int)rules.as.items[i].count, rules.as.items[i].as.text);
    return run_refuse(core, 422, "guard-failed",
                      "No rule \"%.*s\" keeps anybody apart in %.*s. Those that do: %.*s.",
                      (int)rule.len, (const char *)rule.at, (int)subject->id.len,
                      (const char *)subject->id.at, (int)list.len, (const char *)list.at);
}

/* ---- given ---- */

static int check_person(struct core *core, struct slice person)
{
    if (person.len > 0 && authority_is_here(core, person) &&
        slice_is(value_get_text(authority_person(core, person), "kind"), "person"))
        return 0;
    return run_refuse(
        core, 422, "guard-failed",
        "\"%.*s\" is nobody of the directory who has rights now, and the rule is "
        "waived for a person%s `rota people` lists them.",
        (int)(person.len < NAME_MAX_LEN ? person.len : NAME_MAX_LEN), (const char *)person.at,
        or_stop(authority_person(core, person) == NULL ? person_hint(core, person) : ""));
}

/* Nobody frees themselves: not openly, and not by freeing one another. */
static int check_signer(struct core *core, const struct subject *subject, struct slice rule,
                        struct slice person, struct slice signer)
{
    int64_t count = value_get_int(subject->row, "waivers", 0);

    if (slice_equal(person, signer))
        return run_refuse_apart(
            core, (const char *)keep_text(core, rule).at,
            "%.*s cannot waive %.*s for themselves. Another person of top management "
            "signs it.",
            (int)signer.len, (const char *)signer.at, (int)rule.len, (const char *)rule.at);
    for (int64_t n = 1; n <= count; n++) {
        const struct value *row = waiver_at(core, subject->id, n);
        struct slice freed = value_get_text(row, "person"), by = value_get_text(row, "by");

        if (!is_of_content(subject, row) || !slice_equal(value_get_text(row, "rule"), rule))
            continue;
        if (slice_equal(freed, signer) || slice_equal(by, person))
            return run_refuse_apart(
                core, (const char *)keep_text(core, rule).at,
                "%.*s %s freed from %.*s here by a signature of %.*s (waiver %lld): "
                "who is freed frees nobody else. Somebody of top management signs it "
                "who is not freed, or for somebody who has freed nobody.",
                (int)freed.len, (const char *)freed.at,
                value_get(row, "ended") != NULL ? "was" : "is", (int)rule.len,
                (const char *)rule.at, (int)by.len, (const char *)by.at, (long long)n);
    }
    return 0;
}

static bool has_text(const struct value *args, const char *key)
{
    const struct value *text = value_get(args, key);

    return value_get_bin(text, "content").len == HASH_LEN && value_get_int(text, "size", 0) > 0;
}

static int check_texts(struct core *core, const struct value *args)
{
    if (!has_text(args, "reason"))
        return run_refuse(core, 422, "guard-failed",
                          "A waiver needs a reason: why nobody else can do it (--reason \"...\").");
    if (!has_text(args, "check"))
        return run_refuse(core, 422, "guard-failed",
                          "A waiver needs the check that makes up for it, by somebody who is "
                          "independent (--check \"reviewed by an external adviser, ...\").");
    return 0;
}

/* One over the same content is enough, and a record does not gather them without end. */
static int check_room(struct core *core, const struct subject *subject, struct slice rule,
                      struct slice person)
{
    int64_t given = waiver_of(core, subject, (const char *)keep_text(core, rule).at, person);

    if (given > 0)
        return run_refuse(core, 409, "wrong-state",
                          "%.*s is waived for %.*s over this content already (waiver %lld).",
                          (int)rule.len, (const char *)rule.at, (int)person.len,
                          (const char *)person.at, (long long)given);
    if (value_get_int(subject->row, "waivers", 0) >= WAIVERS_MAX)
        return run_refuse(core, 409, "wrong-state",
                          "%.*s has had %d waivers; it takes no more. Begin another record.",
                          (int)subject->id.len, (const char *)subject->id.at, WAIVERS_MAX);
    return 0;
}

/* `{{key}}` in the template becomes `text`; what else stands in braces is filled in when the sentence is made. */
static struct slice filled(struct core *core, struct slice template, const char *key,
                           struct slice text)
{
    struct slice mark = textf(core, "{{%s}}", key), before = template;
    const uint8_t *at = memmem(template.at, template.len, mark.at, mark.len);

    if (at == NULL)
        return textf(core, "%.*s (%s: %.*s.)", (int)template.len, (const char *)template.at, key,
                     (int)text.len, (const char *)text.at);
    before.len = (size_t)(at - template.at);
    return textf(core, "%.*s%.*s%.*s", (int)before.len, (const char *)before.at, (int)text.len,
                 (const char *)text.at, (int)(template.len - before.len - mark.len),
                 (const char *)at + mark.len);
}

/* What is signed: the pack's sentence for the meaning, or `preset`. */
static struct slice sentence_of(struct core *core, const struct subject *subject,
                                const char *meaning_name, const char *preset)
{
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));
    const struct meaning *meaning = pack != NULL ? pack_meaning(pack, meaning_name) : NULL;

    return slice_str(meaning != NULL ? meaning->statement : preset);
}

static const struct transition *row_to_sign(struct core *core, const char *event, const char *title,
                                            const char *meaning, struct slice statement)
{
    struct transition *row = arena_zero(core->arena, sizeof *row);

    row->event = event;
    row->title = title;
    row->reason = true;
    row->meaning = meaning;
    row->statement = (const char *)statement.at;
    return row;
}

const struct transition *waiver_row(struct core *core, const struct subject *subject,
                                    struct slice rule, struct slice person)
{
    struct slice statement =
        sentence_of(core, subject, MEANING,
                    "I waive {{rule}} (separation of duties) for {{person}}, {{title}} "
                    "({{record}}), content {{digest}}.");

    statement = filled(core, statement, "rule", rule);
    statement = filled(core, statement, "person", person);
    return row_to_sign(core, WAIVE_COMMAND, "Waive a rule of separation of duties", MEANING,
                       statement);
}

struct slice waiver_stream(struct core *core, const struct subject *subject)
{
    return textf(core, "%.*s/waiver/%lld", (int)subject->id.len, (const char *)subject->id.at,
                 (long long)value_get_int(subject->row, "waivers", 0) + 1);
}

static int put_waiver(struct core *core, const struct question *question,
                      const struct subject *subject)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map(), *listed;
    int64_t n = value_get_int(subject->row, "waivers", 0) + 1;

    take(core, question->args,
         (const char *const[]){"rule", "person", "reason", "check", "digest", NULL}, &own);
    value_set(core->arena, &own, "by", value_text(question->principal));
    value_set(core->arena, &own, "at_ms", value_int(core->now_ms));
    put_under(core, value_get_bin(subject->row, "pack"), &own);
    value_set(core->arena, &effects, "", own);
    value_set(core->arena, run_patch(core, &effects, subject->id), "waivers", value_int(n));
    listed = run_patch(
        core, &effects,
        textf(core, "waiver/%019lld", (long long)core->question->seq + core->run->leaf_count));
    value_set(core->arena, listed, "record", value_text(subject->id));
    value_set(core->arena, listed, "n", value_int(n));
    return run_leaf(core, "record." WAIVE_COMMAND, waiver_stream(core, subject), subject->id,
                    &author, question->args, &effects) < 0
               ? -1
               : 0;
}

int waiver_check(struct core *core, const struct subject *subject, struct slice rule,
                 struct slice person, struct slice signer)
{
    const char *sentence = "";

    if (authority_command(core, signer, WAIVE_COMMAND, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    return check_rule(core, subject, rule) != 0 || check_person(core, person) != 0 ||
                   check_signer(core, subject, rule, person, signer) != 0 ||
                   check_room(core, subject, rule, person) != 0
               ? -1
               : 0;
}

int waiver_give(struct core *core, const struct question *question)
{
    struct slice rule = value_get_text(question->args, "rule");
    struct slice person = value_get_text(question->args, "person");
    struct subject subject;

    if (subject_of(core, question->record, &subject) != 0 ||
        waiver_check(core, &subject, rule, person, question->principal) != 0 ||
        check_texts(core, question->args) != 0 ||
        check_signature(core, question, &subject, waiver_row(core, &subject, rule, person),
                        waiver_stream(core, &subject), 0,
                        value_get_bin(subject.row, "digest")) != 0)
        return -1;
    return put_waiver(core, question, &subject);
}

/* ---- ended ---- */

const struct transition *waiver_end_row(struct core *core, const struct subject *subject, int64_t n)
{
    const struct value *row = waiver_at(core, subject->id, n);
    struct slice statement =
        sentence_of(core, subject, MEANING_ENDED,
                    "I take back waiver {{waiver}} of {{rule}} (separation of duties) for "
                    "{{person}}, {{title}} ({{record}}), content {{digest}}.");

    statement = filled(core, statement, "waiver", textf(core, "%lld", (long long)n));
    statement = filled(core, statement, "rule", value_get_text(row, "rule"));
    statement = filled(core, statement, "person", value_get_text(row, "person"));
    return row_to_sign(core, WAIVE_END_COMMAND, "Take a waiver of a rule of separation back",
                       MEANING_ENDED, statement);
}

struct slice waiver_end_stream(struct core *core, const struct subject *subject, int64_t n)
{
    return textf(core, "%.*s/waiver/%lld", (int)subject->id.len, (const char *)subject->id.at,
                 (long long)n);
}

uint64_t waiver_end_rev(struct core *core, const struct subject *subject, int64_t n)
{
    return (uint64_t)value_get_int(waiver_at(core, subject->id, n), "rev", 0);
}

int waiver_end_check(struct core *core, const struct subject *subject, int64_t n,
                     struct slice signer)
{
    const struct value *row = n > 0 ? waiver_at(core, subject->id, n) : NULL, *ended;
    const char *sentence = "";

    if (authority_command(core, signer, WAIVE_END_COMMAND, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    if (row == NULL)
        return run_refuse(core, 404, "no-record",
                          "%.*s has no waiver %lld. `rota waivers %.*s` lists those it has.",
                          (int)subject->id.len, (const char *)subject->id.at, (long long)n,
                          (int)subject->id.len, (const char *)subject->id.at);
    ended = value_get(row, "ended");
    if (ended != NULL) {
        struct slice by = value_get_text(ended, "by");

        return run_refuse(core, 409, "wrong-state", "%.*s has taken waiver %lld back already.",
                          (int)by.len, (const char *)by.at, (long long)n);
    }
    if (waiver_counts(subject, row))
        return 0;
    return run_refuse(core, 409, "wrong-state",
                      "The content has changed since waiver %lld was given: it counts no more as "
                      "it is.",
                      (long long)n);
}

static int put_end(struct core *core, const struct question *question,
                   const struct subject *subject, int64_t n)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map(), ended = value_map();
    int64_t cause;

    value_set(core->arena, &ended, "by", value_text(question->principal));
    value_set(core->arena, &ended, "at_ms", value_int(core->now_ms));
    value_set(core->arena, &ended, "reason", *value_get(question->args, "reason"));
    put_under(core, value_get_bin(subject->row, "pack"), &ended);
    value_set(core->arena, &own, "ended", ended);
    value_set(core->arena, &effects, "", own);
    cause = run_leaf(core, "record." WAIVE_END_COMMAND, waiver_end_stream(core, subject, n),
                     subject->id, &author, question->args, &effects);
    if (cause < 0)
        return -1;
    if (subject->round != NULL) /* whom it freed is asked there no more */
        run_follow(core, subject->id, ROUND_RECOUNT, cause, NULL, NOBODY);
    return 0;
}

/* args {waiver, reason, digest, meaning, key, statement}; signed by somebody of top management, whoever gave it. */
int waiver_end(struct core *core, const struct question *question)
{
    int64_t n = value_get_int(question->args, "waiver", 0);
    struct subject subject;

    if (subject_of(core, question->record, &subject) != 0 ||
        waiver_end_check(core, &subject, n, question->principal) != 0)
        return -1;
    if (!has_text(question->args, "reason"))
        return run_refuse(core, 422, "guard-failed",
                          "Say why the waiver is taken back (--reason \"...\").");
    if (check_signature(core, question, &subject, waiver_end_row(core, &subject, n),
                        waiver_end_stream(core, &subject, n), waiver_end_rev(core, &subject, n),
                        value_get_bin(subject.row, "digest")) != 0)
        return -1;
    return put_end(core, question, &subject, n);
}
