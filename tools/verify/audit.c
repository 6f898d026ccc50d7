#include "audit.h"

#include "checkpoints.h"
#include "derived.h"
#include "fold.h"
#include "four_eyes.h"
#include "keyring.h"
#include "origins.h"
#include "proof.h"
#include "schema.h"
#include "waiver.h"

enum { PROGRESS_EVERY = 4096 };

struct audit {
    const struct audit_options *options;
    struct report *report;
    struct db *db;
    struct checkpoints checkpoints;
    struct origins origins;
    struct tree tree;
    struct node_check nodes;
    struct content_refs contents;
    struct table table;     /* streams, and the rows of the fold */
    struct id_set commands; /* every command, with its first leaf */
    struct id_set effects;  /* of the run that is being read, by hash */
    struct fold fold;
    struct keyring keys;
    struct actor_check actors;
    struct proof proof;
    struct four_eyes eyes;
    uint64_t last_time;
    uint8_t last_command[ID_LEN];
    bool has_last_command;
    bool has_state;   /* the file has the tables that replay compares */
    bool is_foldable; /* every leaf so far could be read and folded */
};

static void audit_begin(struct audit *audit, const struct audit_options *options,
                        struct report *report, struct db *db)
{
    *audit = (struct audit){.options = options, .report = report, .db = db, .is_foldable = true};
    content_refs_init(&audit->contents);
    table_init(&audit->table);
    id_set_init(&audit->commands);
    id_set_init(&audit->effects);
    audit->fold.table = &audit->table;
    audit->actors.report = report;
    audit->actors.keys = options->keys;
    audit->actors.rows = options->no_replay ? NULL : &audit->table;
    keyring_init(&audit->keys);
    audit->actors.ring = &audit->keys;
    four_eyes_init(&audit->eyes, &audit->actors);
    proof_init(&audit->proof, report, &audit->table, &audit->actors, db);
    audit->proof.keeps_votes = options->approvals != NULL;
    audit->fold.watch = proof_row;
    audit->fold.watcher = &audit->proof;
}

static void audit_end(struct audit *audit)
{
    checkpoints_release(&audit->checkpoints);
    origins_release(&audit->origins);
    content_refs_release(&audit->contents);
    table_release(&audit->table);
    id_set_release(&audit->commands);
    id_set_release(&audit->effects);
    fold_release(&audit->fold);
    actor_check_release(&audit->actors);
    keyring_release(&audit->keys);
    proof_release(&audit->proof);
    four_eyes_release(&audit->eyes);
}

static bool is_stopped(const struct audit *audit)
{
    return audit->options->stop != NULL && *audit->options->stop != 0;
}

/* ---- leaf 0 ---- */

static bool is_root_keys(struct bytes value)
{
    struct dmp_cursor cursor = dmp_cursor(value);
    struct dmp_item item;
    uint64_t count;

    if (!dmp_next(&cursor, &item) || item.kind != DMP_ARRAY)
        return false;
    for (count = item.number; count > 0; count--)
        if (!dmp_next(&cursor, &item) || item.kind != DMP_BIN || item.bytes.len != PUBLIC_KEY_LEN)
            return false;
    return true;
}

static bool is_log_key(const struct note_policy *policy, struct bytes key)
{
    for (size_t i = 0; i < policy->log_count; i++)
        if (bytes_equal(key, bytes_of(policy->logs[i].key, PUBLIC_KEY_LEN)))
            return true;
    return false;
}

static bool ends_in(struct bytes text, const char *ending)
{
    size_t len = strlen(ending);

    return text.len >= len && memcmp(text.at + text.len - len, ending, len) == 0;
}

