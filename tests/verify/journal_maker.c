#include "journal_maker.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char tables_sql[] =
    "CREATE TABLE journal(seq INTEGER PRIMARY KEY, entry BLOB NOT NULL CHECK(length(entry) BETWEEN "
    "1 AND 65535)) STRICT;"
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;"
    "CREATE TABLE cosignature(size INTEGER NOT NULL REFERENCES checkpoint(size), line TEXT NOT "
    "NULL,"
    " PRIMARY KEY(size, line)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE content(hash BLOB PRIMARY KEY, salt BLOB NOT NULL, data BLOB NOT NULL) STRICT, "
    "WITHOUT ROWID;"
    "CREATE TABLE node(level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY "
    "KEY(level, idx))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE state(key TEXT PRIMARY KEY, row BLOB NOT NULL, due INTEGER) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TABLE command(block INTEGER PRIMARY KEY, ids BLOB NOT NULL) STRICT;";

static const char triggers_sql[] =
    "CREATE TRIGGER journal_contiguous BEFORE INSERT ON journal\n"
    "  WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq) + 1, 0) FROM journal)\n"
    "  BEGIN SELECT RAISE(ABORT, 'journal: seq must be the next number'); END;"
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal\n"
    "  BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;"
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal\n"
    "  BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;"
    "CREATE TRIGGER checkpoint_grows BEFORE INSERT ON checkpoint\n"
    "  WHEN NEW.size <= (SELECT COALESCE(MAX(size), -1) FROM checkpoint)\n"
    "  BEGIN SELECT RAISE(ABORT, 'checkpoint: size must grow'); END;"
    "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint\n"
    "  BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;"
    "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint\n"
    "  BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;";

static const char drop_sql[] = "DROP TRIGGER journal_contiguous; DROP TRIGGER journal_no_update; "
                               "DROP TRIGGER journal_no_delete;"
                               "DROP TRIGGER checkpoint_grows; DROP TRIGGER checkpoint_no_update; "
                               "DROP TRIGGER checkpoint_no_delete;";

#define RECORD "SCP-0001@1.0"
#define ROUND RECORD "/round/1"

static const char text_of_record[] = "Scope now covers the Lyon office.";

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "journal maker: %s\n", what);
    abort();
}

/* ---- encoding ---- */

static void pack_byte(struct pack *pack, unsigned byte)
{
    must(pack->len < sizeof pack->at, "too long");
    pack->at[pack->len++] = (uint8_t)byte;
}

static void pack_bytes(struct pack *pack, const void *at, size_t len)
{
    must(len <= sizeof pack->at - pack->len, "too long");
    memcpy(pack->at + pack->len, at, len);
    pack->len += len;
}

void pack_nil(struct pack *pack)
{
    pack_byte(pack, 0xc0);
}

void pack_uint(struct pack *pack, uint64_t number)
{
    unsigned size = number > 0xffffffff ? 8 : number > 0xffff ? 4 : number > 0xff ? 2 : 1;

    if (number < 0x80) {
        pack_byte(pack, (unsigned)number);
        return;
    }
    pack_byte(pack, size == 1 ? 0xcc : size == 2 ? 0xcd : size == 4 ? 0xce : 0xcf);
    while (size-- > 0)
        pack_byte(pack, (unsigned)(number >> 8 * size & 0xff));
}

void pack_str(struct pack *pack, const char *text)
{
    size_t len = strlen(text);

    must(len <= 255, "text too long");
    if (len > 31)
        pack_byte(pack, 0xd9);
    pack_byte(pack, (unsigned)(len > 31 ? len : 0xa0 | len));
    pack_bytes(pack, text, len);
}

void pack_bin(struct pack *pack, const void *at, size_t len)
{
    must(len <= 255, "bin too long");
    pack_byte(pack, 0xc4);
    pack_byte(pack, (unsigned)len);
    pack_bytes(pack, at, len);
}

void pack_array(struct pack *pack, unsigned count)
{
    pack_byte(pack, 0x90 | count);
}

void pack_map(struct pack *pack, unsigned pairs)
{
    pack_byte(pack, 0x80 | pairs);
}

void pack_raw(struct pack *pack, const struct pack *other)
{
    pack_bytes(pack, other->at, other->len);
}

void pack_pair(struct pack *pack, const char *key, const char *text)
{
    pack_str(pack, key);
    pack_str(pack, text);
}

static void pack_bin_pair(struct pack *pack, const char *key, const void *at, size_t len)
{
    pack_str(pack, key);
    pack_bin(pack, at, len);
}

/* ---- keys, tree, notes ---- */

static EVP_PKEY *key_from(const char *seed_text)
{
    uint8_t seed[32] = {0};
    EVP_PKEY *key;

    memcpy(seed, seed_text, strlen(seed_text));
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    must(key != NULL, "no key");
    return key;
}

static void public_of(EVP_PKEY *key, uint8_t out[32])
{
    size_t len = 32;

    must(EVP_PKEY_get_raw_public_key(key, out, &len) == 1 && len == 32, "no public key");
}

static void sign(EVP_PKEY *key, const void *at, size_t len, uint8_t out[64])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t out_len = 64;

    must(context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1, "cannot sign");
    must(EVP_DigestSign(context, out, &out_len, at, len) == 1 && out_len == 64, "cannot sign");
    EVP_MD_CTX_free(context);
}

static void vkey_text(EVP_PKEY *key, const char *name, uint8_t kind, uint8_t id[4], char out[256])
{
    uint8_t raw[33] = {kind}, message[256], hash[32];
    char base64[64];
    int len;

    public_of(key, raw + 1);
    len = snprintf((char *)message, sizeof message, "%s\n", name);
    memcpy(message + len, raw, sizeof raw);
    SHA256(message, (size_t)len + sizeof raw, hash);
    memcpy(id, hash, 4);
    EVP_EncodeBlock((unsigned char *)base64, raw, sizeof raw);
    snprintf(out, 256, "%s+%02x%02x%02x%02x+%s", name, id[0], id[1], id[2], id[3], base64);
}

