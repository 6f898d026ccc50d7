/* pack.c - `rota pack`: the definitions that were installed, and another one. */
#include <inttypes.h>
#include <stdlib.h>

#include "amend.h"
#include "ask.h"
#include "check.h"
#include "commands.h"
#include "definition/pack.h"
#include "facts.h"
#include "forms.h"
#include "given.h"

enum { SHORT_DIGEST = 12, SHOWN_REASON_MAX = 4096 };

static const char *hex_of(struct tool *tool, struct slice digest)
{
    char *hex = arena_zero(&tool->arena, 2 * HASH_LEN + 1);

    if (digest.len == HASH_LEN)
        hex_encode(digest, hex);
    return hex;
}

/* ---- list ---- */

/* How many records each pack governs: the engine counts so many at a time. */
static int count_records(struct tool *tool, struct value *out)
{
    struct slice after = slice_of(NULL, 0);
    int status = TOOL_DONE;

    *out = value_map();
    do {
        struct value args = value_map(), answer;
        const struct value *records;

        value_set(&tool->arena, &args, "count", value_bool(true));
        value_set(&tool->arena, &args, "after", value_text(after));
        if ((status = ask_query(tool, "packs", args, &answer)) != TOOL_DONE)
            return status;
        records = value_get(&answer, "records");
        for (uint32_t i = 0; value_is(records, VALUE_MAP) && i < records->count; i++) {
            const struct pair *pair = &records->as.pairs[i];
            struct value *sum = value_at(out, pair->key);

            if (sum != NULL)
                sum->as.number += pair->value.as.number;
            else
                value_put(&tool->arena, out, pair->key, pair->value);
        }
        after = value_get_text(&answer, "after");
    } while (after.len > 0);
    return status;
}

/* The reason is a text of its own in the journal, and may have been erased. */
static const char *reason_of(struct tool *tool, const struct value *pack)
{
    struct slice hash = value_get_bin(value_get(pack, "reason"), "content"), text;

    if (hash.len != HASH_LEN || ask_content(tool, hash, SHOWN_REASON_MAX, &text) != TOOL_DONE)
        return "";
    return text_clean(&tool->arena, text, false);
}

static int by_moment(const void *a, const void *b)
{
    int64_t one = value_get_int(a, "at_ms", 0), other = value_get_int(b, "at_ms", 0);

    return (one > other) - (one < other);
}

static void print_pack(struct tool *tool, struct table *table, const struct value *pack,
                       const struct value *records)
{
    const char *hex = hex_of(tool, value_get_bin(pack, "digest"));
    bool is_current = value_get_bool(pack, "current", false);
    const char *why = reason_of(tool, pack);

    table_row(table);
    table_cell(table, 0, is_current ? INK_GOOD : INK_NONE,
               arena_printf(&tool->arena, "%.*s", SHORT_DIGEST, hex));
    table_cell(table, 1, INK_NONE, value_get_str(pack, "version", "", &tool->arena));
    table_cell(table, 2, INK_NONE, facts_moment(tool, value_get_int(pack, "at_ms", 0)));
    table_cell(table, 3, INK_NONE, facts_name(tool, value_get_text(pack, "by")));
    table_cell(table, 4, INK_NONE,
               arena_printf(&tool->arena, "%" PRId64, value_get_int(records, hex, 0)));
    table_cell(table, 5, INK_NONE,
               is_current
                   ? arena_printf(&tool->arena, "(counts now)%s%s", *why != '\0' ? " " : "", why)
                   : why);
}

static int list(struct tool *tool)
{
    static const char *const heads[] = {"pack", "version", "installed", "by", "records", "why"};
    struct value packs, records;
    struct table table;
    int status = ask_query(tool, "packs", value_map(), &packs);

    if (status == TOOL_DONE)
        status = count_records(tool, &records);
    if (status != TOOL_DONE)
        return status;
    if (packs.count > 1)
        qsort(packs.as.items, packs.count, sizeof *packs.as.items, by_moment);
    table_begin(&table, 6, heads);
    for (uint32_t i = 0; i < packs.count; i++) {
        struct value *pack = &packs.as.items[i];
        const char *hex = hex_of(tool, value_get_bin(pack, "digest"));

        value_set(&tool->arena, pack, "records", value_int(value_get_int(&records, hex, 0)));
        value_set(&tool->arena, pack, "why", value_str(reason_of(tool, pack)));
        if (tool->out.json)
            output_json(&tool->out, pack);
        else
            print_pack(tool, &table, pack, &records);
    }
    if (!tool->out.json)
        table_print(&table, &tool->out, 0);
    table_release(&table);
    return TOOL_DONE;
}

/* ---- install ---- */