static const char *opened_body_fault(struct audit *audit, struct bytes body)
{
    struct bytes origin, clock, format, key, root_keys, zone;

    if (!dmp_find_str(body, "origin", &origin) || origin.len == 0 ||
        memchr(origin.at, '\0', origin.len) != NULL)
        return "it names no origin";
    if (!dmp_find_str(body, "format", &format) || !bytes_are(format, "rota.leaf/1"))
        return "its format is not rota.leaf/1";
    if (!dmp_find_bin(body, "log_key", &key) || !is_log_key(&audit->options->policy, key))
        return "its log_key is not the key that was given";
    if (!dmp_find(body, "root_keys", &root_keys) || !is_root_keys(root_keys))
        return "its root_keys are not public keys";
    if (!dmp_find_str(body, "timezone", &zone) || zone.len == 0)
        return "it names no time zone";
    if (!dmp_find_str(body, "clock", &clock) ||
        !(bytes_are(clock, "system") || bytes_are(clock, "virtual")))
        return "its clock is neither system nor virtual";
    audit->report->clock = bytes_are(clock, "virtual") ? CLOCK_VIRTUAL : CLOCK_SYSTEM;
    if (audit->report->clock == CLOCK_VIRTUAL && !ends_in(origin, "/virtual"))
        return "its clock is virtual, but its origin does not end in /virtual";
    return NULL;
}

/* Root keys that the journal itself names prove nothing to somebody who was not told of them by another way. */
static void take_roots(struct audit *audit, struct bytes body)
{
    const uint8_t *wanted = audit->options->roots;
    uint8_t fingerprint[HASH_LEN];

    keyring_open(&audit->keys, body, fingerprint);
    if (!keyring_is_rooted(&audit->keys)) {
        if (wanted != NULL)
            report_error(audit->report, "ROOTS_OTHER", 0, "entry 0 names no root keys");
        return;
    }
    for (size_t i = 0; i < HASH_LEN; i++)
        snprintf(audit->report->roots + 2 * i, 3, "%02x", fingerprint[i]);
    if (wanted != NULL && memcmp(wanted, fingerprint, HASH_LEN) != 0)
        report_error(audit->report, "ROOTS_OTHER", 0,
                     "the root keys of entry 0 are not those that were given");
}

/* What is signed from here on binds this name. */
static void take_origin(struct audit *audit)
{
    audit->actors.origin = audit->keys.origin = origins_now(&audit->origins);
}

static void check_opened(struct audit *audit, const struct leaf *leaf)
{
    const char *fault = NULL;

    if (!bytes_are(leaf->type, "journal.opened")) {
        if (audit->options->no_replay)
            report_warn(audit->report, "NOT_OPENED",
                        "entry 0 is not journal.opened: clock and keys are unknown");
        else
            report_error(audit->report, "OPENED_BAD", 0,
                         "entry 0 is %.*s instead of journal.opened", BYTES_ARG(leaf->type));
        return;
    }
    if (!bytes_are(leaf->stream, "journal"))
        fault = "it is not on stream journal";
    else if (!bytes_are(leaf->actor, "engine") || !bytes_are(leaf->auth_method, "engine") ||
             leaf->has_auth_key)
        fault = "it was not written by the engine";
    else
        fault = opened_body_fault(audit, leaf->body);
    if (fault != NULL)
        report_error(audit->report, "OPENED_BAD", 0, "entry 0: %s", fault);
    else {
        struct bytes origin;

        dmp_find_str(leaf->body, "origin", &origin);
        origins_open(&audit->origins, origin);
        take_origin(audit);
        take_roots(audit, leaf->body);
    }
}

/* ---- every leaf ---- */

static void check_order(struct audit *audit, const struct leaf *leaf, uint64_t seq)
{
    struct report *report = audit->report;
    struct table_entry *stream = table_entry(&audit->table, leaf->stream);

    if (leaf->seq != seq)
        report_error(report, "LEAF_SEQ", (int64_t)seq, "leaf says it is number %llu",
                     (unsigned long long)leaf->seq);
    if (leaf->time_us < audit->last_time)
        report_error(report, "TIME_BACKWARDS", (int64_t)seq,
                     "time is before that of an earlier leaf");
    else
        audit->last_time = leaf->time_us;
    if (leaf->rev != stream->revision + 1)
        report_error(report, "REV_GAP", (int64_t)seq, "%.*s jumps from revision %llu to %llu",
                     BYTES_ARG(leaf->stream), (unsigned long long)stream->revision,
                     (unsigned long long)leaf->rev);
    report->streams += stream->revision == 0;
    stream->revision = leaf->rev;
    if (leaf->has_cause && leaf->cause >= seq)
        report_error(report, "CAUSE_BAD", (int64_t)seq, "leaf names a cause that comes later");
}