/* hashes: count times 32 bytes */
static void tree_hash(const uint8_t *hashes, uint64_t count, uint8_t out[32])
{
    uint8_t message[65] = {1};
    uint64_t half = 1;

    if (count == 0) {
        SHA256(message, 0, out);
        return;
    }
    if (count == 1) {
        memcpy(out, hashes, 32);
        return;
    }
    while (half * 2 < count)
        half *= 2;
    tree_hash(hashes, half, message + 1);
    tree_hash(hashes + 32 * half, count - half, message + 33);
    SHA256(message, sizeof message, out);
}

void maker_root(const struct maker *maker, uint64_t size, uint8_t out[32])
{
    tree_hash(maker->hashes[0], size, out);
}

static int note_text(const struct maker *maker, uint64_t size, char *out, size_t room)
{
    uint8_t root[32];
    char base64[64];

    maker_root(maker, size, root);
    EVP_EncodeBlock((unsigned char *)base64, root, sizeof root);
    return snprintf(out, room, "%s\n%llu\n%s\n", maker->origin, (unsigned long long)size, base64);
}

void maker_note(const struct maker *maker, uint64_t size, char out[1024])
{
    uint8_t raw[68];
    char base64[128], vkey[256];
    int len = note_text(maker, size, out, 512);

    vkey_text(maker->log_key, maker->origin, 1, raw, vkey);
    sign(maker->log_key, out, (size_t)len, raw + 4);
    EVP_EncodeBlock((unsigned char *)base64, raw, sizeof raw);
    snprintf(out + len, (size_t)(1024 - len), "\n\xe2\x80\x94 %s %s\n", maker->origin, base64);
}

/* ---- the file ---- */

void maker_sql(struct maker *maker, const char *sql)
{
    char *why = NULL;

    if (sqlite3_exec(maker->db, sql, NULL, NULL, &why) != SQLITE_OK)
        must(false, why);
}

static void put(struct maker *maker, const char *sql, int64_t number, const void *key,
                size_t key_len, bool is_text, const void *at, size_t len)
{
    sqlite3_stmt *statement = NULL;

    must(sqlite3_prepare_v2(maker->db, sql, -1, &statement, NULL) == SQLITE_OK, sql);
    sqlite3_bind_int64(statement, 1, number);
    if (key != NULL && is_text)
        sqlite3_bind_text(statement, 2, key, (int)key_len, SQLITE_STATIC);
    else if (key != NULL)
        sqlite3_bind_blob(statement, 2, key, (int)key_len, SQLITE_STATIC);
    if (at != NULL)
        sqlite3_bind_blob(statement, 3, at, (int)len, SQLITE_STATIC);
    must(sqlite3_step(statement) == SQLITE_DONE, sql);
    sqlite3_finalize(statement);
}

static void put_nodes(struct maker *maker)
{
    uint8_t hash[32];
    uint64_t end = maker->count;

    for (unsigned level = 1; end >> level << level == end; level++) {
        uint64_t width = (uint64_t)1 << level;

        tree_hash(maker->hashes[end - width], width, hash);
        put(maker,
            level == 1   ? "INSERT INTO node VALUES(1, ?1, ?2)"
            : level == 2 ? "INSERT INTO node VALUES(2, ?1, ?2)"
                         : "INSERT INTO node VALUES(3, ?1, ?2)",
            (int64_t)(end / width - 1), hash, 32, false, NULL, 0);
        if (level == 3)
            break;
    }
}

void maker_leaf(struct maker *maker, const void *at, size_t len)
{
    static uint8_t message[4097];

    must(len < sizeof message && maker->count < 15, "too many or too long");
    memcpy(message + 1, at, len);
    SHA256(message, len + 1, maker->hashes[maker->count]);
    put(maker, "INSERT INTO journal VALUES(?1, ?2)", (int64_t)maker->count, at, len, false, NULL,
        0);
    maker->count++;
    put_nodes(maker);
}

void maker_checkpoint(struct maker *maker)
{
    char note[1024];

    maker_note(maker, maker->count, note);
    put(maker, "INSERT INTO checkpoint VALUES(?1, ?2)", (int64_t)maker->count, note, strlen(note),
        true, NULL, 0);
}

void maker_cosign(struct maker *maker, uint64_t size, uint64_t time)
{
    char message[1024], base64[128], line[512], vkey[256];
    uint8_t raw[76];
    int len =
        snprintf(message, sizeof message, "cosignature/v1\ntime %llu\n", (unsigned long long)time);

    len += note_text(maker, size, message + len, sizeof message - (size_t)len);
    vkey_text(maker->witness_key, "witness.test/w1", 4, raw, vkey);
    for (unsigned i = 0; i < 8; i++)
        raw[4 + i] = (uint8_t)(time >> 8 * (7 - i));
    sign(maker->witness_key, message, (size_t)len, raw + 12);
    EVP_EncodeBlock((unsigned char *)base64, raw, sizeof raw);
    snprintf(line, sizeof line, "\xe2\x80\x94 witness.test/w1 %s", base64);
    put(maker, "INSERT INTO cosignature VALUES(?1, ?2)", (int64_t)size, line, strlen(line), true,
        NULL, 0);
}

