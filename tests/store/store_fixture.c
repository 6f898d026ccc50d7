#include "store_fixture.h"

#include "base/check.h"
#include "leaf_builder.h"

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
    memcpy(fixture->options.log_seed, "log key for tests only\0\0\0\0\0\0\0\0\0\0", SIGN_SEED_LEN);
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

void fixture_release(struct store_fixture *fixture)
{
    journal_close(&fixture->journal);
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
