/* evidence.c - the journal as evidence: recovery of the tree, checkpoints, proofs. */
#include "base/check.h"
#include "base/dmp.h"
#include "store/inside.h"
#include "store/small_file.h"

#include <inttypes.h>
#include <stdlib.h>

/* At start at least the leaves behind the last multiple of this many are hashed again. */
enum { RECHECK_LEAVES = 1024 };

/* Places in a leaf. */
enum { LEAF_COMMAND_ID = 8, LEAF_BODY = 10 };

/* ---- nodes of the stored tree ---- */

static int leaf_hash_at(struct backend *backend, uint64_t seq, uint8_t out[HASH_LEN],
                        struct error *err)
{
    struct buf leaf = BUF_EMPTY;
    int found = backend->ops->leaf(backend, seq, &leaf, err);

    if (found == 1)
        merkle_leaf_hash(buf_slice(&leaf), out);
    else if (found == 0)
        error_set(err, ERROR_DAMAGED, "entry %" PRIu64 " is missing", seq);
    buf_release(&leaf);
    return found == 1 ? 0 : -1;
}

static int stored_node(void *self, unsigned level, uint64_t idx, uint8_t out[HASH_LEN],
                       struct error *err)
{
    struct backend *backend = self;
    int found;

    if (level == 0)
        return leaf_hash_at(backend, idx, out, err);
    found = backend->ops->node(backend, level, idx, out, err);
    if (found == 0)
        error_set(err, ERROR_DAMAGED, "node %u/%" PRIu64 " of the tree is missing", level, idx);
    return found == 1 ? 0 : -1;
}

struct merkle_source journal_source(struct journal *journal)
{
    return (struct merkle_source){stored_node, journal->backend};
}

/* ---- whose journal it is ---- */

static int meta_text(struct journal *journal, const char *key, struct buf *out, struct error *err)
{
    buf_clear(out);
    return journal->backend->ops->meta(journal->backend, key, out, err);
}

/* What leaf `seq` says under `key`; empty if there is no such leaf or it says nothing. Lent by `arena`. */
static int leaf_says(struct journal *journal, uint64_t seq, struct arena *arena, const char *key,
                     struct slice *out, struct error *err)
{
    struct buf leaf = BUF_EMPTY;
    struct value value;
    int found = journal->backend->ops->leaf(journal->backend, seq, &leaf, err);

    *out = slice_of(NULL, 0);
    if (found == 1) {
        char *copy = arena_copy(arena, leaf.at, leaf.len);

        if (dmp_decode(arena, slice_of(copy, leaf.len), &value, err) != 0)
            found = error_set(err, ERROR_DAMAGED, "entry %" PRIu64 " is not a leaf", seq);
        else if (value.type == VALUE_ARRAY && value.count > LEAF_BODY) {
            const struct value *said = value_get(&value.as.items[LEAF_BODY], key);

            if (said != NULL)
                *out = value_slice(said);
        }
    }
    buf_release(&leaf);
    return found < 0 ? -1 : 0;
}

/* The entry that names the origin: the first, or the one with which a copy went on under another name. */
static int origin_entry(struct journal *journal, uint64_t *seq, struct error *err)
{
    struct buf text = BUF_EMPTY;
    int rc = meta_text(journal, META_ORIGIN_ENTRY, &text, err) < 0 ? -1 : 0;

    *seq = text.len > 0 ? strtoull(buf_text(&text), NULL, 10) : 0;
    buf_release(&text);
    return rc;
}

int journal_is_command(struct journal *journal, uint64_t seq, const uint8_t id[16],
                       struct error *err)
{
    struct arena arena = ARENA_EMPTY;
    struct buf leaf = BUF_EMPTY;
    struct value value;
    int found = journal->backend->ops->leaf(journal->backend, seq, &leaf, err);

    if (found == 1) {
        found = 0;
        if (dmp_decode(&arena, buf_slice(&leaf), &value, err) != 0)
            found = error_set(err, ERROR_DAMAGED, "entry %" PRIu64 " is not a leaf", seq);
        else if (value.type == VALUE_ARRAY && value.count > LEAF_COMMAND_ID)
            found = slice_equal(value_slice(&value.as.items[LEAF_COMMAND_ID]), slice_of(id, 16));
    }
    buf_release(&leaf);
    arena_release(&arena);
    return found;
}

