/* coverage.c - what the engine holds, laid over what has to be proved. */
#include "coverage.h"

#include "ask.h"
#include "facts.h"
#include "waiver.h"

enum { PAGE = 200, BRIEF_MAX = 20 };

/* The clauses of ISO/IEC 27001:2022 that ask for something, in our words. */
static const char *const CLAUSES[][2] = {
    {"4.1", "Issues, external and internal"},
    {"4.2", "Interested parties and what they require"},
    {"4.3", "Scope"},
    {"4.4", "The management system and its processes"},
    {"5.1", "Leadership"},
    {"5.2", "Policy"},
    {"5.3", "Roles, responsibilities, authorities"},
    {"6.1.1", "Risks and opportunities"},
    {"6.1.2", "How risks are assessed"},
    {"6.1.3", "How risks are treated"},
    {"6.2", "Objectives"},
    {"6.3", "Changes that are planned"},
    {"7.1", "Resources"},
    {"7.2", "Competence"},
    {"7.3", "Awareness"},
    {"7.4", "Communication"},
    {"7.5.1", "Documented information: what there must be"},
    {"7.5.2", "Documented information: making and renewing it"},
    {"7.5.3", "Documented information: keeping control of it"},
    {"8.1", "Operation"},
    {"8.2", "Risks assessed"},
    {"8.3", "Risks treated"},
    {"9.1", "Monitoring, measurement, evaluation"},
    {"9.2", "Internal audit"},
    {"9.3", "Management review"},
    {"10.1", "Continual improvement"},
    {"10.2", "Nonconformity and corrective action"},
};

const char *cover_group_name(enum cover_group group)
{
    static const char *const NAMES[] = {"clauses", "documents", "records", "processes",
                                        "interactions"};

    return group < COVER_GROUPS ? NAMES[group] : "?";
}

const char *cover_status_name(enum cover_status status)
{
    static const char *const NAMES[] = {"proved", "in_the_making", "ready", "nothing", "no_kind"};

    return NAMES[status];
}

const char *cover_status_text(enum cover_status status)
{
    static const char *const TEXTS[] = {"proved", "in the making", "in place, not needed yet",
                                        "nothing yet", "nothing in the workflows"};

    return TEXTS[status];
}

/* ---- asking ---- */

static int ask_records(struct coverage *c)
{
    struct arena *arena = &c->tool->arena;
    struct value args = value_map(), answer;
    const struct value *records, *next;

    c->records = value_array();
    value_set(arena, &args, "limit", value_int(PAGE));
    for (;;) {
        int status = ask_query(c->tool, "list", args, &answer);

        if (status != TOOL_DONE)
            return status;
        records = value_get(&answer, "records");
        for (uint32_t i = 0; value_is(records, VALUE_ARRAY) && i < records->count; i++)
            value_push(arena, &c->records, records->as.items[i]);
        next = value_get(&answer, "next");
        if (!value_is(next, VALUE_STR))
            return TOOL_DONE;
        value_set(arena, &args, "after", *next);
    }
}

static const struct value *kind_of(const struct coverage *c, const struct value *record)
{
    for (uint32_t i = 0; i < c->kinds->count; i++) {
        if (slice_equal(value_get_text(&c->kinds->as.items[i], "name"),
                        value_get_text(record, "kind")))
            return &c->kinds->as.items[i];
    }
    return NULL;
}

/* ---- is it proof? ---- */

static struct slice stage_of(const struct value *kind, struct slice state)
{
    const struct value *states = value_get(kind, "states");

    for (uint32_t i = 0; value_is(states, VALUE_ARRAY) && i < states->count; i++) {
        if (slice_equal(value_get_text(&states->as.items[i], "name"), state))
            return value_get_text(&states->as.items[i], "stage");
    }
    return slice_of(NULL, 0);
}

/* Can this end be reached from anywhere but a draft? */
static bool is_earned(const struct value *kind, struct slice end)
{
    const struct value *events = value_get(kind, "events");

    for (uint32_t i = 0; value_is(events, VALUE_ARRAY) && i < events->count; i++) {
        const struct value *event = &events->as.items[i], *from = value_get(event, "from");

        if (!slice_equal(value_get_text(event, "to"), end))
            continue;
        for (uint32_t f = 0; value_is(from, VALUE_ARRAY) && f < from->count; f++) {
            struct slice source = value_slice(&from->as.items[f]);

            if (!slice_equal(source, end) && !slice_is(stage_of(kind, source), "draft"))
                return true;
        }
    }
    return false;
}

