/* test_matrix.c - SEC-4: every command as everybody through every entrance, compared with the definition.
 *
 * For each kind of the shipped pack and each of its states, records are made up: who owns, wrote, edited, did, is named in
 * fields, linked, asked and has voted is drawn (the same at each run), out of the sample organisation and two who have
 * left. Then everybody, and somebody who is nobody, tries every event of the kind, edits and acknowledges, in their own
 * name and in the place of everybody else; everybody opens every kind; a worker's result, a timer or a rule signals every
 * event; and everybody gives each command that is about no record. What core_decide() answers is compared with the oracle
 * of rights.h: permitted or not, and the code; and what is refused by a rule is one leaf that changes nothing else.
 *
 * What it cannot show: that what is permitted then does the right thing (guards, signatures, needs: only that they are
 * asked after the permission); that the text of the pack means what its author thinks (the oracle reads it as it was
 * compiled); words and spans that no shipped kind uses; the transports (tests/engine/test_security.c); and an error that
 * is in the table of words of workflows/README.md, which both were written from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "core/rights.h"
#include "core/story.h"
#include "simulate/chance.h"

enum { DRAWS = 3 /* records of a kind in a state */, DAY_MS = 86400000 };

/* Of contents that core makes; nothing here is kept. */
static const uint8_t salt[QUESTION_SALT_LEN] = {5};

struct matrix {
    struct story *story;
    struct rights rights;
    struct chance chance;
    int asked, permitted, in_place, apart, refused;
};

/* ---- the stage ---- */

static void put_row(struct matrix *m, const char *key, struct value row)
{
    struct arena *arena = story_arena(m->story);
    struct value effects = value_map();

    value_set(arena, &effects, key, row);
    story_put(m->story, &effects);
}

static void put_leaver(struct matrix *m, const char *name, const char *manager)
{
    struct arena *arena = story_arena(m->story);
    struct value row = value_map(), roles = value_array();

    value_push(arena, &roles, value_str("employee"));
    value_push(arena, &roles, value_str("isms_manager"));
    value_set(arena, &row, "kind", value_str("person"));
    value_set(arena, &row, "roles", roles);
    value_set(arena, &row, "not_after", value_int(1));
    if (manager != NULL)
        value_set(arena, &row, "manager", value_str(manager));
    put_row(m, arena_printf(arena, "person/%s", name), row);
}

struct given { /* a delegation */
    const char *from, *to;
    bool onward;
    const char *kind, *role;
    int begins, ends; /* days from now */
};

static const struct given given[] = {
    {"amara", "henrik", true, NULL, NULL, -1, 9},
    {"henrik", "pavel", false, NULL, NULL, -1, 9},
    {"ines", "claire", true, NULL, NULL, -1, 9},
    {"claire", "bo", true, NULL, NULL, -1, 9},
    {"bo", "leila", false, NULL, NULL, -1, 9},
    {"tomas", "nina", false, "audit", NULL, -1, 9},
    {"tomas", "grace", false, NULL, "internal_auditor", -1, 9},
    {"pavel", "sofia", false, NULL, "owner", -1, 9},
    {"marta", "omar", false, NULL, NULL, 1, 9},    /* not yet */
    {"dmitri", "omar", false, NULL, NULL, -9, -1}, /* no more */
    {"leila", "edith", true, NULL, NULL, -1, 9},   /* an external auditor */
    {"yuki", "lea", true, NULL, NULL, -1, 9},      /* who has left */
    {"sofia", "audit-worker", false, NULL, NULL, -1, 9},
};

static void put_given(struct matrix *m, size_t i)
{
    struct arena *arena = story_arena(m->story);
    struct value row = value_map(), all = value_map(), one = value_map(), list = value_array();

    value_set(arena, &one, "to", value_str(given[i].to));
    value_set(arena, &one, "from_ms",
              value_int(m->rights.folk.now_ms + given[i].begins * (int64_t)DAY_MS));
    value_set(arena, &one, "end_ms",
              value_int(m->rights.folk.now_ms + given[i].ends * (int64_t)DAY_MS));
    if (given[i].onward)
        value_set(arena, &one, "onward", value_bool(true));
    value_push(arena, &list,
               value_str(given[i].kind != NULL   ? given[i].kind
                         : given[i].role != NULL ? given[i].role
                                                 : ""));
    if (given[i].kind != NULL || given[i].role != NULL)
        value_set(arena, &one, given[i].kind != NULL ? "kinds" : "roles", list);
    value_set(arena, &all, arena_printf(arena, "DEL-%04d", (int)i + 1), one);
    value_set(arena, &row, "given", all);
    put_row(m, arena_printf(arena, "delegations/%s", given[i].from), row);
}

