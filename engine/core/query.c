/* query.c - the door of the queries, and walking over records. */
#include "core/query_inside.h"

#include "base/check.h"

#include <stdlib.h>

enum { PAGE_ROWS = 256, HOLDERS_MAX = 1000 };

static const struct {
    const char *name;
    int (*answer)(struct asking *asking);
} queries[] = {
    {"info", query_info},
    {"kinds", query_kinds},
    {"people", query_people},
    {"show", query_show},
    {"list", query_list},
    {"find", query_list},
    {"log", query_log},
    {"diff", query_diff},
    {"why", query_why},
    {"prepare", query_prepare},
    {"inbox", query_inbox},
    {"tasks", query_tasks},
    {"content", query_content},
    {"processes", query_processes},
    {"packs", query_packs},
    {"migration", query_migration},
    {"rules", query_rules},
    {"delegations", query_delegations},
    {"waivers", query_waivers},
    {"import", query_import},
    {"proposals", query_proposals},
};

bool query_exists(struct slice name)
{
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        if (slice_is(name, queries[i].name))
            return true;
    return false;
}

/* Does a record that this auditor may see hold the content? */
static bool is_content_in_scope(struct asking *asking)
{
    struct core *core = asking->core;
    struct slice hash = value_get_bin(asking->args, "content");
    char hex[2 * HASH_LEN + 1];
    struct slice prefix;
    struct value rows;

    if (hash.len != HASH_LEN)
        return false;
    hex_encode(hash, hex);
    prefix = textf(core, "content/%s/", hex);
    state_rows(core->state, prefix, HOLDERS_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        struct subject holder;

        if (subject_find(core, slice_of(key.at + prefix.len, key.len - prefix.len), &holder) &&
            authority_may_see(core, asking->query->principal, holder.kind))
            return true;
    }
    return false;
}

/* What an auditor with a scope may ask: what names no record, and what names one of those kinds. Anything else, the
 * whole journal for one, is closed. */
static bool is_in_scope(struct asking *asking)
{
    static const char *const open[] = {"info",   "kinds", "processes", "rules",
                                       "people", "list",  "find",      "waivers"};
    static const char *const about_one[] = {"show", "diff", "why", "log", "tasks", "waivers"};
    struct core *core = asking->core;
    struct slice name = asking->query->name, principal = asking->query->principal;
    struct slice against = value_get_text(asking->args, "against");
    struct subject subject;

    if (!authority_is_scoped(core, principal))
        return true;
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (slice_is(name, open[i]) &&
            (!slice_is(name, "waivers") || value_get(asking->args, "record") == NULL))
            return true;
    if (slice_is(name, "content"))
        return is_content_in_scope(asking);
    for (size_t i = 0; i < sizeof about_one / sizeof about_one[0]; i++)
        if (slice_is(name, about_one[i]))
            return subject_find(core, value_get_text(asking->args, "record"), &subject) &&
                   authority_may_see(core, principal, subject.kind) &&
                   (against.len == 0 || (subject_find(core, against, &subject) &&
                                         authority_may_see(core, principal, subject.kind)));
    return false;
}

static int answer(struct asking *asking)
{
    const struct core_query *query = asking->query;

    if (!authority_may_read(asking->core, query->principal, query->name))
        return run_refuse(asking->core, 403, "not-allowed", "%.*s may not read here.",
                          (int)query->principal.len, (const char *)query->principal.at);
    if (asking->args->type != VALUE_MAP)
        return run_refuse(asking->core, 400, "malformed", "The arguments of a query are a map.");
    if (!is_in_scope(asking))
        return run_refuse(asking->core, 403, "not-allowed",
                          "%.*s audits a part of this: the kinds of the entry's scope, record by "
                          "record.",
                          (int)query->principal.len, (const char *)query->principal.at);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        if (slice_is(query->name, queries[i].name))
            return queries[i].answer(asking);
    }
    return run_refuse(asking->core, 405, "unknown-command", "There is no query \"%.*s\".",
                      (int)query->name.len, (const char *)query->name.at);
}

int query_answer(struct core *core, const struct core_query *query, struct value *out,
                 struct refusal *refusal)
{
    struct run run = {0};
    struct value none = value_map();
    struct question question = {.kind = QUESTION_COMMAND,
                                .seq = query->size,
                                .now_us = query->now_us,
                                .principal = query->principal,
                                .if_revision = -1,
                                .args = query->args.type == VALUE_NIL ? &none : &query->args};
    struct asking asking = {core, query, question.args, NULL, out};
    int status;

    /* A fresh draft, never kept: reads only. Refusals are written down as in a run. */
    core_drop(core);
    asking.arena = core->arena = state_arena(core->state);
    core->run = &run;
    core->question = &question;
    core->now_ms = query->now_us / 1000;
    status = answer(&asking);
    if (state_is_broken(core->state))
        status = run_refuse(core, 500, "internal", "The journal could not be read.");
    if (status != 0)
        *refusal = run.refusal;
    core->run = NULL;
    core->question = NULL;
    core_drop(core);
    return status;
}

int asked_subject(struct asking *asking, struct subject *out)
{
    return subject_of(asking->core, value_get_text(asking->args, "record"), out);
}

uint32_t asked_limit(const struct asking *asking, uint32_t preset, uint32_t max)
{
    int64_t limit = value_get_int(asking->args, "limit", preset);

    return limit < 1 ? 1 : limit > (int64_t)max ? max : (uint32_t)limit;
}

