#include "checkpoints.h"

#include <stdlib.h>

void checkpoints_release(struct checkpoints *checkpoints)
{
    for (size_t i = 0; i < checkpoints->earlier.count; i++)
        free(checkpoints->earlier.at[i].origin);
    free(checkpoints->stored.at);
    free(checkpoints->outside.at);
    free(checkpoints->earlier.at);
    *checkpoints = (struct checkpoints){0};
}

static struct held_checkpoint *hold(struct held_checkpoints *held,
                                    const struct checkpoint *checkpoint)
{
    size_t at = held->count;

    held->at = memory_grow(held->at, &held->cap, held->count + 1, sizeof *held->at);
    for (; at > 0 && held->at[at - 1].size > checkpoint->size; at--)
        held->at[at] = held->at[at - 1];
    held->at[at] = (struct held_checkpoint){.size = checkpoint->size};
    memcpy(held->at[at].root, checkpoint->root, HASH_LEN);
    held->count++;
    return &held->at[at];
}

static void keep_origin(struct checkpoints *checkpoints, struct bytes origin)
{
    if (checkpoints->origin[0] == '\0' && origin.len < sizeof checkpoints->origin)
        memcpy(checkpoints->origin, origin.at, origin.len);
}

/* Only the log's own signature counts here; witnesses are asked for in checkpoints_check_quorum(). */
static const char *open_by_log(const struct checkpoints *checkpoints,
                               const struct note_policy *policy, struct bytes note,
                               struct checkpoint *out)
{
    struct note_policy log_only = {.logs = policy->logs, .log_count = policy->log_count};
    struct note_signers signers;

    return checkpoint_open(note, &log_only, bytes_text(checkpoints->origin), out, &signers);
}

void checkpoints_load(struct checkpoints *checkpoints, struct db *db, struct report *report,
                      const struct note_policy *policy)
{
    sqlite3_stmt *question = db_ask(db, report, "SELECT size, note FROM checkpoint ORDER BY size");
    struct checkpoint checkpoint;
    struct bytes note;

    while (db_row(db, report, question)) {
        sqlite3_int64 size = sqlite3_column_int64(question, 0);
        const char *why = "not text";

        if (db_text(question, 1, &note))
            why = open_by_log(checkpoints, policy, note, &checkpoint);
        if (why == NULL && (size < 0 || checkpoint.size != (uint64_t)size))
            why = "its note is of another size";
        if (why != NULL) {
            report_error(report, "CHECKPOINT_BAD", REPORT_NO_SEQ, "checkpoint %lld: %s",
                         (long long)size, why);
            continue;
        }
        keep_origin(checkpoints, checkpoint.origin);
        hold(&checkpoints->stored, &checkpoint);
    }
    sqlite3_finalize(question);
}

/* By the name of a key that was given, and not the one that the journal has now. */
static bool hold_earlier(struct checkpoints *checkpoints, const struct note_policy *policy,
                         struct bytes note)
{
    struct note_policy log_only = {.logs = policy->logs, .log_count = policy->log_count};
    struct note_signers signers;
    struct checkpoint checkpoint;
    struct held_checkpoint *held;

    if (checkpoint_open(note, &log_only, bytes_text(""), &checkpoint, &signers) != NULL)
        return false;
    held = hold(&checkpoints->earlier, &checkpoint);
    held->origin = memory_new(checkpoint.origin.len + 1, 1);
    memcpy(held->origin, checkpoint.origin.at, checkpoint.origin.len);
    return true;
}

void checkpoints_trust(struct checkpoints *checkpoints, struct report *report,
                       const struct note_policy *policy, struct bytes note)
{
    struct checkpoint checkpoint;
    const char *why = open_by_log(checkpoints, policy, note, &checkpoint);

    if (why != NULL && hold_earlier(checkpoints, policy, note))
        return;
    if (why != NULL) {
        report_error(report, "TRUSTED_BAD", REPORT_NO_SEQ, "a checkpoint given from outside: %s",
                     why);
        return;
    }
    keep_origin(checkpoints, checkpoint.origin);
    hold(&checkpoints->outside, &checkpoint);
}

static void reach(struct held_checkpoints *held, const struct tree *tree)
{
    uint8_t root[HASH_LEN];

    while (held->next < held->count && held->at[held->next].size == tree->size) {
        struct held_checkpoint *one = &held->at[held->next++];

        tree_root(tree, root);
        one->is_reached = true;
        one->agrees = memcmp(root, one->root, HASH_LEN) == 0;
    }
}

void checkpoints_reach(struct checkpoints *checkpoints, const struct tree *tree)
{
    reach(&checkpoints->stored, tree);
    reach(&checkpoints->outside, tree);
    reach(&checkpoints->earlier, tree);
}

static void conclude_stored(const struct held_checkpoint *one, struct report *report, uint64_t size)
{
    if (!one->is_reached)
        report_error(report, "TAIL_MISSING", REPORT_NO_SEQ,
                     "a checkpoint says %llu entries, the journal has %llu",
                     (unsigned long long)one->size, (unsigned long long)size);
    else if (!one->agrees)
        report_error(report, "ROOT_MISMATCH", REPORT_NO_SEQ,
                     "the first %llu entries are not the ones that were signed",
                     (unsigned long long)one->size);
}

static void conclude_outside(const struct held_checkpoint *one, struct report *report,
                             uint64_t size)
{
    if (!one->is_reached)
        report_error(report, "ROLLBACK", REPORT_NO_SEQ,
                     "a checkpoint kept outside covers %llu entries, this copy has %llu: the tail "
                     "was cut or an "
                     "old copy put back",
                     (unsigned long long)one->size, (unsigned long long)size);
    else if (!one->agrees)
        report_error(report, "FORK", REPORT_NO_SEQ,
                     "a checkpoint kept outside over %llu entries has another root: history was "
                     "rewritten, or two "
                     "histories are shown",
                     (unsigned long long)one->size);
}