void maker_begin(struct maker *maker, const char *origin)
{
    uint8_t id[4];
    const char *base = getenv("TMPDIR");

    *maker = (struct maker){.origin = origin};
    snprintf(maker->dir, sizeof maker->dir, "%.40s/rota-test-XXXXXX",
             base != NULL && *base != '\0' ? base : "/tmp");
    must(mkdtemp(maker->dir) != NULL, "no temporary directory");
    snprintf(maker->path, sizeof maker->path, "%s/journal.db", maker->dir);
    must(sqlite3_open(maker->path, &maker->db) == SQLITE_OK, "no database");
    maker_sql(maker, "PRAGMA synchronous=OFF");
    maker_sql(maker, tables_sql);
    maker_sql(maker, triggers_sql);
    maker->log_key = key_from("log key for tests only");
    maker->witness_key = key_from("witness key for tests");
    maker->amara_key = key_from("amara key for tests only");
    maker->bo_key = key_from("bo key for tests only");
    maker->root_keys[0] = key_from("first root for tests only");
    maker->root_keys[1] = key_from("second root for tests only");
    vkey_text(maker->log_key, origin, 1, id, maker->vkey);
    vkey_text(maker->witness_key, "witness.test/w1", 4, id, maker->witness_vkey);
}

void maker_tamper(struct maker *maker, const char *sql)
{
    maker_sql(maker, drop_sql);
    maker_sql(maker, sql);
    maker_sql(maker, triggers_sql);
}

static void keep(const struct maker *maker, const char *where)
{
    static unsigned number;
    char to[512];
    FILE *keys;

    snprintf(to, sizeof to, "%.400s/%u.vkey", where, ++number);
    keys = fopen(to, "w");
    must(keys != NULL, "cannot keep");
    fprintf(keys, "%s\n", maker->vkey);
    fclose(keys);
    snprintf(to, sizeof to, "%.400s/%u.db", where, number);
    must(rename(maker->path, to) == 0, "cannot keep");
}

void maker_end(struct maker *maker)
{
    const char *where = getenv("ROTA_KEEP_JOURNALS");

    sqlite3_close(maker->db);
    if (where != NULL)
        keep(maker, where);
    else
        unlink(maker->path);
    rmdir(maker->dir);
    EVP_PKEY_free(maker->log_key);
    EVP_PKEY_free(maker->witness_key);
    EVP_PKEY_free(maker->amara_key);
    EVP_PKEY_free(maker->bo_key);
    EVP_PKEY_free(maker->root_keys[0]);
    EVP_PKEY_free(maker->root_keys[1]);
}

/* ---- the story ---- */

/* One leaf of the story. Empty body or effects: {}, nil. */
struct part {
    const char *type, *stream, *actor;
    uint64_t rev, command, cause_plus_one;
    const struct pack *body, *effects;
    const uint8_t *content, *sig;
};

static void command_id(uint64_t number, uint8_t out[16])
{
    memset(out, (int)number, 16);
}

/* The index of commands: all of the story fit its first block. */
static void add_command(struct maker *maker, const uint8_t id[16], uint64_t seq)
{
    uint64_t half[2] = {0, 0}, number;
    uint8_t entry[14];

    for (int i = 0; i < 16; i++)
        half[i / 8] = half[i / 8] << 8 | id[i];
    number = half[0] ^ half[1] * 0x9e3779b97f4a7c15ULL;
    number ^= number >> 29;
    for (int i = 0; i < 14; i++)
        entry[i] = (uint8_t)(i < 8 ? number >> (56 - 8 * i) : seq >> (40 - 8 * (i - 8)));
    put(maker,
        "INSERT INTO command(block, ids) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET ids = CAST(ids "
        "|| "
        "excluded.ids AS BLOB)",
        0, entry, sizeof entry, false, NULL, 0);
}

static void add_part(struct maker *maker, const struct part *part)
{
    struct pack leaf = {.len = 0};
    bool is_engine = strcmp(part->actor, "engine") == 0;
    uint64_t seq = maker->count;
    uint8_t id[16];

    command_id(part->command, id);
    pack_array(&leaf, 14);
    pack_str(&leaf, "rota.leaf/1");
    pack_uint(&leaf, maker->flaw == FLAW_SEQ && seq == 3 ? 4 : seq);
    pack_uint(&leaf, 1700000000000000 + (maker->flaw == FLAW_TIME && seq == 3 ? 0 : seq * 1000));
    pack_str(&leaf, part->type);
    pack_str(&leaf, part->stream);
    pack_uint(&leaf, part->rev + (maker->flaw == FLAW_REV_GAP && seq == 3));
    pack_str(&leaf, part->actor);
    pack_array(&leaf, 2);
    pack_str(&leaf, is_engine ? "engine" : "curve");
    if (is_engine)
        pack_nil(&leaf);
    else
        pack_bin(&leaf, "12345678901234567890123456789012", 32);
    pack_bin(&leaf, id, 16);
    if (part->cause_plus_one == 0)
        pack_nil(&leaf);
    else
        pack_uint(&leaf, part->cause_plus_one - 1 + (maker->flaw == FLAW_CAUSE ? 5 : 0));
    pack_raw(&leaf, part->body);
    pack_raw(&leaf, part->effects);
    if (part->content != NULL)
        pack_bin(&leaf, part->content, 32);
    else
        pack_nil(&leaf);
    if (part->sig != NULL)
        pack_bin(&leaf, part->sig, 64);
    else
        pack_nil(&leaf);
    maker_leaf(maker, leaf.at, leaf.len);
    if (seq == 0 || part->cause_plus_one == 0)
        add_command(maker, id, seq);
}

static void state(struct maker *maker, const char *key, const struct pack *row)
{
    put(maker, "INSERT INTO state VALUES(?2, ?3, nullif(?1, 0))", 0, key, strlen(key), true,
        row->at, row->len);
}

static bool is_rooted(const struct maker *maker)
{
    return maker->flaw >= FLAW_ROOTED;
}

static bool is_waived(const struct maker *maker)
{
    return maker->flaw >= FLAW_WAIVED && maker->flaw <= FLAW_WAIVER_MUTE;
}

static bool is_restored(const struct maker *maker)
{
    return maker->flaw >= FLAW_RESTORED && maker->flaw <= FLAW_RESTORED_VOTE;
}