/* What a leaf of a run asked for, as an id nobody can aim at: the seed is ours. */
static void effect_id(const struct audit *audit, const struct leaf *leaf, uint8_t id[ID_LEN])
{
    const struct bytes parts[] = {leaf->type, leaf->stream, leaf->body, leaf->content};
    uint64_t hash = audit->commands.seed;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash = table_hash(hash, parts[i]);
    memset(id, 0, ID_LEN);
    memcpy(id, &hash, sizeof hash);
}

/* A command is one run of consecutive leaves, each of another effect, and never comes again. */
static void check_command(struct audit *audit, const struct leaf *leaf, uint64_t seq)
{
    uint8_t id[ID_LEN];
    bool is_same_run =
        audit->has_last_command && memcmp(audit->last_command, leaf->command_id, ID_LEN) == 0;
    bool is_new = id_set_add(&audit->commands, leaf->command_id, seq);

    if (!is_same_run)
        id_set_clear(&audit->effects);
    effect_id(audit, leaf, id);
    if (!id_set_add(&audit->effects, id, seq) || (!is_same_run && !is_new))
        report_error(audit->report, "COMMAND_TWICE", (int64_t)seq, "a command took effect twice");
    memcpy(audit->last_command, leaf->command_id, ID_LEN);
    audit->has_last_command = true;
}

static void note_contents(struct audit *audit, const struct leaf *leaf, uint64_t seq)
{
    struct bytes hash;

    for (unsigned i = 0; i < leaf->content_count; i++)
        content_refs_add(&audit->contents, leaf->contents[i], seq);
    if (bytes_are(leaf->type, "content.redacted") && dmp_find_bin(leaf->body, "hash", &hash) &&
        hash.len == HASH_LEN)
        table_entry(&audit->contents.redacted, hash);
}

static void fold_one(struct audit *audit, const struct leaf *leaf, uint64_t seq)
{
    const char *why;

    if (audit->options->no_replay || !audit->is_foldable)
        return;
    proof_begin(&audit->proof, leaf, seq);
    why = fold_leaf(&audit->fold, leaf);
    if (why == NULL) {
        proof_end(&audit->proof);
        return;
    }
    report_error(audit->report, "EFFECTS_BAD", (int64_t)seq, "%s", why);
    audit->is_foldable = false;
}

static void audit_leaf(struct audit *audit, sqlite3_int64 row, struct bytes raw, bool is_blob)
{
    uint64_t seq = audit->tree.size;
    uint8_t hash[HASH_LEN];
    struct leaf leaf;
    const char *why;
    struct tree before = audit->tree;

    if (row < 0 || (uint64_t)row != seq)
        report_error(audit->report, "SEQ_GAP", (int64_t)seq,
                     "row %lld stands where row %llu belongs", (long long)row,
                     (unsigned long long)seq);
    tree_leaf_hash(raw, hash);
    tree_append(&audit->tree, hash, node_check_made, &audit->nodes);
    checkpoints_reach(&audit->checkpoints, &audit->tree);
    why = is_blob ? leaf_read(raw, &leaf) : "entry is not a blob";
    if (why != NULL) {
        report_error(audit->report, "LEAF_BAD", (int64_t)seq, "%s", why);
        audit->is_foldable = false;
        return;
    }
    if (seq == 0)
        check_opened(audit, &leaf);
    else if (origins_leaf(&audit->origins, audit->report, &leaf, seq, &before))
        take_origin(audit);
    keyring_leaf(&audit->keys, audit->report, &leaf, seq);
    check_order(audit, &leaf, seq);
    check_command(audit, &leaf, seq);
    note_contents(audit, &leaf, seq);
    actor_check_leaf(&audit->actors, &leaf, seq);
    waiver_check_leaf(&audit->actors, &leaf, seq);
    four_eyes_leaf(&audit->eyes, &leaf, seq);
    fold_one(audit, &leaf, seq);
    if (audit->is_foldable)
        four_eyes_folded(&audit->eyes, &leaf, seq);
}

