/* import.c - the results of a tool enter an audit: one run a file, each finding once for ever.
 *
 * A finding is known by its dedupe_key, which is stable over scans. Seen for the first time it is raised; seen again its
 * count grows, and if it had been closed it reopens. `covers` is the beginning of every key that this scan would have given:
 * an open finding whose key begins so and that was not seen any more is signalled to be verified. A scan that broke off gives
 * no `covers`: what it did not see proves nothing. A result that its tool marks as `suppressed` is not raised; one that was
 * raised before and is not confirmed is signalled `suppress`.
 */
#include "core/inside.h"

enum { FINDINGS_LOOKED_AT_MAX = 50000 };

struct import {
    const struct kind *kind; /* of findings */
    struct slice audit, tool;
    int64_t cause;
    struct value seen; /* keys of this scan: key -> true */
};

static struct slice key_row(struct core *core, struct slice dedupe)
{
    uint8_t hash[HASH_LEN];
    char hex[2 * HASH_LEN + 1];

    hash_bytes(dedupe, hash);
    hex_encode(slice_of(hash, HASH_LEN), hex);
    return textf(core, "once/import/%s", hex);
}

static struct value today_text(struct core *core)
{
    char *text = arena_take(core->arena, DATE_TEXT_LEN + 1);

    date_format(today_of(core), text);
    return value_str(text);
}

/* What the engine counts, as far as the kind keeps it. */
static void put_sight(struct core *core, const struct import *import, int64_t occurrences,
                      struct value *fields)
{
    if (kind_field(import->kind, slice_str("occurrences")) != NULL)
        value_set(core->arena, fields, "occurrences", value_int(occurrences));
    if (kind_field(import->kind, slice_str("last_seen")) != NULL)
        value_set(core->arena, fields, "last_seen", today_text(core));
}

static int seen_again(struct core *core, const struct import *import, struct slice record,
                      const char *event)
{
    struct author author = run_engine(import->cause);
    struct value effects = value_map(), own = value_map(), fields = value_map();
    struct value body = value_map();
    struct subject finding;
    int64_t cause;

    if (!subject_find(core, record, &finding) || run_has_changed(core, finding.id))
        return 0;
    put_sight(core, import, value_get_int(value_get(finding.row, "fields"), "occurrences", 1) + 1,
              &fields);
    if (fields.count > 0)
        value_set(core->arena, &own, "fields", fields);
    value_set(core->arena, &own, "changed_ms", value_int(core->now_ms));
    value_set(core->arena, &effects, "", own);
    value_set(core->arena, &body, "tool", value_text(import->tool));
    value_set(core->arena, &body, "audit", value_text(import->audit));
    cause = run_leaf(core, "record.seen", finding.id, finding.id, &author, &body, &effects);
    if (cause < 0)
        return -1;
    return signal_record(core, finding.id, event, cause, NULL, NOBODY);
}

static int raise_new(struct core *core, const struct import *import, const struct value *finding,
                     struct slice dedupe)
{
    struct author author = run_engine(import->cause);
    struct value fields = value_copy(core->arena, value_get(finding, "fields"));
    struct value links = value_map(), effects = value_map(), body = value_map();
    struct slice id;

    value_set(core->arena, &fields, "dedupe_key", value_text(dedupe));
    put_sight(core, import, 1, &fields);
    if (record_check_fields(core, import->kind, &fields, false) != 0)
        return -1;
    id = record_new_id(core, import->kind, &effects);
    value_set(core->arena, run_patch(core, &effects, key_row(core, dedupe)), "record",
              value_text(id));
    value_put(core->arena, &links, import->audit, value_str("triggered_by"));
    value_set(core->arena, &body, "kind", value_str(import->kind->name));
    value_set(core->arena, &body, "tool", value_text(import->tool));
    return record_create(core, import->kind, &author, &body, id, value_get_text(finding, "title"),
                         &fields, &links, NULL, slice_str("import"), &effects);
}

static int import_one(struct core *core, struct import *import, const struct value *finding)
{
    struct slice dedupe = value_get_text(finding, "dedupe_key");
    bool is_suppressed = value_get_bool(finding, "suppressed", false);
    const struct value *known;

    if (dedupe.len == 0 || !value_is(value_get(finding, "fields"), VALUE_MAP))
        return run_refuse(core, 422, "guard-failed",
                          "A finding needs \"dedupe_key\" and \"fields\".");
    if (value_find(&import->seen, dedupe) != NULL)
        return 0; /* the same row twice in one file */
    value_put(core->arena, &import->seen, dedupe, value_bool(true));
    known = state_row(core->state, key_row(core, dedupe));
    if (known != NULL)
        return seen_again(core, import, value_get_text(known, "record"),
                          is_suppressed ? "suppress" : "reappear");
    return is_suppressed ? 0 : raise_new(core, import, finding, dedupe);
}

