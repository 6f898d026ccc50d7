/* story_proof.c - from memory to a file, and the auditors' word on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/leaf.h"
#include "core/story_proof.h"
#include "simulate/house.h"
#include "store/journal.h"
#include "store/note.h"

enum { COMMAND_MAX = 4 * PATH_MAX, SAID_MAX = 4096 };

/* What leaf 0 says the journal is called. */
static const char *origin_of(struct arena *arena, const struct memory *memory)
{
    struct leaf leaf;
    struct error err = {ERROR_NONE, ""};

    assert_int_equal(leaf_decode(arena, buf_slice(&memory->leaves[0]), &leaf, &err), 0);
    return value_get_str(&leaf.body, "origin", "", arena);
}

static void write_leaves(struct journal *journal, const struct memory *memory, struct arena *arena)
{
    uint8_t before[COMMAND_ID_LEN] = {0};
    struct error err = {ERROR_NONE, ""};

    for (size_t i = 0; i < memory->leaf_count; i++) {
        struct slice bytes = buf_slice(&memory->leaves[i]);
        struct leaf leaf;
        bool is_first;

        assert_int_equal(leaf_decode(arena, bytes, &leaf, &err), 0);
        is_first = i == 0 || memcmp(before, leaf.command_id, COMMAND_ID_LEN) != 0;
        memcpy(before, leaf.command_id, COMMAND_ID_LEN);
        if (journal_append(journal, bytes, is_first, leaf.command_id, &err) != 0)
            fail_msg("leaf %zu: %s", i, err.text);
    }
}

static void write_rows(struct journal *journal, const struct memory *memory, struct arena *arena)
{
    struct error err = {ERROR_NONE, ""};

    for (size_t i = 0; i < memory->row_count; i++) {
        const struct memory_row *kept = memory->rows[i];
        struct journal_row row = {kept->key, buf_slice(&kept->bytes), JOURNAL_NO_DUE};
        struct value value = VALUE_NONE;

        assert_int_equal(dmp_decode_large(arena, row.bytes, UINT32_MAX, &value, &err), 0);
        row.due_ms = core_due(&value);
        if (journal_put_row(journal, &row, &err) != 0)
            fail_msg("row %.*s: %s", (int)row.key.len, (const char *)row.key.at, err.text);
    }
}

static void write_contents(struct journal *journal, const struct memory *memory)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&memory->contents, &at)) != NULL) {
        const struct memory_content *content = entry->value;
        struct error err = {ERROR_NONE, ""};

        if (journal_put_content(journal, (const uint8_t *)entry->key, content->salt,
                                buf_slice(&content->bytes), &err) != 0)
            fail_msg("%s", err.text);
    }
}

static void write_journal(const struct memory *memory, const char *directory, struct arena *arena)
{
    struct journal_options options = {.directory = directory,
                                      .create = true,
                                      .has_log_seed = true,
                                      .origin = origin_of(arena, memory)};
    struct journal *journal = NULL;
    struct error err = {ERROR_NONE, ""};

    memcpy(options.log_seed, house_log_seed, SIGN_SEED_LEN);
    if (journal_open_sqlite(&options, &journal, &err) != 0)
        fail_msg("%s", err.text);
    write_leaves(journal, memory, arena);
    write_rows(journal, memory, arena);
    write_contents(journal, memory);
    if (journal_commit(journal, &err) != 0)
        fail_msg("%s", err.text);
    journal_close(&journal);
}

/* A pipe's exit status, and what came out of it. */
static int hear(const char *program, const char *directory, const char *vkey, char *said,
                size_t room)
{
    char command[COMMAND_MAX];
    FILE *pipe;
    size_t got;

    snprintf(command, sizeof command, "%s '%s/journal.db' --vkey '%s' 2>&1", program, directory,
             vkey);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    got = fread(said, 1, room - 1, pipe);
    said[got] = '\0';
    while (fgetc(pipe) != EOF)
        continue;
    return pclose(pipe);
}

struct proven { /* a journal in a directory of its own */
    char directory[PATH_MAX];
    struct buf vkey;
};

static struct proven write_proven(const struct memory *memory)
{
    const char *parent = getenv("TMPDIR");
    struct arena arena = ARENA_EMPTY;
    uint8_t key[SIGN_KEY_LEN];
    struct note_key note_key;
    struct proven proven = {.vkey = BUF_EMPTY};

    snprintf(proven.directory, sizeof proven.directory, "%s/rota-story-XXXXXX",
             parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(proven.directory));
    write_journal(memory, proven.directory, &arena);
    sign_public_key(house_log_seed, key);
    assert_int_equal(note_key_make(slice_str(origin_of(&arena, memory)), key, &note_key, NULL), 0);
    note_key_add(&proven.vkey, &note_key);
    arena_release(&arena);
    return proven;
}

static void remove_proven(struct proven *proven)
{
    char command[PATH_MAX + 16];

    snprintf(command, sizeof command, "rm -rf '%s'", proven->directory);
    assert_int_equal(system(command), 0);
    buf_release(&proven->vkey);
}

static int ask(const char *program, struct proven *proven, char *said, size_t room)
{
    return hear(program, proven->directory, buf_text(&proven->vkey), said, room);
}

static void verifier(char out[PATH_MAX + 16])
{
    const char *build = getenv("ROTA_BUILD");

    snprintf(out, PATH_MAX + 16, "%s/rota-verify", build != NULL ? build : "build");
}

int story_hear(const struct memory *memory, char *said, size_t room)
{
    struct proven proven = write_proven(memory);
    char program[PATH_MAX + 16];
    int status;

    verifier(program);
    status = ask(program, &proven, said, room);
    remove_proven(&proven);
    return status;
}

void story_prove(const struct memory *memory)
{
    const char *auditor = getenv("ROTA_AUDITOR");
    struct proven proven = write_proven(memory);
    char program[PATH_MAX + 16], said[SAID_MAX];

    verifier(program);
    if (ask(program, &proven, said, sizeof said) != 0)
        fail_msg("%s finds fault with the story's journal:\n%s", program, said);
    if (auditor != NULL && auditor[0] != '\0') {
        snprintf(program, sizeof program, "/usr/bin/python3 '%s'", auditor);
        if (ask(program, &proven, said, sizeof said) != 0)
            fail_msg("%s finds fault with the story's journal:\n%s", program, said);
    }
    remove_proven(&proven);
}
