/* derived.h - tables that the leaves determine, compared with what the leaves say.
 *
 *   NODE_BAD        a stored tree node is missing, wrong or one too many
 *   CONTENT_MISSING a content is gone without a redaction event   CONTENT_EDITED  it is another one
 *   STATE_EDITED, STATE_EXTRA, STATE_MISSING   table state against the fold, row by row, every byte
 *   COMMAND_INDEX   table command against the runs of leaves
 */
#ifndef ROTA_VERIFY_DERIVED_H
#define ROTA_VERIFY_DERIVED_H

#include "db.h"
#include "table.h"
#include "tree.h"

/* Tree nodes arrive level by level in order, so one open question a level reads the table along. */
struct node_check {
    struct db *db;         /* borrowed */
    struct report *report; /* borrowed */
    bool is_active;        /* the table is there and not empty */
    sqlite3_stmt *levels[TREE_MAX_LEVELS];
    uint64_t made; /* nodes the tree has */
};

void node_check_begin(struct node_check *check, struct db *db, struct report *report);
tree_node_made node_check_made; /* context: struct node_check */
void node_check_end(struct node_check *check);

struct content_ref {
    uint8_t hash[HASH_LEN];
    uint64_t seq;
};

struct content_refs {
    struct content_ref *at; /* owned */
    size_t count, cap;
    struct table redacted; /* keys: hashes that a redaction event named */
};

void content_refs_init(struct content_refs *refs);
void content_refs_release(struct content_refs *refs);
void content_refs_add(struct content_refs *refs, const uint8_t hash[HASH_LEN], uint64_t seq);

/* Compare with table content, if there is one. Puts the references in the order of their hashes. */
void content_refs_check(struct content_refs *refs, struct db *db, struct report *report);

void derived_check_state(struct table *rows, struct db *db, struct report *report);
void derived_check_commands(struct id_set *commands, struct db *db, struct report *report);

#endif