/* ---- the journal goes on from a copy ---- */

static void head_facts(const char *key, const char *origin, const uint8_t root[32], uint64_t size,
                       struct pack *out)
{
    pack_str(out, key);
    pack_map(out, 3);
    pack_pair(out, "origin", origin);
    pack_bin_pair(out, "root", root, 32);
    pack_str(out, "size");
    pack_uint(out, size);
}

static void restored_facts(const struct maker *maker, bool with_row, struct pack *out)
{
    enum flaw flaw = maker->flaw;
    uint8_t root[32], key[32];

    maker_root(maker, 3, root);
    public_of(maker->log_key, key);
    pack_map(out, with_row ? 9 : 3);
    if (with_row) {
        pack_pair(out, "clock", "system");
        pack_pair(out, "format", "rota.leaf/1");
    }
    if (flaw == FLAW_RESTORED_KNOWN)
        pack_pair(out, "known", "much");
    else
        head_facts("known", maker->origin_before, root, 12, out);
    if (with_row)
        pack_bin_pair(out, "log_key", key, 32);
    pack_pair(out, "origin", maker->origin);
    if (with_row) {
        pack_str(out, "rev");
        pack_uint(out, 2);
        pack_str(out, "root_keys");
        pack_array(out, 0);
        pack_pair(out, "timezone", "Europe/Brussels");
    }
    root[0] ^= flaw == FLAW_RESTORED_ROOT;
    head_facts("was", flaw == FLAW_RESTORED_NAME ? "other.test/log" : maker->origin_before, root,
               flaw == FLAW_RESTORED_SIZE ? 4 : 3, out);
}

static void tell_restored(struct maker *maker)
{
    enum flaw flaw = maker->flaw;
    struct pack body = {.len = 0}, effects = {.len = 0}, row = {.len = 0};
    uint8_t id[4];

    maker->origin_before = maker->origin;
    memcpy(maker->vkey_before, maker->vkey, sizeof maker->vkey);
    if (flaw != FLAW_RESTORED_AGAIN)
        maker->origin = flaw == FLAW_RESTORED_CLOCK ? MAKER_SINCE "/virtual" : MAKER_SINCE;
    vkey_text(maker->log_key, maker->origin, 1, id, maker->vkey);
    maker->shift++;
    restored_facts(maker, false, &body);
    pack_map(&effects, 1);
    pack_str(&effects, "");
    pack_raw(&effects, &body);
    add_part(maker, &(struct part){.type = flaw == FLAW_RESTORED_TYPE ? "journal.renamed"
                                                                      : "journal.restored",
                                   .stream = "journal",
                                   .actor = flaw == FLAW_RESTORED_BY ? "amara" : "engine",
                                   .rev = 2,
                                   .command = 40,
                                   .body = &body,
                                   .effects = &effects});
    maker_sql(maker, "DELETE FROM state WHERE key = 'journal'");
    restored_facts(maker, true, &row);
    state(maker, "journal", &row);
}

static void opened_facts(const struct maker *maker, struct pack *out, bool with_rev)
{
    bool is_virtual = maker->flaw == FLAW_CLOCK || maker->flaw == FLAW_VIRTUAL;
    uint8_t key[32];

    public_of(maker->flaw == FLAW_LOG_KEY ? maker->bo_key : maker->log_key, key);
    pack_map(out, with_rev ? 7 : 6);
    pack_pair(out, "clock", is_virtual ? "virtual" : "system");
    pack_pair(out, "format", "rota.leaf/1");
    pack_bin_pair(out, "log_key", key, 32);
    pack_pair(out, "origin", maker->origin);
    if (with_rev) {
        pack_str(out, "rev");
        pack_uint(out, 1);
    }
    pack_str(out, "root_keys");
    pack_array(out, is_rooted(maker) ? 2 : maker->flaw == FLAW_OPENED_ROOTS);
    if (maker->flaw == FLAW_OPENED_ROOTS)
        pack_bin(out, key, 31);
    for (int i = 0; i < 2 && is_rooted(maker); i++) {
        public_of(maker->root_keys[i], key);
        pack_bin(out, key, 32);
    }
    pack_pair(out, "timezone", "Europe/Brussels");
}

static void tell_opened(struct maker *maker)
{
    struct pack body = {.len = 0}, effects = {.len = 0}, row = {.len = 0};

    opened_facts(maker, &body, false);
    pack_map(&effects, 1);
    pack_str(&effects, "");
    pack_raw(&effects, &body);
    add_part(
        maker,
        &(struct part){.type = maker->flaw == FLAW_OPENED_TYPE ? "journal.begun" : "journal.opened",
                       .stream = maker->flaw == FLAW_OPENED_STREAM ? "diary" : "journal",
                       .actor = "engine",
                       .rev = 1,
                       .command = 1,
                       .body = &body,
                       .effects = &effects});
    opened_facts(maker, &row, true);
    state(maker, maker->flaw == FLAW_OPENED_STREAM ? "diary" : "journal", &row);
}

static void directory_facts(struct pack *out, bool with_rev)
{
    pack_map(out, with_rev ? 2 : 1);
    pack_bin_pair(out, "digest", "directory digest", 16);
    if (with_rev) {
        pack_str(out, "rev");
        pack_uint(out, 1);
    }
}

static void pack_role(struct pack *out, const char *role)
{
    pack_str(out, "roles");
    pack_array(out, 1);
    pack_str(out, role);
}

static bool has_bo_key(const struct maker *maker)
{
    return is_waived(maker) && maker->flaw != FLAW_WAIVER_KEYLESS;
}

