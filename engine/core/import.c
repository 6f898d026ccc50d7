/* import.c - the results of a tool enter an audit: a file in one command or in parts, each finding once for ever.
 *
 * A finding is known by its dedupe_key, which is stable over scans. Seen for the first time it is raised; seen again its
 * count grows, and if it had been closed it reopens. `covers` is the beginning of every key that this scan would have given:
 * an open finding whose key begins so and that was not seen any more is signalled to be verified. A scan that broke off gives
 * no `covers`: what it did not see proves nothing. A result that its tool marks as `suppressed` is not raised; one that was
 * raised before and is not confirmed is signalled `suppress`.
 *
 * A part says with which finding of how many it begins (`from`, `of`); only the one that is next is taken, so whatever breaks
 * off is taken up where it stood and nothing is doubled. How far a file is stands in the row once/file/<audit>/<sha256>: `next`
 * and `of`, and `first`, the entry that it began with. The row once/import/<key> of a finding names the `first` of the
 * newest file that it was seen in: what is missing is decided with the last part, from these rows alone.
 */
#include "core/query_inside.h"

enum { PAGE_ROWS = 256, GONE_AT_ONCE = 200, GONE_MAX = 50000, FINDINGS_OF_FILE_MAX = 1000000 };

struct import {
    const struct kind *kind; /* of findings */
    struct slice audit, tool;
    int64_t cause;
    int64_t first;          /* the entry that the file began with */
    int64_t from, next, of; /* this part is the findings from .. next - 1 */
    bool *is_repeated;      /* for each of them: it was seen in this file before */
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

/* The findings that are known are marked as seen by the leaf of the part, those that are new by their own. */
static void mark_seen(struct core *core, struct import *import, const struct value *findings,
                      struct value *effects)
{
    struct value keys = value_map();

    import->is_repeated =
        arena_zero(core->arena, findings->count * sizeof *import->is_repeated + 1);
    for (uint32_t i = 0; i < findings->count; i++) {
        struct slice dedupe = value_get_text(&findings->as.items[i], "dedupe_key");
        struct slice key = key_row(core, dedupe);
        const struct value *known = state_row(core->state, key);
        int64_t seen = value_get_int(known, "import", -1);

        import->is_repeated[i] = seen == import->first || value_find(&keys, dedupe) != NULL;
        if (import->is_repeated[i] || dedupe.len == 0)
            continue;
        value_put(core->arena, &keys, dedupe, value_bool(true));
        if (known != NULL && seen < import->first)
            value_set(core->arena, run_patch(core, effects, key), "import",
                      value_int(import->first));
    }
}

/* A kind may say of what is counted here that it is content. */
static void put_fields(struct core *core, const struct subject *subject, const struct value *fields,
                       struct value *own)
{
    struct value after;

    if (fields->count == 0)
        return;
    value_set(core->arena, own, "fields", *fields);
    after = value_merged(core->arena, subject->row, own);
    record_put_digest(core, subject, &after, own);
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
    put_fields(core, &finding, &fields, &own);
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
    struct value links = value_map(), effects = value_map(), body = value_map(), *known;
    struct slice id;