/* The same fact from meta and from leaf `seq`, which is evidence; `out` is empty if neither has it. */
static int fact_of(struct journal *journal, const char *key, uint64_t seq, struct buf *out,
                   struct error *err)
{
    struct arena arena = ARENA_EMPTY;
    struct slice said;
    int rc = -1;

    if (meta_text(journal, key, out, err) >= 0 &&
        leaf_says(journal, seq, &arena, key, &said, err) == 0) {
        rc = 0;
        if (out->len == 0)
            buf_add_slice(out, said);
        else if (said.len > 0 && !slice_equal(said, buf_slice(out)))
            rc = error_set(err, ERROR_DAMAGED, "entry %" PRIu64 " has another %s than the file",
                           seq, key);
    }
    arena_release(&arena);
    return rc;
}

static int take_origin(struct journal *journal, const char *wanted, struct error *err)
{
    struct buf origin = BUF_EMPTY;
    uint64_t seq;
    int rc = origin_entry(journal, &seq, err);

    if (rc == 0)
        rc = fact_of(journal, META_ORIGIN, seq, &origin, err);
    if (rc == 0 && (origin.len == 0 || origin.len > NOTE_NAME_MAX))
        rc = error_set(err, ERROR_DAMAGED, "the journal does not say its origin");
    if (rc == 0 && wanted != NULL && !slice_is(buf_slice(&origin), wanted))
        rc = error_set(err, ERROR_INPUT, "this journal is %s, not %s", buf_text(&origin), wanted);
    if (rc == 0)
        memcpy(journal->origin, origin.at, origin.len);
    buf_release(&origin);
    return rc;
}

static int take_log_key(struct journal *journal, struct error *err)
{
    uint8_t own[SIGN_KEY_LEN];
    struct buf key = BUF_EMPTY;
    int rc = fact_of(journal, META_LOG_KEY, 0, &key, err);

    if (journal->has_log_seed)
        sign_public_key(journal->log_seed, own);
    if (rc == 0 && key.len == 0 && journal->has_log_seed)
        buf_add(&key, own, sizeof own);
    if (rc == 0 && key.len != 0 && key.len != SIGN_KEY_LEN)
        rc = error_set(err, ERROR_DAMAGED, "the journal's log key is not a key");
    if (rc == 0 && key.len > 0) {
        if (journal->has_log_seed && memcmp(own, key.at, sizeof own) != 0)
            rc = error_set(err, ERROR_INPUT,
                           "the signing key given is not the one this journal is signed with");
        else
            rc = note_key_make(slice_str(journal->origin), key.at, &journal->log_key, err);
        journal->has_log_key = rc == 0;
    }
    buf_release(&key);
    return rc;
}

/* ---- recovery ---- */

/* Leaves are hashed again from here: a multiple of RECHECK_LEAVES, not after the last checkpoint. */
static uint64_t recheck_from(uint64_t size, uint64_t signed_size)
{
    uint64_t from = size == 0 ? 0 : (size - 1) / RECHECK_LEAVES * RECHECK_LEAVES;
    uint64_t last = signed_size / RECHECK_LEAVES * RECHECK_LEAVES;

    return last < from ? last : from;
}

struct recheck {
    struct merkle_frontier tree;
    uint64_t signed_size;
    uint8_t signed_root[HASH_LEN]; /* found on the way, when the tree had that size */
    bool is_contiguous;
};

static int recheck_leaf(void *self, uint64_t seq, struct slice leaf)
{
    struct recheck *recheck = self;
    uint8_t hash[HASH_LEN];

    if (seq != recheck->tree.size) {
        recheck->is_contiguous = false;
        return 1;
    }
    merkle_leaf_hash(leaf, hash);
    merkle_append(&recheck->tree, hash, NULL, NULL);
    if (recheck->tree.size == recheck->signed_size)
        merkle_root(&recheck->tree, recheck->signed_root);
    return 0;
}