static void tell_directory(struct maker *maker)
{
    struct pack body = {.len = 0}, effects = {.len = 0}, amara = {.len = 0}, bo = {.len = 0},
                row = {.len = 0};
    uint8_t key[32];

    public_of(maker->amara_key, key);
    pack_map(&amara, is_rooted(maker) ? 1u : 2u + is_waived(maker));
    pack_pair(&amara, "name", "amara");
    if (is_waived(maker))
        pack_role(&amara, "top_management");
    if (!is_rooted(maker))
        pack_bin_pair(&amara, "sign", key, 32);
    pack_map(&bo, 1u + is_waived(maker) + has_bo_key(maker));
    pack_pair(&bo, "name", "bo");
    if (is_waived(maker))
        pack_role(&bo, maker->flaw == FLAW_WAIVER_ROLE ? "employee" : "top_management");
    public_of(maker->bo_key, key);
    if (has_bo_key(maker))
        pack_bin_pair(&bo, "sign", key, 32);
    directory_facts(&body, false);
    pack_map(&effects, 3);
    pack_str(&effects, "");
    pack_raw(&effects, &body);
    pack_str(&effects, "person/amara");
    pack_raw(&effects, &amara);
    pack_str(&effects, "person/bo");
    pack_raw(&effects, &bo);
    add_part(maker, &(struct part){.type = "directory.installed",
                                   .stream = "directory",
                                   .actor = "engine",
                                   .rev = 1,
                                   .command = 2,
                                   .body = &body,
                                   .effects = &effects});
    directory_facts(&row, true);
    state(maker, "directory", &row);
    if (!is_rooted(maker))
        state(maker, "person/amara", &amara);
    state(maker, "person/bo", &bo);
}

/* ---- the key of amara, in a journal with root keys ---- */

static EVP_PKEY *enrolled_key(const struct maker *maker)
{
    return maker->flaw == FLAW_STRANGER ? maker->bo_key : maker->amara_key;
}

static void endorse(const struct maker *maker, EVP_PKEY *signer, EVP_PKEY *named, struct pack *out)
{
    struct pack message = {.len = 0};
    uint8_t key[32], hash[32], sig[64];

    pack_bytes(&message, "rota.key/1\n", 11);
    pack_array(&message, 4);
    pack_str(&message, maker->flaw == FLAW_OTHER_LOG ? "other.test/log" : maker->origin);
    pack_str(&message, "amara");
    pack_uint(&message, maker->flaw == FLAW_OTHER_SERIAL);
    public_of(enrolled_key(maker), key);
    pack_bin(&message, key, 32);
    sign(signer, message.at, message.len, sig);
    public_of(named, key);
    SHA256(key, 32, hash);
    pack_map(out, 2);
    pack_bin_pair(out, "by", hash, 32);
    pack_bin_pair(out, "signature", sig, 64);
}

static void key_effects(const struct maker *maker, unsigned changes, bool has_key, struct pack *out)
{
    uint8_t key[32];

    pack_map(out, 2);
    pack_str(out, "");
    pack_map(out, 1);
    pack_str(out, "changes");
    pack_uint(out, changes);
    pack_str(out, "person/amara");
    pack_map(out, 1);
    public_of(maker->flaw == FLAW_DIRECTORY_KEY ? maker->bo_key : enrolled_key(maker), key);
    pack_str(out, "sign");
    if (has_key)
        pack_bin(out, key, 32);
    else
        pack_nil(out);
}

static void tell_enrolled(struct maker *maker, unsigned rev, uint64_t command)
{
    struct pack body = {.len = 0}, effects = {.len = 0};
    EVP_PKEY *const *roots = maker->root_keys;
    bool is_strange = maker->flaw == FLAW_STRANGER, is_forged = maker->flaw == FLAW_ROOT_FORGED;
    uint8_t key[32];

    public_of(enrolled_key(maker), key);
    pack_map(&body, 4);
    pack_str(&body, "endorsements");
    pack_array(&body, 2);
    endorse(maker, is_strange ? maker->bo_key : roots[0], is_strange ? maker->bo_key : roots[0],
            &body);
    if (maker->flaw == FLAW_ONE_ROOT)
        endorse(maker, roots[0], roots[0], &body);
    else
        endorse(maker, is_strange || is_forged ? maker->bo_key : roots[1],
                is_strange ? maker->bo_key : roots[1], &body);
    pack_bin_pair(&body, "key", key, 32);
    pack_pair(&body, "person", "amara");
    pack_str(&body, "serial");
    pack_uint(&body, 0);
    key_effects(maker, rev, true, &effects);
    add_part(maker, &(struct part){.type = "key.enrolled",
                                   .stream = "key/amara",
                                   .actor = "engine",
                                   .rev = rev,
                                   .command = command,
                                   .body = &body,
                                   .effects = &effects});
}

static void tell_revoked(struct maker *maker)
{
    struct pack body = {.len = 0}, effects = {.len = 0};

    pack_map(&body, 1);
    pack_pair(&body, "person", "amara");
    key_effects(maker, 2, false, &effects);
    add_part(maker, &(struct part){.type = "key.revoked",
                                   .stream = "key/amara",
                                   .actor = "engine",
                                   .rev = 2,
                                   .command = 21,
                                   .body = &body,
                                   .effects = &effects});
}

/* The leaves before the vote; the rows as they are at the end. */
static void tell_key(struct maker *maker)
{
    bool is_revoked = maker->flaw == FLAW_REVOKED || maker->flaw == FLAW_REVIVED;
    unsigned changes = maker->flaw == FLAW_REVIVED ? 3 : is_revoked ? 2 : 1;
    struct pack amara = {.len = 0}, row = {.len = 0};
    uint8_t key[32];

    if (maker->flaw != FLAW_BACKDATED)
        tell_enrolled(maker, 1, 20);
    if (is_revoked)
        tell_revoked(maker);
    if (maker->flaw == FLAW_REVIVED)
        tell_enrolled(maker, 3, 22);
    maker->shift = maker->flaw == FLAW_BACKDATED ? 0 : changes;
    public_of(maker->flaw == FLAW_DIRECTORY_KEY ? maker->bo_key : enrolled_key(maker), key);
    pack_map(&amara, maker->flaw == FLAW_REVOKED ? 1 : 2);
    pack_pair(&amara, "name", "amara");
    if (maker->flaw != FLAW_REVOKED)
        pack_bin_pair(&amara, "sign", key, 32);
    state(maker, "person/amara", &amara);
    pack_map(&row, 2);
    pack_str(&row, "changes");
    pack_uint(&row, changes);
    pack_str(&row, "rev");
    pack_uint(&row, changes);
    state(maker, "key/amara", &row);
}