    value_set(core->arena, &fields, "dedupe_key", value_text(dedupe));
    put_sight(core, import, 1, &fields);
    if (record_check_fields(core, import->kind, &fields, false) != 0)
        return -1;
    id = record_new_id(core, import->kind, &effects);
    known = run_patch(core, &effects, key_row(core, dedupe));
    value_set(core->arena, known, "record", value_text(id));
    value_set(core->arena, known, "import", value_int(import->first));
    value_put(core->arena, &links, import->audit, value_str("triggered_by"));
    value_set(core->arena, &body, "kind", value_str(import->kind->name));
    value_set(core->arena, &body, "tool", value_text(import->tool));
    return record_create(core, import->kind, &author, &body, id, value_get_text(finding, "title"),
                         &fields, &links, NULL, slice_str("import"), &effects);
}

static int import_one(struct core *core, const struct import *import, const struct value *finding)
{
    struct slice dedupe = value_get_text(finding, "dedupe_key");
    bool is_suppressed = value_get_bool(finding, "suppressed", false);
    const struct value *known;

    if (dedupe.len == 0 || !value_is(value_get(finding, "fields"), VALUE_MAP))
        return run_refuse(core, 422, "guard-failed",
                          "A finding needs \"dedupe_key\" and \"fields\".");
    known = state_row(core->state, key_row(core, dedupe));
    if (known != NULL)
        return seen_again(core, import, value_get_text(known, "record"),
                          is_suppressed ? "suppress" : "reappear");
    return is_suppressed ? 0 : raise_new(core, import, finding, dedupe);
}

/* ---- what is no longer seen ---- */

static bool is_gone(struct core *core, const struct import *import, const struct value *row,
                    struct slice covers)
{
    struct slice dedupe = value_get_text(value_get(row, "fields"), "dedupe_key");

    return dedupe.len >= covers.len && memcmp(dedupe.at, covers.at, covers.len) == 0 &&
           !slice_is(value_get_text(row, "stage"), "closed") &&
           value_get_int(state_row(core->state, key_row(core, dedupe)), "import", -1) <
               import->first;
}

/* Open findings of the same scope that no part of this file has, nor a file that began later. */
static int find_gone(struct core *core, const struct import *import, struct slice covers,
                     struct value *gone)
{
    struct slice prefix = textf(core, "%s-", import->kind->prefix), after = slice_of(NULL, 0);
    bool is_all = false;