/* ---- walking over records ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "SCP-" and so on, ascending and each once: then records come in the order of their ids. */
static int prefixes_of(struct asking *asking, struct slice kind, const char *prefixes[KINDS_MAX])
{
    const struct pack *pack = core_current_pack(asking->core);
    int count = 0, unique = 0;

    for (int i = 0; pack != NULL && i < pack->kind_count && count < KINDS_MAX; i++) {
        if (kind.len == 0 || slice_is(kind, pack->kinds[i].name))
            prefixes[count++] = arena_printf(asking->arena, "%s-", pack->kinds[i].prefix);
    }
    if (count > 1)
        qsort(prefixes, (size_t)count, sizeof prefixes[0], by_text);
    for (int i = 0; i < count; i++) {
        if (unique == 0 || strcmp(prefixes[unique - 1], prefixes[i]) != 0)
            prefixes[unique++] = prefixes[i];
    }
    return unique;
}

struct walk {
    struct asking *asking;
    each_record_fn *each;
    void *with;
    struct slice last; /* key that was looked at; memory of the answer */
    uint32_t seen;
    bool is_over;
};

static bool may_see_row(struct asking *asking, const struct value *row)
{
    return authority_may_see(asking->core, asking->query->principal,
                             kind_of_row(asking->core, row));
}

static void walk_rows(struct walk *walk, const struct value *rows)
{
    for (uint32_t i = 0; i < rows->count && !walk->is_over; i++) {
        struct slice key = value_get_text(&rows->as.items[i], "key");
        const struct value *row = value_get(&rows->as.items[i], "row");

        walk->last = key;
        walk->is_over = ++walk->seen >= SCAN_ROWS_MAX;
        /* The row of a document names its versions and is no record itself. */
        if (value_get(row, "kind") != NULL && may_see_row(walk->asking, row) &&
            !walk->each(walk->with, key, row))
            walk->is_over = true;
    }
}

/* Page by page, each in memory of its own: what a walk holds does not grow with what it walks over. */
static void walk_prefix(struct walk *walk, struct slice prefix, struct slice after)
{
    struct core *core = walk->asking->core;
    bool more = true;
    char key[ROW_KEY_MAX];

    check(after.len <= sizeof key);
    memcpy(key, after.at != NULL ? after.at : (const uint8_t *)"", after.len);
    while (more && !walk->is_over) {
        struct arena page = ARENA_EMPTY;
        struct value rows;

        core->arena = &page;
        more = !state_page(core->state, &page, prefix, slice_of(key, after.len), PAGE_ROWS, &rows);
        walk_rows(walk, &rows);
        core->arena = walk->asking->arena;
        if (walk->last.len > 0 && walk->last.len <= sizeof key) {
            memcpy(key, walk->last.at, walk->last.len);
            after.len = walk->last.len;
        }
        walk->last = keep_text(core, slice_of(key, after.len));
        arena_release(&page);
    }
}

void each_record(struct asking *asking, struct slice kind, struct slice after, each_record_fn *each,
                 void *with, struct slice *last)
{
    const char *prefixes[KINDS_MAX];
    int count = prefixes_of(asking, kind, prefixes);
    struct walk walk = {asking, each, with, slice_of(NULL, 0), 0, false};

    if (after.len > RECORD_ID_MAX)
        after.len = RECORD_ID_MAX;
    for (int i = 0; i < count && !walk.is_over; i++) {
        struct slice prefix = slice_str(prefixes[i]);

        if (slice_compare(after, prefix) > 0 && !slice_starts(after, prefixes[i]))
            continue; /* all of its ids are before */
        walk_prefix(&walk, prefix, slice_starts(after, prefixes[i]) ? after : slice_of(NULL, 0));
    }
    if (last != NULL)
        *last = walk.is_over ? walk.last : slice_of(NULL, 0);
}

/* ---- small parts ---- */

const struct kind *kind_of_row(struct core *core, const struct value *row)
{
    const struct pack *pack = core_pack(core, value_get_bin(row, "pack"));

    return pack != NULL ? pack_kind(pack, value_get_text(row, "kind")) : NULL;
}

const struct value *round_of_row(struct core *core, struct slice id, const struct value *row)
{
    int64_t n = value_get_int(row, "round", 0);

    return n > 0 ? state_rowf(core->state, "%.*s/round/%lld", (int)id.len, (const char *)id.at,
                              (long long)n)
                 : NULL;
}

void copy_facts(struct arena *arena, const struct value *row, const char *const *names,
                size_t count, struct value *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct value *fact = value_get(row, names[i]);

        if (fact != NULL)
            value_set(arena, out, names[i], value_copy(arena, fact));
    }
}

struct value words_value(struct arena *arena, const struct words *words)
{
    struct value list = value_array();

    for (int i = 0; i < words->count; i++)
        value_push(arena, &list, value_str(words->at[i]));
    return list;
}

struct value still_to_vote(struct arena *arena, const struct value *round)
{
    const struct value *ask = value_get(round, "ask");
    bool is_staged = value_get(round, "stages") != NULL;
    struct value people = value_array();

    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++) {
        struct slice person = value_slice(&ask->as.items[i]);

        if (is_staged ? round_waits_for(round, person)
                      : !round_has_vote_of(round, person) && !round_bars(round, person))
            value_push(arena, &people, ask->as.items[i]);
    }
    return people;
}

struct value still_to_vote_in(struct arena *arena, const struct value *round,
                              const struct value *stage)
{
    const struct value *ask = value_get(stage, "ask");
    struct value people = value_array();

    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++) {
        if (!round_has_vote_of(round, value_slice(&ask->as.items[i])) &&
            !round_bars(round, value_slice(&ask->as.items[i])))
            value_push(arena, &people, ask->as.items[i]);
    }
    return people;
}
