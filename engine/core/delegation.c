/* delegation.c - who stands in for whom: given, ended, and by themselves begun and over.
 *
 *     given ──from──> active ──until, or the rights of one of the two end──> over
 *       └──────────────┴─────────────────end─────────────────────────> ended
 *
 * The row delegation/N is the delegation's own history; delegations/NAME holds those that NAME gave and that nobody ended, so
 * that a question about a right reads one row. Times are compared when something is asked: nothing has to happen for one to
 * begin or be over. What had to be asked of somebody else then is asked anew by the round's own timer (round.c).
 *
 * To give one is a signed decision: else whoever keeps the engine could write that somebody lets him decide, and then decide under
 * his own genuine key. Who gives it for somebody who is away signs it himself, and both names are kept. To end one takes no
 * signature: it takes nothing from anybody but the delegate.
 *
 * A delegate gains nothing by himself: he uses a right of another, under his own name and key, and both names are kept.
 */
#include "core/inside.h"

enum { SCOPE_MAX = 32, GIVEN_MAX = 64 };

static struct slice list_key(struct core *core, struct slice person)
{
    return textf(core, "delegations/%.*s", (int)person.len, (const char *)person.at);
}

const struct value *delegations_of(struct core *core, struct slice person)
{
    const struct value *given = value_get(state_row(core->state, list_key(core, person)), "given");

    return value_is(given, VALUE_MAP) ? given : NULL;
}

static int64_t until_of(const struct value *delegation)
{
    return value_get_int(delegation, "end_ms", INT64_MAX);
}

bool delegation_is_active(const struct core *core, const struct value *delegation)
{
    return value_get_int(delegation, "from_ms", 0) <= core->now_ms &&
           core->now_ms < until_of(delegation);
}

static int64_t change_within(struct core *core, struct slice person, int depth)
{
    const struct value *given = delegations_of(core, person);
    int64_t first = INT64_MAX;

    for (uint32_t i = 0; given != NULL && i < given->count && depth < DELEGATION_DEPTH_MAX; i++) {
        const struct value *one = &given->as.pairs[i].value;
        struct slice to = value_get_text(one, "to");
        int64_t left = value_get_int(authority_person(core, to), "not_after", INT64_MAX - 1) + 1;
        int64_t moments[] = {value_get_int(one, "from_ms", 0), until_of(one), left, INT64_MAX};

        if (value_get_bool(one, "onward", false))
            moments[3] = change_within(core, to, depth + 1);
        for (size_t k = 0; k < sizeof moments / sizeof moments[0]; k++) {
            if (moments[k] > core->now_ms && moments[k] < first)
                first = moments[k];
        }
    }
    return first;
}

int64_t delegations_change(struct core *core, struct slice person)
{
    return change_within(core, person, 0);
}

struct slice question_right(const struct question *question)
{
    struct slice person = value_get_text(question->args, "for");

    return person.len > 0 ? person : question->principal;
}

/* ---- given ---- */

/* A day, as the moment at which it begins; `preset` if nothing is said. */
static int day_of(struct core *core, const struct value *args, const char *key, int days,
                  int64_t preset, int64_t *out)
{
    const struct value *said = value_get(args, key);
    int32_t date;

    *out = preset;
    if (said == NULL || said->type == VALUE_NIL)
        return 0;
    if (!value_is(said, VALUE_STR) || date_parse(value_slice(said), &date) != 0)
        return run_refuse(core, 400, "malformed",
                          "\"%s\" of a delegation is a day, as 2026-08-01; both days count.", key);
    *out = zone_midnight_ms(calendar_of(core)->zone, date + days);
    return 0;
}