/* Hashes the last leaves again: the stored nodes and the signed root must be those of these leaves. */
static int recheck_tail(struct journal *journal, struct recheck *recheck, struct error *err)
{
    struct merkle_source source = journal_source(journal);
    uint64_t size = journal->committed.size, from = recheck_from(size, recheck->signed_size);
    uint8_t stored[HASH_LEN], found[HASH_LEN];
    int rc;

    if (merkle_frontier_at(&source, from, &recheck->tree, err) != 0)
        return -1;
    if (from == recheck->signed_size)
        merkle_root(&recheck->tree, recheck->signed_root);
    recheck->is_contiguous = true;
    rc = journal->backend->ops->each_leaf(journal->backend, from, size, recheck_leaf, recheck, err);
    if (rc < 0)
        return -1;
    if (!recheck->is_contiguous || recheck->tree.size != size)
        return error_set(err, ERROR_DAMAGED, "entry %" PRIu64 " is missing", recheck->tree.size);
    merkle_root(&journal->committed, stored);
    merkle_root(&recheck->tree, found);
    if (memcmp(stored, found, HASH_LEN) != 0)
        return error_set(err, ERROR_DAMAGED,
                         "the entries from %" PRIu64 " to %" PRIu64
                         " are not those the stored tree was made of",
                         from, size - 1);
    return 0;
}

static int damaged_checkpoint(struct error *err, uint64_t size)
{
    if (err->class != ERROR_DAMAGED)
        err->class = ERROR_DAMAGED;
    return error_add(err, "the checkpoint of size %" PRIu64, size);
}

/* The last signed checkpoint: 1 and its root, 0 if there is none. */
static int read_checkpoint(struct journal *journal, struct checkpoint *out, struct error *err)
{
    struct buf note = BUF_EMPTY;
    uint64_t size = 0;
    int found = journal->backend->ops->last_checkpoint(journal->backend, &note, &size, err);

    if (found == 1 && !journal->has_log_key)
        found =
            error_set(err, ERROR_DAMAGED, "it has checkpoints, but does not say who signs them");
    else if (found == 1 && checkpoint_open(buf_slice(&note), &journal->log_key, out, err) != 0)
        found = damaged_checkpoint(err, size);
    else if (found == 1 && out->size != size)
        found = error_set(err, ERROR_DAMAGED, "the checkpoint of size %" PRIu64 " says %" PRIu64,
                          size, out->size);
    buf_release(&note);
    out->origin = slice_of(NULL, 0);
    return found;
}

static int compare_with_signed(struct journal *journal, struct error *err)
{
    struct checkpoint last = {.size = 0};
    struct recheck recheck = {.signed_size = UINT64_MAX};
    int found = read_checkpoint(journal, &last, err);

    if (found < 0)
        return -1;
    if (found == 1 && last.size > journal->committed.size)
        return error_set(err, ERROR_DAMAGED,
                         "%" PRIu64 " entries were signed, but only %" PRIu64
                         " are there: the tail is missing",
                         last.size, journal->committed.size);
    recheck.signed_size = found == 1 ? last.size : 0;
    if (recheck_tail(journal, &recheck, err) != 0)
        return -1;
    if (found == 1 && memcmp(recheck.signed_root, last.root, HASH_LEN) != 0)
        return error_set(err, ERROR_DAMAGED,
                         "the first %" PRIu64 " entries are not the ones that were signed",
                         last.size);
    journal->signed_size = recheck.signed_size;
    memcpy(journal->signed_root, recheck.signed_root, HASH_LEN);
    return 0;
}

/* ---- what the signer remembers ---- */

static int is_stale(struct error *err, const struct journal *journal, uint64_t size)
{
    if (journal->committed.size == 0)
        return error_set(err, ERROR_STALE,
                         "%" PRIu64 " entries were signed under the name %s before (%s): a new "
                         "journal takes a new name",
                         size, journal->origin, journal->signed_path);
    return error_set(
        err, ERROR_STALE,
        "%" PRIu64 " entries were signed, and these are %" PRIu64
        ": an older copy stands in the place of the journal. Put the newest back (rota "
        "restore FILE), or go on without what is missing (rota restore FILE "
        "--accept-loss)",
        size, journal->committed.size);
}

static int compare_with_remembered(struct journal *journal, const struct checkpoint *remembered,
                                   struct error *err)
{
    struct merkle_source source = journal_source(journal);
    uint8_t root[HASH_LEN];

