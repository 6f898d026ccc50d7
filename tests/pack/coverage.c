/* coverage.c - counts what walks went through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "pack/coverage.h"

struct coverage {
    struct arena arena;
    struct map
        moves; /* "kind event from" and "kind event ." (any): how often, as a pointer that is never followed */
    struct map rules; /* name of a rule that fired */
    struct buf breaches;
    int breach_count;
};

struct walked { /* one story, read leaf by leaf */
    struct coverage *coverage;
    struct story *story;
    const struct pack *pack;
    const char *walk;
    struct map states; /* record -> its state before the leaf, memory of the coverage */
    struct map once;   /* once-keys seen */
};

struct coverage *coverage_new(void)
{
    struct coverage *coverage = calloc(1, sizeof *coverage);

    assert_non_null(coverage);
    return coverage;
}

void coverage_free(struct coverage **coverage)
{
    if (*coverage == NULL)
        return;
    map_release(&(*coverage)->moves);
    map_release(&(*coverage)->rules);
    buf_release(&(*coverage)->breaches);
    arena_release(&(*coverage)->arena);
    free(*coverage);
    *coverage = NULL;
}

static const char *copy_of(struct coverage *coverage, struct slice text)
{
    return arena_copy(&coverage->arena, text.at, text.len);
}

static void breach(struct walked *walked, const char *rule, const char *what, struct slice record)
{
    walked->coverage->breach_count++;
    buf_addf(&walked->coverage->breaches, "%s: rule %s: %.*s %s\n", walked->walk, rule,
             (int)record.len, (const char *)record.at, what);
}

/* The record of a stream: what stands before a vote or an acknowledgement of it. */
static struct slice record_of(struct slice stream)
{
    const uint8_t *end = memchr(stream.at, '/', stream.len);

    return slice_of(stream.at, end != NULL ? (size_t)(end - stream.at) : stream.len);
}

/* ---- rows ---- */

static void mark(struct coverage *coverage, struct map *map, const char *name)
{
    map_put(map, slice_str(name), coverage);
}

static const char *move_name(struct coverage *coverage, const char *kind, const char *event,
                             const char *from)
{
    return arena_printf(&coverage->arena, "%s %s %s", kind, event, from);
}

static const struct kind *kind_of(const struct walked *walked, struct slice record)
{
    const struct value *row = story_row(walked->story, copy_of(walked->coverage, record));

    return pack_kind(walked->pack, value_get_text(row, "kind"));
}

static bool is_created(const struct leaf *leaf)
{
    return value_get(value_get(&leaf->effects, ""), "created_ms") != NULL;
}

/* A row of the lifecycle that the kind's own ends with: the same for every kind, so it is walked through once. */
static bool is_shared(const struct kind *kind, const struct transition *row)
{
    return strcmp(row->where.file, kind->lifecycle->where.file) != 0 &&
           strcmp(row->where.file, kind->where.file) != 0;
}

static void count_move(struct walked *walked, const struct leaf *leaf)
{
    const char *before = map_get(&walked->states, leaf->stream);
    const struct kind *kind = kind_of(walked, leaf->stream);
    const char *event = copy_of(walked->coverage, leaf->type) + strlen("record.");

    if (kind == NULL)
        return;
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *row = &kind->lifecycle->transitions[i];
        int from = before != NULL ? kind_state_index(kind, slice_str(before)) : MODEL_NONE;

        if (is_created(leaf) ? !row->creates
                             : strcmp(row->event, event) != 0 || from < 0 || !row->from[from])
            continue;
        mark(walked->coverage, &walked->coverage->moves,
             move_name(walked->coverage, kind->name, row->event, row->creates ? "." : before));
        if (is_shared(kind, row))
            mark(walked->coverage, &walked->coverage->moves,
                 move_name(walked->coverage, row->where.file, row->event, "*"));
    }
}

/* Every record that the leaf moves, its own or another. */
static void follow_states(struct walked *walked, const struct leaf *leaf)
{
    for (uint32_t i = 0; leaf->effects.type == VALUE_MAP && i < leaf->effects.count; i++) {
        const struct pair *pair = &leaf->effects.as.pairs[i];
        struct slice state = value_get_text(&pair->value, "state"),
                     key = pair->key.len > 0 ? pair->key : leaf->stream;
        char *own = arena_copy(&walked->coverage->arena, state.at, state.len);

        if (state.len > 0)
            map_put(&walked->states, key, own);
    }
}

/* ---- rules ---- */

/* A rule that watches several events is one for each: "R4.1 policy.put_in_force". */
static const char *rule_label(struct arena *arena, const struct pack *pack, const struct rule *rule)
{
    return arena_printf(arena, "%s %s.%s", rule->name, pack->kinds[rule->kind].name, rule->event);
}

static void mark_rule(struct walked *walked, const struct rule *rule)
{
    mark(walked->coverage, &walked->coverage->rules,
         rule_label(&walked->coverage->arena, walked->pack, rule));
}