static bool is_proof(const struct coverage *c, const struct value *record)
{
    const struct value *kind = kind_of(c, record);
    struct slice stage = value_get_text(record, "stage");

    if (kind == NULL || slice_is(stage, "draft"))
        return false;
    if (value_get_bool(kind, "versioned", false))
        return value_get_bool(record, "valid", false);
    return !slice_is(stage, "closed") || is_earned(kind, value_get_text(record, "state"));
}

/* ---- items ---- */

static struct cover_item *add_item(struct coverage *c, enum cover_group group, const char *id,
                                   const char *title)
{
    struct cover_item *item = &c->items[c->item_count];

    if (c->item_count == COVER_ITEMS_MAX)
        return &c->items[COVER_ITEMS_MAX - 1]; /* packs with more items than a page has rows */
    c->item_count++;
    *item = (struct cover_item){.group = group,
                                .id = id,
                                .title = title,
                                .kinds = value_array(),
                                .proof = value_array(),
                                .others = value_array()};
    return item;
}

static void add_record(struct coverage *c, struct cover_item *item, const struct value *record)
{
    bool proves = is_proof(c, record);

    value_push(&c->tool->arena, proves ? &item->proof : &item->others, *record);
    item->proof_count += proves;
}

static void add_kind(struct coverage *c, struct cover_item *item, const struct value *kind)
{
    struct slice name = value_get_text(kind, "name");

    if (value_has_text(&item->kinds, name))
        return;
    value_push(&c->tool->arena, &item->kinds, value_text(name));
    for (uint32_t i = 0; i < c->records.count; i++) {
        if (slice_equal(value_get_text(&c->records.as.items[i], "kind"), name))
            add_record(c, item, &c->records.as.items[i]);
    }
}

/* What has ended without being proof is no proof in the making either. */
static bool is_going(const struct value *records)
{
    for (uint32_t i = 0; i < records->count; i++) {
        if (!slice_is(value_get_text(&records->as.items[i], "stage"), "closed"))
            return true;
    }
    return false;
}

static void settle(struct cover_item *item)
{
    if (item->kinds.count == 0)
        item->status = COVER_NO_KIND;
    else if (item->proof_count > 0)
        item->status = COVER_PROVED;
    else
        item->status = is_going(&item->others) ? COVER_MAKING : COVER_NONE;
}

/* "9.3.2" proves 9.3, and "6.1" all of 6.1.1 to 6.1.3. */
static bool is_within(struct slice part, const char *whole)
{
    size_t len = strlen(whole);

    if (part.len >= len)
        return memcmp(part.at, whole, len) == 0 && (part.len == len || part.at[len] == '.');
    return memcmp(part.at, whole, part.len) == 0 && whole[part.len] == '.';
}

/* A clause that the workflows have documents for takes one of them that is valid; what was done because of it proves
 * the doing alone. */
static void want_document(struct coverage *c, struct cover_item *item)
{
    const char *documents = "";

    for (uint32_t k = 0; k < c->kinds->count; k++) {
        const struct value *kind = &c->kinds->as.items[k];

        if (value_get_bool(kind, "versioned", false) &&
            value_has_text(&item->kinds, value_get_text(kind, "name")))
            documents =
                arena_printf(&c->tool->arena, "%s%s%s", documents, *documents != '\0' ? " or " : "",
                             value_get_str(kind, "title", "", &c->tool->arena));
    }
    for (uint32_t i = 0; i < item->proof.count; i++) {
        if (value_get_bool(&item->proof.as.items[i], "valid", false))
            return;
    }
    if (item->status != COVER_PROVED || *documents == '\0')
        return;
    item->status = COVER_MAKING;
    item->wants = documents;
}