/* Everybody whom the journal knows, and what they delegated. */
static void read_folk(struct matrix *m)
{
    struct folk *folk = &m->rights.folk;
    struct arena *arena = story_arena(m->story);
    struct value rows;

    state_rows(core_state(story_core(m->story)), slice_str("person/"), FOLK_MAX, &rows);
    assert_true(rows.count < FOLK_MAX);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");

        folk->names[folk->count++] = arena_copy(arena, key.at + 7, key.len - 7);
    }
    core_drop(story_core(m->story));
    for (int i = 0; i < folk->count; i++) {
        const struct value *notes;

        folk->rows[i] = story_row(m->story, arena_printf(arena, "person/%s", folk->names[i]));
        notes = story_row(m->story, arena_printf(arena, "delegations/%s", folk->names[i]));
        folk->notes[i] = notes != NULL ? value_get(notes, "given") : NULL;
    }
}

static void begin(struct matrix *m)
{
    *m = (struct matrix){.story = story_begin_among("workflows", "config/sample/directory.cfg"),
                         .chance = chance_of(4, "matrix")};
    m->rights.pack = core_current_pack(story_core(m->story));
    m->rights.folk.now_ms = INT64_C(1772438400000); /* 2026-03-02 08:00 UTC */
    m->rights.folk.today = (int32_t)(m->rights.folk.now_ms / DAY_MS);
    put_leaver(m, "lea", "pavel");
    put_leaver(m, "lou", NULL);
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        put_given(m, i);
    read_folk(m);
}

/* ---- records, made up ---- */

static struct value anybody(struct matrix *m)
{
    return value_str(
        m->rights.folk.names[chance_below(&m->chance, (uint32_t)m->rights.folk.count)]);
}

static struct value some(struct matrix *m, uint32_t most)
{
    struct value list = value_array();

    for (uint32_t i = chance_below(&m->chance, most + 1); i > 0; i--) {
        struct value one = anybody(m);

        if (!value_has_text(&list, value_slice(&one)))
            value_push(story_arena(m->story), &list, one);
    }
    return list;
}

/* The newest record of a kind that the field may name; VALUE_NONE: there is none yet. */
static struct value a_record(struct matrix *m, const struct field *field)
{
    for (int i = m->rights.sheet_count - 1; i >= 0; i--)
        if (field->of.count == 0 ||
            words_have(&field->of, slice_str(m->rights.sheets[i].kind->name)))
            return value_str(m->rights.sheets[i].id);
    return VALUE_NONE;
}

static struct value drawn_one(struct matrix *m, const struct field *field)
{
    const struct pack *pack = m->rights.pack;

    if (field->type == FIELD_PERSON)
        return anybody(m);
    if (field->type == FIELD_GROUP)
        return value_str(pack->roles[chance_below(&m->chance, (uint32_t)pack->role_count)].name);
    if (field->type == FIELD_REF)
        return a_record(m, field);
    if (field->type == FIELD_ENUM && strcmp(field->name, "process") == 0)
        return value_str(
            pack->processes[chance_below(&m->chance, (uint32_t)pack->process_count)].id);
    return VALUE_NONE;
}

static struct value drawn_fields(struct matrix *m, const struct kind *kind)
{
    struct arena *arena = story_arena(m->story);
    struct value fields = value_map();

    for (int i = 0; i < kind->field_count; i++) {
        struct value one = drawn_one(m, &kind->fields[i]), list = value_array();

        if (one.type == VALUE_NIL)
            continue;
        value_push(arena, &list, one);
        value_set(arena, &fields, kind->fields[i].name, kind->fields[i].list ? list : one);
    }
    return fields;
}

static struct value drawn_deeds(struct matrix *m, const struct kind *kind)
{
    struct value did = value_map();

    for (int i = 0; i < kind->lifecycle->transition_count; i++)
        value_set(story_arena(m->story), &did, kind->lifecycle->transitions[i].event, some(m, 3));
    return did;
}

static struct value drawn_acts(struct matrix *m)
{
    struct value acts = value_map();

    for (int i = 0; i < 4; i++) {
        struct value who = anybody(m);
        int64_t before = chance_below(&m->chance, 2) == 0 ? 30 : 800;

        value_put(story_arena(m->story), &acts, value_slice(&who),
                  value_int(m->rights.folk.today - before));
    }
    return acts;
}

/* Each of those who are asked is asked in one of the stages, and all are open. */
static void put_stages(struct matrix *m, const struct approval *approval, const struct value *ask,
                       struct value *round)
{
    struct arena *arena = story_arena(m->story);
    struct value stages = value_array(), stands = value_map();

    for (int i = 0; i < approval->stage_count; i++) {
        struct value stage = value_map(), state = value_map(), own = value_array();

        for (uint32_t k = (uint32_t)i; k < ask->count; k += (uint32_t)approval->stage_count)
            value_push(arena, &own, ask->as.items[k]);
        value_set(arena, &stage, "name", value_str(approval->stages[i].name));
        value_set(arena, &stage, "ask", own);
        value_set(arena, &stage, "counting", value_str("need"));
        value_set(arena, &stage, "need", value_int(1));
        value_set(arena, &stage, "meaning", value_str(approval->stages[i].meaning));
        value_push(arena, &stages, stage);
        value_set(arena, &state, "state", value_str("open"));
        value_set(arena, &stands, approval->stages[i].name, state);
    }
    value_set(arena, round, "stages", stages);
    value_set(arena, round, "stage", stands);
}

