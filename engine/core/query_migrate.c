/* query_migrate.c - what would become of records under the pack that counts: the plan of each, nothing done. */
#include "core/query_inside.h"

enum { PLANS_DEFAULT = 50, PLANS_MAX = 200 };

struct choosing { /* records that do not follow the pack that counts */
    struct asking *asking;
    struct value ids;
    uint32_t max;
    bool with_closed, is_full;
};

static bool choose(void *with, struct slice id, const struct value *row)
{
    struct choosing *choosing = with;
    struct arena *arena = choosing->asking->arena;
    const struct pack *pack = core_current_pack(choosing->asking->core);

    if (slice_equal(value_get_bin(row, "pack"), slice_of(pack->digest, HASH_LEN)) ||
        (!choosing->with_closed && slice_is(value_get_text(row, "stage"), "closed")))
        return true;
    value_push(arena, &choosing->ids,
               value_text(slice_of(arena_copy(arena, id.at, id.len), id.len)));
    choosing->is_full = choosing->ids.count == choosing->max;
    return !choosing->is_full;
}

static int plan_one(struct asking *asking, struct slice record, struct value *list)
{
    struct migration plan;
    struct subject subject;
    struct value shown;

    if (subject_of(asking->core, record, &subject) != 0)
        return -1;
    migration_plan(asking->core, &subject, asking->args, &plan);
    migration_show(asking->core, &plan, &shown);
    value_push(asking->arena, list, shown);
    return 0;
}

int query_migration(struct asking *asking)
{
    struct slice kind = value_get_text(asking->args, "kind"), last = slice_of(NULL, 0);
    struct slice record = value_get_text(asking->args, "record");
    struct choosing choosing = {asking, value_array(),
                                asked_limit(asking, PLANS_DEFAULT, PLANS_MAX),
                                value_get_bool(asking->args, "closed", false), false};
    struct value list = value_array();

    if (record.len > 0)
        value_push(asking->arena, &choosing.ids, value_text(record));
    else
        each_record(asking, kind, value_get_text(asking->args, "after"), choose, &choosing, &last);
    for (uint32_t i = 0; i < choosing.ids.count; i++) {
        if (plan_one(asking, value_slice(&choosing.ids.as.items[i]), &list) != 0)
            return -1;
    }
    *asking->out = value_map();
    value_set(asking->arena, asking->out, "items", list);
    value_set(asking->arena, asking->out, "to",
              value_bin(core_current_pack(asking->core)->digest, HASH_LEN));
    if (last.len > 0)
        value_set(asking->arena, asking->out, "after", value_text(last));
    return 0;
}