static int check_names(struct core *core, const struct value *args, const char *key)
{
    const struct value *list = value_get(args, key);
    const struct pack *pack = core_current_pack(core);

    if (list == NULL)
        return 0;
    if (!value_is(list, VALUE_ARRAY) || list->count == 0 || list->count > SCOPE_MAX)
        return run_refuse(core, 400, "malformed",
                          "\"%s\" is a list of 1 to %d names; leave it out for all.", key,
                          SCOPE_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        struct slice name = value_slice(&list->as.items[i]);
        bool is_known = name.len > 0 && strcmp(key, "kinds") != 0;

        for (int k = 0; pack != NULL && k < pack->kind_count && !is_known; k++)
            is_known = slice_is(name, pack->kinds[k].name);
        if (!is_known)
            return run_refuse(core, 422, "guard-failed",
                              "There is no kind of record \"%.*s\" that could be delegated.",
                              (int)name.len, (const char *)name.at);
    }
    return 0;
}

/* The two people: both there, two of them, and the delegate able to sign. */
static int check_people(struct core *core, struct slice from, struct slice to)
{
    struct slice names[] = {from, to};

    for (int i = 0; i < 2; i++) {
        if (names[i].len == 0 ||
            !slice_is(value_get_text(authority_person(core, names[i]), "kind"), "person") ||
            !authority_is_here(core, names[i]))
            return run_refuse(core, 422, "guard-failed",
                              "%.*s is nobody of the directory who has rights now%s `rota people` "
                              "lists them.",
                              (int)names[i].len, (const char *)names[i].at,
                              or_stop(authority_person(core, names[i]) == NULL
                                          ? person_hint(core, names[i])
                                          : ""));
    }
    if (authority_is_auditor(core, to))
        return run_refuse(core, 422, "guard-failed",
                          "%.*s reads as external auditor and changes nothing, in nobody's place "
                          "either.",
                          (int)to.len, (const char *)to.at);
    if (slice_equal(from, to))
        return run_refuse(core, 422, "guard-failed", "Nobody stands in for themselves.");
    if (value_get_bin(authority_person(core, to), "sign").len != SIGN_KEY_LEN)
        return run_refuse(core, 422, "guard-failed",
                          "%.*s has no signing key and could decide nothing in the place of %.*s. "
                          "They make one first (`rota key new`), and it is enrolled.",
                          (int)to.len, (const char *)to.at, (int)from.len, (const char *)from.at);
    return 0;
}

/* Does what `from` gave in that time come to `person`, through whomever? */
static bool comes_to(struct core *core, struct slice from, struct slice person, int64_t begin,
                     int64_t end, int depth)
{
    const struct value *given = delegations_of(core, from);

    for (uint32_t i = 0; given != NULL && i < given->count; i++) {
        const struct value *one = &given->as.pairs[i].value;
        int64_t first = value_get_int(one, "from_ms", 0), last = until_of(one);

        first = first > begin ? first : begin;
        last = last < end ? last : end;
        if (first >= last)
            continue;
        if (slice_equal(value_get_text(one, "to"), person) || depth >= 2 * DELEGATION_DEPTH_MAX ||
            comes_to(core, value_get_text(one, "to"), person, first, last, depth + 1))
            return true;
    }
    return false;
}

static int check_times(struct core *core, struct slice from, struct slice to,
                       const struct value *row)
{
    int64_t begin = value_get_int(row, "from_ms", 0), end = until_of(row);

    if (end <= core->now_ms || end <= begin)
        return run_refuse(core, 422, "guard-failed",
                          "This delegation would be over before it begins; look at its days.");
    if (comes_to(core, to, from, begin, end, 0))
        return run_refuse(core, 409, "wrong-state",
                          "%.*s is himself stood in for by %.*s in that time, so it would go round "
                          "in a circle. End the other first, or choose other days.",
                          (int)to.len, (const char *)to.at, (int)from.len, (const char *)from.at);
    return 0;
}

/* Who may: everyone for themselves; for somebody else who keeps the rules. */
static int check_giver(struct core *core, const struct question *question, struct slice person)
{
    const char *sentence = "";

    if (!slice_equal(person, question->principal)
            ? authority_command(core, question->principal, "delegation", &sentence) != PERMIT
            : !authority_may_write(core, person))
        return sentence[0] != '\0'
                   ? run_refuse(core, 403, "not-allowed", "For somebody else: %s", sentence)
                   : run_refuse(core, 403, "not-allowed",
                                "%.*s changes nothing here now, and so has nothing to hand on.",
                                (int)person.len, (const char *)person.at);
    return 0;
}

