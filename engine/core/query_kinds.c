/* query_kinds.c - info, kinds, processes, people: what an organisation is made of. */
#include "core/query_inside.h"

#include "base/check.h"
#include "core/span.h"

static const char *type_name(enum field_type type)
{
    static const char *const names[] = {"text", "longtext", "int",      "bool",   "enum",
                                        "date", "datetime", "duration", "person", "group",
                                        "ref",  "file",     "table"};

    check((size_t)type < sizeof names / sizeof names[0]);
    return names[type];
}

static void put_str(struct asking *asking, struct value *out, const char *key, const char *text)
{
    if (text != NULL)
        value_set(asking->arena, out, key, value_str(text));
}

/* ---- info ---- */

static struct value today_text(struct asking *asking)
{
    char *text = arena_take(asking->arena, DATE_TEXT_LEN + 1);

    date_format(today_of(asking->core), text);
    return value_str(text);
}

int query_info(struct asking *asking)
{
    static const char *const facts[] = {"origin", "clock", "format", "timezone", "root_keys"};
    static const char *const two[] = {"whole", "by", "agreed_by", "proposal", "alone"};
    struct core *core = asking->core;
    struct value directory = value_map();
    const struct value *me = authority_person(core, asking->query->principal);
    const struct value *roles = value_get(me, "roles");
    const struct pack *pack = core_current_pack(core);
    struct value info = value_map();

    copy_facts(asking->arena, state_row(core->state, slice_str("journal")), facts,
               sizeof facts / sizeof facts[0], &info);
    value_set(asking->arena, &info, "today", today_text(asking));
    value_set(asking->arena, &info, "now_ms", value_int(asking->core->now_ms));
    value_set(asking->arena, &info, "principal", value_text(asking->query->principal));
    value_set(asking->arena, &info, "roles", roles != NULL ? *roles : value_array());
    if (me != NULL)
        value_set(asking->arena, &info, "me", value_copy(asking->arena, me));
    copy_facts(asking->arena, state_row(core->state, slice_str("directory")), two,
               sizeof two / sizeof two[0], &directory);
    value_set(asking->arena, &info, "directory", directory);
    if (pack != NULL) {
        value_set(asking->arena, &info, "pack", value_bin(pack->digest, HASH_LEN));
        put_str(asking, &info, "pack_name", pack->name);
        put_str(asking, &info, "pack_version", pack->version);
    }
    *asking->out = info;
    return 0;
}

/* ---- kinds ---- */

static struct value field_value(struct asking *asking, const struct field *field)
{
    struct value out = value_map(), columns = value_array();

    put_str(asking, &out, "name", field->name);
    put_str(asking, &out, "title", field->title);
    put_str(asking, &out, "type", type_name(field->type));
    value_set(asking->arena, &out, "list", value_bool(field->list));
    value_set(asking->arena, &out, "required", value_bool(field->required));
    value_set(asking->arena, &out, "computed", value_bool(field->computed));
    if (field->is_signed)
        value_set(asking->arena, &out, "signed", value_bool(true));
    if (field->erasable)
        value_set(asking->arena, &out, "erasable", value_bool(true));
    if (field->required_if != NULL)
        put_str(asking, &out, "required_if", expr_text(field->required_if));
    if (field->min != 0 || field->max != 0) {
        value_set(asking->arena, &out, "min", value_int(field->min));
        if (field->max != 0)
            value_set(asking->arena, &out, "max", value_int(field->max));
    }
    if (field->preset.type != VALUE_NIL)
        value_set(asking->arena, &out, "preset", value_copy(asking->arena, &field->preset));
    if (field->of.count > 0)
        value_set(asking->arena, &out, "of", words_value(asking->arena, &field->of));
    for (int i = 0; i < field->column_count; i++)
        value_push(asking->arena, &columns, field_value(asking, &field->columns[i]));
    if (columns.count > 0)
        value_set(asking->arena, &out, "columns", columns);
    return out;
}

static struct value states_value(struct asking *asking, const struct lifecycle *lifecycle)
{
    struct value list = value_array();

    for (int i = 0; i < lifecycle->state_count; i++) {
        const struct state *state = &lifecycle->states[i];
        struct value out = value_map();

        put_str(asking, &out, "name", state->name);
        put_str(asking, &out, "title", state->title);
        put_str(asking, &out, "stage", stage_name(state->stage));
        put_str(asking, &out, "pdca", pdca_name(state->pdca));
        value_set(asking->arena, &out, "valid", value_bool(state->is_valid));
        value_set(asking->arena, &out, "closed", value_bool(state->is_closed));
        value_push(asking->arena, &list, out);
    }
    return list;
}

static struct value event_value(struct asking *asking, const struct kind *kind,
                                const struct transition *transition)
{
    const struct subject subject = {slice_of(NULL, 0), NULL, kind, NULL};
    const struct lifecycle *lifecycle = kind->lifecycle;
    const struct words *by = &transition->by;
    struct value out = value_map(), from = value_array();

    for (int i = 0; i < lifecycle->state_count; i++) {
        if (transition->from[i])
            value_push(asking->arena, &from, value_str(lifecycle->states[i].name));
    }
    if (transition->creates && by->count == 0)
        by = &kind->create;
    put_str(asking, &out, "event", transition->event);
    put_str(asking, &out, "title", transition->title);
    value_set(asking->arena, &out, "from", from);
    put_str(asking, &out, "to", lifecycle->states[transition->to].name);
    value_set(asking->arena, &out, "by", words_value(asking->arena, by));
    put_str(asking, &out, "meaning", meaning_of(&subject, transition, NOBODY));
    value_set(asking->arena, &out, "reason", value_bool(transition->reason));
    value_set(asking->arena, &out, "creates", value_bool(transition->creates));
    value_set(asking->arena, &out, "automatic", value_bool(transition->automatic));
    if (transition->vote != VOTE_NONE)
        put_str(asking, &out, "vote", vote_name(transition->vote));
    if (transition->opens_round)
        value_set(asking->arena, &out, "opens_round", value_bool(true));
    if (transition->when != NULL)
        put_str(asking, &out, "when", expr_text(transition->when));
    return out;
}