/* "once/I4.1/FND-0001" -> I4.1 */
static struct slice rule_name(struct slice key)
{
    struct slice rest = slice_of(key.at + strlen("once/"), key.len - strlen("once/"));
    const uint8_t *end = memchr(rest.at, '/', rest.len);

    return slice_of(rest.at, end != NULL ? (size_t)(end - rest.at) : rest.len);
}

static void check_started(struct walked *walked, const struct rule *rule, const struct leaf *leaf)
{
    const struct value *own = value_get(&leaf->effects, "");
    struct leaf watched = story_leaf(walked->story, (uint64_t)leaf->cause);

    if (value_find(value_get(own, "links"), record_of(watched.stream)) == NULL)
        breach(walked, rule->name, "has no link to what the rule watched", leaf->stream);
    for (int i = 0; i < rule->due_count; i++) {
        if (value_get(value_get(own, "fields"), rule->due[i].field) == NULL)
            breach(walked, rule->name, "has not the date that the rule says", leaf->stream);
    }
}

/* The event that a signal or a notice came from, as its cause says: is it the one the rule watches? */
static bool is_watched(struct walked *walked, const struct rule *rule, const struct leaf *leaf)
{
    struct leaf cause;
    const char *event;

    if (leaf->cause < 0)
        return false;
    cause = story_leaf(walked->story, (uint64_t)leaf->cause);
    event = arena_printf(&walked->coverage->arena, "record.%s", rule->event);
    return slice_is(cause.type, event) &&
           kind_of(walked, record_of(cause.stream)) == &walked->pack->kinds[rule->kind];
}

/* The rule of this name that watches what the leaf came from; NULL if there is none. */
static const struct rule *rule_of(struct walked *walked, struct slice name, const struct leaf *leaf)
{
    for (int i = 0; i < walked->pack->rule_count; i++) {
        const struct rule *rule = &walked->pack->rules[i];

        if (slice_is(name, rule->name) && is_watched(walked, rule, leaf))
            return rule;
    }
    return NULL;
}

static void count_starts(struct walked *walked, const struct leaf *leaf)
{
    for (uint32_t i = 0; leaf->effects.type == VALUE_MAP && i < leaf->effects.count; i++) {
        struct slice key = leaf->effects.as.pairs[i].key;
        /* An import knows its files and findings again by keys of its own. */
        bool is_import = slice_starts(key, "once/import/") || slice_starts(key, "once/file/");
        const struct rule *rule =
            slice_starts(key, "once/") && !is_import ? rule_of(walked, rule_name(key), leaf) : NULL;

        if (rule == NULL && slice_starts(key, "once/") && !is_import)
            breach(walked, "?", "was started by nothing that a rule watches", leaf->stream);
        if (rule == NULL)
            continue;
        if (map_put(&walked->once, key, walked) != NULL)
            breach(walked, rule->name, "was started twice for one key", leaf->stream);
        mark_rule(walked, rule);
        check_started(walked, rule, leaf);
    }
}

/* Rules that start nothing leave no key: a signal is known by its cause, a notice too. */
static void count_signals(struct walked *walked, const struct leaf *leaf)
{
    for (int i = 0; i < walked->pack->rule_count; i++) {
        const struct rule *rule = &walked->pack->rules[i];
        const char *type = rule->signal != NULL
                               ? arena_printf(&walked->coverage->arena, "record.%s", rule->signal)
                               : "notice.sent";

        if (rule->starts == MODEL_NONE && slice_is(leaf->type, type) &&
            slice_is(leaf->actor, "engine") && is_watched(walked, rule, leaf))
            mark_rule(walked, rule);
    }
}

void coverage_add(struct coverage *coverage, struct story *story, const char *walk)
{
    struct walked walked = {.coverage = coverage,
                            .story = story,
                            .pack = core_current_pack(story_core(story)),
                            .walk = walk,
                            .states = MAP_EMPTY,
                            .once = MAP_EMPTY};

    for (uint64_t seq = 0; seq < story_size(story); seq++) {
        struct leaf leaf = story_leaf(story, seq);

        if (slice_starts(leaf.type, "record.") && slice_equal(leaf.stream, record_of(leaf.stream)))
            count_move(&walked, &leaf);
        count_starts(&walked, &leaf);
        count_signals(&walked, &leaf);
        follow_states(&walked, &leaf);
    }
    map_release(&walked.states);
    map_release(&walked.once);
}

/* ---- what is missing ---- */

static bool is_walked(const struct coverage *coverage, const struct kind *kind,
                      const struct transition *row, int from)
{
    struct arena arena = ARENA_EMPTY;
    const char *name = arena_printf(&arena, "%s %s %s", kind->name, row->event,
                                    row->creates ? "." : kind->lifecycle->states[from].name);
    bool is = map_get(&coverage->moves, slice_str(name)) != NULL;

    arena_release(&arena);
    return is;
}