static void put_content(struct maker *maker, uint8_t hash[32])
{
    uint8_t message[128];
    static const char salt[] = "sixteen bytes...";
    int len =
        snprintf((char *)message, sizeof message, "rota.content/1\n%.16s%s", salt, text_of_record);
    sqlite3_stmt *statement = NULL;

    SHA256(message, (size_t)len, hash);
    must(sqlite3_prepare_v2(maker->db, "INSERT INTO content VALUES(?1, ?2, ?3)", -1, &statement,
                            NULL) == SQLITE_OK,
         "content");
    sqlite3_bind_blob(statement, 1, hash, 32, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, salt, 16, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, text_of_record, (int)strlen(text_of_record), SQLITE_STATIC);
    must(sqlite3_step(statement) == SQLITE_DONE, "content");
    sqlite3_finalize(statement);
}

static void tell_open(struct maker *maker, const uint8_t content[32])
{
    struct pack body = {.len = 0}, effects = {.len = 0};

    pack_map(&body, 2);
    pack_pair(&body, "kind", "scope_statement");
    pack_str(&body, "text");
    pack_map(&body, 2);
    pack_bin_pair(&body, "content", content, 32);
    pack_str(&body, "size");
    pack_uint(&body, strlen(text_of_record));
    if (maker->flaw == FLAW_EFFECTS) {
        pack_map(&effects, 1);
        pack_pair(&effects, "", "draft");
    } else {
        pack_map(&effects, 1);
        pack_str(&effects, "");
        pack_map(&effects, 3);
        pack_bin_pair(&effects, "digest", content, 32);
        pack_pair(&effects, "note", "goes away");
        pack_pair(&effects, "state", "draft");
    }
    add_part(maker, &(struct part){.type = "record.open",
                                   .stream = RECORD,
                                   .actor = "amara",
                                   .rev = 1,
                                   .command = 3,
                                   .body = &body,
                                   .effects = &effects,
                                   .content = content});
}

/* ---- a waiver ---- */

static const char *freed(const struct maker *maker)
{
    return maker->flaw == FLAW_WAIVER_OTHER ? "cleo" : "amara";
}

static const char *waiver_signer(const struct maker *maker)
{
    return maker->flaw == FLAW_WAIVER_SELF ? "amara" : "bo";
}

static void pack_text(struct pack *out, const char *name, const uint8_t content[32])
{
    pack_str(out, name);
    pack_map(out, 2);
    pack_bin_pair(out, "content", content, 32);
    pack_str(out, "size");
    pack_uint(out, strlen(text_of_record));
}

static void waiver_body(const struct maker *maker, const uint8_t content[32], struct pack *out)
{
    EVP_PKEY *signer = maker->flaw == FLAW_WAIVER_SELF ? maker->amara_key : maker->bo_key;
    bool has_check = maker->flaw != FLAW_WAIVER_TEXT;
    uint8_t key[32], hash[32];

    public_of(signer, key);
    SHA256(key, 32, hash);
    pack_map(out, 6u + has_check);
    if (has_check)
        pack_text(out, "check", content);
    SHA256((const uint8_t *)"other", 5, key);
    pack_bin_pair(out, "digest", maker->flaw == FLAW_WAIVER_DIGEST ? key : content, 32);
    pack_bin_pair(out, "key", hash, 32);
    pack_pair(out, "meaning", maker->flaw == FLAW_WAIVER_MEANING ? "approved" : "waived_sod");
    pack_pair(out, "person", freed(maker));
    pack_text(out, "reason", content);
    pack_pair(out, "rule", "SOD-1");
}

static void waiver_facts(const struct maker *maker, const uint8_t content[32], bool with_rev,
                         struct pack *out)
{
    uint8_t other[32];

    SHA256((const uint8_t *)"other", 5, other);
    pack_map(out, 4u + with_rev);
    pack_pair(out, "by", waiver_signer(maker));
    pack_bin_pair(out, "digest", maker->flaw == FLAW_WAIVER_DIGEST ? other : content, 32);
    pack_pair(out, "person", freed(maker));
    if (with_rev) {
        pack_str(out, "rev");
        pack_uint(out, 1);
    }
    pack_pair(out, "rule", maker->flaw == FLAW_WAIVER_ROW ? "SOD-8" : "SOD-1");
}

static void sign_waiver(const struct maker *maker, const struct pack *body,
                        const uint8_t content[32], uint8_t sig[64])
{
    struct pack message = {.len = 0};
    bool is_hers = maker->flaw == FLAW_WAIVER_FORGED || maker->flaw == FLAW_WAIVER_SELF;
    uint8_t id[16];

    command_id(30, id);
    pack_bytes(&message, "rota.command/1\n", 15);
    pack_array(&message, 8);
    pack_str(&message, maker->origin);
    pack_bin(&message, id, 16);
    pack_str(&message, "record.waive_sod");
    pack_str(&message, RECORD "/waiver/1");
    pack_uint(&message, 0);
    pack_str(&message, waiver_signer(maker));
    pack_raw(&message, body);
    pack_bin(&message, content, 32);
    sign(is_hers ? maker->amara_key : maker->bo_key, message.at, message.len, sig);
}