static void conclude_earlier(const struct held_checkpoint *one, struct report *report,
                             const struct origins *origins)
{
    uint64_t end;

    if (!origins_ended(origins, bytes_text(one->origin), &end))
        report_error(report, "TRUSTED_BAD", REPORT_NO_SEQ,
                     "a checkpoint given from outside is of %s, which this journal never was",
                     one->origin);
    else if (one->size > end)
        report_warn(report, "LOST",
                    "a checkpoint kept outside covers %llu entries of %s; this journal went on "
                    "from %llu: the others are lost, as its entry %llu says",
                    (unsigned long long)one->size, one->origin, (unsigned long long)end,
                    (unsigned long long)end);
    else
        conclude_outside(one, report, end);
}

void checkpoints_conclude_earlier(struct checkpoints *checkpoints, struct report *report,
                                  const struct origins *origins)
{
    for (size_t i = 0; i < checkpoints->earlier.count; i++)
        conclude_earlier(&checkpoints->earlier.at[i], report, origins);
    report->outside_checkpoints += checkpoints->earlier.count;
}

void checkpoints_conclude(struct checkpoints *checkpoints, struct report *report, uint64_t size)
{
    const struct held_checkpoints *stored = &checkpoints->stored, *outside = &checkpoints->outside;

    for (size_t i = 0; i < stored->count; i++)
        conclude_stored(&stored->at[i], report, size);
    for (size_t i = 0; i < outside->count; i++)
        conclude_outside(&outside->at[i], report, size);
    report->checkpoints = stored->count;
    report->outside_checkpoints = outside->count;
    if (stored->count > 0)
        report->newest_checkpoint = (int64_t)stored->at[stored->count - 1].size;
    if (stored->count == 0)
        report_error(report, "NO_CHECKPOINT", REPORT_NO_SEQ,
                     "no valid signed checkpoint is in the file");
    else if ((uint64_t)report->newest_checkpoint < size)
        report_warn(report, "TAIL_UNSIGNED",
                    "the last %llu entries are not under a signed checkpoint yet",
                    (unsigned long long)(size - (uint64_t)report->newest_checkpoint));
    if (outside->count == 0) /* one of an earlier name excludes neither since then */
        report_warn(report, "NO_OUTSIDE_CHECKPOINT",
                    "no checkpoint from outside was given: an old copy put back, or a second "
                    "history by the holder "
                    "of the log's key, cannot be excluded");
}

/* The stored note followed by its cosignature lines. */
static void cosigned_note(struct db *db, struct report *report, sqlite3_stmt *lines,
                          sqlite3_int64 size, struct bytes note, struct buf *out)
{
    struct bytes line;

    out->len = 0;
    buf_add_bytes(out, note);
    if (lines == NULL)
        return;
    sqlite3_reset(lines);
    sqlite3_bind_int64(lines, 1, size);
    while (db_row(db, report, lines)) {
        db_text(lines, 0, &line);
        buf_add_bytes(out, line);
        buf_add_byte(out, '\n');
    }
}

static void conclude_quorum(struct report *report, int64_t fresh_after)
{
    if (report->newest_witnessed < 0)
        report_error(report, "QUORUM", REPORT_NO_SEQ,
                     "no checkpoint carries the required cosignatures");
    else if (report->newest_witnessed < report->newest_checkpoint)
        report_warn(report, "NOT_WITNESSED_YET",
                    "entries from %lld on are signed by the log but not witnessed",
                    (long long)report->newest_witnessed);
    if (fresh_after >= 0 && report->newest_witnessed_time < fresh_after)
        report_error(report, "STALE", REPORT_NO_SEQ,
                     "no witness signed at %lld or later: this may be an old copy",
                     (long long)fresh_after);
}

static bool is_held(const struct held_checkpoints *held, sqlite3_int64 size)
{
    for (size_t low = 0, high = held->count; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (held->at[middle].size == (uint64_t)size)
            return true;
        if (held->at[middle].size < (uint64_t)size)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

void checkpoints_check_quorum(struct checkpoints *checkpoints, struct db *db, struct report *report,
                              const struct note_policy *policy, int64_t fresh_after)
{
    sqlite3_stmt *question = db_ask(db, report, "SELECT size, note FROM checkpoint ORDER BY size"),
                 *lines = NULL;
    struct note_signers signers = {0};
    struct checkpoint checkpoint;
    struct buf whole = {0};
    struct bytes note;

    report->has_witnesses = true;
    if (db_has_table(db, report, "cosignature"))
        lines = db_ask(db, report, "SELECT line FROM cosignature WHERE size=?1 ORDER BY line");
    while (db_row(db, report, question)) {
        sqlite3_int64 size = sqlite3_column_int64(question, 0);
        const char *why;

        if (!is_held(&checkpoints->stored, size) || !db_text(question, 1, &note))
            continue; /* bad by itself, and reported */
        cosigned_note(db, report, lines, size, note, &whole);
        why = checkpoint_open(buf_bytes(&whole), policy, bytes_text(checkpoints->origin),
                              &checkpoint, &signers);
        if (why != NULL) {
            report_error(report, "COSIGNATURE_BAD", REPORT_NO_SEQ, "checkpoint %lld: %s",
                         (long long)size, why);
        } else if (signers.witnesses >= policy->quorum) {
            report->newest_witnessed = size;
            report->newest_witnessed_time = signers.has_time ? (int64_t)signers.newest_time : -1;
        }
    }
    sqlite3_finalize(question);
    sqlite3_finalize(lines);
    buf_release(&whole);
    conclude_quorum(report, fresh_after);
}