/* Open findings of the same scope that this scan did not see any more. */
static int miss_the_rest(struct core *core, const struct import *import, struct slice covers)
{
    struct value rows;

    if (covers.len == 0)
        return 0;
    state_rows(core->state, textf(core, "%s-", import->kind->prefix), FINDINGS_LOOKED_AT_MAX,
               &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");
        struct slice dedupe = value_get_text(value_get(row, "fields"), "dedupe_key");

        if (dedupe.len < covers.len || memcmp(dedupe.at, covers.at, covers.len) != 0 ||
            value_find(&import->seen, dedupe) != NULL ||
            slice_is(value_get_text(row, "stage"), "closed"))
            continue;
        if (signal_record(core, value_get_text(&rows.as.items[i], "key"), "verify", import->cause,
                          NULL, NOBODY) != 0)
            return -1;
    }
    return 0;
}

static int check_import(struct core *core, const struct question *question,
                        const struct subject *audit, const struct kind **kind)
{
    struct slice state = value_get_text(audit->row, "state");
    const struct transition *transition;
    const char *sentence = "";

    *kind = pack_kind(core_current_pack(core), slice_str("finding"));
    transition =
        kind_transition(audit->kind, kind_state_index(audit->kind, state), slice_str("import"));
    if (*kind == NULL || transition == NULL)
        return run_refuse(
            core, 409, "wrong-state",
            "Results can be imported into an audit in its fieldwork; %.*s is in state %.*s.",
            (int)audit->id.len, (const char *)audit->id.at, (int)state.len, (const char *)state.at);
    if (authority_transition(core, question->principal, audit, transition, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    if (!value_is(value_get(question->args, "findings"), VALUE_ARRAY) ||
        value_get_text(question->args, "sha256").len != 64)
        return run_refuse(core, 400, "malformed",
                          "An import is {tool, format, sha256, findings: [...], covers?}.");
    return 0;
}

/* The row of the audit's table `imports`, if its kind keeps one. */
static void put_imported(struct core *core, const struct question *question,
                         const struct subject *audit, struct value *own)
{
    static const char *const columns[][2] = {
        {"file", "file"}, {"format", "format"}, {"sha256", "sha256"}, {"tool", "tool"}};
    const struct field *field = kind_field(audit->kind, slice_str("imports"));
    const struct value *before = record_field(audit, "imports");
    struct value row = value_map(), table;

    if (field == NULL || field->type != FIELD_TABLE)
        return;
    table = before != NULL ? value_copy(core->arena, before) : value_array();
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const struct value *fact = value_get(question->args, columns[i][0]);

        if (fact != NULL)
            value_set(core->arena, &row, columns[i][1], *fact);
    }
    value_set(core->arena, &row, "results",
              value_int(value_get(question->args, "findings")->count));
    value_push(core->arena, &table, row);
    value_set(core->arena, value_sub(core->arena, own, slice_str("fields")), "imports", table);
}

/* The leaf of the audit: which file, by its hash; what was found follows in the same run. */
static int64_t enter_file(struct core *core, const struct question *question,
                          const struct subject *audit, struct slice once)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map(), body = value_map();

    value_set(core->arena, run_patch(core, &effects, once), "record", value_text(audit->id));
    value_set(core->arena, &own, "changed_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "imports", value_int(value_get_int(audit->row, "imports", 0) + 1));
    put_imported(core, question, audit, &own);
    value_set(core->arena, &effects, "", own);
    for (uint32_t i = 0; i < question->args->count; i++) {
        const struct pair *pair = &question->args->as.pairs[i];

        if (!slice_is(pair->key, "findings"))
            value_put(core->arena, &body, pair->key, pair->value);
    }
    value_set(core->arena, &body, "findings",
              value_int(value_get(question->args, "findings")->count));
    return run_leaf(core, "record.import", audit->id, audit->id, &author, &body, &effects);
}

int audit_import(struct core *core, const struct question *question)
{
    const struct value *findings = value_get(question->args, "findings");
    struct import import = {.tool = value_get_text(question->args, "tool"), .seen = value_map()};
    struct subject audit;
    struct slice once;

    if (subject_of(core, question->record, &audit) != 0 ||
        check_import(core, question, &audit, &import.kind) != 0)
        return -1;
    once = textf(core, "once/file/%.*s/%.*s", (int)audit.id.len, (const char *)audit.id.at, 64,
                 (const char *)value_get_text(question->args, "sha256").at);
    if (state_row(core->state, once) != NULL)
        return run_refuse(core, 409, "wrong-state",
                          "This very file was imported into %.*s already; nothing has changed.",
                          (int)audit.id.len, (const char *)audit.id.at);
    import.audit = audit.id;
    import.cause = enter_file(core, question, &audit, once);
    if (import.cause < 0)
        return -1;
    for (uint32_t i = 0; i < findings->count; i++) {
        if (import_one(core, &import, &findings->as.items[i]) != 0)
            return -1;
    }
    if (miss_the_rest(core, &import, value_get_text(question->args, "covers")) != 0 ||
        !subject_find(core, import.audit, &audit))
        return -1;
    return rules_fire(core, &audit, "import", import.cause, question->args);
}