/* Who is asked are those whom the approval means, and some others; one may have voted. */
static struct value drawn_round(struct matrix *m, const struct kind *kind)
{
    struct arena *arena = story_arena(m->story);
    struct value round = value_map(), ask = some(m, 8), votes = value_map();
    uint8_t *digest = arena_zero(arena, HASH_LEN);

    value_set(arena, &round, "n", value_int(1));
    value_set(arena, &round, "state", value_str("open"));
    value_set(arena, &round, "digest", value_bin(digest, HASH_LEN));
    value_set(arena, &round, "need", value_int(1));
    value_set(arena, &round, "ask", ask);
    if (ask.count > 0 && chance_below(&m->chance, 3) == 0)
        value_put(arena, &votes, value_slice(&ask.as.items[0]), value_str("abstain"));
    value_set(arena, &round, "votes", votes);
    if (kind->approval != NULL && kind->approval->stage_count > 1)
        put_stages(m, kind->approval, &ask, &round);
    return round;
}

static struct value drawn_row(struct matrix *m, const struct kind *kind, const struct state *state)
{
    struct arena *arena = story_arena(m->story);
    struct value row = value_map(), links = value_map();
    uint8_t *digest = arena_zero(arena, HASH_LEN);

    for (int i = 0; i < 3 && m->rights.sheet_count > 0; i++)
        value_set(arena, &links,
                  m->rights.sheets[chance_below(&m->chance, (uint32_t)m->rights.sheet_count)].id,
                  value_str("about"));
    value_set(arena, &row, "kind", value_str(kind->name));
    value_set(arena, &row, "title", value_str("Made up"));
    value_set(arena, &row, "state", value_str(state->name));
    value_set(arena, &row, "stage", value_str(stage_name(state->stage)));
    value_set(arena, &row, "pack", value_bin(m->rights.pack->digest, HASH_LEN));
    value_set(arena, &row, "digest", value_bin(digest, HASH_LEN));
    value_set(arena, &row, "owner", anybody(m));
    value_set(arena, &row, "former_owners", some(m, 2));
    value_set(arena, &row, "author", anybody(m));
    value_set(arena, &row, "editors", some(m, 3));
    value_set(arena, &row, "did", drawn_deeds(m, kind));
    value_set(arena, &row, "acts", drawn_acts(m));
    value_set(arena, &row, "fields", drawn_fields(m, kind));
    value_set(arena, &row, "links", links);
    value_set(arena, &row, "rev", value_int(1));
    value_set(arena, &row, "last", value_int(0));
    if (kind->lifecycle->versioned)
        value_set(arena, &row, "version", value_str("1.0"));
    return row;
}

static bool votes_in(const struct kind *kind, int state)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++)
        if (kind->lifecycle->transitions[i].from[state] &&
            kind->lifecycle->transitions[i].vote != VOTE_NONE)
            return true;
    return false;
}

/* Rules of separation that were waived for the record: for those whom they keep apart, and for others; over what it says,
 * and over what it said before; taken back, too. */
static void drawn_waivers(struct matrix *m, const char *id, struct value *row,
                          struct value *effects)
{
    static const char *const rules[] = {"SOD-1", "SOD-3", "SOD-4", "SOD-5", "SOD-7", "SOD-8"};
    struct arena *arena = story_arena(m->story);
    int count = (int)chance_below(&m->chance, WAIVED_MAX + 1);

    for (int n = 1; n <= count; n++) {
        struct value waiver = value_map();
        uint8_t *digest = arena_zero(arena, HASH_LEN);
        uint32_t rule = chance_below(&m->chance, sizeof rules / sizeof rules[0]);

        digest[0] = chance_below(&m->chance, 4) == 0;
        value_set(arena, &waiver, "rule", value_str(rules[rule]));
        value_set(arena, &waiver, "person",
                  chance_below(&m->chance, 2) == 0 ? *value_get(row, "author") : anybody(m));
        value_set(arena, &waiver, "by", value_str("amara"));
        if (chance_below(&m->chance, 5) == 0)
            value_set(arena, &waiver, "ended", value_map());
        value_set(arena, &waiver, "digest", value_bin(digest, HASH_LEN));
        value_set(arena, effects, arena_printf(arena, "%s/waiver/%d", id, n), waiver);
    }
    if (count > 0)
        value_set(arena, row, "waivers", value_int(count));
}

static struct sheet *make_up(struct matrix *m, const struct kind *kind, int state, bool has_round)
{
    struct arena *arena = story_arena(m->story);
    struct sheet *sheet = &m->rights.sheets[m->rights.sheet_count];
    struct value effects = value_map(), row = drawn_row(m, kind, &kind->lifecycle->states[state]);
    struct value document = value_map();
    const char *base = arena_printf(arena, "%s-%d", kind->prefix, 9000 + m->rights.sheet_count);
    const char *id = kind->lifecycle->versioned ? arena_printf(arena, "%s@1.0", base) : base;