static void tell_waiver(struct maker *maker, const uint8_t content[32])
{
    struct pack body = {.len = 0}, effects = {.len = 0}, row = {.len = 0};
    uint8_t sig[64];

    waiver_facts(maker, content, maker->flaw != FLAW_WAIVER_MADE, &row);
    state(maker, RECORD "/waiver/1", &row);
    if (maker->flaw == FLAW_WAIVER_MADE)
        return;
    maker->shift++;
    waiver_body(maker, content, &body);
    sign_waiver(maker, &body, content, sig);
    pack_map(&effects, 2);
    pack_str(&effects, "");
    waiver_facts(maker, content, false, &effects);
    pack_str(&effects, RECORD);
    pack_map(&effects, 1);
    pack_str(&effects, "waivers");
    pack_uint(&effects, 1);
    add_part(maker, &(struct part){.type = "record.waive_sod",
                                   .stream = RECORD "/waiver/1",
                                   .actor = waiver_signer(maker),
                                   .rev = 1,
                                   .command = 30,
                                   .body = &body,
                                   .effects = &effects,
                                   .content = content,
                                   .sig = maker->flaw == FLAW_WAIVER_BARE ? NULL : sig});
}

/* Among the rows that a submission makes: after the round's, by its key. */
static void made_waiver(const struct maker *maker, const uint8_t content[32], struct pack *out)
{
    if (maker->flaw != FLAW_WAIVER_MADE)
        return;
    pack_str(out, RECORD "/waiver/1");
    waiver_facts(maker, content, false, out);
}

/* What amara's vote says of it. */
static bool says_waived(const struct maker *maker)
{
    return is_waived(maker) && maker->flaw != FLAW_WAIVER_MUTE;
}

static void waived_facts(const struct maker *maker, struct pack *out)
{
    if (!says_waived(maker))
        return;
    pack_str(out, "waived");
    pack_array(out, 1);
    pack_map(out, 4);
    pack_pair(out, "by", waiver_signer(maker));
    pack_str(out, "n");
    pack_uint(out, maker->flaw == FLAW_WAIVER_NUMBER ? 2 : 1);
    pack_pair(out, "person", freed(maker));
    pack_pair(out, "rule", "SOD-1");
}

static void tell_submit(struct maker *maker, const uint8_t digest[32])
{
    bool makes_waiver = maker->flaw == FLAW_WAIVER_MADE;
    struct pack body = {.len = 0}, effects = {.len = 0};

    pack_map(&body, 0);
    pack_map(&effects, 2u + makes_waiver);
    pack_str(&effects, "");
    pack_map(&effects, 2u + makes_waiver);
    pack_str(&effects, "note");
    pack_nil(&effects);
    pack_pair(&effects, "state", "awaiting_approval");
    if (makes_waiver) {
        pack_str(&effects, "waivers");
        pack_uint(&effects, 1);
    }
    pack_str(&effects, ROUND);
    pack_map(&effects, 5);
    pack_bin_pair(&effects, "digest", digest, 32);
    pack_str(&effects, "n");
    pack_uint(&effects, 1);
    pack_pair(&effects, "opened", "now");
    pack_pair(&effects, "state", "open");
    pack_str(&effects, "votes");
    pack_map(&effects, 0);
    made_waiver(maker, digest, &effects);
    add_part(maker, &(struct part){.type = "record.submit",
                                   .stream = RECORD,
                                   .actor = "amara",
                                   .rev = 2,
                                   .command = maker->flaw == FLAW_COMMAND_TWICE ? 2 : 4,
                                   .body = &body,
                                   .effects = &effects});
}

static void vote_body(const struct maker *maker, const uint8_t digest[32], struct pack *out)
{
    bool is_ssh = maker->flaw == FLAW_SSHSIG || maker->flaw == FLAW_SSHSIG_BARE;
    bool has_meaning = maker->flaw != FLAW_NO_MEANING;
    uint8_t key[32], hash[32];

    public_of(maker->flaw == FLAW_OTHER_KEY ? maker->bo_key : enrolled_key(maker), key);
    SHA256(key, 32, hash);
    pack_map(out, 3u + is_ssh + has_meaning);
    if (maker->flaw == FLAW_OTHER_DIGEST)
        SHA256((const uint8_t *)"other", 5, key);
    pack_bin_pair(out, "digest", maker->flaw == FLAW_OTHER_DIGEST ? key : digest, 32);
    pack_bin_pair(out, "key", hash, 32);
    if (has_meaning)
        pack_pair(out, "meaning", "approved");
    pack_str(out, "round");
    pack_uint(out, 1);
    if (is_ssh)
        pack_pair(out, "sig_format", "sshsig");
}

static void wrap_for_ssh(struct pack *message)
{
    uint8_t hash[64];

    SHA512(message->at, message->len, hash);
    message->len = 0;
    pack_bytes(message, "SSHSIG\0\0\0\4rota\0\0\0\0\0\0\0\6sha512\0\0\0\100", 32);
    pack_bytes(message, hash, 64);
}

static void sign_vote(struct maker *maker, const char *stream, const struct pack *body,
                      uint8_t sig[64])
{
    struct pack message = {.len = 0};
    uint8_t id[16];

    command_id(5, id);
    pack_bytes(&message, "rota.command/1\n", 15);
    pack_array(&message, 8);
    pack_str(&message, maker->flaw == FLAW_RESTORED_VOTE ? maker->origin_before : maker->origin);
    pack_bin(&message, id, 16);
    pack_str(&message, "record.approve");
    pack_str(&message, stream);
    pack_uint(&message, 0);
    pack_str(&message, "amara");
    pack_raw(&message, body);
    pack_nil(&message);
    if (maker->flaw == FLAW_SSHSIG)
        wrap_for_ssh(&message);
    sign(maker->flaw == FLAW_FORGED ? maker->bo_key : enrolled_key(maker), message.at, message.len,
         sig);
}