static bool is_walked_somewhere(const struct coverage *coverage, const struct transition *row)
{
    struct arena arena = ARENA_EMPTY;
    const char *name = arena_printf(&arena, "%s %s *", row->where.file, row->event);
    bool is = map_get(&coverage->moves, slice_str(name)) != NULL;

    arena_release(&arena);
    return is;
}

static bool row_is_covered(const struct coverage *coverage, const struct kind *kind,
                           const struct transition *row)
{
    if (is_shared(kind, row) && is_walked_somewhere(coverage, row))
        return true;
    for (int s = 0; s < kind->lifecycle->state_count; s++) {
        if ((row->creates || row->from[s]) && is_walked(coverage, kind, row, s))
            return true;
    }
    return false;
}

static bool kind_is_covered(const struct coverage *coverage, const struct kind *kind)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        if (!row_is_covered(coverage, kind, &kind->lifecycle->transitions[i]))
            return false;
    }
    return true;
}

static bool rule_is_covered(const struct coverage *coverage, const struct pack *pack,
                            const struct rule *rule)
{
    struct arena arena = ARENA_EMPTY;
    bool is = map_get(&coverage->rules, slice_str(rule_label(&arena, pack, rule))) != NULL;

    arena_release(&arena);
    return is;
}

/* Is `name` a line of the text? */
static bool is_listed(const char *pending, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = pending; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strcspn(at, "\n") == len && memcmp(at, name, len) == 0)
            return true;
    }
    return false;
}

static int show_kind(const struct coverage *coverage, const struct kind *kind, struct buf *out)
{
    int count = 0;

    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *row = &kind->lifecycle->transitions[i];

        if (row_is_covered(coverage, kind, row))
            continue;
        count++;
        buf_addf(out, "%s: nobody went through %s to %s (%s:%d)\n", kind->name, row->event,
                 kind->lifecycle->states[row->to].name, row->where.file, row->where.line);
    }
    return count;
}

static int check_pending(const struct coverage *coverage, const struct pack *pack, const char *line,
                         struct buf *out)
{
    bool is_rule = strncmp(line, "rule ", 5) == 0, is_known = false, is_covered = false;

    for (int i = 0; i < pack->kind_count && !is_rule; i++) {
        if (strcmp(pack->kinds[i].name, line) != 0)
            continue;
        is_known = true;
        is_covered = kind_is_covered(coverage, &pack->kinds[i]);
    }
    for (int i = 0; i < pack->rule_count && is_rule; i++) {
        if (strcmp(pack->rules[i].name, line + 5) != 0)
            continue;
        is_covered = (is_covered || !is_known) && rule_is_covered(coverage, pack, &pack->rules[i]);
        is_known = true;
    }
    if (!is_known)
        buf_addf(out, "PENDING: the pack has no \"%s\"\n", line);
    if (is_covered)
        buf_addf(out, "PENDING: \"%s\" is covered; take its line out\n", line);
    return !is_known || is_covered;
}

int coverage_check(const struct coverage *coverage, const struct pack *pack, const char *pending,
                   struct buf *out)
{
    struct arena arena = ARENA_EMPTY;
    int count = coverage->breach_count;

    buf_add_slice(out, buf_slice(&coverage->breaches));
    for (int i = 0; i < pack->kind_count; i++) {
        if (!is_listed(pending, pack->kinds[i].name))
            count += show_kind(coverage, &pack->kinds[i], out);
    }
    for (int i = 0; i < pack->rule_count; i++) {
        const struct rule *rule = &pack->rules[i];

        if (rule_is_covered(coverage, pack, rule) ||
            is_listed(pending, arena_printf(&arena, "rule %s", rule->name)))
            continue;
        count++;
        buf_addf(out, "rule %s never fired (%s:%d)\n", rule_label(&arena, pack, rule),
                 rule->where.file, rule->where.line);
    }
    for (const char *at = pending; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        const char *line = arena_copy(&arena, at, strcspn(at, "\n"));

        if (line[0] != '\0' && line[0] != '#')
            count += check_pending(coverage, pack, line, out);
    }
    arena_release(&arena);
    return count;
}

void coverage_show(const struct coverage *coverage, const struct pack *pack, struct buf *out)
{
    struct arena arena = ARENA_EMPTY;

    for (int k = 0; k < pack->kind_count; k++) {
        const struct kind *kind = &pack->kinds[k];

        for (int i = 0; i < kind->lifecycle->transition_count; i++) {
            const struct transition *row = &kind->lifecycle->transitions[i];

            for (int s = 0; s < kind->lifecycle->state_count; s++) {
                if (row->from[s] && !is_walked(coverage, kind, row, s))
                    buf_addf(out, "%s: %s from %s%s\n", kind->name, row->event,
                             kind->lifecycle->states[s].name,
                             row_is_covered(coverage, kind, row) ? "" : " (nor from elsewhere)");
            }
        }
    }
    for (int i = 0; i < pack->rule_count; i++) {
        if (!rule_is_covered(coverage, pack, &pack->rules[i]))
            buf_addf(out, "rule %s\n", rule_label(&arena, pack, &pack->rules[i]));
    }
    arena_release(&arena);
}