    if (remembered->size > journal->committed.size)
        return is_stale(err, journal, remembered->size);
    if (merkle_root_at(&source, remembered->size, root, err) != 0)
        return -1;
    if (memcmp(root, remembered->root, HASH_LEN) != 0)
        return error_set(err, ERROR_STALE,
                         "the first %" PRIu64
                         " entries are others than those that were signed (%s): this is another "
                         "history. Put the right copy in its place (rota restore FILE)",
                         remembered->size, journal->signed_path);
    return 0;
}

static int not_about_this(struct error *err, const struct journal *journal)
{
    err->class = ERROR_STALE;
    return error_add(err, "%s is not about the journal %s", journal->signed_path, journal->origin);
}

/* The journal knows of more than the signer: a power cut, or somebody who brought an older head. A disk that is full keeps nobody
 * from reading; the next checkpoint is remembered anyway. */
static void remember_newest(struct journal *journal)
{
    struct backend *backend = journal->backend;
    struct buf note = BUF_EMPTY;
    uint64_t size;

    if (backend->ops->last_checkpoint(backend, &note, &size, &journal->spare) == 1)
        small_file_replace(journal->signed_path, buf_slice(&note), &journal->spare);
    buf_release(&note);
}

/* The key has signed what is in its file; the journal must hold it. */
static int check_remembered(struct journal *journal, struct error *err)
{
    struct checkpoint remembered = {.size = 0};
    struct buf note = BUF_EMPTY;
    int found;

    if (journal->signed_path == NULL)
        return 0;
    found = small_file_read(journal->signed_path, &note, err);
    if (found == 0 && journal->signed_size > 0)
        found =
            error_set(err, ERROR_STALE,
                      "%s is missing: it says how much was signed, so that an older copy of the "
                      "journal is seen. If this one is the newest, put it in its own place with "
                      "the newest mail that was sent: rota restore FILE --against MAIL",
                      journal->signed_path);
    else if (found == 1 &&
             checkpoint_open(buf_slice(&note), &journal->log_key, &remembered, err) != 0)
        found = not_about_this(err, journal);
    if (found == 1)
        found = compare_with_remembered(journal, &remembered, err);
    if (found == 0 && remembered.size < journal->signed_size)
        remember_newest(journal);
    buf_release(&note);
    return found < 0 ? -1 : 0;
}

struct command_loader {
    struct journal *journal;
    uint64_t left; /* blocks */
    struct error *err;
};

static int load_commands(void *self, uint64_t block, struct slice entries)
{
    struct command_loader *to = self;

    if (to->left == 0)
        return 1;
    to->left--;
    return commands_load(&to->journal->commands, block, entries, to->journal->committed.size,
                         to->err);
}

int read_commands(struct journal *journal, uint64_t blocks, struct error *err)
{
    struct command_loader loader = {journal, blocks, err};
    int rc = journal->backend->ops->each_commands(journal->backend, journal->commands.blocks,
                                                  load_commands, &loader, err);

    journal->has_commands = rc == 0;
    if (rc < 0 && journal->backend->is_trusted && err->class == ERROR_DAMAGED)
        return journal->backend->ops->distrust(journal->backend, err);
    return rc < 0 ? -1 : 0;
}

/* Of a journal that was stopped cleanly the ids are read when they are asked for, or when nobody asks for anything: they are as
 * many as the history is long, and a start costs the history nothing. */
int recover_tree(struct journal *journal, const struct journal_options *options, struct error *err)
{
    struct backend *backend = journal->backend;
    struct merkle_source source = journal_source(journal);
    uint64_t size;

    if (take_origin(journal, options->origin, err) != 0 || take_log_key(journal, err) != 0 ||
        backend->ops->size(backend, &size, err) != 0 ||
        merkle_frontier_at(&source, size, &journal->committed, err) != 0)
        return -1;
    journal->tree = journal->committed;
    if (compare_with_signed(journal, err) != 0 || check_remembered(journal, err) != 0)
        return -1;
    commands_expect(&journal->commands, size / 2); /* a run has two leaves or so */
    return backend->is_trusted ? 0 : read_commands(journal, UINT64_MAX, err);
}

/* ---- checkpoints ---- */