static void cover_clauses(struct coverage *c)
{
    for (size_t i = 0; i < sizeof CLAUSES / sizeof CLAUSES[0]; i++) {
        struct cover_item *item = add_item(c, COVER_CLAUSES, CLAUSES[i][0], CLAUSES[i][1]);

        for (uint32_t k = 0; k < c->kinds->count; k++) {
            const struct value *clauses = value_get(&c->kinds->as.items[k], "clauses");
            bool proves = false;

            for (uint32_t n = 0; value_is(clauses, VALUE_ARRAY) && n < clauses->count; n++)
                proves = proves || is_within(value_slice(&clauses->as.items[n]), CLAUSES[i][0]);
            if (proves)
                add_kind(c, item, &c->kinds->as.items[k]);
        }
        settle(item);
        want_document(c, item);
    }
}

/* Does `brief` name item `number` of a group: "Documents 1", "PDCA Act 2, Interactions 5, 6"? A word that is not the
 * group's ends what belongs to it. */
static bool is_brief(struct slice brief, const char *group, int number)
{
    size_t len = strlen(group);
    bool ours = false;

    for (size_t at = 0; at < brief.len;) {
        size_t start = at;
        int found = 0;

        if (brief.at[at] >= '0' && brief.at[at] <= '9') {
            for (; at < brief.len && brief.at[at] >= '0' && brief.at[at] <= '9' && found < 1000;
                 at++)
                found = found * 10 + (brief.at[at] - '0');
            if (ours && found == number)
                return true;
        } else if (brief.at[at] == ' ' || brief.at[at] == ',') {
            at++;
        } else {
            while (at < brief.len && brief.at[at] != ' ' && brief.at[at] != ',')
                at++;
            ours = at - start >= len && memcmp(brief.at + start, group, len) == 0 &&
                   at - start <= len + 1;
        }
    }
    return false;
}

/* Documents 1 to n, Records 1 to n: as many as the kinds number, without a gap below the highest. */
static void cover_brief(struct coverage *c, enum cover_group group, const char *word, int least)
{
    for (int number = 1; number <= BRIEF_MAX; number++) {
        struct cover_item *item = NULL;
        const char *id = arena_printf(&c->tool->arena, "%s %d", word, number);

        for (uint32_t k = 0; k < c->kinds->count; k++) {
            const struct value *kind = &c->kinds->as.items[k];

            if (!is_brief(value_get_text(kind, "brief"), word, number))
                continue;
            if (item == NULL)
                item = add_item(c, group, id, value_get_str(kind, "title", "", &c->tool->arena));
            add_kind(c, item, kind);
        }
        if (item == NULL && number <= least)
            item = add_item(c, group, id, "");
        if (item != NULL)
            settle(item);
    }
}

static void cover_processes(struct coverage *c)
{
    struct arena *arena = &c->tool->arena;

    for (uint32_t p = 0; p < c->processes.count; p++) {
        const struct value *process = &c->processes.as.items[p];
        const char *phase = value_get_str(process, "phase", "", arena);
        struct cover_item *item = add_item(
            c, COVER_PROCESSES, value_get_str(process, "id", "", arena),
            arena_printf(arena, "%s (%s)", value_get_str(process, "title", "", arena), phase));

        for (uint32_t i = 0; i < c->records.count; i++) {
            const struct value *record = &c->records.as.items[i];

            if (!slice_equal(value_get_text(record, "process"), value_get_text(process, "id")))
                continue;
            if (!value_has_text(&item->kinds, value_get_text(record, "kind")))
                value_push(arena, &item->kinds, value_text(value_get_text(record, "kind")));
            add_record(c, item, record);
        }
        settle(item);
        if (item->status == COVER_NO_KIND) /* a process of the pack that has had no cycle yet */
            item->status = COVER_NONE;
    }
}

/* ---- interactions: rules I1.1 ... I6.5, by the number before the point ---- */

static void add_opened(struct coverage *c, struct cover_item *item, const struct value *rule)
{
    const struct value *records = value_get(rule, "records");

    for (uint32_t i = 0; value_is(records, VALUE_ARRAY) && i < records->count; i++) {
        for (uint32_t r = 0; r < c->records.count; r++) {
            if (slice_equal(value_get_text(&c->records.as.items[r], "record"),
                            value_slice(&records->as.items[i])))
                value_push(&c->tool->arena, &item->proof, c->records.as.items[r]);
        }
    }
    item->proof_count += value_get_int(rule, "started", 0);
}

