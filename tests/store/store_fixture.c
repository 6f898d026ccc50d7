#include "store_fixture.h"

#include "base/check.h"
#include "fault_vfs.h"
#include "store/note.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fixture_init(struct store_fixture *fixture)
{
    const char *parent = getenv("TMPDIR");

    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->directory, sizeof fixture->directory, "%s/rota-store-XXXXXX",
             parent != NULL ? parent : "/tmp");
    check(mkdtemp(fixture->directory) != NULL);
    fixture->options.directory = fixture->directory;
    fixture->options.origin = FIXTURE_ORIGIN;
    fixture->options.has_log_seed = true;
    memcpy(fixture->options.log_seed, LEAF_BUILDER_SEED, SIGN_SEED_LEN);
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *ftw)
{
    (void)about;
    (void)type;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *directory)
{
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void run_auditor(const char *command)
{
    char said[4096];
    FILE *program = popen(command, "r");
    size_t len;

    check(program != NULL);
    len = fread(said, 1, sizeof said - 1, program);
    said[len] = '\0';
    if (pclose(program) != 0)
        fprintf(stderr, "%s\n%s\n", command, said);
    else
        said[0] = '\0';
    check(said[0] == '\0');
}

void prove(const char *directory, bool who_else)
{
    const char *build = getenv("ROTA_BUILD"), *auditor = getenv("ROTA_AUDITOR");
    char command[4 * PATH_MAX];
    struct buf vkey = BUF_EMPTY;
    uint8_t key[SIGN_KEY_LEN];
    struct note_key log;

    sign_public_key((const uint8_t *)LEAF_BUILDER_SEED, key);
    check(note_key_make(slice_str(LEAF_BUILDER_ORIGIN), key, &log, NULL) == 0);
    note_key_add(&vkey, &log);
    snprintf(command, sizeof command,
             "'%s/rota-verify' '%s/journal.db' --vkey '%s' --no-replay --quiet 2>&1",
             build != NULL ? build : "build", directory, buf_text(&vkey));
    run_auditor(command);
    if (who_else && auditor != NULL && auditor[0] != '\0') {
        snprintf(command, sizeof command, "/usr/bin/python3 '%s' '%s/journal.db' --vkey '%s' 2>&1",
                 auditor, directory, buf_text(&vkey));
        run_auditor(command);
    }
    buf_release(&vkey);
}

static bool has_file(const struct store_fixture *fixture)
{
    return access(fixture_path(fixture, "journal.db"), F_OK) == 0;
}

void fixture_release(struct store_fixture *fixture)
{
    struct journal *journal = fixture->journal;
    /* Without a checkpoint there is nothing to hold the leaves against; a journal that may write signs one at its close. */
    bool is_signed = journal != NULL && journal_committed(journal) > 0 &&
                     (journal_health(journal) == JOURNAL_OK ||
                      journal_last_checkpoint(journal, NULL, NULL, NULL) == 1);

    journal_close(&fixture->journal);
    if (is_signed && !fixture->is_damaged && !has_file(fixture))
        fault_vfs_copy_out(fixture->directory);
    if (is_signed && !fixture->is_damaged && has_file(fixture)) /* else it was in memory */
        prove(fixture->directory, true);
    remove_tree(fixture->directory);
}

static void must(int rc, const struct error *err)
{
    if (rc != 0)
        fprintf(stderr, "%s\n", err->text);
    check(rc == 0);
}

void fixture_create(struct store_fixture *fixture)
{
    struct error err = {ERROR_NONE, ""};

    fixture->options.create = true;
    must(journal_open_sqlite(&fixture->options, &fixture->journal, &err), &err);
    fixture->options.create = false;
}

void fixture_reopen(struct store_fixture *fixture)
{
    struct error err = {ERROR_NONE, ""};

    journal_close(&fixture->journal);
    must(journal_open_sqlite(&fixture->options, &fixture->journal, &err), &err);
}

enum error_class fixture_refused(struct store_fixture *fixture, struct error *err)
{
    struct journal *journal = NULL;

    err->class = ERROR_NONE;
    if (journal_open_sqlite(&fixture->options, &journal, err) == 0) {
        journal_close(&journal);
        return ERROR_NONE;
    }
    return err->class;
}

const char *fixture_path(const struct store_fixture *fixture, const char *name)
{
    static char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    return path;
}

int append_leaves(struct journal *journal, uint64_t *next_command, size_t count, size_t pad,
                  struct error *err)
{
    struct buf leaf = BUF_EMPTY;
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        struct leaf_spec spec = {
            .seq = journal_size(journal), .command = *next_command, .pad = pad};
        uint8_t id[16];

        (*next_command)++;
        leaf_command_id(spec.command, id);
        buf_clear(&leaf);
        leaf_build(&leaf, &spec);
        rc = journal_append(journal, buf_slice(&leaf), true, id, err);
    }
    buf_release(&leaf);
    return rc;
}

void fixture_grow(struct store_fixture *fixture, size_t count)
{
    struct error err = {ERROR_NONE, ""};

    must(append_leaves(fixture->journal, &fixture->next_command, count, 40, &err), &err);
    must(journal_commit(fixture->journal, &err), &err);
}
