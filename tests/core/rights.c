/* rights.c - the oracle: read together with the table of words in workflows/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/rights.h"

#define BIT(i) ((people_set)1 << (i))

const char *answer_name(enum answer answer)
{
    static const char *const names[] = {"may", "not-allowed", "separation-of-duties", "other"};

    return names[answer];
}

/* ---- the directory ---- */

int folk_find(const struct folk *folk, struct slice name)
{
    for (int i = 0; i < folk->count; i++)
        if (slice_is(name, folk->names[i]))
            return i;
    return -1;
}

static bool is_here(const struct folk *folk, int who)
{
    return folk->now_ms <= value_get_int(folk->rows[who], "not_after", INT64_MAX);
}

static bool holds(const struct folk *folk, int who, const char *role)
{
    return value_has_text(value_get(folk->rows[who], "roles"), slice_str(role));
}

people_set folk_with_role(const struct folk *folk, const char *role)
{
    people_set out = 0;

    for (int i = 0; i < folk->count; i++)
        if (is_here(folk, i) && holds(folk, i, role))
            out |= BIT(i);
    return out;
}

/* A name, a role, or a list of these. */
static people_set named(const struct folk *folk, const struct value *value)
{
    people_set out = 0;
    char role[128];
    int who;

    if (value_is(value, VALUE_ARRAY))
        for (uint32_t i = 0; i < value->count; i++)
            out |= named(folk, &value->as.items[i]);
    if (!value_is(value, VALUE_STR))
        return out;
    who = folk_find(folk, value_slice(value));
    if (who >= 0)
        return is_here(folk, who) ? BIT(who) : 0;
    snprintf(role, sizeof role, "%.*s", (int)value->count, value->as.text);
    return folk_with_role(folk, role);
}

/* ---- words ---- */