static int upload(struct tool *tool, const char *directory, struct value *out)
{
    struct pack_file *files = NULL;
    struct buf bytes = BUF_EMPTY;
    struct error err = {ERROR_NONE, ""};
    uint8_t salt[16];
    int count = 0, status = TOOL_DONE;

    if (pack_read(directory, &tool->arena, &files, &count, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    pack_join(files, count, &bytes, salt);
    if (ask_upload_salted(tool, buf_slice(&bytes), salt, out, &err) != 0)
        status = err.text[0] != '\0' ? tool_error(TOOL_INPUT, &err) : TOOL_REFUSED;
    buf_release(&bytes);
    return status;
}

/* What waits, and for whom; else what was installed, because nobody else could agree. */
static int tell_proposed(struct tool *tool, const struct reply *reply)
{
    long long number = (long long)value_get_int(&reply->out, "proposal", 0);
    struct value people, line = value_copy(&tool->arena, &reply->out);
    const char *who;
    int status = ask_query(tool, "people", value_map(), &people);

    if (status != TOOL_DONE || (status = ask_who(tool, &who)) != TOOL_DONE)
        return status;
    value_set(&tool->arena, &line, "seq", value_int((int64_t)reply->seq));
    if (tool->out.json) {
        output_json(&tool->out, &line);
        return TOOL_DONE;
    }
    output_line(&tool->out, INK_WAIT,
                "proposal %lld: nothing has changed yet, it waits for a second person", number);
    output_line(&tool->out, INK_NONE, "  %s agrees: rota --as WHO agree %lld",
                amend_seconds(tool, &people, slice_str(who)), number);
    output_line(&tool->out, INK_DIM, "  journal entry %" PRIu64, reply->seq);
    return TOOL_DONE;
}

static void tell_installed(struct tool *tool, const struct value *info, const struct reply *reply)
{
    const char *hex = hex_of(tool, value_get_bin(info, "pack"));
    struct value line = value_map();

    if (tool->out.json) {
        value_set(&tool->arena, &line, "pack", *value_get(info, "pack"));
        value_set(&tool->arena, &line, "version", value_text(value_get_text(info, "pack_version")));
        value_set(&tool->arena, &line, "seq", value_int((int64_t)reply->seq));
        value_set(&tool->arena, &line, "outcome", value_str("installed"));
        value_set(&tool->arena, &line, "alone", value_bool(true));
        output_json(&tool->out, &line);
        return;
    }
    output_line(
        &tool->out, INK_GOOD,
        "%s %s (%.*s) is installed at once, because nobody else could agree: what is opened "
        "from now on follows it",
        value_get_str(info, "pack_name", "", &tool->arena),
        value_get_str(info, "pack_version", "", &tool->arena), SHORT_DIGEST, hex);
    output_line(
        &tool->out, INK_NONE,
        "  records that exist stay under theirs; what would move them: rota migrate --dry-run");
    output_line(&tool->out, INK_DIM, "  journal entry %" PRIu64, reply->seq);
}

static int install(struct tool *tool, const struct arguments *given)
{
    const char *directory = given->word_count > 1 ? given->words[1] : tool_path(tool, "pack");
    struct command command = {.command = slice_str("pack.install"), .args = value_map()};
    struct value pack, info;
    struct reply reply;
    int status;

    if (!arguments_have(given, "--reason"))
        return tool_usage(given, "--reason: why the workflows change is kept in the journal");
    if ((status = check_quietly(tool, directory)) != TOOL_DONE ||
        (status = upload(tool, directory, &pack)) != TOOL_DONE ||
        (status = given_reason(tool, given, &command.args)) != TOOL_DONE)
        return status;
    value_set(&tool->arena, &command.args, "pack", pack);
    if ((status = ask_command(tool, &command, &reply)) != TOOL_DONE)
        return status;
    if (slice_is(value_get_text(&reply.out, "outcome"), "proposed"))
        return tell_proposed(tool, &reply);
    if ((status = ask_query(tool, "info", value_map(), &info)) != TOOL_DONE)
        return status;
    tell_installed(tool, &info, &reply);
    return TOOL_DONE;
}

static int run(struct tool *tool, const struct arguments *given)
{
    if (given->word_count == 0 || strcmp(given->words[0], "list") == 0)
        return list(tool);
    if (strcmp(given->words[0], "install") == 0)
        return install(tool, given);
    return forms_unknown(given);
}

static const struct tool_option options[] = {
    {"--reason", "TEXT", "why the workflows change; kept in the journal"},
    {NULL, NULL, NULL},
};

const struct tool_command command_pack = {
    "pack",
    "definitions",
    "[list]\ninstall [DIR] --reason TEXT",
    "the packs of workflows that were installed; install a changed one",
    "Without more it lists every pack that was ever installed, who installed it and why, and how "
    "many "
    "records it governs.\n"
    "`install` reads DIR (else pack/ in the organisation's directory), checks it, and makes it the "
    "one "
    "that counts for\n"
    "whatever is opened from then on. Nothing is installed from a pack with an error, or from one "
    "that "
    "lacks a kind of\n"
    "which there are records. Records that exist stay under the pack they were opened under: `rota "
    "migrate` moves them.\n\n"
    "    rota --as ines pack install --reason \"Policies: reviewed every six months\"",
    options,
    0,
    2,
    false,
    run};
