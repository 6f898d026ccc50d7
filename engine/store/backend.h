/* backend.h - what a place to keep a journal must be able to do. Only for files of this folder.
 *
 * journal.c keeps the rules (order, batches, the tree, health, checkpoints); a backend keeps bytes. `err` is
 * never NULL here. A backend is called for a write only between begin() and commit() or rollback(), and only
 * while its health is JOURNAL_OK; it lowers its health itself when it learns that it must not be written to.
 */
#ifndef ROTA_STORE_BACKEND_H
#define ROTA_STORE_BACKEND_H

#include "store/journal.h"

struct backend;

#define BACKEND_NOTE_PART UINT32_MAX

struct backend_ops {
    /* `is_clean`: every promise was kept, so a stop may be recorded and the files tidied up. */
    void (*close)(struct backend *self, bool is_clean);

    /* After an error of commit() nothing of the batch is visible; rollback() is called all the same. */
    int (*begin)(struct backend *self, struct error *err);
    int (*commit)(struct backend *self, struct error *err);
    void (*rollback)(struct backend *self);
    int (*probe)(struct backend *self,
                 struct error *err); /* writes something, lifts JOURNAL_FULL */
    /* What was trusted is damaged: nothing is written any more, and the next start trusts nothing. Gives -1. */
    int (*distrust)(struct backend *self, struct error *err);
    int (*idle)(struct backend *self, int64_t now_ms, int *next_ms, struct error *err);
    int (*free_bytes)(struct backend *self, uint64_t *out);
    /* A copy that was read back and has just these `size` leaves with this root, or none. */
    int (*backup)(struct backend *self, const char *path, uint64_t size,
                  const uint8_t root[HASH_LEN], struct error *err);

    int (*put_leaf)(struct backend *self, uint64_t seq, struct slice leaf, struct error *err);
    int (*put_node)(struct backend *self, unsigned level, uint64_t idx,
                    const uint8_t hash[HASH_LEN], struct error *err);
    /* Replaces a block of the index of command ids (commands.h). */
    int (*put_commands)(struct backend *self, uint64_t block, struct slice entries,
                        struct error *err);
    int (*put_row)(struct backend *self, const struct journal_row *row, struct error *err);
    int (*put_content)(struct backend *self, const uint8_t hash[HASH_LEN], const uint8_t salt[16],
                       struct slice data, struct error *err);
    int (*redact)(struct backend *self, const uint8_t hash[HASH_LEN], struct error *err);
    /* BACKEND_NOTE_PART is the note of the upload and no part of it. */
    int (*put_part)(struct backend *self, struct slice upload, uint32_t part, struct slice data,
                    struct error *err);
    int (*drop_upload)(struct backend *self, struct slice upload, struct error *err);
    int (*put_lease)(struct backend *self, int64_t task, struct slice row, struct error *err);
    int (*put_meta)(struct backend *self, const char *key, struct slice value, struct error *err);
    int (*put_checkpoint)(struct backend *self, uint64_t size, struct slice note,
                          struct error *err);

    int (*size)(struct backend *self, uint64_t *out, struct error *err);
    /* 1 found, 0 absent, -1 error; bytes are appended. */
    int (*leaf)(struct backend *self, uint64_t seq, struct buf *out, struct error *err);
    int (*node)(struct backend *self, unsigned level, uint64_t idx, uint8_t out[HASH_LEN],
                struct error *err);
    int (*row)(struct backend *self, struct slice key, struct buf *out, struct error *err);
    int (*content)(struct backend *self, const uint8_t hash[HASH_LEN], struct buf *out,
                   struct error *err);
    int (*parts)(struct backend *self, struct slice upload, struct buf *out, struct error *err);
    int (*meta)(struct backend *self, const char *key, struct buf *out, struct error *err);
    int (*last_checkpoint)(struct backend *self, struct buf *note, uint64_t *size,
                           struct error *err);
    int (*next_due)(struct backend *self, int64_t *due_ms, struct error *err);

    int (*each_row)(struct backend *self, struct slice prefix, struct slice after,
                    journal_row_fn *each, void *to, struct error *err);
    int (*each_due)(struct backend *self, int64_t until_ms, journal_row_fn *each, void *to,
                    struct error *err);
    int (*each_leaf)(struct backend *self, uint64_t from, uint64_t end, journal_leaf_fn *each,
                     void *to, struct error *err);
    /* From that block on; `seq` is the block. */
    int (*each_commands)(struct backend *self, uint64_t from, journal_leaf_fn *each, void *to,
                         struct error *err);
    int (*each_lease)(struct backend *self, journal_lease_fn *each, void *to, struct error *err);
    int (*each_note)(struct backend *self, journal_note_fn *each, void *to, struct error *err);
};

struct backend {
    const struct backend_ops *ops;
    enum journal_health health;
    bool is_trusted; /* it was stopped cleanly, and is checked beside the work */
};

/* Puts the rules over a backend: rebuilds the tree, compares it with the last signed checkpoint. Takes
 * `backend`: it is closed on error too. */
int journal_start(struct backend **backend, const struct journal_options *options,
                  struct journal **out, struct error *err);

/* Keys of meta that this folder keeps for itself. */
#define META_ORIGIN "origin"
#define META_ORIGIN_ENTRY "origin_entry" /* the entry that names it, in decimal; absent: 0 */
#define META_LOG_KEY "log_key"
#define META_CLEAN_STOP "clean_stop"

#endif