static bool begins(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

static people_set of_words(const struct rights *rights, const struct sheet *sheet,
                           const struct words *words)
{
    people_set out = 0;

    for (int i = 0; i < words->count; i++)
        out |= rights_of_word(rights, sheet, words->at[i]);
    return out;
}

static bool is_named_by(const struct value *names, const struct sheet *other)
{
    const char *at = strchr(other->id, '@');
    struct slice whole = slice_str(other->id);
    struct slice base = slice_of(other->id, at != NULL ? (size_t)(at - other->id) : whole.len);
    bool is_one = value_is(names, VALUE_STR);

    for (uint32_t i = 0; (value_is(names, VALUE_ARRAY) && i < names->count) || (is_one && i < 1);
         i++) {
        struct slice name = value_slice(is_one ? names : &names->as.items[i]);

        if (slice_equal(name, whole) || slice_equal(name, base))
            return true;
    }
    return false;
}

/* word@field: of the records that the field names; word@kind: of linked records of that kind. */
static people_set of_others(const struct rights *rights, const struct sheet *sheet,
                            const char *word, const char *there)
{
    const struct value *names = value_get(value_get(sheet->row, "fields"), there);
    const struct value *links = value_get(sheet->row, "links");
    bool is_field = kind_field(sheet->kind, slice_str(there)) != NULL;
    people_set out = 0;

    for (int i = 0; i < rights->sheet_count; i++) {
        const struct sheet *other = &rights->sheets[i];
        bool is_linked = !is_field && strcmp(other->kind->name, there) == 0 &&
                         value_find(links, slice_str(other->id)) != NULL;

        if (is_linked || (is_field && is_named_by(names, other)))
            out |= rights_of_word(rights, other, word);
    }
    return out;
}

static people_set of_managers(const struct rights *rights, people_set people)
{
    people_set out = 0;

    for (int i = 0; i < rights->folk.count; i++)
        if ((people & BIT(i)) != 0)
            out |= named(&rights->folk, value_get(rights->folk.rows[i], "manager"));
    return out;
}

/* Who owns it or ever did, or touched it within the year. */
static people_set of_involved(const struct rights *rights, const struct sheet *sheet,
                              const char *span)
{
    const struct value *acts = value_get(sheet->row, "acts");
    people_set out = named(&rights->folk, value_get(sheet->row, "owner")) |
                     named(&rights->folk, value_get(sheet->row, "former_owners"));

    if (strcmp(span, "12 months") != 0)
        fail_msg("the oracle knows no span %s", span);
    for (uint32_t i = 0; value_is(acts, VALUE_MAP) && i < acts->count; i++) {
        int who = folk_find(&rights->folk, acts->as.pairs[i].key);

        if (who >= 0 && is_here(&rights->folk, who) &&
            acts->as.pairs[i].value.as.number >= rights->folk.today - 365)
            out |= BIT(who);
    }
    return out;
}

static people_set of_process(const struct rights *rights, const struct sheet *sheet,
                             const char *what)
{
    struct slice id = value_get_text(value_get(sheet->row, "fields"), "process");
    people_set out = 0;

    for (int i = 0; i < rights->pack->process_count; i++) {
        const struct process *process = &rights->pack->processes[i];
        const struct words *roles = strcmp(what, "owner") == 0      ? &process->owner
                                    : strcmp(what, "approves") == 0 ? &process->approves
                                                                    : &process->tell;

        for (int r = 0; slice_is(id, process->id) && r < roles->count; r++)
            out |= folk_with_role(&rights->folk, roles->at[r]);
    }
    return out;
}

static people_set of_anyone(const struct folk *folk)
{
    people_set out = 0;

    for (int i = 0; i < folk->count; i++)
        if (is_here(folk, i) && slice_is(value_get_text(folk->rows[i], "kind"), "person"))
            out |= BIT(i);
    return out;
}

/* "owner", "author", "editors": where the row says it by name. */
static const char *fact_of(const char *word)
{
    if (strcmp(word, "requester") == 0)
        return "author";
    return strcmp(word, "owner") == 0 || strcmp(word, "author") == 0 || strcmp(word, "editors") == 0
               ? word
               : NULL;
}

static bool is_role(const struct rights *rights, const char *word)
{
    for (int i = 0; i < rights->pack->role_count; i++)
        if (strcmp(rights->pack->roles[i].name, word) == 0)
            return true;
    return false;
}

people_set rights_of_word(const struct rights *rights, const struct sheet *sheet, const char *word)
{
    const struct folk *folk = &rights->folk;
    const struct field *field = kind_field(sheet->kind, slice_str(word));
    const char *at = strchr(word, '@');
    char part[128];

    if (at != NULL) {
        snprintf(part, sizeof part, "%.*s", (int)(at - word), word);
        return of_others(rights, sheet, part, at + 1);
    }
    if (strcmp(word, "owner") == 0 && rights->looks_back)
        return named(folk, value_get(sheet->row, "owner")) |
               named(folk, value_get(sheet->row, "former_owners"));
    if (fact_of(word) != NULL)
        return named(folk, value_get(sheet->row, fact_of(word)));
    if (strcmp(word, "anyone") == 0)
        return of_anyone(folk);
    if (strcmp(word, "system") == 0)
        return 0;
    if (strcmp(word, "asked") == 0 || strcmp(word, "approvers") == 0)
        return named(folk, value_get(sheet->round, "ask"));
    if (begins(word, "manager_of:"))
        return of_managers(rights, rights_of_word(rights, sheet, word + 11));
    if (begins(word, "involved:"))
        return of_involved(rights, sheet, word + 9);
    if (begins(word, "process."))
        return of_process(rights, sheet, word + 8);
    if (begins(word, "did:"))
        return named(folk, value_get(value_get(sheet->row, "did"), word + 4));
    if (field != NULL)
        return named(folk, value_get(value_get(sheet->row, "fields"), word));
    if (strcmp(word, "audience") == 0)
        return of_words(rights, sheet, &sheet->kind->audience);
    if (!is_role(rights, word))
        fail_msg("the oracle does not know the word \"%s\" of %s", word, sheet->kind->name);
    return folk_with_role(folk, word);
}

/* ---- who left ---- */

/* Everyone whom the word names by name has left: their managers, else the role that owns such records, else the ISMS
 * manager. */
static people_set heirs_of(const struct rights *rights, const struct sheet *sheet, const char *word)
{
    const struct folk *folk = &rights->folk;
    const struct field *field = kind_field(sheet->kind, slice_str(word));
    const struct value *names = fact_of(word) != NULL ? value_get(sheet->row, fact_of(word))
                                : field != NULL && field->type == FIELD_PERSON
                                    ? value_get(value_get(sheet->row, "fields"), word)
                                    : NULL;
    people_set out = 0;
    bool has_leaver = false;

    if (named(folk, names) != 0)
        return 0;
    for (int i = 0; i < folk->count; i++) {
        bool is_named = value_is(names, VALUE_STR)
                            ? slice_is(value_slice(names), folk->names[i])
                            : value_has_text(names, slice_str(folk->names[i]));
        int above = i;

        if (!is_named)
            continue;
        has_leaver = true;
        while (above >= 0 && !is_here(folk, above))
            above = folk_find(folk, value_get_text(folk->rows[above], "manager"));
        out |= above >= 0 ? BIT(above) : 0;
    }
    for (int i = 0; has_leaver && out == 0 && i < sheet->kind->owner.count; i++)
        out |= folk_with_role(folk, sheet->kind->owner.at[i]);
    return has_leaver && out == 0 ? folk_with_role(folk, "isms_manager") : out;
}

static bool is_theirs(const struct rights *rights, const struct sheet *sheet,
                      const struct words *words, int who)
{
    people_set out = of_words(rights, sheet, words);

    for (int i = 0; i < words->count; i++)
        out |= heirs_of(rights, sheet, words->at[i]);
    return (out & BIT(who)) != 0;
}

/* ---- answers ---- */

/* In the directory, not gone, and no external auditor: these change nothing at all. */
static bool may_change(const struct folk *folk, int who)
{
    return who >= 0 && is_here(folk, who) && !holds(folk, who, "external_auditor");
}

static people_set kept_apart(const struct rights *rights, const struct sheet *sheet,
                             const struct words *words)
{
    struct rights *back =
        (struct rights *)(uintptr_t)rights; /* a note to oneself, taken back at once */
    people_set out;

    back->looks_back = true;
    out = of_words(rights, sheet, words);
    back->looks_back = false;
    return out;
}

/* Whom top management freed from the rule (NULL: `preset`) over what the record says now. */
static people_set freed(const struct rights *rights, const struct sheet *sheet, const char *rule,
                        const char *preset)
{
    people_set out = 0;

    for (int i = 0; i < sheet->waiver_count; i++) {
        const struct value *waiver = sheet->waivers[i];
        int who = folk_find(&rights->folk, value_get_text(waiver, "person"));

        if (who >= 0 && value_get(waiver, "ended") == NULL &&
            slice_is(value_get_text(waiver, "rule"), rule != NULL ? rule : preset) &&
            slice_equal(value_get_bin(waiver, "digest"), value_get_bin(sheet->row, "digest")))
            out |= BIT(who);
    }
    return out;
}

static people_set kept_from_voting(const struct rights *rights, const struct sheet *sheet)
{
    const struct approval *approval = sheet->kind->approval;
    people_set out = 0;

    for (int i = 0; i < approval->apart.count; i++) {
        const struct words one = {&approval->apart.at[i], 1};
        const char *rule = approval->apart_rules != NULL ? approval->apart_rules[i] : NULL;

        out |= kept_apart(rights, sheet, &one) & ~freed(rights, sheet, rule, "SOD-1");
    }
    return out;
}

static bool is_apart(const struct rights *rights, const struct sheet *sheet,
                     const struct transition *way, int who)
{
    const struct approval *approval = sheet->kind->approval;

    return (kept_apart(rights, sheet, &way->apart) &
            ~freed(rights, sheet, way->apart_rule, "SOD-1") & BIT(who)) != 0 ||
           (way->vote == VOTE_GRANT && approval != NULL &&
            (kept_from_voting(rights, sheet) & BIT(who)) != 0);
}

static bool is_asked(const struct sheet *sheet, const struct folk *folk, int who)
{
    return value_has_text(value_get(sheet->round, "ask"), slice_str(folk->names[who]));
}

static bool has_voted(const struct sheet *sheet, const struct folk *folk, int who)
{
    return value_get(value_get(sheet->round, "votes"), folk->names[who]) != NULL ||
           value_get(value_get(sheet->round, "delegates"), folk->names[who]) != NULL;
}

/* What the row alone says. */
static enum answer by_row(const struct rights *rights, const struct sheet *sheet,
                          const struct transition *way, int who)
{
    const struct approval *approval = sheet->kind->approval;
    const struct words *by = way->creates && way->by.count == 0 ? &sheet->kind->create : &way->by;

    if (!may_change(&rights->folk, who))
        return NOT_ALLOWED;
    if (is_theirs(rights, sheet, by, who))
        return is_apart(rights, sheet, way, who) ? KEPT_APART : MAY;
    return way->vote != VOTE_NONE && approval != NULL &&
                   (kept_from_voting(rights, sheet) & BIT(who)) != 0
               ? KEPT_APART
               : NOT_ALLOWED;
}

/* Who votes is asked; to send it back is for others of the row as well. */
static enum answer in_round(const struct rights *rights, const struct sheet *sheet,
                            const struct transition *way, int who)
{
    if (has_voted(sheet, &rights->folk, who))
        return WRONG_TIME;
    return is_asked(sheet, &rights->folk, who) || way->vote == VOTE_RETURN ? MAY : NOT_ALLOWED;
}

enum answer rights_event(const struct rights *rights, const struct sheet *sheet,
                         const struct transition *way, int who)
{
    enum answer answer;

    if (way->vote != VOTE_NONE && sheet->round == NULL)
        return WRONG_TIME;
    answer = by_row(rights, sheet, way, who);
    return answer == MAY && way->vote != VOTE_NONE ? in_round(rights, sheet, way, who) : answer;
}

/* ---- in somebody's place ---- */

static const struct approval_stage *stage_of(const struct sheet *sheet, const char *name)
{
    const struct value *stages = value_get(sheet->round, "stages");
    const struct approval *approval = sheet->kind->approval;

    for (uint32_t i = 0; value_is(stages, VALUE_ARRAY) && i < stages->count; i++) {
        struct slice stage = value_get_text(&stages->as.items[i], "name");

        if (!value_has_text(value_get(&stages->as.items[i], "ask"), slice_str(name)))
            continue;
        for (int k = 0; k < approval->stage_count; k++)
            if (slice_is(stage, approval->stages[k].name))
                return &approval->stages[k];
    }
    return NULL;
}

/* Does this delegation of `person` speak of the right that this row gives them (NULL: the right to edit)? */
static bool covers(const struct rights *rights, const struct sheet *sheet,
                   const struct transition *way, int person, const struct value *given)
{
    const struct state *state = kind_state(sheet->kind, value_get_text(sheet->row, "state"));
    const struct value *kinds = value_get(given, "kinds"), *roles = value_get(given, "roles");
    const struct approval_stage *stage = stage_of(sheet, rights->folk.names[person]);
    const struct words *words = way != NULL ? &way->by : &state->edit;
    bool is_vote = way != NULL && way->vote != VOTE_NONE && sheet->kind->approval != NULL;

    if (value_get_int(given, "from_ms", 0) > rights->folk.now_ms ||
        rights->folk.now_ms >= value_get_int(given, "end_ms", INT64_MAX) ||
        (kinds != NULL && !value_has_text(kinds, slice_str(sheet->kind->name))))
        return false;
    if (roles == NULL)
        return true;
    if (is_vote) {
        words = stage != NULL ? &stage->ask : &sheet->kind->approval->stages[0].ask;
        if (stage != NULL && value_has_text(roles, slice_str(stage->name)))
            return true;
    }
    for (int i = 0; i < words->count; i++)
        if (value_has_text(roles, slice_str(words->at[i])) &&
            (rights_of_word(rights, sheet, words->at[i]) & BIT(person)) != 0)
            return true;
    return false;
}

static enum answer fits(const struct rights *rights, const struct sheet *sheet,
                        const struct transition *way, int who)
{
    if (!may_change(&rights->folk, who))
        return NOT_ALLOWED;
    return way != NULL && is_apart(rights, sheet, way, who) ? KEPT_APART : MAY;
}

/* All whom the right of `person` can come to, by whatever way. */
static people_set reached(const struct rights *rights, const struct sheet *sheet,
                          const struct transition *way, int person, int from, int depth)
{
    const struct value *notes = rights->folk.notes[from];
    people_set out = 0;

    for (uint32_t i = 0; notes != NULL && depth < 8 && i < notes->count; i++) {
        const struct value *given = &notes->as.pairs[i].value;
        int to = folk_find(&rights->folk, value_get_text(given, "to"));

        if (!covers(rights, sheet, way, person, given))
            continue;
        out |= BIT(to);
        if (value_get_bool(given, "onward", false) && fits(rights, sheet, way, to) == MAY)
            out |= reached(rights, sheet, way, person, to, depth + 1);
    }
    return out;
}

/* One person votes once in a round, whoever they stand in for. */
static enum answer in_round_for(const struct rights *rights, const struct sheet *sheet, int who,
                                int person)
{
    const struct folk *folk = &rights->folk;

    if (has_voted(sheet, folk, person))
        return WRONG_TIME;
    if (!is_asked(sheet, folk, person))
        return NOT_ALLOWED;
    return is_asked(sheet, folk, who) ||
                   value_get(value_get(sheet->round, "votes"), folk->names[who]) != NULL
               ? KEPT_APART
               : MAY;
}

enum answer rights_in_place(const struct rights *rights, const struct sheet *sheet,
                            const struct transition *way, int who, int person)
{
    enum answer answer;

    if (way->vote != VOTE_NONE && sheet->round == NULL)
        return WRONG_TIME;
    answer = by_row(rights, sheet, way, person);
    if (answer != MAY)
        return answer;
    if (who == person || (reached(rights, sheet, way, person, person, 0) & BIT(who)) == 0)
        return NOT_ALLOWED;
    answer = fits(rights, sheet, way, who);
    return answer == MAY && way->vote != VOTE_NONE ? in_round_for(rights, sheet, who, person)
                                                   : answer;
}

/* ---- no events ---- */

enum answer rights_edit(const struct rights *rights, const struct sheet *sheet, int who)
{
    const struct state *state = kind_state(sheet->kind, value_get_text(sheet->row, "state"));

    if (state->edit.count == 0)
        return WRONG_TIME;
    return may_change(&rights->folk, who) && is_theirs(rights, sheet, &state->edit, who)
               ? MAY
               : NOT_ALLOWED;
}

enum answer rights_edit_in_place(const struct rights *rights, const struct sheet *sheet, int who,
                                 int person)
{
    enum answer answer = rights_edit(rights, sheet, person);

    if (answer != MAY)
        return answer;
    return who != person && (reached(rights, sheet, NULL, person, person, 0) & BIT(who)) != 0 &&
                   may_change(&rights->folk, who)
               ? MAY
               : NOT_ALLOWED;
}

enum answer rights_hand_over(const struct rights *rights, const struct sheet *sheet, int who)
{
    static const char *at[] = {"owner", "manager_of:owner", "isms_manager"};
    static const struct words by = {at, 3};

    return may_change(&rights->folk, who) && is_theirs(rights, sheet, &by, who) ? MAY : NOT_ALLOWED;
}

enum answer rights_ack(const struct rights *rights, const struct sheet *sheet, int who)
{
    const struct state *state = kind_state(sheet->kind, value_get_text(sheet->row, "state"));

    if (sheet->kind->acknowledge.count == 0 ||
        (state->stage != STAGE_IN_FORCE && state->stage != STAGE_UNDER_REVIEW))
        return WRONG_TIME;
    return may_change(&rights->folk, who) &&
                   (of_words(rights, sheet, &sheet->kind->acknowledge) & BIT(who)) != 0
               ? MAY
               : NOT_ALLOWED;
}

bool rights_of_system(const struct transition *way)
{
    return way->automatic || words_have(&way->by, slice_str("system"));
}

bool rights_need_apart(const struct rights *rights, const struct sheet *sheet,
                       const struct transition *way)
{
    for (int i = 0; i < sheet->kind->need_count; i++) {
        const struct need *need = &sheet->kind->needs[i];

        if (words_have(&need->before, slice_str(way->event)) && need->when == NULL &&
            (of_words(rights, sheet, &need->people) & kept_apart(rights, sheet, &need->apart) &
             ~freed(rights, sheet, need->rule, "SOD-3")) != 0)
            return true;
    }
    return false;
}

enum answer rights_waive(const struct rights *rights, int who)
{
    return may_change(&rights->folk, who) &&
                   (folk_with_role(&rights->folk, "top_management") & BIT(who)) != 0
               ? MAY
               : NOT_ALLOWED;
}

/* ---- what takes two people ---- */

static bool is_person(const struct folk *folk, int who)
{
    return slice_is(value_get_text(folk->rows[who], "kind"), "person");
}

static bool holds_one_of(const struct folk *folk, int who, const char *one, const char *other)
{
    return holds(folk, who, one) || holds(folk, who, other);
}

/* Never for what is signed, nor what is the engine's alone; else whoever is a person here. */
enum answer rights_glass(const struct rights *rights, const struct transition *first, int who)
{
    bool is_signed = first != NULL && (first->vote != VOTE_NONE || first->meaning != NULL);
    bool is_engines =
        first != NULL && first->by.count == 1 && strcmp(first->by.at[0], "system") == 0;

    if (first == NULL)
        return WRONG_TIME;
    return !is_signed && !is_engines && may_change(&rights->folk, who) &&
                   is_person(&rights->folk, who)
               ? MAY
               : NOT_ALLOWED;
}

enum answer rights_agree(const struct rights *rights, int who, int by)
{
    if (who == by)
        return KEPT_APART;
    return may_change(&rights->folk, who) && is_person(&rights->folk, who) &&
                   holds_one_of(&rights->folk, who, "top_management", "isms_manager")
               ? MAY
               : NOT_ALLOWED;
}

enum answer rights_end_proposal(const struct rights *rights, int who, int by)
{
    if (who == by)
        return may_change(&rights->folk, who) ? MAY : NOT_ALLOWED;
    return rights_agree(rights, who, by);
}

enum answer rights_end_delegation(const struct rights *rights, int who, int from, int to)
{
    return may_change(&rights->folk, who) &&
                   (who == from || who == to || holds(&rights->folk, who, "isms_manager"))
               ? MAY
               : NOT_ALLOWED;
}