static uint64_t expected_entries(struct audit *audit)
{
    sqlite3_stmt *question = db_ask(audit->db, audit->report, "SELECT max(seq) + 1 FROM journal");
    uint64_t count = 0;

    if (db_row(audit->db, audit->report, question))
        count = (uint64_t)sqlite3_column_int64(question, 0);
    sqlite3_finalize(question);
    return count;
}

static void walk_journal(struct audit *audit)
{
    uint64_t expected = expected_entries(audit);
    sqlite3_stmt *question =
        db_ask(audit->db, audit->report, "SELECT seq, entry FROM journal ORDER BY seq");
    struct bytes raw;
    uint8_t root[HASH_LEN];

    checkpoints_reach(&audit->checkpoints, &audit->tree);
    while (!is_stopped(audit) && db_row(audit->db, audit->report, question)) {
        bool is_blob = db_blob(question, 1, &raw);

        audit_leaf(audit, sqlite3_column_int64(question, 0), raw, is_blob);
        if (audit->options->progress != NULL && audit->tree.size % PROGRESS_EVERY == 0)
            audit->options->progress(audit->tree.size, expected);
    }
    sqlite3_finalize(question);
    tree_root(&audit->tree, root);
    base64_write_hash(root, audit->report->root);
    audit->report->entries = audit->tree.size;
    if (audit->tree.size == 0 && !audit->options->no_replay)
        report_error(audit->report, "OPENED_BAD", REPORT_NO_SEQ,
                     "the journal has no entry, not even its first");
}

/* ---- the file ---- */

static void check_integrity(struct audit *audit)
{
    sqlite3_stmt *question = db_ask(audit->db, audit->report, "PRAGMA integrity_check(20)");
    struct bytes line;

    while (db_row(audit->db, audit->report, question)) {
        db_text(question, 0, &line);
        if (!bytes_are(line, "ok"))
            report_error(audit->report, "DB_INTEGRITY", REPORT_NO_SEQ, "%.*s", BYTES_ARG(line));
    }
    sqlite3_finalize(question);
}

/* Without both tables the file is a bare export of the journal: there is no stored state to compare. */
static void find_state_tables(struct audit *audit)
{
    bool has_state = db_has_table(audit->db, audit->report, "state");
    bool has_commands = db_has_table(audit->db, audit->report, "command");

    if (audit->options->no_replay)
        return;
    audit->has_state = has_state && has_commands;
    if (has_state != has_commands)
        report_error(audit->report, "DB_SCHEMA", REPORT_NO_SEQ, "table %s is gone",
                     has_state ? "command" : "state");
    else if (!has_state)
        report_warn(audit->report, "NO_STATE",
                    "the file has no stored state that could be compared with the fold");
}

static const char *signed_origin(const struct audit *audit)
{
    return audit->checkpoints.origin[0] != '\0' ? audit->checkpoints.origin
                                                : audit->options->policy.logs[0].name;
}

/* Until entry 0 says it. */
static void find_origin(struct audit *audit)
{
    const char *origin = signed_origin(audit);

    audit->actors.origin = audit->keys.origin = bytes_text(origin);
    report_clean(audit->report->origin, sizeof audit->report->origin, bytes_text(origin));
}

/* The name that the entries end with is the one that is signed. */
static void conclude_origin(struct audit *audit)
{
    size_t count = audit->origins.count;

    if (count > 0 && !bytes_are(origins_now(&audit->origins), signed_origin(audit)))
        report_error(audit->report, "OPENED_BAD", (int64_t)audit->origins.at[count - 1].from,
                     "entry %llu: its origin is not that of the checkpoints",
                     (unsigned long long)audit->origins.at[count - 1].from);
}

static void compare_state(struct audit *audit)
{
    if (audit->options->no_replay)
        return;
    actor_check_rounds(&audit->actors);
    if (audit->is_foldable)
        keyring_compare(&audit->keys, audit->report, &audit->table);
    if (audit->is_foldable)
        proof_conclude(&audit->proof);
    if (audit->actors.rows != NULL)
        four_eyes_conclude(&audit->eyes);
    for (const struct table_entry *entry = audit->table.first; entry != NULL; entry = entry->next)
        audit->report->rows += entry->row != NULL;
    if (!audit->has_state || !audit->is_foldable)
        return;
    derived_check_state(&audit->table, audit->db, audit->report);
    derived_check_commands(&audit->commands, audit->db, audit->report);
    audit->report->is_replayed = true;
}