/* The signer's own rule: never sign a tree that is not an extension of what it signed before. */
static int extends_signed(struct journal *journal, const uint8_t root[HASH_LEN], struct error *err)
{
    struct buf proof = BUF_EMPTY;
    uint64_t size = journal->committed.size;
    int rc = journal_consistency(journal, journal->signed_size, size, &proof, err);

    if (rc == 0 && !merkle_consistency_holds(journal->signed_size, journal->signed_root, size, root,
                                             buf_slice(&proof)))
        rc = error_set(err, ERROR_DAMAGED,
                       "the %" PRIu64 " entries now here do not extend the %" PRIu64
                       " that were signed: nothing is signed",
                       size, journal->signed_size);
    buf_release(&proof);
    return rc;
}

static int store_checkpoint(struct journal *journal, struct slice note, struct error *err)
{
    struct backend *backend = journal->backend;

    if (backend->health != JOURNAL_OK)
        return journal_read_only(backend->health, err);
    if (backend->ops->begin(backend, err) != 0)
        return -1;
    if (backend->ops->put_checkpoint(backend, journal->committed.size, note, err) != 0 ||
        backend->ops->commit(backend, err) != 0) {
        backend->ops->rollback(backend);
        return -1;
    }
    return 0;
}

static int sign_checkpoint(struct journal *journal, struct buf *note, struct error *err)
{
    struct checkpoint next = {slice_str(journal->origin), journal->committed.size, {0}};
    struct buf text = BUF_EMPTY, bytes = BUF_EMPTY;
    int rc;

    merkle_root(&journal->committed, next.root);
    rc = extends_signed(journal, next.root, err);
    if (rc == 0) {
        checkpoint_add(&text, &next);
        note_sign(&bytes, buf_slice(&text), &journal->log_key, journal->log_seed);
        /* First where no copy of the journal takes it away: nothing is signed that would not be known afterwards. */
        if (journal->signed_path != NULL)
            rc = small_file_replace(journal->signed_path, buf_slice(&bytes), err);
        if (rc == 0)
            rc = store_checkpoint(journal, buf_slice(&bytes), err);
    }
    if (rc == 0) {
        journal->signed_size = next.size;
        memcpy(journal->signed_root, next.root, HASH_LEN);
        if (note != NULL)
            buf_add_slice(note, buf_slice(&bytes));
    }
    buf_release(&text);
    buf_release(&bytes);
    return rc;
}

int journal_checkpoint(struct journal *journal, struct buf *note, struct error *err)
{
    if (err == NULL)
        err = &journal->spare;
    check(!journal->is_open);
    if (journal->has_log_seed && journal->committed.size > journal->signed_size)
        return sign_checkpoint(journal, note, err);
    if (note == NULL)
        return 0;
    return journal->backend->ops->last_checkpoint(journal->backend, note, &(uint64_t){0}, err) < 0
               ? -1
               : 0;
}

int journal_last_checkpoint(struct journal *journal, struct buf *note, uint64_t *size,
                            struct error *err)
{
    return journal->backend->ops->last_checkpoint(journal->backend, note, size,
                                                  err != NULL ? err : &journal->spare);
}

/* ---- proofs ---- */

static int within_committed(struct journal *journal, uint64_t size, struct error *err)
{
    if (size > journal->committed.size)
        return error_set(err, ERROR_INPUT,
                         "size %" PRIu64 " is larger than the journal, which has %" PRIu64, size,
                         journal->committed.size);
    return 0;
}

int journal_inclusion(struct journal *journal, uint64_t seq, uint64_t size, struct buf *out,
                      struct error *err)
{
    struct merkle_source source = journal_source(journal);

    if (err == NULL)
        err = &journal->spare;
    if (within_committed(journal, size, err) != 0)
        return -1;
    return merkle_inclusion(&source, seq, size, out, err);
}

int journal_consistency(struct journal *journal, uint64_t old_size, uint64_t size, struct buf *out,
                        struct error *err)
{
    struct merkle_source source = journal_source(journal);

    if (err == NULL)
        err = &journal->spare;
    if (within_committed(journal, size, err) != 0)
        return -1;
    return merkle_consistency(&source, old_size, size, out, err);
}
