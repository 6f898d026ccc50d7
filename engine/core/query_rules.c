/* query_rules.c - the interactions between kinds, and how often each has set something off. */
#include "core/query_inside.h"

enum { STARTED_MAX = 1000, STARTED_SHOWN = 20 };

static void put_str(struct asking *asking, struct value *out, const char *key, const char *text)
{
    if (text != NULL)
        value_set(asking->arena, out, key, value_str(text));
}

/* What it has opened: the rows that keep it from doing so twice (rule.c). Some are named. */
static void put_started(struct asking *asking, const struct rule *rule, struct value *out)
{
    struct value rows, records = value_array();
    const char *prefix = arena_printf(asking->arena, "once/%s/", rule->name);

    state_rows(asking->core->state, slice_str(prefix), STARTED_MAX, &rows);
    value_set(asking->arena, out, "started", value_int(rows.count));
    for (uint32_t i = rows.count > STARTED_SHOWN ? rows.count - STARTED_SHOWN : 0; i < rows.count;
         i++)
        value_push(
            asking->arena, &records,
            value_copy(asking->arena, value_get(value_get(&rows.as.items[i], "row"), "record")));
    value_set(asking->arena, out, "records", records);
}

static struct value rule_value(struct asking *asking, const struct pack *pack,
                               const struct rule *rule)
{
    struct value out = value_map();

    put_str(asking, &out, "rule", rule->name);
    put_str(asking, &out, "kind", pack->kinds[rule->kind].name);
    put_str(asking, &out, "event", rule->event);
    if (rule->when != NULL)
        put_str(asking, &out, "if", expr_text(rule->when));
    if (rule->starts != MODEL_NONE) {
        put_str(asking, &out, "starts", pack->kinds[rule->starts].name);
        put_started(asking, rule, &out);
    }
    put_str(asking, &out, "signal", rule->signal);
    if (rule->gate)
        put_str(asking, &out, "gate", rule->gate_event);
    return out;
}

int query_rules(struct asking *asking)
{
    const struct pack *pack = core_current_pack(asking->core);

    *asking->out = value_array();
    for (int i = 0; pack != NULL && i < pack->rule_count; i++)
        value_push(asking->arena, asking->out, rule_value(asking, pack, &pack->rules[i]));
    return 0;
}