    assert_true(m->rights.sheet_count < NOTES_MAX);
    if (has_round) {
        value_set(arena, &row, "round", value_int(1));
        value_set(arena, &row, "rounds", value_int(1));
        value_set(arena, &effects, arena_printf(arena, "%s/round/1", id), drawn_round(m, kind));
    }
    drawn_waivers(m, id, &row, &effects);
    value_set(arena, &document, "latest", value_str("1.0"));
    if (kind->lifecycle->versioned)
        value_set(arena, &effects, base, document);
    value_set(arena, &effects, id, row);
    story_put(m->story, &effects);
    *sheet = (struct sheet){id,
                            kind,
                            story_row(m->story, id),
                            has_round ? story_row(m->story, arena_printf(arena, "%s/round/1", id))
                                      : NULL,
                            {NULL},
                            (int)value_get_int(&row, "waivers", 0)};
    for (int n = 0; n < sheet->waiver_count; n++)
        sheet->waivers[n] = story_row(m->story, arena_printf(arena, "%s/waiver/%d", id, n + 1));
    m->rights.sheet_count++;
    return sheet;
}

/* ---- asking, and comparing ---- */

/* Everything that is asked for before it is looked at who may: a reason, the round, something to change. */
static const struct value *args_of(struct matrix *m, const char *command, const char *in_place)
{
    struct arena *arena = story_arena(m->story);
    struct value *args = arena_take(arena, sizeof *args), reason = value_map();

    *args = value_map();
    value_set(arena, &reason, "content", value_bin(arena_zero(arena, HASH_LEN), HASH_LEN));
    value_set(arena, args, "reason", reason);
    if (in_place != NULL)
        value_set(arena, args, "for", value_str(in_place));
    if (strcmp(command, "edit") == 0)
        value_set(arena, args, "title", value_str("Otherwise"));
    else if (strcmp(command, "end_waiver") == 0)
        value_set(arena, args, "waiver", value_int(1));
    else if (strcmp(command, "ack") != 0 && strcmp(command, "waive_sod") != 0 &&
             strcmp(command, "hand_over") != 0)
        value_set(arena, args, "round", value_int(1));
    return args;
}

/* What it comes to for who asked; "The signature is refused" comes after the permission. */
static enum answer heard(const struct run *run)
{
    if (!run->is_refused || run->refusal.status != 403 ||
        strncmp(run->refusal.sentence, "The signature is refused", 24) == 0)
        return MAY;
    return strcmp(run->refusal.code, "separation-of-duties") == 0 ? KEPT_APART : NOT_ALLOWED;
}

/* A refusal by a rule is one leaf, filed under who tried, which changes its own row and no other. Nobody's is none. */
static void check_written(struct matrix *m, const struct run *run, const char *who)
{
    struct arena arena = ARENA_EMPTY;
    struct leaf leaf;

    if (heard(run) == MAY && run->refusal.status != 403)
        return;
    if (folk_find(&m->rights.folk, slice_str(who)) < 0) {
        assert_int_equal(run->leaf_count, 0);
        return;
    }
    assert_int_equal(run->leaf_count, 1);
    assert_int_equal(leaf_decode(&arena, run->leaves[0].bytes, &leaf, NULL), 0);
    assert_true(slice_starts(leaf.type, "refusal.") && slice_starts(leaf.stream, "refusal/"));
    assert_true(slice_is(leaf.actor, who));
    for (uint32_t i = 0; i < leaf.effects.count; i++)
        assert_true(leaf.effects.as.pairs[i].key.len == 0 ||
                    slice_is(leaf.effects.as.pairs[i].key, "^"));
    assert_int_equal(run->follows.count + run->offers.count + run->erased.count, 0);
    arena_release(&arena);
}

static enum answer asked(struct matrix *m, const char *who, const char *command, const char *record,
                         const struct value *args, char sentence[512])
{
    struct question question = {.kind = QUESTION_COMMAND,
                                .salt = slice_of(salt, sizeof salt),
                                .seq = story_size(m->story),
                                .now_us = m->rights.folk.now_ms * 1000,
                                .principal = slice_str(who),
                                .auth_method = slice_str("curve"),
                                .id = slice_str("matrix"),
                                .command = slice_str(command),
                                .record = slice_str(record != NULL ? record : ""),
                                .if_revision = -1,
                                .args = args};
    enum answer answer;
    struct run run;

    assert_int_equal(core_decide(story_core(m->story), &question, &run), 0);
    answer = heard(&run);
    if (run.is_refused)
        check_written(m, &run, who);
    snprintf(sentence, 512, "%s", run.is_refused ? run.refusal.sentence : "done");
    core_drop(story_core(m->story));
    return answer;
}

