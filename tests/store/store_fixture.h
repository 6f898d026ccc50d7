/* store_fixture.h - a journal in a directory of its own, for tests of the store. */
#ifndef ROTA_TESTS_STORE_FIXTURE_H
#define ROTA_TESTS_STORE_FIXTURE_H

#include "leaf_builder.h"
#include "store/journal.h"

#include <limits.h>

#define FIXTURE_ORIGIN LEAF_BUILDER_ORIGIN

struct store_fixture {
    char directory[PATH_MAX]; /* under $TMPDIR */
    struct journal_options options;
    struct journal *journal; /* NULL when closed */
    uint64_t next_command;
    bool
        is_damaged; /* the test did something to the file, or wrote what no auditor can like: it is not proved */
};

/* Makes the directory; opens nothing. */
void fixture_init(struct store_fixture *fixture);
/* Closes what is open, proves the file if there is one, and removes the directory. */
void fixture_release(struct store_fixture *fixture);

/* rota-verify must hold on the file in `directory`, and where $ROTA_AUDITOR names the independent auditor it must agree
 * (if `who_else`). The state is not looked at: what these tests store as rows follows from no leaf. Ends the test program if not. */
void prove(const char *directory, bool who_else);

void fixture_create(struct store_fixture *fixture); /* a new SQLite journal; must succeed */
void fixture_reopen(struct store_fixture *fixture); /* closes, opens again; must succeed */
/* Opens again and expects it to fail; gives the class of the error, its text in `err`. */
enum error_class fixture_refused(struct store_fixture *fixture, struct error *err);

/* The path of a file in the directory; lent until the next call. */
const char *fixture_path(const struct store_fixture *fixture, const char *name);

/* Appends leaves with `pad` bytes of filler, each a command of its own. 0 or -1. */
int append_leaves(struct journal *journal, uint64_t *next_command, size_t count, size_t pad,
                  struct error *err);
/* Appends and commits; must succeed. */
void fixture_grow(struct store_fixture *fixture, size_t count);

void remove_tree(const char *directory);

#endif