static int check_reason(struct core *core, const struct value *args)
{
    if (value_get_bin(value_get(args, "reason"), "content").len == HASH_LEN)
        return 0;
    return run_refuse(core, 422, "guard-failed", "A delegation needs a reason (--reason \"...\").");
}

static int fill_row(struct core *core, const struct question *question, struct slice from,
                    struct slice to, struct value *row)
{
    static const char *const facts[] = {"kinds", "roles", "reason"};
    const struct value *args = question->args;
    int64_t begin, end;

    if (day_of(core, args, "from", 0, core->now_ms, &begin) != 0 ||
        day_of(core, args, "until", 1, INT64_MAX, &end) != 0 ||
        check_names(core, args, "kinds") != 0 || check_names(core, args, "roles") != 0)
        return -1;
    *row = value_map();
    value_set(core->arena, row, "from", value_text(from));
    value_set(core->arena, row, "to", value_text(to));
    value_set(core->arena, row, "by", value_text(question->principal));
    value_set(core->arena, row, "from_ms", value_int(begin));
    if (end != INT64_MAX)
        value_set(core->arena, row, "end_ms", value_int(end));
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (value_get(args, facts[i]) != NULL)
            value_set(core->arena, row, facts[i], *value_get(args, facts[i]));
    }
    if (value_get_bool(args, "onward", false))
        value_set(core->arena, row, "onward", value_bool(true));
    return check_times(core, from, to, row);
}

/* What is over leaves the list when the next one enters; its own row stays. */
static int put_listed(struct core *core, struct slice from, struct slice number,
                      const struct value *row, struct value *effects)
{
    static const char *const facts[] = {"to", "from_ms", "end_ms", "kinds", "roles", "onward"};
    const struct value *before = delegations_of(core, from);
    struct value *given =
        value_sub(core->arena, run_patch(core, effects, list_key(core, from)), slice_str("given"));
    struct value listed = value_map();
    uint32_t count = 1;

    for (uint32_t i = 0; before != NULL && i < before->count; i++) {
        if (until_of(&before->as.pairs[i].value) <= core->now_ms)
            value_put(core->arena, given, before->as.pairs[i].key, VALUE_NONE);
        else
            count++;
    }
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (value_get(row, facts[i]) != NULL)
            value_set(core->arena, &listed, facts[i], *value_get(row, facts[i]));
    }
    value_put(core->arena, given, number, listed);
    return count <= GIVEN_MAX
               ? 0
               : run_refuse(core, 422, "guard-failed", "%.*s has given %d delegations; end some.",
                            (int)from.len, (const char *)from.at, GIVEN_MAX);
}

/* Given or ended by somebody else, both hear of it. */
static void tell_both(struct core *core, const struct value *row, struct slice number,
                      const char *what, struct value *effects)
{
    static const char *const whom[] = {"from", "to"};
    struct slice from = value_get_text(row, "from"), to = value_get_text(row, "to");
    struct slice by = core->question->principal;

    for (size_t i = 0; i < 2 && !slice_equal(from, by); i++) {
        struct task_order order = {.service = "communication.deliver", .input = value_map()};
        struct slice name = value_get_text(row, whom[i]);
        const struct value *email = value_get(authority_person(core, name), "email");

        value_set(core->arena, &order.input, "person", value_text(name));
        value_set(core->arena, &order.input, "address", email != NULL ? *email : value_str(""));
        value_set(core->arena, &order.input, "channel", value_str("inbox"));
        value_set(core->arena, &order.input, "subject",
                  value_text(textf(core, "Delegation %.*s %s", (int)number.len,
                                   (const char *)number.at, what)));
        value_set(core->arena, &order.input, "text",
                  value_text(textf(core,
                                   "By %.*s: delegation %.*s, by which %.*s stands in for %.*s, is "
                                   "%s. `rota delegate list` shows it.",
                                   (int)by.len, (const char *)by.at, (int)number.len,
                                   (const char *)number.at, (int)to.len, (const char *)to.at,
                                   (int)from.len, (const char *)from.at, what)));
        task_make(core, &order, effects);
    }
}