/* `may_be_apart`: where it is permitted a need of the pack may still stand against it, whoever asks. */
static void compare(struct matrix *m, const struct sheet *sheet, const char *who,
                    const char *command, const char *in_place, enum answer wanted,
                    bool may_be_apart)
{
    char sentence[512];
    const struct value *args = args_of(m, command, in_place);
    enum answer got = asked(m, who, command, sheet->id, args, sentence);

    m->asked++;
    m->permitted += wanted == MAY;
    m->apart += wanted == KEPT_APART;
    m->refused += wanted == NOT_ALLOWED;
    if (wanted == WRONG_TIME)
        wanted = MAY;
    if (got == wanted || (wanted == MAY && got == KEPT_APART && may_be_apart))
        return;
    fail_msg("%s: %s %s%s%s in state %.*s: the definition says %s, the engine %s (%s)\nrow %s\n"
             "round %s",
             sheet->id, who, command, in_place != NULL ? " for " : "",
             in_place != NULL ? in_place : "", (int)value_get_text(sheet->row, "state").len,
             (const char *)value_get_text(sheet->row, "state").at, answer_name(wanted),
             answer_name(got), sentence, value_show(story_arena(m->story), sheet->row),
             sheet->round != NULL ? value_show(story_arena(m->story), sheet->round) : "none");
}

/* The one row that answers the event in the state; NULL: none. */
static const struct transition *way_of(const struct kind *kind, int state, const char *event)
{
    const struct transition *found = NULL;

    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *way = &kind->lifecycle->transitions[i];

        if (way->creates || !way->from[state] || strcmp(way->event, event) != 0)
            continue;
        assert_null(found); /* else it is not said which */
        found = way;
    }
    return found;
}

static bool is_first_of_name(const struct kind *kind, int i)
{
    for (int k = 0; k < i; k++)
        if (strcmp(kind->lifecycle->transitions[k].event, kind->lifecycle->transitions[i].event) ==
            0)
            return false;
    return true;
}

/* What the event asks in this state is asked of nobody in particular: two of them stand for all. */
static void try_elsewhere(struct matrix *m, const struct sheet *sheet, const char *event)
{
    struct value who = anybody(m);

    compare(m, sheet, "mallory", event, NULL, WRONG_TIME, false);
    compare(m, sheet, who.as.text, event, NULL, WRONG_TIME, false);
}

static void try_event(struct matrix *m, const struct sheet *sheet, int state, const char *event)
{
    const struct transition *way = way_of(sheet->kind, state, event);
    const struct folk *folk = &m->rights.folk;

    if (way == NULL) {
        try_elsewhere(m, sheet, event);
        return;
    }
    compare(m, sheet, "mallory", event, NULL,
            way->vote != VOTE_NONE && sheet->round == NULL ? WRONG_TIME : NOT_ALLOWED, false);
    for (int i = 0; i < folk->count; i++)
        compare(m, sheet, folk->names[i], event, NULL, rights_event(&m->rights, sheet, way, i),
                rights_need_apart(&m->rights, sheet, way));
}

/* In the place of everybody who may do it, and of some who may not: it is no right that could be passed on. */
static void try_in_place(struct matrix *m, const struct sheet *sheet, int state, const char *event)
{
    const struct transition *way = way_of(sheet->kind, state, event);
    const struct folk *folk = &m->rights.folk;

    for (int p = 0; way != NULL && p < folk->count; p++) {
        if (rights_event(&m->rights, sheet, way, p) == NOT_ALLOWED &&
            chance_below(&m->chance, 20) != 0)
            continue;
        for (int i = 0; i < folk->count; i++) {
            enum answer wanted = rights_in_place(&m->rights, sheet, way, i, p);

            m->in_place += wanted == MAY;
            compare(m, sheet, folk->names[i], event, folk->names[p], wanted,
                    rights_need_apart(&m->rights, sheet, way));
        }
    }
}

/* A worker's result, a timer, a rule: `event` is signalled to the record. */
static void try_system(struct matrix *m, const struct sheet *sheet, int state, const char *event)
{
    const struct transition *way = way_of(sheet->kind, state, event);
    struct value follow = value_map();
    struct question question = {.kind = QUESTION_FOLLOW,
                                .salt = slice_of(salt, sizeof salt),
                                .seq = story_size(m->story),
                                .now_us = m->rights.folk.now_ms * 1000,
                                .principal = slice_str("engine"),
                                .auth_method = slice_str("engine"),
                                .if_revision = -1,
                                .follow = &follow};
    struct run run;

    value_set(story_arena(m->story), &follow, "record", value_str(sheet->id));
    value_set(story_arena(m->story), &follow, "event", value_str(event));
    value_set(story_arena(m->story), &follow, "cause", value_int(0));
    assert_int_equal(core_decide(story_core(m->story), &question, &run), 0);
    m->asked++;
    if (!run.is_refused && run.leaf_count > 0 &&
        (way == NULL || !rights_of_system(way) || way->vote != VOTE_NONE))
        fail_msg("%s: the system made %s happen, which is not its to do", sheet->id, event);
    core_drop(story_core(m->story));
}

/* The same with arguments of its own, which are asked for before it is looked at who may. */
static void compare_with(struct matrix *m, const char *who, const char *command, const char *record,
                         const struct value *args, enum answer wanted)
{
    char sentence[512];
    enum answer got = asked(m, who, command, record, args, sentence);

    m->asked++;
    m->permitted += wanted == MAY;
    m->apart += wanted == KEPT_APART;
    m->refused += wanted == NOT_ALLOWED;
    if (got != (wanted == WRONG_TIME ? MAY : wanted))
        fail_msg("%s gives %s (%s) about %s: the definition says %s, the engine %s (%s)", who,
                 command, value_show(story_arena(m->story), args),
                 record != NULL ? record : "nothing", answer_name(wanted), answer_name(got),
                 sentence);
}

