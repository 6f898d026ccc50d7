/* rule.c - interactions between kinds: when an event happens on one, another is started or signalled, in the same run.
 *
 * A once-key makes a rule harmless to repeat: the row once/<rule>/<key> names what it started. A gate holds an event of
 * the watched record until what the rule started is closed.
 */
#include "core/inside.h"

enum { EACH_AT_ONCE = 64 }; /* elements of `each` in one run */

struct firing {
    const struct rule *rule;
    const struct subject *subject;
    struct slice event;
    const struct value *args;
    int64_t cause;
    struct value scope;
    struct slice
        about; /* the record that people are told of: what was started, or the watched one */
};

static unsigned rule_uses(const struct rule *rule)
{
    const struct expr *const single[] = {rule->when, rule->each, rule->title, rule->signal_to,
                                         rule->once};
    unsigned uses = 0;

    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        if (single[i] != NULL)
            uses |= expr_uses(single[i]);
    }
    for (int i = 0; i < rule->set_count; i++)
        uses |= expr_uses(rule->set[i].value);
    for (int i = 0; i < rule->due_count; i++)
        uses |= expr_uses(rule->due[i].value);
    return uses;
}

static int refuse_rule(struct core *core, const struct rule *rule, const char *what,
                       const struct error *why)
{
    return run_refuse(core, 422, "guard-failed", "Rule %s (%s:%d): %s could not be computed: %s.",
                      rule->name, rule->where.file, rule->where.line, what, why->text);
}

/* `kind`: whose fields they are; NULL for the arguments of a signal. */
static int settings(struct core *core, struct firing *firing, const struct kind *kind,
                    const struct setting *set, int count, struct value *fields)
{
    for (int i = 0; i < count; i++) {
        struct value value = VALUE_NONE;
        struct error why = {ERROR_NONE, ""};

        if (scope_eval(core, set[i].value, &firing->scope, &value, &why) != 0)
            return refuse_rule(core, firing->rule, set[i].field, &why);
        if (kind != NULL)
            value = held(core, firing->subject, kind_field(kind, slice_str(set[i].field)), value);
        if (value.type != VALUE_NIL)
            value_set(core->arena, fields, set[i].field, value);
    }
    return 0;
}

static int once_key(struct core *core, struct firing *firing, struct slice *out)
{
    struct value key = value_text(firing->subject->id);
    struct error why = {ERROR_NONE, ""};

    if (firing->rule->once != NULL &&
        scope_eval(core, firing->rule->once, &firing->scope, &key, &why) != 0)
        return refuse_rule(core, firing->rule, "once", &why);
    if (key.type == VALUE_INT)
        *out = textf(core, "%lld", (long long)key.as.number);
    else
        *out = value_slice(&key);
    if (out->len > 128) {
        char *hex = arena_take(core->arena, 2 * HASH_LEN + 1);
        uint8_t hash[HASH_LEN];

        hash_bytes(*out, hash);
        hex_encode(slice_of(hash, HASH_LEN), hex);
        *out = slice_str(hex);
    }
    *out = textf(core, "once/%s/%.*s", firing->rule->name, (int)out->len, (const char *)out->at);
    return 0;
}

static int rule_title(struct core *core, struct firing *firing, struct slice *out)
{
    struct value title = *value_get(firing->subject->row, "title");
    struct error why = {ERROR_NONE, ""};

    if (firing->rule->title != NULL &&
        scope_eval(core, firing->rule->title, &firing->scope, &title, &why) != 0)
        return refuse_rule(core, firing->rule, "title", &why);
    *out = value_slice(&title);
    while (out->len > RECORD_TITLE_MAX || !utf8_is_valid(*out))
        out->len--;
    return 0;
}

/* Facts of the record that a rule may set beside its fields. */
static void take_facts(struct core *core, struct value *fields, struct value *extra)
{
    const struct value *owner = value_get(fields, "owner");

    if (value_is(owner, VALUE_STR)) {
        value_set(core->arena, extra, "owner", *owner);
        value_remove(fields, slice_str("owner"));
    }
}

static void hold_gate(struct core *core, struct firing *firing, struct slice child,
                      struct value *effects)
{
    struct value *parent, *gates;

    if (!firing->rule->gate)
        return;
    parent = run_patch(core, effects, firing->subject->id);
    gates = value_sub(core->arena, parent, slice_str("gates"));
    value_put(core->arena, value_sub(core->arena, gates, slice_str(firing->rule->gate_event)),
              child, value_bool(true));
}