static struct value kind_value(struct asking *asking, const struct kind *kind)
{
    const struct lifecycle *lifecycle = kind->lifecycle;
    struct value out = value_map(), events = value_array(), fields = value_array();

    put_str(asking, &out, "name", kind->name);
    put_str(asking, &out, "code", kind->code);
    put_str(asking, &out, "prefix", kind->prefix);
    put_str(asking, &out, "title", kind->title);
    put_str(asking, &out, "clause", kind->clause);
    put_str(asking, &out, "brief", kind->brief);
    value_set(asking->arena, &out, "clauses", words_value(asking->arena, &kind->clauses));
    put_str(asking, &out, "retention", kind->retention);
    put_str(asking, &out, "lifecycle", lifecycle->name);
    value_set(asking->arena, &out, "versioned", value_bool(lifecycle->versioned));
    value_set(asking->arena, &out, "create", words_value(asking->arena, &kind->create));
    value_set(asking->arena, &out, "owner", words_value(asking->arena, &kind->owner));
    value_set(asking->arena, &out, "states", states_value(asking, lifecycle));
    for (int i = 0; i < lifecycle->transition_count; i++)
        value_push(asking->arena, &events, event_value(asking, kind, &lifecycle->transitions[i]));
    for (int i = 0; i < kind->field_count; i++)
        value_push(asking->arena, &fields, field_value(asking, &kind->fields[i]));
    value_set(asking->arena, &out, "events", events);
    value_set(asking->arena, &out, "fields", fields);
    return out;
}

int query_kinds(struct asking *asking)
{
    const struct pack *pack = core_current_pack(asking->core);
    struct slice name = value_get_text(asking->args, "kind");
    const struct kind *kind = pack != NULL && name.len > 0 ? pack_kind(pack, name) : NULL;

    if (name.len > 0 && kind == NULL)
        return run_refuse(asking->core, 404, "no-record", "There is no kind \"%.*s\"%s",
                          (int)name.len, (const char *)name.at,
                          or_stop(kind_hint(asking->core, name)));
    if (kind != NULL) {
        *asking->out = kind_value(asking, kind);
        return 0;
    }
    *asking->out = value_array();
    for (int i = 0; pack != NULL && i < pack->kind_count; i++)
        value_push(asking->arena, asking->out, kind_value(asking, &pack->kinds[i]));
    return 0;
}

/* ---- processes ---- */

static struct value process_value(struct asking *asking, const struct process *process)
{
    struct value out = value_map(), kpis = value_array();

    put_str(asking, &out, "id", process->id);
    put_str(asking, &out, "phase", pdca_name(process->phase));
    put_str(asking, &out, "title", process->title);
    put_str(asking, &out, "brief", process->brief);
    put_str(asking, &out, "clause", process->clause);
    value_set(asking->arena, &out, "owner", words_value(asking->arena, &process->owner));
    value_set(asking->arena, &out, "approves", words_value(asking->arena, &process->approves));
    value_set(asking->arena, &out, "tell", words_value(asking->arena, &process->tell));
    if (!span_is_zero(&process->every))
        put_str(asking, &out, "every", span_text(asking->arena, &process->every));
    put_str(asking, &out, "occasion", process->occasion);
    value_set(asking->arena, &out, "inputs", words_value(asking->arena, &process->inputs));
    value_set(asking->arena, &out, "runs", words_value(asking->arena, &process->runs));
    put_str(asking, &out, "output", process->output);
    for (int i = 0; i < process->kpi_count; i++) {
        struct value kpi = value_map();

        put_str(asking, &kpi, "name", process->kpis[i].name);
        put_str(asking, &kpi, "target", process->kpis[i].target);
        value_push(asking->arena, &kpis, kpi);
    }
    value_set(asking->arena, &out, "kpis", kpis);
    put_str(asking, &out, "retention", process->retention);
    value_set(asking->arena, &out, "triggers", words_value(asking->arena, &process->triggers));
    return out;
}

int query_processes(struct asking *asking)
{
    const struct pack *pack = core_current_pack(asking->core);

    *asking->out = value_array();
    for (int i = 0; pack != NULL && i < pack->process_count; i++)
        value_push(asking->arena, asking->out, process_value(asking, &pack->processes[i]));
    return 0;
}

/* ---- people ---- */

int query_people(struct asking *asking)
{
    static const char *const facts[] = {"title",     "kind",     "roles",   "email",
                                        "sign",      "services", "manager", "not_after",
                                        "transport", "gateway",  "scope",   "uid"};
    struct value rows;

    state_rows(asking->core->state, slice_str("person/"), PEOPLE_MAX, &rows);
    *asking->out = value_array();
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        struct value person = value_map();
        const struct value *changes;

        value_set(asking->arena, &person, "name", value_text(slice_of(key.at + 7, key.len - 7)));
        copy_facts(asking->arena, value_get(&rows.as.items[i], "row"), facts,
                   sizeof facts / sizeof facts[0], &person);
        changes = state_rowf(asking->core->state, "key/%.*s", (int)(key.len - 7),
                             (const char *)key.at + 7);
        if (changes != NULL)
            value_set(asking->arena, &person, "key_changes", *value_get(changes, "changes"));
        value_push(asking->arena, asking->out, person);
    }
    return 0;
}