/* Everybody asks to do the event without the role for it. */
static void try_glass(struct matrix *m, const struct sheet *sheet, const char *event)
{
    const struct value *plain = args_of(m, "ack", NULL);
    struct value args = value_copy(story_arena(m->story), plain);
    const struct lifecycle *lifecycle = sheet->kind->lifecycle;
    const struct transition *first = NULL;

    for (int i = lifecycle->transition_count - 1; i >= 0; i--)
        if (!lifecycle->transitions[i].creates &&
            strcmp(lifecycle->transitions[i].event, event) == 0)
            first = &lifecycle->transitions[i];
    value_set(story_arena(m->story), &args, "event", value_str(event));
    compare_with(m, "mallory", "break_glass", sheet->id, &args,
                 first == NULL ? WRONG_TIME : NOT_ALLOWED);
    for (int i = 0; i < m->rights.folk.count; i++)
        compare_with(m, m->rights.folk.names[i], "break_glass", sheet->id, &args,
                     rights_glass(&m->rights, first, i));
}

static void try_record(struct matrix *m, const struct sheet *sheet, int state)
{
    const struct lifecycle *lifecycle = sheet->kind->lifecycle;
    const struct folk *folk = &m->rights.folk;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (!is_first_of_name(sheet->kind, i))
            continue;
        try_event(m, sheet, state, lifecycle->transitions[i].event);
        try_in_place(m, sheet, state, lifecycle->transitions[i].event);
        try_system(m, sheet, state, lifecycle->transitions[i].event);
        if (chance_below(&m->chance, 4) == 0)
            try_glass(m, sheet, lifecycle->transitions[i].event);
    }
    for (int i = 0; i < folk->count; i++) {
        compare(m, sheet, folk->names[i], "edit", NULL, rights_edit(&m->rights, sheet, i), false);
        compare(m, sheet, folk->names[i], "ack", NULL, rights_ack(&m->rights, sheet, i), false);
        compare(m, sheet, folk->names[i], "waive_sod", NULL, rights_waive(&m->rights, i), false);
        compare(m, sheet, folk->names[i], "end_waiver", NULL, rights_waive(&m->rights, i), false);
        compare(m, sheet, folk->names[i], "hand_over", NULL, rights_hand_over(&m->rights, sheet, i),
                false);
        for (int p = 0; p < folk->count; p++)
            if (rights_edit(&m->rights, sheet, p) == MAY)
                compare(m, sheet, folk->names[i], "edit", folk->names[p],
                        rights_edit_in_place(&m->rights, sheet, i, p), false);
    }
}

static void report(const struct matrix *m)
{
    print_message("%d records, %d attempts: %d permitted (%d in another's place), %d kept apart, "
                  "%d not allowed\n",
                  m->rights.sheet_count, m->asked, m->permitted, m->in_place, m->apart, m->refused);
}

static void SEC_4_everybody_tries_everything_and_the_definition_decides(void **state)
{
    struct matrix *m = calloc(1, sizeof *m);

    (void)state;
    begin(m);
    for (int draw = 0; draw < DRAWS; draw++)
        for (int k = 0; k < m->rights.pack->kind_count; k++) {
            const struct kind *kind = &m->rights.pack->kinds[k];

            for (int s = 0; s < kind->lifecycle->state_count; s++)
                try_record(m, make_up(m, kind, s, votes_in(kind, s) && draw > 0), s);
        }
    report(m);
    assert_true(m->rights.pack->kind_count >= 34 && m->permitted > 1000 && m->in_place > 500 &&
                m->apart > 1000);
    story_drop(m->story);
    free(m);
}

static void SEC_4_everybody_opens_every_kind(void **state)
{
    struct matrix *m = calloc(1, sizeof *m);

    (void)state;
    begin(m);
    for (int k = 0; k < m->rights.pack->kind_count; k++) {
        const struct kind *kind = &m->rights.pack->kinds[k];
        struct sheet sheet = {.id = "(new)", .kind = kind};
        struct value args = value_map();
        const struct transition *way = NULL;

        value_set(story_arena(m->story), &args, "kind", value_str(kind->name));
        value_set(story_arena(m->story), &args, "title", value_str("Made up"));
        for (int i = 0; i < kind->lifecycle->transition_count; i++)
            way = way == NULL && kind->lifecycle->transitions[i].creates
                      ? &kind->lifecycle->transitions[i]
                      : way;
        for (int i = 0; i < m->rights.folk.count; i++) {
            enum answer wanted = rights_event(&m->rights, &sheet, way, i), got;
            char sentence[512];

            got = asked(m, m->rights.folk.names[i], "open", NULL, &args, sentence);
            m->permitted += wanted == MAY;
            if (got != wanted)
                fail_msg("%s opens %s: the definition says %s, the engine %s (%s)",
                         m->rights.folk.names[i], kind->name, answer_name(wanted), answer_name(got),
                         sentence);
        }
    }
    assert_true(m->permitted > 100);
    story_drop(m->story);
    free(m);
}