static void warn_of_signatures(struct audit *audit)
{
    bool is_rooted = keyring_is_rooted(&audit->keys);

    if (is_rooted && audit->options->roots == NULL && audit->options->keys == NULL)
        report_warn(audit->report, "ROOTS_UNCONFIRMED",
                    "the root keys were taken from the journal's own first entry; give --roots "
                    "with the fingerprint that you received by another way");
    if (!is_rooted && audit->options->keys == NULL)
        report_warn(audit->report, "KEYS_UNROOTED",
                    "the journal names no root keys: people's keys are those that the keeper of "
                    "the directory entered");
    if (audit->options->keys == NULL && audit->options->no_replay && !is_rooted)
        report_warn(
            audit->report, "SIGNATURES_UNCHECKED",
            "people's signatures were not checked: that needs the replay or a file of keys");
    if (audit->proof.unproven_asks > 0)
        report_warn(audit->report, "ASKED_UNPROVEN",
                    "%llu times it is the engine's word that just those people were asked, or so "
                    "many: that takes words of the workflows which are not followed here",
                    (unsigned long long)audit->proof.unproven_asks);
    if (audit->actors.without_key > 0)
        report_warn(audit->report, "DECISIONS_WITHOUT_KEY",
                    "%llu decisions are by people who had no signing key then",
                    (unsigned long long)audit->actors.without_key);
}

static void audit_all(struct audit *audit)
{
    const struct audit_options *options = audit->options;

    if (!options->no_integrity_check)
        check_integrity(audit);
    if (!db_has_table(audit->db, audit->report, "journal") ||
        !db_has_table(audit->db, audit->report, "checkpoint")) {
        if (!report_has(audit->report, "DB_UNREADABLE"))
            report_error(audit->report, "DB_SCHEMA", REPORT_NO_SEQ,
                         "no journal or checkpoint table");
        return;
    }
    schema_check_triggers(audit->db, audit->report);
    find_state_tables(audit);
    checkpoints_load(&audit->checkpoints, audit->db, audit->report, &options->policy);
    for (size_t i = 0; i < options->trusted_count; i++)
        checkpoints_trust(&audit->checkpoints, audit->report, &options->policy,
                          options->trusted[i]);
    find_origin(audit);
    node_check_begin(&audit->nodes, audit->db, audit->report);
    walk_journal(audit);
    node_check_end(&audit->nodes);
    content_refs_check(&audit->contents, audit->db, audit->report);
    compare_state(audit);
    conclude_origin(audit);
    checkpoints_conclude(&audit->checkpoints, audit->report, audit->tree.size);
    checkpoints_conclude_earlier(&audit->checkpoints, audit->report, &audit->origins);
    if (options->policy.witness_count > 0)
        checkpoints_check_quorum(&audit->checkpoints, audit->db, audit->report, &options->policy,
                                 options->fresh_after);
    warn_of_signatures(audit);
    if (options->approvals != NULL && report_holds(audit->report) && !options->no_replay)
        approvals_collect(options->approvals, &audit->proof, audit->db);
    if (options->keys_out != NULL && keyring_write(&audit->keys, options->keys_out) != 0)
        report_warn(audit->report, "KEYS_NOT_WRITTEN", "the people's keys could not be written");
}

static int stop_asked(void *context)
{
    return is_stopped(context);
}

int audit_run(const struct audit_options *options, struct report *report, char why[REPORT_TEXT])
{
    struct audit audit;
    struct db db;
    int result = 0;

    report_init(report);
    if (db_open(&db, options->path, why) != 0)
        return -1;
    audit_begin(&audit, options, report, &db);
    sqlite3_progress_handler(db.handle, 100000, stop_asked, &audit);
    audit_all(&audit);
    if (is_stopped(&audit)) {
        snprintf(why, REPORT_TEXT, "stopped before the end; nothing was proven");
        result = -1;
    }
    audit_end(&audit);
    db_close(&db);
    if (result != 0)
        report_release(report);
    return result;
}
