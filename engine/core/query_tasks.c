/* query_tasks.c - tasks and contents: what is asked of workers, and what went up beside the records. */
#include "core/query_inside.h"
#include "core/span.h"

#include <stdlib.h>

enum { TASKS_MAX = 1000 };

struct value task_value(struct asking *asking, struct slice key, const struct value *row)
{
    static const char *const facts[] = {"service",       "record",   "kind",    "state",
                                        "failures",      "due_ms",   "note",    "attempt",
                                        "not_before_ms", "until_ms", "priority"};
    struct slice origin =
        value_get_text(state_row(asking->core->state, slice_str("journal")), "origin");
    struct value task = value_map();
    int64_t number = task_number(key);

    copy_facts(asking->arena, row, facts, sizeof facts / sizeof facts[0], &task);
    value_set(asking->arena, &task, "task", value_int(number));
    value_set(asking->arena, &task, "attempt", value_int(value_get_int(row, "attempt", 0)));
    value_set(asking->arena, &task, "failures", value_int(value_get_int(row, "failures", 0)));
    value_set(asking->arena, &task, "person",
              value_copy(asking->arena, value_get(value_get(row, "input"), "person") != NULL
                                            ? value_get(value_get(row, "input"), "person")
                                            : &VALUE_NONE));
    value_set(asking->arena, &task, "key",
              value_str(arena_printf(asking->arena, "%.*s/task/%lld", (int)origin.len,
                                     (const char *)origin.at, (long long)number)));
    return task;
}

static bool is_wanted(struct slice asked, const struct value *row, const char *fact)
{
    return asked.len == 0 || slice_equal(asked, value_get_text(row, fact));
}

static int by_number(const void *a, const void *b)
{
    int64_t left = value_get_int(a, "task", 0), right = value_get_int(b, "task", 0);

    return left < right ? -1 : left > right;
}

/* `SCP-0001` means any of its versions. */
static bool is_of_record(struct slice asked, const struct value *row)
{
    struct slice record = value_get_text(row, "record");

    return asked.len == 0 || slice_equal(asked, record) || slice_equal(asked, record_base(record));
}

int query_tasks(struct asking *asking)
{
    struct slice state = value_get_text(asking->args, "state"), prefix = slice_str("task/");
    struct slice service = value_get_text(asking->args, "service");
    struct slice record = value_get_text(asking->args, "record");
    struct slice after = slice_of(NULL, 0);
    uint32_t limit = asked_limit(asking, TASKS_MAX, TASKS_MAX), seen = 0;
    bool more = true;

    *asking->out = value_array();
    while (more && seen < SCAN_ROWS_MAX && asking->out->count < limit) {
        struct arena page = ARENA_EMPTY;
        struct value rows;

        more = !state_page(asking->core->state, &page, prefix, after, LIST_MAX, &rows);
        seen += rows.count;
        for (uint32_t i = 0; i < rows.count && asking->out->count < limit; i++) {
            struct slice key = value_get_text(&rows.as.items[i], "key");
            const struct value *row = value_get(&rows.as.items[i], "row");

            if (is_wanted(state, row, "state") && is_wanted(service, row, "service") &&
                is_of_record(record, row))
                value_push(asking->arena, asking->out, task_value(asking, key, row));
        }
        if (rows.count > 0)
            after = keep_text(asking->core, value_get_text(&rows.as.items[rows.count - 1], "key"));
        arena_release(&page);
    }
    if (asking->out->count > 1)
        qsort(asking->out->as.items, asking->out->count, sizeof asking->out->as.items[0],
              by_number);
    return 0;
}

/* Who erased it, when and with which record; or that nobody did. */
static int refuse_absent(struct asking *asking, struct slice hash)
{
    char hex[2 * HASH_LEN + 1], day[DATE_TEXT_LEN + 1];
    const struct value *erased;
    struct slice record, by;

    hex_encode(hash, hex);
    erased = value_get(state_rowf(asking->core->state, "content/%s", hex), "erased");
    if (erased == NULL)
        return run_refuse(asking->core, 404, "no-record", "There is no such content.");
    record = value_get_text(erased, "record");
    by = value_get_text(erased, "by");
    date_format(calendar_date(calendar_of(asking->core), value_get_int(erased, "at_ms", 0)), day);
    return run_refuse(asking->core, 404, "no-record",
                      "This content was erased on %s, when %.*s disposed of %.*s.", day,
                      (int)by.len, (const char *)by.at, (int)record.len, (const char *)record.at);
}

int query_content(struct asking *asking)
{
    struct slice hash = value_get_bin(asking->args, "content"), bytes;
    int64_t offset = value_get_int(asking->args, "offset", 0);
    size_t from, len;

    if (hash.len != HASH_LEN || offset < 0)
        return run_refuse(asking->core, 400, "malformed",
                          "\"content\" is a hash of 32 bytes, \"offset\" where to read from.");
    bytes = state_content(asking->core->state, hash);
    if (bytes.at == NULL)
        return refuse_absent(asking, hash);
    from = (uint64_t)offset < bytes.len ? (size_t)offset : bytes.len;
    len = bytes.len - from < CONTENT_CHUNK_MAX ? bytes.len - from : CONTENT_CHUNK_MAX;
    *asking->out = value_map();
    value_set(asking->arena, asking->out, "data", value_bin(bytes.at + from, len));
    value_set(asking->arena, asking->out, "size", value_int((int64_t)bytes.len));
    return 0;
}