/* ---- commands about no record ---- */

/* Read in engine/PROTOCOL.md and workflows/README.md; whatever is permitted may fail for its arguments. */
static const struct {
    const char *command, *roles[3];
    bool everybody; /* who may change something here at all: it is about themselves */
    const char *key, *text;
} commands[] = {
    {"directory.install", {"isms_manager", "admin", NULL}, false, NULL, NULL},
    {"pack.install", {"isms_manager", "admin", NULL}, false, NULL, NULL},
    {"key.revoke", {"isms_manager", "admin", NULL}, false, "person", "lea"},
    {"delegation.give", {"isms_manager", NULL, NULL}, false, "of", "lea"},
    {"delegation.give", {NULL, NULL, NULL}, true, "to", "bo"},
    {"task.cancel", {"isms_manager", "admin", NULL}, false, "service", "audit.run"},
    {"task.redrive", {"isms_manager", "comms_owner", "admin"}, false, "service", "audit.run"},
    {"admin", {"isms_manager", "admin", NULL}, false, "what", "drain"},
};

static void SEC_4_commands_about_no_record_are_for_the_roles_that_are_named(void **state)
{
    struct matrix *m = calloc(1, sizeof *m);
    struct folk *folk;

    (void)state;
    begin(m);
    folk = &m->rights.folk;
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++)
        for (int i = 0; i < folk->count; i++) {
            struct value args = value_map();
            bool may = commands[c].everybody;
            char sentence[512];
            enum answer got;

            if (commands[c].key != NULL)
                value_set(story_arena(m->story), &args, commands[c].key,
                          value_str(commands[c].text));
            for (int r = 0; r < 3 && commands[c].roles[r] != NULL; r++)
                may = may || (folk_with_role(folk, commands[c].roles[r]) >> i & 1) != 0;
            may = may && (folk_with_role(folk, "external_auditor") >> i & 1) == 0 &&
                  value_get(folk->rows[i], "not_after") == NULL;
            got = asked(m, folk->names[i], commands[c].command, NULL, &args, sentence);
            m->permitted += may;
            if (got != (may ? MAY : NOT_ALLOWED))
                fail_msg("%s gives %s: the engine says %s (%s)", folk->names[i],
                         commands[c].command, answer_name(got), sentence);
        }
    assert_true(m->permitted > 20);
    story_drop(m->story);
    free(m);
}

/* ---- what takes two people, and what one ends ---- */

/* An open proposal of somebody's, about the record where there is one. */
static void put_proposal(struct matrix *m, const char *what, int by, const char *record,
                         const char *event)
{
    struct arena *arena = story_arena(m->story);
    struct value row = value_map();
    uint8_t *digest = arena_zero(arena, HASH_LEN);

    value_set(arena, &row, "n", value_int(1));
    value_set(arena, &row, "what", value_str(what));
    value_set(arena, &row, "by", value_str(m->rights.folk.names[by]));
    value_set(arena, &row, "digest", value_bin(digest, HASH_LEN));
    value_set(arena, &row, "base", value_bin(digest, HASH_LEN));
    value_set(arena, &row, "says", value_str("it be so"));
    value_set(arena, &row, "state", value_str("open"));
    if (record != NULL) {
        value_set(arena, &row, "record", value_str(record));
        value_set(arena, &row, "event", value_str(event));
    }
    put_row(m, "proposal/1", row);
}

/* What each is asked with: all that agreeing to it takes but the signature. `pack`: another one, that was proposed. */
static struct value agreeing_args(struct matrix *m, const char *what, const char *event,
                                  const struct value *pack)
{
    struct arena *arena = story_arena(m->story);
    struct value args = strcmp(what, "pack") == 0 ? value_copy(arena, pack) : value_map();
    struct value people = value_array(), hugo = value_map();

    value_set(arena, &args, "proposal", value_int(1));
    value_set(arena, &hugo, "name", value_str("hugo"));
    value_set(arena, &hugo, "kind", value_str("person"));
    value_set(arena, &hugo, "roles", value_array());
    value_push(arena, &people, hugo);
    if (strcmp(what, "directory") == 0)
        value_set(arena, &args, "people", people);
    else if (strcmp(what, "break_glass") == 0)
        value_set(arena, &args, "event", value_str(event));
    return args;
}

/* The first event of a kind that nobody signs, of a record made up. */
static struct sheet *breakable(struct matrix *m, const char **event)
{
    for (int k = 0; k < m->rights.pack->kind_count; k++) {
        const struct kind *kind = &m->rights.pack->kinds[k];

        for (int i = 0; i < kind->lifecycle->transition_count; i++) {
            const struct transition *way = &kind->lifecycle->transitions[i];

            if (way->creates || way->vote != VOTE_NONE || way->meaning != NULL ||
                words_have(&way->by, slice_str("system")))
                continue;
            *event = way->event;
            return make_up(m, kind, 0, false);
        }
    }
    fail_msg("no kind has an event that is not signed");
    return NULL;
}