static int start(struct core *core, struct firing *firing)
{
    const struct pack *pack = core_current_pack(core);
    const struct pack *own = core_pack(core, value_get_bin(firing->subject->row, "pack"));
    const struct kind *kind = pack_kind(pack, slice_str(own->kinds[firing->rule->starts].name));
    struct author author = run_engine(firing->cause);
    struct value fields = value_map(), extra = value_map(), links = value_map();
    struct value effects = value_map(), body = value_map();
    struct slice once, title, id;

    if (kind == NULL)
        return 0;
    if (once_key(core, firing, &once) != 0 || rule_title(core, firing, &title) != 0)
        return -1;
    firing->about = slice_of(NULL, 0); /* nothing is told of what was done before */
    if (state_row(core->state, once) != NULL)
        return 0;
    if (settings(core, firing, kind, firing->rule->set, firing->rule->set_count, &fields) != 0 ||
        settings(core, firing, kind, firing->rule->due, firing->rule->due_count, &fields) != 0)
        return -1;
    take_facts(core, &fields, &extra);
    if (record_check_fields(core, kind, &fields, false) != 0)
        return -1;
    id = record_new_id(core, kind, &effects);
    value_set(core->arena, run_patch(core, &effects, once), "record", value_text(id));
    hold_gate(core, firing, id, &effects);
    value_put(core->arena, &links, firing->subject->id, value_str("triggered_by"));
    value_set(core->arena, &body, "kind", value_str(kind->name));
    value_set(core->arena, &body, "rule", value_str(firing->rule->name));
    firing->about = id;
    return record_create(core, kind, &author, &body, id, title, &fields, &links, &extra,
                         slice_str("rule"), &effects);
}

static int signal_all(struct core *core, struct firing *firing)
{
    struct value to = VALUE_NONE, args = value_map();
    struct error why = {ERROR_NONE, ""};

    if (settings(core, firing, NULL, firing->rule->set, firing->rule->set_count, &args) != 0)
        return -1;
    if (scope_eval(core, firing->rule->signal_to, &firing->scope, &to, &why) != 0)
        return 0; /* the field that would name a record is empty: there is nobody to signal */
    if (to.type == VALUE_STR)
        return signal_record(core, value_slice(&to), firing->rule->signal, firing->cause, &args,
                             firing->subject->id);
    for (uint32_t i = 0; to.type == VALUE_ARRAY && i < to.count; i++) {
        if (to.as.items[i].type == VALUE_STR &&
            signal_record(core, value_slice(&to.as.items[i]), firing->rule->signal, firing->cause,
                          &args, firing->subject->id) != 0)
            return -1;
    }
    return 0;
}

/* In a run of its own that follows: the leaves of this one are written. */
static void tell_of_it(struct core *core, struct firing *firing)
{
    const struct notice *notice = &firing->rule->tell;
    struct value args = value_map(), meant = value_array(), people = value_array();

    authority_people_of(core, firing->subject, &notice->to, &meant);
    for (uint32_t i = 0; i < meant.count; i++) {
        if (!slice_equal(value_slice(&meant.as.items[i]), core->question->principal))
            value_push(core->arena, &people, meant.as.items[i]);
    }
    if (people.count == 0 || firing->about.len == 0)
        return;
    value_set(core->arena, &args, "people", people);
    value_set(core->arena, &args, "message",
              value_str(notice->message != NULL ? notice->message : "default"));
    value_set(core->arena, &args, "event", value_text(firing->event));
    value_set(core->arena, &args, "actor", value_text(core->question->principal));
    run_follow(core, firing->about, "tell", firing->cause, &args, NOBODY);
}

static int fire_one(struct core *core, struct firing *firing)
{
    firing->about = firing->subject->id;
    if (firing->rule->starts != MODEL_NONE && start(core, firing) != 0)
        return -1;
    if (firing->rule->signal != NULL && signal_all(core, firing) != 0)
        return -1;
    tell_of_it(core, firing);
    return 0;
}

/* The elements after the first EACH_AT_ONCE are dealt with in a run of their own, so that a rule may go over everybody
 * of a large organisation. */