    while (!is_all) {
        struct arena page = ARENA_EMPTY;
        struct value rows;

        is_all = state_page(core->state, &page, prefix, after, PAGE_ROWS, &rows);
        for (uint32_t i = 0; i < rows.count; i++) {
            struct slice id = value_get_text(&rows.as.items[i], "key");

            if (i + 1 == rows.count)
                after = keep_text(core, id);
            if (is_gone(core, import, value_get(&rows.as.items[i], "row"), covers))
                value_push(core->arena, gone, value_text(keep_text(core, id)));
        }
        is_all = is_all || rows.count == 0;
        arena_release(&page);
    }
    if (gone->count > GONE_MAX)
        return run_refuse(core, 413, "too-large",
                          "%u open findings are no longer seen; one file may end at most %d.",
                          gone->count, GONE_MAX);
    return 0;
}

/* Each gets a run of its own: what holds one of them back holds back no other, and there may be thousands. */
static int miss_the_rest(struct core *core, const struct import *import, struct slice covers)
{
    struct value gone = value_array();

    if (covers.len == 0)
        return 0;
    if (find_gone(core, import, covers, &gone) != 0)
        return -1;
    for (uint32_t i = 0; i < gone.count;) {
        struct value args = value_map(), some = value_array();

        for (; some.count < GONE_AT_ONCE && i < gone.count; i++)
            value_push(core->arena, &some, gone.as.items[i]);
        value_set(core->arena, &args, "records", some);
        run_follow(core, import->audit, IMPORT_GONE, import->cause, &args, NOBODY);
    }
    return 0;
}

int import_gone(struct core *core, const struct question *question)
{
    const struct value *records = value_get(value_get(question->follow, "args"), "records");

    for (uint32_t i = 0; value_is(records, VALUE_ARRAY) && i < records->count; i++)
        run_follow(core, value_slice(&records->as.items[i]), "verify",
                   value_get_int(question->follow, "cause", 0), NULL, NOBODY);
    return 0;
}

/* ---- the file ---- */

/* May something be brought into this audit, by them? */
static int check_import(struct core *core, struct slice principal, const struct subject *audit,
                        const struct kind **kind)
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
    if (authority_transition(core, principal, audit, transition, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    return 0;
}

static int check_report(struct core *core, const struct question *question)
{
    if (!value_is(value_get(question->args, "findings"), VALUE_ARRAY) ||
        value_get_text(question->args, "sha256").len != 64)
        return run_refuse(
            core, 400, "malformed",
            "An import is {tool, format, sha256, findings: [...], covers?, from?, of?}.");
    return 0;
}

static struct slice file_row(struct core *core, struct slice audit, const struct value *args)
{
    return textf(core, "once/file/%.*s/%.*s", (int)audit.len, (const char *)audit.at, 64,
                 (const char *)value_get_text(args, "sha256").at);
}

/* A file that was imported before parts were known has no `next`. */
static bool is_complete(const struct value *file)
{
    return value_get_int(file, "next", 0) >= value_get_int(file, "of", 0);
}

static const char *complete_sentence(struct core *core, const struct value *file,
                                     struct slice audit)
{
    struct slice by = value_get_text(file, "by");
    int64_t at_ms = value_get_int(file, "at_ms", -1);
    const char *when = "";

    if (at_ms >= 0) {
        const struct calendar *calendar = calendar_of(core);
        char day[DATE_TEXT_LEN + 1];

        date_format(
            zone_date(calendar != NULL && calendar->zone != NULL ? calendar->zone : zone_utc(),
                      at_ms),
            day);
        when = arena_printf(core->arena, ", on %s by %.*s", day, (int)by.len, (const char *)by.at);
    }
    return arena_printf(core->arena,
                        "This very file was imported into %.*s already%s; nothing has changed.",
                        (int)audit.len, (const char *)audit.at, when);
}

/* Where the part stands in its file; only the one that is next is taken. */
static int check_part(struct core *core, const struct question *question, struct slice row,
                      struct import *import)
{
    const struct value *file = state_row(core->state, row);
    int64_t count = value_get(question->args, "findings")->count;

    import->from = value_get_int(question->args, "from", 0);
    import->of = value_get_int(question->args, "of", import->from + count);
    import->next = import->from + count;
    import->first = value_get_int(file, "first", (int64_t)core->question->seq);
    if (file != NULL && is_complete(file))
        return run_refuse(core, 409, "wrong-state", "%s",
                          complete_sentence(core, file, import->audit));
    if (import->from < 0 || import->of > FINDINGS_OF_FILE_MAX || import->next > import->of ||
        (count == 0 && import->of > 0))
        return run_refuse(core, 400, "malformed",
                          "A part is some of the findings of its file, in their order: from and of "
                          "say which, and of is at most %d.",
                          FINDINGS_OF_FILE_MAX);
    if (import->from != value_get_int(file, "next", 0) ||
        import->of != value_get_int(file, "of", import->of))
        return run_refuse(core, 409, "wrong-state",
                          "%lld of %lld findings of this file are in %.*s; go on after them.",
                          (long long)value_get_int(file, "next", 0),
                          (long long)value_get_int(file, "of", import->of), (int)import->audit.len,
                          (const char *)import->audit.at);
    return 0;
}

/* Its row in the audit's table; a new one with the first part. */
static struct value *imported_row(struct core *core, const struct value *args, struct value *table)
{
    static const char *const columns[][2] = {
        {"file", "file"}, {"format", "format"}, {"sha256", "sha256"}, {"tool", "tool"}};
    struct value row = value_map();

    for (uint32_t i = table->count; i > 0; i--) {
        if (slice_equal(value_get_text(&table->as.items[i - 1], "sha256"),
                        value_get_text(args, "sha256")))
            return &table->as.items[i - 1];
    }
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const struct value *fact = value_get(args, columns[i][0]);

        if (fact != NULL)
            value_set(core->arena, &row, columns[i][1], *fact);
    }
    value_push(core->arena, table, row);
    return &table->as.items[table->count - 1];
}

/* The audit's table `imports`, if its kind keeps one. */
static void put_imported(struct core *core, const struct question *question,
                         const struct subject *audit, const struct import *import,
                         struct value *own)
{
    const struct field *field = kind_field(audit->kind, slice_str("imports"));
    const struct value *before = record_field(audit, "imports");
    struct value table, fields = value_map();