/* What the interaction joins, from the rules that open something: at most three pairs. */
static void add_pair(struct coverage *c, struct cover_item *item, int *pairs,
                     const struct value *rule)
{
    const char *pair = arena_printf(&c->tool->arena, "%s → %s",
                                    facts_kind_title(c->tool, value_get_text(rule, "kind")),
                                    facts_kind_title(c->tool, value_get_text(rule, "starts")));

    if (strstr(item->title, pair) != NULL)
        return;
    *pairs += 1;
    if (*pairs <= 3)
        item->title = arena_printf(&c->tool->arena, "%s%s%s", item->title,
                                   *item->title != '\0' ? "; " : "", pair);
    else if (*pairs == 4)
        item->title = arena_printf(&c->tool->arena, "%s; …", item->title);
}

static void cover_interactions(struct coverage *c, int least)
{
    for (int number = 1; number <= BRIEF_MAX; number++) {
        const char *prefix = arena_printf(&c->tool->arena, "I%d.", number);
        struct cover_item *item = NULL;
        int pairs = 0;

        for (uint32_t i = 0; i < c->rules.count; i++) {
            const struct value *rule = &c->rules.as.items[i];
            struct slice name = value_get_text(rule, "rule");

            if (!slice_starts(name, prefix))
                continue;
            if (item == NULL)
                item = add_item(c, COVER_INTERACTIONS,
                                arena_printf(&c->tool->arena, "Interaction %d", number), "");
            if (value_get_text(rule, "starts").len > 0)
                add_pair(c, item, &pairs, rule);
            if (!value_has_text(&item->kinds, name)) {
                value_push(&c->tool->arena, &item->kinds, value_text(name));
                add_opened(c, item, rule);
            }
        }
        if (item == NULL && number <= least)
            item = add_item(c, COVER_INTERACTIONS,
                            arena_printf(&c->tool->arena, "Interaction %d", number), "");
        if (item != NULL)
            item->status = item->kinds.count == 0  ? COVER_NO_KIND
                           : item->proof_count > 0 ? COVER_PROVED
                                                   : COVER_READY;
    }
}

/* ---- all of it ---- */

static void gather_late(struct coverage *c)
{
    c->late = value_array();
    c->waiting = value_array();
    for (uint32_t i = 0; i < c->records.count; i++) {
        const struct value *record = &c->records.as.items[i];

        if (value_get(record, "past") != NULL)
            value_push(&c->tool->arena, &c->late, *record);
        if (slice_is(value_get_text(record, "phase"), "awaiting_approval"))
            value_push(&c->tool->arena, &c->waiting, *record);
    }
}

int coverage_ask(struct tool *tool, struct coverage *out)
{
    enum {
        DOCUMENTS = 4,
        RECORDS = 10,
        INTERACTIONS = 6
    }; /* that an ISMS as it was asked for has */
    int status;

    *out = (struct coverage){.tool = tool};
    if ((status = facts_kinds(tool, &out->kinds)) != TOOL_DONE ||
        (status = ask_query(tool, "processes", value_map(), &out->processes)) != TOOL_DONE ||
        (status = ask_query(tool, "rules", value_map(), &out->rules)) != TOOL_DONE ||
        (status = ask_records(out)) != TOOL_DONE ||
        (status = waivers_ask(tool, NULL, &out->waivers)) != TOOL_DONE)
        return status;
    if (out->processes.type != VALUE_ARRAY || out->rules.type != VALUE_ARRAY)
        return tool_fail(TOOL_INPUT, "the engine's answer has no processes or rules");
    cover_clauses(out);
    cover_brief(out, COVER_DOCUMENTS, "Document", DOCUMENTS);
    cover_brief(out, COVER_RECORDS, "Record", RECORDS);
    cover_processes(out);
    cover_interactions(out, INTERACTIONS);
    gather_late(out);
    return TOOL_DONE;
}

int coverage_count(const struct coverage *coverage, enum cover_group group,
                   enum cover_status status)
{
    int count = 0;

    for (int i = 0; i < coverage->item_count; i++)
        count += coverage->items[i].group == group && coverage->items[i].status == status;
    return count;
}

bool coverage_has_gaps(const struct coverage *coverage)
{
    for (int i = 0; i < coverage->item_count; i++) {
        enum cover_status status = coverage->items[i].status;

        if (status != COVER_PROVED && status != COVER_READY)
            return true;
    }
    return coverage->late.count > 0;
}