/* Open requests of the person move, or come back. */
static void ask_anew(struct core *core, struct slice from, struct slice to, int64_t seq)
{
    struct value args = value_map(), people = value_array();

    value_push(core->arena, &people, value_text(from));
    value_push(core->arena, &people, value_text(to));
    value_set(core->arena, &args, "people", people);
    run_follow(core, slice_str("directory"), ROUNDS_RECOUNT, seq, &args, NOBODY);
}

/* ---- signed ---- */

/* ", as risk_owner, approvers"; or `all` where nothing is said. */
static struct slice listed(struct core *core, const struct value *args, const char *key,
                           const char *before, const char *all)
{
    const struct value *list = value_get(args, key);
    struct slice text = slice_str(all);

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++) {
        struct slice name = value_slice(&list->as.items[i]);

        text = i == 0 ? textf(core, "%s%.*s", before, (int)name.len, (const char *)name.at)
                      : textf(core, "%.*s, %.*s", (int)text.len, (const char *)text.at,
                              (int)name.len, (const char *)name.at);
    }
    return text;
}

/* " from 2026-08-01", or nothing. */
static struct slice said_day(struct core *core, const struct value *args, const char *key)
{
    struct slice day = value_get_text(args, key);

    return day.len == 0 ? day : textf(core, " %s %.*s", key, (int)day.len, (const char *)day.at);
}

static struct slice statement(struct core *core, struct slice giver, const struct value *args)
{
    struct slice to = value_get_text(args, "to"), of = value_get_text(args, "of");
    struct slice from = said_day(core, args, "from"), until = said_day(core, args, "until");
    struct slice kinds = listed(core, args, "kinds", ", in ", ", in records of every kind");
    struct slice roles = listed(core, args, "roles", ", as ", "");

    if (of.len == 0 || slice_equal(of, giver))
        of = slice_str("me");
    return textf(core, "I let %.*s stand in for %.*s%.*s%.*s%.*s%.*s%s.", (int)to.len,
                 (const char *)to.at, (int)of.len, (const char *)of.at, (int)from.len,
                 (const char *)from.at, (int)until.len, (const char *)until.at, (int)kinds.len,
                 (const char *)kinds.at, (int)roles.len, (const char *)roles.at,
                 value_get_bool(args, "onward", false) ? ", and it may be passed on" : "");
}

struct signing delegation_signing(struct core *core, struct slice giver, const struct value *args,
                                  struct slice *number)
{
    int64_t n = value_get_int(state_row(core->state, slice_str("next/delegation")), "n", 0) + 1;

    *number = textf(core, "DEL-%04lld", (long long)n);
    return (struct signing){.type = slice_str("delegation.given"),
                            .stream = textf(core, "delegation/%lld", (long long)n),
                            .meaning = "delegated",
                            .statement = statement(core, giver, args),
                            .about = *number,
                            .pack = pack_that_counts(core)};
}

static int check_giving(struct core *core, const struct question *question)
{
    struct slice number, said = value_get_text(question->args, "number");
    struct signing signing = delegation_signing(core, question->principal, question->args, &number);

    if (question->signature.len > 0 && !slice_equal(said, number))
        return run_refuse(core, 409, "stale-content",
                          "What you signed is %.*s, and the next delegation is %.*s: another was "
                          "given in between. Give it again.",
                          (int)said.len, (const char *)said.at, (int)number.len,
                          (const char *)number.at);
    return check_signing(core, question, &signing);
}