    if (field == NULL || field->type != FIELD_TABLE)
        return;
    table = before != NULL ? value_copy(core->arena, before) : value_array();
    value_set(core->arena, imported_row(core, question->args, &table), "results",
              value_int(import->next));
    value_set(core->arena, &fields, "imports", table);
    put_fields(core, audit, &fields, own);
}

static void put_file(struct core *core, const struct question *question,
                     const struct import *import, struct value *row)
{
    value_set(core->arena, row, "record", value_text(import->audit));
    value_set(core->arena, row, "by", value_text(question->principal));
    value_set(core->arena, row, "at_ms", value_int(core->now_ms));
    value_set(core->arena, row, "first", value_int(import->first));
    value_set(core->arena, row, "next", value_int(import->next));
    value_set(core->arena, row, "of", value_int(import->of));
}

/* The leaf of the audit: which file, by its hash; what was found follows in the same run. */
static int64_t enter_part(struct core *core, const struct question *question,
                          const struct subject *audit, struct slice once, struct import *import)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map(), body = value_map();
    int64_t files = value_get_int(audit->row, "imports", 0);

    put_file(core, question, import, run_patch(core, &effects, once));
    mark_seen(core, import, value_get(question->args, "findings"), &effects);
    value_set(core->arena, &own, "changed_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "imports", value_int(files + (import->from == 0 ? 1 : 0)));
    put_imported(core, question, audit, import, &own);
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

/* With the last part: what is missing, and who is told. */
static int end_file(struct core *core, const struct question *question, const struct import *import)
{
    struct subject audit;

    if (miss_the_rest(core, import, value_get_text(question->args, "covers")) != 0 ||
        !subject_find(core, import->audit, &audit))
        return -1;
    return rules_fire(core, &audit, "import", import->cause, question->args);
}

int audit_import(struct core *core, const struct question *question)
{
    const struct value *findings = value_get(question->args, "findings");
    struct import import = {.tool = value_get_text(question->args, "tool")};
    struct subject audit;
    struct slice once;

    if (subject_of(core, question->record, &audit) != 0 ||
        check_import(core, question->principal, &audit, &import.kind) != 0 ||
        check_report(core, question) != 0)
        return -1;
    import.audit = audit.id;
    once = file_row(core, audit.id, question->args);
    if (check_part(core, question, once, &import) != 0)
        return -1;
    import.cause = enter_part(core, question, &audit, once, &import);
    if (import.cause < 0)
        return -1;
    for (uint32_t i = 0; i < findings->count; i++) {
        if (!import.is_repeated[i] && import_one(core, &import, &findings->as.items[i]) != 0)
            return -1;
    }
    return import.next < import.of ? 0 : end_file(core, question, &import);
}

/* ---- how far a file is ---- */

/* args {record, sha256}: {record, next, of?, by?, at_ms?, complete, says?, refused?}; `next` 0: nothing of it is here. */
int query_import(struct asking *asking)
{
    static const char *const facts[] = {"by", "at_ms", "of"};
    struct core *core = asking->core;
    const struct kind *kind;
    const struct value *file;
    struct subject audit;

    if (asked_subject(asking, &audit) != 0)
        return -1;
    if (value_get_text(asking->args, "sha256").len != 64)
        return run_refuse(core, 400, "malformed",
                          "\"sha256\" is the hash of the file, in 64 hexadecimal digits.");
    file = state_row(core->state, file_row(core, audit.id, asking->args));
    *asking->out = value_map();
    value_set(asking->arena, asking->out, "record", value_text(audit.id));
    value_set(asking->arena, asking->out, "next", value_int(value_get_int(file, "next", 0)));
    value_set(asking->arena, asking->out, "complete",
              value_bool(file != NULL && is_complete(file)));
    if (file != NULL && is_complete(file))
        value_set(asking->arena, asking->out, "says",
                  value_str(complete_sentence(core, file, audit.id)));
    if (file != NULL)
        copy_facts(asking->arena, file, facts, sizeof facts / sizeof facts[0], asking->out);
    check_import(core, asking->query->principal, &audit, &kind);
    put_refused(asking);
    return 0;
}
