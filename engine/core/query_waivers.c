/* query_waivers.c - waivers of rules of separation of duties: all of them, the oldest first, and whether they were used.
 *
 * There are few, and everybody who may read may see them: that is half of what makes them safe.
 */
#include "core/query_inside.h"

enum { TEXT_SHOWN = 1024 /* bytes; the whole is in the content */ };

#define LISTED "waiver/" /* SEQ */

/* What a text that went up says, or its beginning; nil if it is erased. */
static struct value text_of(struct asking *asking, const struct value *reference)
{
    struct slice text = state_content(asking->core->state, value_get_bin(reference, "content"));

    if (text.len == 0)
        return VALUE_NONE;
    if (text.len > TEXT_SHOWN)
        text.len = TEXT_SHOWN;
    while (text.len > 0 && !utf8_is_valid(text))
        text.len--;
    return value_text(slice_of(arena_copy(asking->arena, text.at, text.len), text.len));
}

/* {by, at_ms, reason} of one that was taken back. */
static struct value ended_value(struct asking *asking, const struct value *ended)
{
    static const char *const facts[] = {"by", "at_ms"};
    struct value out = value_map();

    copy_facts(asking->arena, ended, facts, sizeof facts / sizeof facts[0], &out);
    value_set(asking->arena, &out, "reason", text_of(asking, value_get(ended, "reason")));
    return out;
}

static struct value waiver_value(struct asking *asking, const struct subject *subject, int64_t n)
{
    static const char *const facts[] = {"rule", "person", "by", "at_ms", "digest", "used", "under"};
    const struct value *row =
        state_rowf(asking->core->state, "%.*s/waiver/%lld", (int)subject->id.len,
                   (const char *)subject->id.at, (long long)n);
    struct value out = value_map();

    value_set(asking->arena, &out, "record", value_text(subject->id));
    value_set(asking->arena, &out, "title", value_text(value_get_text(subject->row, "title")));
    value_set(asking->arena, &out, "n", value_int(n));
    copy_facts(asking->arena, row, facts, sizeof facts / sizeof facts[0], &out);
    value_set(asking->arena, &out, "reason", text_of(asking, value_get(row, "reason")));
    value_set(asking->arena, &out, "check", text_of(asking, value_get(row, "check")));
    if (value_get(row, "ended") != NULL)
        value_set(asking->arena, &out, "ended", ended_value(asking, value_get(row, "ended")));
    /* Over what the record says now, and not taken back: else it has to be given anew. */
    value_set(asking->arena, &out, "counts", value_bool(waiver_counts(subject, row)));
    return out;
}

struct value waivers_value(struct asking *asking, const struct subject *subject)
{
    int64_t count = value_get_int(subject->row, "waivers", 0);
    struct value list = value_array();

    for (int64_t n = 1; n <= count; n++)
        value_push(asking->arena, &list, waiver_value(asking, subject, n));
    return list;
}

/* args {record?} or {after?, limit?}: {waivers, next?}. Of one record all; else page by page, the oldest first. */
int query_waivers(struct asking *asking)
{
    uint32_t limit = asked_limit(asking, LIST_DEFAULT, LIST_DEFAULT);
    struct value rows = value_array(), list = value_array();
    struct subject subject;

    if (value_get(asking->args, "record") != NULL) {
        if (asked_subject(asking, &subject) != 0)
            return -1;
        list = waivers_value(asking, &subject);
    }
    *asking->out = value_map();
    if (value_get(asking->args, "record") == NULL &&
        !state_page(asking->core->state, asking->arena, slice_str(LISTED),
                    value_get_text(asking->args, "after"), limit, &rows))
        value_set(asking->arena, asking->out, "next",
                  *value_get(&rows.as.items[rows.count - 1], "key"));
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");

        if (subject_find(asking->core, value_get_text(row, "record"), &subject) &&
            authority_may_see(asking->core, asking->query->principal, subject.kind))
            value_push(asking->arena, &list,
                       waiver_value(asking, &subject, value_get_int(row, "n", 0)));
    }
    value_set(asking->arena, asking->out, "waivers", list);
    return 0;
}