int delegation_check(struct core *core, struct slice giver, const struct value *args)
{
    struct question question = {.principal = giver, .args = args};
    struct slice to = value_get_text(args, "to"), from = value_get_text(args, "of");
    struct value row;

    from = from.len > 0 ? from : giver;
    return check_giver(core, &question, from) != 0 || check_people(core, from, to) != 0 ||
                   fill_row(core, &question, from, to, &row) != 0
               ? -1
               : 0;
}

/* args {to, of?, from?, until?, kinds?, roles?, onward?, reason, number, meaning, key, statement}; signed. */
int delegation_give(struct core *core, const struct question *question)
{
    struct slice to = value_get_text(question->args, "to"),
                 from = value_get_text(question->args, "of"), number;
    struct author author = run_principal(core);
    struct value effects = value_map(), row;
    int64_t n, seq;

    from = from.len > 0 ? from : question->principal;
    if (check_giver(core, question, from) != 0 || check_reason(core, question->args) != 0 ||
        check_people(core, from, to) != 0 || fill_row(core, question, from, to, &row) != 0 ||
        check_giving(core, question) != 0)
        return -1;
    n = run_next_number(core, &effects, "delegation");
    number = textf(core, "DEL-%04lld", (long long)n);
    if (put_listed(core, from, number, &row, &effects) != 0)
        return -1;
    tell_both(core, &row, number, "given", &effects);
    value_set(core->arena, &row, "number", value_text(number));
    value_set(core->arena, &row, "given_ms", value_int(core->now_ms));
    put_under(core, pack_that_counts(core), &row);
    value_set(core->arena, &effects, "", row);
    seq = run_leaf(core, "delegation.given", textf(core, "delegation/%lld", (long long)n),
                   slice_of(NULL, 0), &author, question->args, &effects);
    if (seq < 0)
        return -1;
    ask_anew(core, from, to, seq);
    return 0;
}

/* ---- ended ---- */

/* "DEL-0003" or 3 */
static int64_t number_of(const struct value *args)
{
    struct slice text = value_get_text(args, "delegation");
    int64_t n = 0;

    if (!slice_starts(text, "DEL-") || text.len > 16)
        return value_get_int(args, "delegation", 0);
    for (size_t i = 4; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return 0;
        n = n * 10 + (text.at[i] - '0');
    }
    return n;
}

/* args {delegation, reason?}: by whom it stands in for, by the delegate himself, or by who keeps the rules. */
int delegation_end(struct core *core, const struct question *question)
{
    int64_t n = number_of(question->args), seq;
    const struct value *row = state_rowf(core->state, "delegation/%lld", (long long)n);
    struct slice from = value_get_text(row, "from"), to = value_get_text(row, "to"),
                 number = value_get_text(row, "number");
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map();
    const char *sentence = "";
    bool is_own;

    if (row == NULL)
        return run_refuse(core, 404, "no-record",
                          "There is no such delegation (`rota delegate list`).");
    is_own = (slice_equal(from, question->principal) || slice_equal(to, question->principal)) &&
             authority_may_write(core, question->principal);
    if (!is_own && authority_command(core, question->principal, "delegation", &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "For somebody else: %s", sentence);
    if (value_get(row, "ended_ms") != NULL || until_of(row) <= core->now_ms)
        return run_refuse(core, 409, "wrong-state", "%.*s is over already.", (int)number.len,
                          (const char *)number.at);
    value_put(
        core->arena,
        value_sub(core->arena, run_patch(core, &effects, list_key(core, from)), slice_str("given")),
        number, VALUE_NONE);
    tell_both(core, row, number, "ended", &effects);
    value_set(core->arena, &own, "ended_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "ended_by", value_text(question->principal));
    value_set(core->arena, &effects, "", own);
    seq = run_leaf(core, "delegation.ended", textf(core, "delegation/%lld", (long long)n),
                   slice_of(NULL, 0), &author, question->args, &effects);
    if (seq < 0)
        return -1;
    ask_anew(core, from, to, seq);
    return 0;
}