static void votes(const struct maker *maker, struct pack *out)
{
    bool has_bo = maker->flaw == FLAW_UNCAST_VOTE;

    pack_str(out, "votes");
    pack_map(out, 1u + has_bo);
    pack_pair(out, "amara", "grant");
    if (has_bo)
        pack_pair(out, "bo", "grant");
}

static bool has_place(const struct maker *maker)
{
    return maker->flaw == FLAW_PLACE || maker->flaw == FLAW_PLACE_KEPT;
}

/* Keys of a map ascend: it stands before `digest` and `votes`. */
static void delegates(const struct maker *maker, struct pack *out)
{
    if (!has_place(maker))
        return;
    pack_str(out, "delegates");
    pack_map(out, 1);
    pack_pair(out, "bo", "amara");
}

static void tell_vote(struct maker *maker, const uint8_t digest[32], struct pack *body)
{
    const char *stream = maker->flaw == FLAW_OTHER_STREAM ? ROUND "/bo" : ROUND "/amara";
    bool is_bare = maker->flaw == FLAW_STRIPPED || maker->flaw == FLAW_NO_MEANING ||
                   maker->flaw == FLAW_ROOTED_STRIPPED;
    bool is_kept = maker->flaw == FLAW_PLACE_KEPT;
    struct pack effects = {.len = 0}, row = {.len = 0};
    uint8_t sig[64];

    vote_body(maker, digest, body);
    sign_vote(maker, stream, body, sig);
    pack_map(&effects, 2);
    pack_str(&effects, "");
    pack_map(&effects, 1u + is_kept + says_waived(maker));
    pack_pair(&effects, "choice", "grant");
    if (is_kept)
        pack_pair(&effects, "for", "bo");
    waived_facts(maker, &effects);
    pack_str(&effects, ROUND);
    pack_map(&effects, 1u + has_place(maker));
    delegates(maker, &effects);
    votes(maker, &effects);
    add_part(maker, &(struct part){.type = "record.approve",
                                   .stream = stream,
                                   .actor = "amara",
                                   .rev = 1,
                                   .command = 5,
                                   .body = body,
                                   .effects = &effects,
                                   .sig = is_bare ? NULL : sig});
    pack_map(&row, 2u + is_kept + says_waived(maker));
    pack_pair(&row, "choice", "grant");
    if (is_kept)
        pack_pair(&row, "for", "bo");
    pack_str(&row, "rev");
    pack_uint(&row, 1);
    waived_facts(maker, &row);
    state(maker, stream, &row);
}

static void tell_approved(struct maker *maker)
{
    struct pack body = {.len = 0}, effects = {.len = 0};

    pack_map(&body, 0);
    pack_map(&effects, 3);
    pack_str(&effects, "");
    pack_map(&effects, 1);
    pack_pair(&effects, "state", "approved");
    pack_str(&effects, ROUND);
    pack_map(&effects, 2);
    pack_str(&effects, "opened");
    pack_nil(&effects);
    pack_pair(&effects, "state", "granted");
    pack_str(&effects, "^");
    pack_map(&effects, 1);
    pack_str(&effects, RECORD);
    pack_uint(&effects, 3 + maker->shift);
    add_part(maker, &(struct part){.type = "record.approved",
                                   .stream = RECORD,
                                   .actor = "engine",
                                   .rev = 3,
                                   .command = 5,
                                   .cause_plus_one = 5 + maker->shift,
                                   .body = &body,
                                   .effects = &effects});
}

static void tell_twice(struct maker *maker, const struct pack *body)
{
    struct pack effects = {.len = 0};

    pack_nil(&effects);
    add_part(maker, &(struct part){.type = "record.approve",
                                   .stream = ROUND "/amara",
                                   .actor = "amara",
                                   .rev = 2,
                                   .command = 5,
                                   .cause_plus_one = 5 + maker->shift,
                                   .body = body,
                                   .effects = &effects});
}

static void store_record(struct maker *maker, const uint8_t digest[32])
{
    struct pack record = {.len = 0}, round = {.len = 0};

    pack_map(&record, 4u + is_waived(maker));
    pack_bin_pair(&record, "digest", digest, 32);
    pack_str(&record, "last");
    pack_uint(&record, 5 + maker->shift);
    pack_str(&record, "rev");
    pack_uint(&record, 3);
    pack_pair(&record, "state", "approved");
    if (is_waived(maker)) {
        pack_str(&record, "waivers");
        pack_uint(&record, 1);
    }
    state(maker, RECORD, &record);
    pack_map(&round, 4u + has_place(maker));
    delegates(maker, &round);
    pack_bin_pair(&round, "digest", digest, 32);
    pack_str(&round, "n");
    pack_uint(&round, 1);
    pack_pair(&round, "state", "granted");
    votes(maker, &round);
    state(maker, ROUND, &round);
}

void maker_story(struct maker *maker, enum flaw flaw)
{
    struct pack vote = {.len = 0};
    uint8_t digest[32];

    maker->flaw = flaw;
    put_content(maker, digest);
    tell_opened(maker);
    tell_directory(maker);
    if (is_rooted(maker))
        tell_key(maker);
    tell_open(maker, digest);
    if (is_restored(maker))
        tell_restored(maker);
    maker_checkpoint(maker);
    if (is_waived(maker))
        tell_waiver(maker, digest);
    tell_submit(maker, digest);
    tell_vote(maker, digest, &vote);
    if (flaw == FLAW_EFFECT_TWICE)
        tell_twice(maker, &vote);
    else
        tell_approved(maker);
    store_record(maker, digest);
    if (flaw == FLAW_BACKDATED)
        tell_enrolled(maker, 1, 20);
    maker_checkpoint(maker);
}
