/* journal.h - the append-only journal: what happened, in order, for ever, and the state that follows.
 *
 * A journal is a sequence of leaves (evidence that is hashed as stored), a Merkle tree over them (RFC 9162
 * with SHA-256), signed checkpoints of it (C2SP signed notes), contents named by leaves, and the stored
 * state: one row a key, written in the transaction of the leaves that changed it.
 *
 * Promises:
 *   1. Leaves, rows, contents, command ids and leases given between two commits become durable
 *      together or not at all.
 *   2. When journal_commit() returns 0 they survive kill -9 and power loss.
 *   3. On any other return none of them is in the journal, except after JOURNAL_UNKNOWN (an fsync
 *      failed): then the outcome is unknown and the journal stays read-only until it is reopened after
 *      a salvage.
 *   4. Nothing is changed in place and nothing is removed, except rows of the state, leases, uploads,
 *      redacted contents, and contents that no leaf names.
 *   5. A checkpoint is signed only for a tree that contains the one signed before, also where the journal was replaced
 *      by another copy in between: an older one looks whole, and only the signer can tell (`signed_path`).
 *
 * One thread owns a journal. Backends: SQLite (durable), memory (tests, simulation). Every backend passes
 * tests/store/test_journal_contract.c.
 */
#ifndef ROTA_STORE_JOURNAL_H
#define ROTA_STORE_JOURNAL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

struct journal;

enum { JOURNAL_NO_DUE = -1, JOURNAL_KEY_MAX = 256, JOURNAL_ROW_MAX = 1 << 20 };

enum journal_health {
    JOURNAL_OK,
    JOURNAL_FULL,   /* no space or a passing write error: read-only, probed by journal_probe() */
    JOURNAL_UNKNOWN /* an fsync failed: read-only for good */
};

struct journal_options {
    const char *directory;           /* holds journal.db and its lock; must exist */
    bool create;                     /* make a new journal; an existing one is an error */
    uint8_t log_seed[SIGN_SEED_LEN]; /* signs checkpoints */
    bool has_log_seed;               /* without it the journal opens, but signs nothing */
    const char *
        signed_path; /* borrowed; where the signer keeps the newest note beside its key; NULL: nowhere */
    const char *origin;    /* borrowed; needed for `create`; otherwise NULL or what must be found */
    bool trust_clean_stop; /* after a clean stop run quick_check later (journal_idle) */
    uint64_t free_bytes_min; /* below this journal_has_room() says no; 0: 64 MiB */
};

/* Opens, recovers (evidence: checkpoint the WAL first, quick_check, frontier, compare with the last
 * signed checkpoint) and locks. ERROR_DAMAGED: do not start; the text says what is wrong and what to do (after a
 * failed fsync: store/salvage.h). ERROR_BUSY: another engine has it. ERROR_INPUT: another origin, another signing
 * key, no journal of this format, a network file system. ERROR_STALE: more was signed than it holds, or something else, or what
 * was signed last is not known (store/restore.h). */
int journal_open_sqlite(const struct journal_options *options, struct journal **out,
                        struct error *err);
/* Is always new; `origin` is needed, `directory` is not looked at. */
int journal_open_memory(const struct journal_options *options, struct journal **out,
                        struct error *err);

/* Signs a last checkpoint if there is a seed and something new, checkpoints the WAL, closes. */
void journal_close(struct journal **journal);

/* ---- writing: everything until journal_commit() is one batch ---- */

struct journal_row {
    struct slice key;   /* UTF-8, 1..256 bytes */
    struct slice bytes; /* the row as DMP; len 0: the row is deleted */
    int64_t due_ms;     /* when this row next wants to be woken, or JOURNAL_NO_DUE */
};

/* Appends one leaf; its seq must be journal_size(). `first_of_run` also enters `command_id` (which is the leaf's
 * own) into the index of commands and refuses one that is there. 0, or -1 (the batch is then dead, as after any
 * write here that gives -1: journal_rollback it). */
int journal_append(struct journal *journal, struct slice leaf, bool first_of_run,
                   const uint8_t command_id[16], struct error *err);

/* The hash (32 bytes) of the leaf that was appended last, as it stands in the tree. Lent until the next is appended. */
const uint8_t *journal_newest_hash(const struct journal *journal);

/* Replaces the stored row; within a batch the last one counts and is written once. */
int journal_put_row(struct journal *journal, const struct journal_row *row, struct error *err);

/* Stores bytes under their salted hash; the same again is no error, bytes that do not have it are. */
int journal_put_content(struct journal *journal, const uint8_t hash[HASH_LEN],
                        const uint8_t salt[16], struct slice data, struct error *err);
/* Erases bytes and salt; the leaf that says so goes into the same batch. Of a content that no leaf names none does. */
int journal_redact_content(struct journal *journal, const uint8_t hash[HASH_LEN],
                           struct error *err);

/* Parts of an upload that is not complete; thrown away together by drop. */
int journal_put_part(struct journal *journal, struct slice upload, uint32_t part, struct slice data,
                     struct error *err);
int journal_take_parts(struct journal *journal, struct slice upload, struct buf *out,
                       struct error *err); /* joins them in order of part: 1, 0 none, -1 */
int journal_drop_upload(struct journal *journal, struct slice upload, struct error *err);

