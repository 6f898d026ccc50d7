/* query_packs.c - packs: which definitions were installed, and how many records each of them governs. */
#include "core/query_inside.h"

#include "base/check.h"

struct pack_count { /* records of one kind, by the pack that governs them */
    struct core *core;
    struct arena *arena; /* of the answer: core->arena is a page's while it counts */
    struct value records;
};

static bool count_one(void *with, struct slice id, const struct value *row)
{
    struct pack_count *counting = with;
    struct slice digest = value_get_bin(row, "pack");
    char hex[2 * HASH_LEN + 1];
    struct value *count;

    (void)id;
    if (digest.len != HASH_LEN)
        return true;
    hex_encode(digest, hex);
    count = value_at(&counting->records, slice_str(hex));
    if (count != NULL)
        count->as.number++;
    else
        value_put(counting->arena, &counting->records, slice_str(arena_str(counting->arena, hex)),
                  value_int(1));
    return true;
}

/* {records: {digest: count}, after?}: so many were looked at; `after` says where to go on. */
static int count_records(struct asking *asking)
{
    struct pack_count counting = {asking->core, asking->arena, value_map()};
    struct slice last;

    each_record(asking, slice_of(NULL, 0), value_get_text(asking->args, "after"), count_one,
                &counting, &last);
    *asking->out = value_map();
    value_set(asking->arena, asking->out, "records", counting.records);
    if (last.len > 0)
        value_set(asking->arena, asking->out, "after", value_text(last));
    return 0;
}

int query_packs(struct asking *asking)
{
    static const char *const facts[] = {"name", "version", "by", "at_ms", "reason", "pack"};
    struct core *core = asking->core;
    struct slice current = pack_that_counts(core);
    struct value rows;

    if (value_get_bool(asking->args, "count", false))
        return count_records(asking);
    state_rows(core->state, slice_str("pack/"), UINT32_MAX, &rows);
    *asking->out = value_array();
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        uint8_t *digest = arena_zero(asking->arena, HASH_LEN);
        struct value pack = value_map();

        check(key.len == 5 + 2 * HASH_LEN);
        hex_decode((const char *)textf(core, "%.*s", 2 * HASH_LEN, (const char *)key.at + 5).at,
                   digest, HASH_LEN);
        value_set(asking->arena, &pack, "digest", value_bin(digest, HASH_LEN));
        value_set(asking->arena, &pack, "current",
                  value_bool(slice_equal(current, slice_of(digest, HASH_LEN))));
        copy_facts(asking->arena, value_get(&rows.as.items[i], "row"), facts,
                   sizeof facts / sizeof facts[0], &pack);
        value_push(asking->arena, asking->out, pack);
    }
    return 0;
}