static void try_proposal(struct matrix *m, const char *what, const char *command, int by,
                         const char *record, const char *event, const struct value *pack)
{
    const struct folk *folk = &m->rights.folk;
    struct value agrees = agreeing_args(m, what, event, pack),
                 ends = value_copy(story_arena(m->story), args_of(m, "ack", NULL));

    put_proposal(m, what, by, record, event);
    value_set(story_arena(m->story), &ends, "proposal", value_int(1));
    compare_with(m, "mallory", command, record, &agrees, NOT_ALLOWED);
    compare_with(m, "mallory", "proposal.end", NULL, &ends, NOT_ALLOWED);
    for (int i = 0; i < folk->count; i++) {
        compare_with(m, folk->names[i], command, record, &agrees, rights_agree(&m->rights, i, by));
        compare_with(m, folk->names[i], "proposal.end", NULL, &ends,
                     rights_end_proposal(&m->rights, i, by));
    }
}

static void SEC_4_who_agrees_to_a_proposal_and_who_ends_it(void **state)
{
    static const char *const what[][2] = {{"directory", "directory.install"},
                                          {"pack", "pack.install"},
                                          {"break_glass", "break_glass"}};
    static const struct story_change newer[] = {{"pack.cfg", "version  = \"", "version  = \"9"},
                                                {NULL, NULL, NULL}};
    struct matrix *m = calloc(1, sizeof *m);
    const char *event = NULL;
    struct sheet *sheet;
    struct value pack;

    (void)state;
    begin(m);
    assert_int_equal(story_install(m->story, "ines", "For good.", newer), 200);
    pack = value_copy(story_arena(m->story), story_args(m->story));
    sheet = breakable(m, &event);
    for (int by = 0; by < m->rights.folk.count; by++)
        for (size_t k = 0; k < 3; k++)
            try_proposal(m, what[k][0], what[k][1], by, k == 2 ? sheet->id : NULL,
                         k == 2 ? event : NULL, &pack);
    report(m);
    assert_true(m->permitted > 100 && m->apart >= 3 * m->rights.folk.count && m->refused > 1000);
    story_drop(m->story);
    free(m);
}

static void SEC_4_who_ends_a_delegation(void **state)
{
    struct matrix *m = calloc(1, sizeof *m);
    const struct folk *folk = &m->rights.folk;
    struct value args;

    (void)state;
    begin(m);
    args = value_copy(story_arena(m->story), args_of(m, "ack", NULL));
    value_set(story_arena(m->story), &args, "delegation", value_str("DEL-0001"));
    for (int from = 0; from < folk->count; from++) {
        int to = (int)chance_below(&m->chance, (uint32_t)folk->count);
        struct arena *arena = story_arena(m->story);
        struct value row = value_map();

        value_set(arena, &row, "from", value_str(folk->names[from]));
        value_set(arena, &row, "to", value_str(folk->names[to]));
        value_set(arena, &row, "number", value_str("DEL-0001"));
        put_row(m, "delegation/1", row);
        compare_with(m, "mallory", "delegation.end", NULL, &args, NOT_ALLOWED);
        for (int i = 0; i < folk->count; i++)
            compare_with(m, folk->names[i], "delegation.end", NULL, &args,
                         rights_end_delegation(&m->rights, i, from, to));
    }
    report(m);
    assert_true(m->permitted > 30 && m->refused > 100);
    story_drop(m->story);
    free(m);
}

/* A command in somebody else's name that no gateway brought is refused whatever it is. */
static void SEC_4_nobody_uses_the_name_of_another(void **state)
{
    struct matrix *m = calloc(1, sizeof *m);
    static const char *const tried[] = {"open", "edit", "approve", "ack", "directory.install",
                                        "admin"};

    (void)state;
    begin(m);
    for (size_t c = 0; c < sizeof tried / sizeof tried[0]; c++)
        for (int i = 0; i < m->rights.folk.count; i++) {
            struct question question = {.kind = QUESTION_COMMAND,
                                        .salt = slice_of(salt, sizeof salt),
                                        .seq = story_size(m->story),
                                        .now_us = m->rights.folk.now_ms * 1000,
                                        .principal = slice_str(m->rights.folk.names[i]),
                                        .auth_method = slice_str("curve"),
                                        .id = slice_str("matrix"),
                                        .command = slice_str(tried[c]),
                                        .on_behalf_of = slice_str("ines"),
                                        .if_revision = -1,
                                        .args = args_of(m, "ack", NULL)};
            struct run run;

            assert_int_equal(core_decide(story_core(m->story), &question, &run), 0);
            assert_true(run.is_refused && heard(&run) == NOT_ALLOWED);
            core_drop(story_core(m->story));
        }
    story_drop(m->story);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(SEC_4_everybody_tries_everything_and_the_definition_decides),
        cmocka_unit_test(SEC_4_everybody_opens_every_kind),
        cmocka_unit_test(SEC_4_commands_about_no_record_are_for_the_roles_that_are_named),
        cmocka_unit_test(SEC_4_who_agrees_to_a_proposal_and_who_ends_it),
        cmocka_unit_test(SEC_4_who_ends_a_delegation),
        cmocka_unit_test(SEC_4_nobody_uses_the_name_of_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