static void fire_later(struct core *core, struct firing *firing, const struct value *list,
                       int64_t n)
{
    struct value args = value_map(), rest = value_array();

    for (uint32_t i = EACH_AT_ONCE; i < list->count; i++)
        value_push(core->arena, &rest, list->as.items[i]);
    value_set(core->arena, &args, "rule", value_str(firing->rule->name));
    value_set(core->arena, &args, "event", value_text(firing->event));
    value_set(core->arena, &args, "rest", rest);
    value_set(core->arena, &args, "n", value_int(n + EACH_AT_ONCE));
    if (firing->args != NULL)
        value_set(core->arena, &args, "args", *firing->args);
    run_follow_rest(core, firing->subject->id, "rule", firing->cause, &args);
}

/* Once for each element; `n` were dealt with before. */
static int fire_each(struct core *core, struct firing *firing, const struct value *list, int64_t n)
{
    for (uint32_t i = 0; list->type == VALUE_ARRAY && i < list->count && i < EACH_AT_ONCE; i++) {
        value_set(core->arena, &firing->scope, "row", list->as.items[i]);
        value_set(core->arena, &firing->scope, "n", value_int(n + i + 1));
        if (fire_one(core, firing) != 0)
            return -1;
    }
    if (list->type == VALUE_ARRAY && list->count > EACH_AT_ONCE)
        fire_later(core, firing, list, n);
    return 0;
}

static int fire(struct core *core, struct firing *firing)
{
    const struct rule *rule = firing->rule;
    struct value list = VALUE_NONE;
    struct error why = {ERROR_NONE, ""};

    if (!scope_holds(core, rule->when, firing->subject, firing->event, core->question->principal,
                     firing->args, NULL))
        return 0;
    firing->scope = scope_of(core, firing->subject, firing->event, core->question->principal,
                             firing->args, rule_uses(rule));
    if (rule->each == NULL)
        return fire_one(core, firing);
    if (scope_eval(core, rule->each, &firing->scope, &list, &why) != 0)
        return refuse_rule(core, rule, "each", &why);
    return fire_each(core, firing, &list, 0);
}

/* Does the rule watch this event of this kind? One name may watch several. */
static bool watches(const struct pack *pack, const struct rule *rule, const struct subject *subject,
                    const char *event)
{
    return &pack->kinds[rule->kind] == subject->kind && strcmp(rule->event, event) == 0;
}

int rule_more(struct core *core, const struct question *question)
{
    const struct value *args = value_get(question->follow, "args");
    struct slice name = value_get_text(args, "rule"), event = value_get_text(args, "event");
    const struct pack *pack;
    struct subject subject;

    if (!subject_find(core, value_get_text(question->follow, "record"), &subject))
        return 0;
    pack = core_pack(core, value_get_bin(subject.row, "pack"));
    for (int i = 0; i < pack->rule_count; i++) {
        const struct rule *rule = &pack->rules[i];
        struct firing firing = {rule,
                                &subject,
                                event,
                                value_get(args, "args"),
                                value_get_int(question->follow, "cause", 0),
                                VALUE_NONE,
                                subject.id};

        if (!slice_is(name, rule->name) ||
            !watches(pack, rule, &subject, (const char *)keep_text(core, event).at))
            continue;
        firing.scope =
            scope_of(core, &subject, event, question->principal, firing.args, rule_uses(rule));
        return fire_each(core, &firing, value_get(args, "rest"), value_get_int(args, "n", 0));
    }
    return 0;
}

int rules_fire(struct core *core, const struct subject *subject, const char *event, int64_t cause,
               const struct value *args)
{
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));

    for (int i = 0; i < pack->rule_count; i++) {
        const struct rule *rule = &pack->rules[i];
        struct firing firing = {rule,  subject,    slice_str(event), args,
                                cause, VALUE_NONE, subject->id};

        if (!watches(pack, rule, subject, event))
            continue;
        if (fire(core, &firing) != 0)
            return -1;
    }
    return 0;
}

bool gates_are_open(struct core *core, const struct subject *subject, const char *event,
                    struct slice *child)
{
    const struct value *gates = value_get(value_get(subject->row, "gates"), event);

    for (uint32_t i = 0; value_is(gates, VALUE_MAP) && i < gates->count; i++) {
        struct slice stage =
            value_get_text(state_row(core->state, gates->as.pairs[i].key), "stage");

        *child = gates->as.pairs[i].key;
        if (!slice_is(stage, "closed"))
            return false;
    }
    return true;
}
