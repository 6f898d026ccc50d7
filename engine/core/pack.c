/* pack.c - a definition is installed: an entry of the journal, with who and why. After the founding it takes two people
 * (proposal.c).
 *
 * Records that exist stay under the pack that they were created under (their row names its digest), so every pack that was
 * ever installed stays. What a new pack may not do is forget a kind of which there are records: nobody could look after them.
 */
#include "core/inside.h"

enum { COUNTED_MAX = 10000, PAGE_ROWS = 256, SHORT_DIGEST = 12 };

/* Records of a kind: how many (COUNTED_MAX: at least so many) and one of them. */
struct census {
    int64_t count;
    struct slice example;
};

static void count_page(struct core *core, const struct value *rows, const struct kind *kind,
                       struct census *census)
{
    for (uint32_t i = 0; i < rows->count && census->count < COUNTED_MAX; i++) {
        const struct value *row = value_get(&rows->as.items[i], "row");

        if (!slice_is(value_get_text(row, "kind"), kind->name))
            continue;
        if (census->count++ == 0)
            census->example = keep_text(core, value_get_text(&rows->as.items[i], "key"));
    }
}

static struct census count_records(struct core *core, const struct kind *kind)
{
    struct slice prefix = textf(core, "%s-", kind->prefix), after = slice_of(NULL, 0);
    struct census census = {0, slice_of(NULL, 0)};
    bool more = true;

    while (more && census.count < COUNTED_MAX) {
        struct arena page = ARENA_EMPTY;
        struct value rows;

        more = !state_page(core->state, &page, prefix, after, PAGE_ROWS, &rows);
        count_page(core, &rows, kind, &census);
        if (rows.count > 0)
            after = keep_text(core, value_get_text(&rows.as.items[rows.count - 1], "key"));
        arena_release(&page);
    }
    return census;
}

static int refuse_loss(struct core *core, const struct kind *kind, const struct kind *now,
                       const struct census *census)
{
    const char *what = now == NULL ? "does not define"
                       : strcmp(now->prefix, kind->prefix) != 0
                           ? "gives another prefix to"
                           : "changes whether there are versions of";

    return run_refuse(core, 409, "wrong-state",
                      "The pack %s the kind %s, and there %s %s%lld record%s of it (%.*s, for "
                      "one). Leave the kind as it is; so that no more of them are opened, give its "
                      "`create` to a role that nobody holds.",
                      what, kind->name, census->count == 1 ? "is" : "are",
                      census->count == COUNTED_MAX ? "more than " : "", (long long)census->count,
                      census->count == 1 ? "" : "s", (int)census->example.len,
                      (const char *)census->example.at);
}

/* A kind that records have keeps its name, its prefix and its way of counting versions. */
static int check_kinds(struct core *core, const struct pack *next, const struct pack *before,
                       struct value *seen)
{
    for (int i = 0; i < before->kind_count; i++) {
        const struct kind *kind = &before->kinds[i];
        const struct kind *now = pack_kind(next, slice_str(kind->name));
        struct census census;

        if (now != NULL && strcmp(now->prefix, kind->prefix) == 0 &&
            now->lifecycle->versioned == kind->lifecycle->versioned)
            continue;
        if (value_get(seen, kind->name) != NULL)
            continue;
        value_set(core->arena, seen, kind->name, value_bool(true));
        census = count_records(core, kind);
        if (census.count > 0)
            return refuse_loss(core, kind, now, &census);
    }
    return 0;
}

static int check_nothing_is_lost(struct core *core, const struct pack *next)
{
    struct value rows, seen = value_map();

    state_rows(core->state, slice_str("pack/"), UINT32_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        uint8_t digest[HASH_LEN] = {0};
        const struct pack *before;

        hex_decode((const char *)textf(core, "%.*s", (int)(key.len - 5), key.at + 5).at, digest,
                   HASH_LEN);
        before = core_pack(core, slice_of(digest, HASH_LEN));
        if (before != NULL && check_kinds(core, next, before, &seen) != 0)
            return -1;
    }
    return 0;
}