/* A few bytes about an upload, or about anything else that has an id which is no upload's; replaced by the next, thrown
 * away by journal_drop_upload(). They are no part. */
int journal_put_note(struct journal *journal, struct slice upload, struct slice note,
                     struct error *err);

/* Leases live beside the fold. len 0 removes. */
int journal_put_lease(struct journal *journal, int64_t task, struct slice row, struct error *err);

/* A fact about this file, not evidence (clean stop, schema): small. len 0 removes. */
int journal_put_meta(struct journal *journal, const char *key, struct slice value,
                     struct error *err);

/* Makes the batch durable. 0; -1: see promise 3, journal_health() tells which; the batch is gone and
 * whatever was read through this journal since the last commit must be read again. An empty batch is 0
 * without touching the disk. */
int journal_commit(struct journal *journal, struct error *err);
void journal_rollback(struct journal *journal);

enum journal_health journal_health(const struct journal *journal);
int journal_probe(struct journal *journal); /* tries a write; 0 when health is JOURNAL_OK again */
bool journal_has_room(
    struct journal *journal); /* enough free space for new commands; asks rarely */

/* Work for when nothing waits, between batches: WAL checkpoint, background quick_check, command ids that were not asked for yet. `now_ms` is any monotonic
 * clock. Gives how many ms may pass until it wants to be called again, or -1 (after the next commit, then). An error
 * here is damage found; what is wrong with the disk is told by journal_health(). */
int journal_idle(struct journal *journal, int64_t now_ms, int *next_ms, struct error *err);

/* ---- reading: sees the open batch too ---- */

const char *journal_origin(const struct journal *journal);
uint64_t journal_size(const struct journal *journal); /* leaves, those of the open batch included */
uint64_t journal_committed(const struct journal *journal); /* leaves that are durable */
void journal_root(const struct journal *journal,
                  uint8_t out[HASH_LEN]); /* of journal_size() leaves */

/* 1 found (appended to `out`), 0 absent, -1 error. */
int journal_leaf(struct journal *journal, uint64_t seq, struct buf *out, struct error *err);
int journal_row(struct journal *journal, struct slice key, struct buf *out, struct error *err);
int journal_content(struct journal *journal, const uint8_t hash[HASH_LEN], struct buf *out,
                    struct error *err);
int journal_command(struct journal *journal, const uint8_t command_id[16], uint64_t *seq,
                    struct error *err); /* seq of the first leaf of its run */
int journal_meta(struct journal *journal, const char *key, struct buf *out, struct error *err);

/* These may be nested. A walk in a batch writes the batch's rows of that prefix out first, so that a row which is
 * changed again afterwards is written twice.
 *
 * Calls `each` for every row whose key begins with `prefix`, after key `after` (or from the start
 * when it is empty), ascending by bytes; stops when `each` gives non-zero and returns that. The slices
 * are lent for the call. `each` must not write to the journal. */
typedef int journal_row_fn(void *self, struct slice key, struct slice bytes, int64_t due_ms);
int journal_each_row(struct journal *journal, struct slice prefix, struct slice after,
                     journal_row_fn *each, void *self, struct error *err);
/* Rows with due_ms <= until, earliest first. */
int journal_each_due(struct journal *journal, int64_t until_ms, journal_row_fn *each, void *self,
                     struct error *err);
int journal_next_due(struct journal *journal, int64_t *due_ms, struct error *err); /* or NO_DUE */
typedef int journal_leaf_fn(void *self, uint64_t seq, struct slice leaf);
int journal_each_leaf(struct journal *journal, uint64_t from, uint64_t end, journal_leaf_fn *each,
                      void *self, struct error *err);
typedef int journal_lease_fn(void *self, int64_t task, struct slice row);
int journal_each_lease(struct journal *journal, journal_lease_fn *each, void *self,
                       struct error *err);

/* Every id that has parts or a note, with its note (empty: it has none), ascending by bytes. */
typedef int journal_note_fn(void *self, struct slice id, struct slice note);
int journal_each_note(struct journal *journal, journal_note_fn *each, void *self,
                      struct error *err);

/* ---- checkpoints ---- */

/* Signs the committed tree if it grew since the last checkpoint (durable on return); appends the newest note,
 * this one or the one before, to `note` (may be NULL). 0 signed or nothing new, -1 error. Called outside a batch. */
int journal_checkpoint(struct journal *journal, struct buf *note, struct error *err);
int journal_last_checkpoint(struct journal *journal, struct buf *note, uint64_t *size,
                            struct error *err); /* 1, 0 none, -1 */

/* Proofs of RFC 9162 2.1.3 and 2.1.4 over committed leaves; hashes are appended to `out`. */
int journal_inclusion(struct journal *journal, uint64_t seq, uint64_t size, struct buf *out,
                      struct error *err);
int journal_consistency(struct journal *journal, uint64_t old_size, uint64_t size, struct buf *out,
                        struct error *err);

/* A copy of the whole journal at `path` (which must not exist), synced; the journal stays open. It opens as the
 * journal.db of another directory. Its leaves are read back: they are those that were committed, by the tree in memory,
 * whatever the disk of the journal gave; else there is no copy (ERROR_DAMAGED). Writes nothing to the journal, so it
 * works whatever the health. ERROR_FULL: no room for it. A journal in memory has none: ERROR_INPUT. */
int journal_backup(struct journal *journal, const char *path, struct error *err);

#endif