static int check_install(struct core *core, const struct question *question, bool is_first)
{
    struct slice digest = value_get_bin(question->args, "digest");
    struct slice reason = value_get_bin(value_get(question->args, "reason"), "content");

    /* The first pack comes with the journal: nobody is there yet who could permit it or be asked why. */
    if (!is_first && proposal_permit(core, question) != 0)
        return -1;
    if (digest.len != HASH_LEN ||
        value_get_bin(value_get(question->args, "pack"), "content").len != HASH_LEN)
        return run_refuse(core, 400, "malformed", "A pack is its digest and its files.");
    if (!is_first && reason.len != HASH_LEN)
        return run_refuse(core, 422, "guard-failed",
                          "Installing a pack needs a reason (--reason \"...\").");
    if (core_pack(core, digest) == NULL)
        return run_refuse(core, 422, "guard-failed", "The pack could not be read or proven.");
    if (!is_first && slice_equal(digest, pack_that_counts(core)))
        return run_refuse(core, 409, "wrong-state",
                          "This very pack is the one that counts already; nothing has changed.");
    return check_nothing_is_lost(core, core_pack(core, digest));
}

/* `change->says` is what the second person signs. */
static void describe(struct core *core, const struct pack *pack, const char *hex,
                     struct change *change)
{
    *change = (struct change){.what = "pack", .agreed = "pack.installed"};
    change->stream = slice_str("pack");
    change->digest = slice_of(pack->digest, HASH_LEN);
    change->base = value_get_bin(state_row(core->state, change->stream), "current");
    change->says =
        textf(core, "the workflows %s %s (pack %.*s) count for what is opened from now on",
              pack->name, pack->version, SHORT_DIGEST, hex);
}

/* `by` is who proposed it, where somebody else agreed. */
static void put_facts(struct core *core, const struct question *question, const struct pack *pack,
                      const struct value *own, struct value *row)
{
    static const char *const second[] = {"agreed_by", "proposal", "alone"};
    const struct value *by = value_get(own, "by");

    value_set(core->arena, row, "pack", *value_get(question->args, "pack"));
    value_set(core->arena, row, "name", value_str(pack->name));
    value_set(core->arena, row, "version", value_str(pack->version));
    value_set(core->arena, row, "by", by != NULL ? *by : value_text(question->principal));
    value_set(core->arena, row, "at_ms", value_int(core->now_ms));
    if (value_get(question->args, "reason") != NULL)
        value_set(core->arena, row, "reason", *value_get(question->args, "reason"));
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++)
        if (value_get(own, second[i]) != NULL)
            value_set(core->arena, row, second[i], *value_get(own, second[i]));
}

struct slice pack_that_counts(struct core *core)
{
    return value_get_bin(state_row(core->state, slice_str("pack")), "current");
}

int pack_install(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map();
    bool is_first = state_row(core->state, slice_str("pack")) == NULL;
    char *hex = arena_take(core->arena, 2 * HASH_LEN + 1);
    struct slice digest = value_get_bin(question->args, "digest");
    enum passage passage = PASSAGE_ALONE;
    const struct pack *pack;
    struct change change;

    if (check_install(core, question, is_first) != 0)
        return -1;
    pack = core_pack(core, digest);
    hex_encode(digest, hex);
    describe(core, pack, hex, &change);
    if (!is_first && proposal_take(core, question, &change, &effects, &own, &passage) != 0)
        return -1;
    if (passage == PASSAGE_PROPOSED)
        return 0;
    put_facts(core, question, pack, &own, run_patch(core, &effects, textf(core, "pack/%s", hex)));
    value_set(core->arena, &own, "current", *value_get(question->args, "digest"));
    value_set(core->arena, &effects, "", own);
    return run_leaf(core, "pack.installed", slice_str("pack"), slice_of(NULL, 0), &author,
                    question->args, &effects) < 0
               ? -1
               : 0;
}
