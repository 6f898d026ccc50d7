#include "keyring.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ROOTS_NEEDED = 2 };

void keyring_init(struct keyring *ring)
{
    *ring = (struct keyring){0};
    table_init(&ring->holders);
}

void keyring_release(struct keyring *ring)
{
    table_release(&ring->holders);
    free(ring->periods);
}

void keyring_open(struct keyring *ring, struct bytes body, uint8_t fingerprint[HASH_LEN])
{
    struct bytes list, parts[1 + KEYRING_ROOTS_MAX] = {bytes_text("rota.roots/1\n")};
    struct dmp_cursor cursor;
    struct dmp_item item;
    uint64_t left;

    if (!dmp_find(body, "root_keys", &list))
        return;
    cursor = dmp_cursor(list);
    if (!dmp_next(&cursor, &item) || item.kind != DMP_ARRAY)
        return;
    for (left = item.number; left > 0 && ring->root_count < KEYRING_ROOTS_MAX; left--) {
        if (!dmp_next(&cursor, &item) || item.bytes.len != PUBLIC_KEY_LEN)
            return;
        memcpy(ring->roots[ring->root_count], item.bytes.at, PUBLIC_KEY_LEN);
        ring->root_count++;
        parts[ring->root_count] = bytes_of(ring->roots[ring->root_count - 1], PUBLIC_KEY_LEN);
    }
    hash_sha256(parts, 1 + ring->root_count, fingerprint);
}

/* ---- endorsements ---- */

static void build_message(const struct keyring *ring, struct bytes person, uint64_t changes,
                          struct bytes key, struct buf *out)
{
    buf_add_text(out, "rota.key/1\n");
    buf_add_byte(out, 0x94); /* an array of four */
    dmp_add_str(out, ring->origin);
    dmp_add_str(out, person);
    dmp_add_uint(out, changes);
    dmp_add_bin(out, key);
}

static bool is_hash_of(struct bytes by, const uint8_t *key)
{
    struct bytes part = bytes_of(key, PUBLIC_KEY_LEN);
    uint8_t hash[HASH_LEN];

    hash_sha256(&part, 1, hash);
    return bytes_equal(by, bytes_of(hash, HASH_LEN));
}

struct endorsed {
    const struct keyring *ring;
    const struct table_entry *holder;
    struct bytes message;
    bool by_present, by_root[KEYRING_ROOTS_MAX];
    unsigned roots;
};

static bool is_signed(const struct endorsed *endorsed, struct bytes one, const uint8_t *key,
                      struct bytes signature)
{
    struct buf message = {0};
    struct bytes format;
    bool holds;

    buf_add_bytes(&message, endorsed->message);
    if (dmp_find_str(one, "sig_format", &format) && bytes_are(format, "sshsig"))
        leaf_wrap_for_ssh(&message);
    holds = hash_signed(key, buf_bytes(&message), signature);
    buf_release(&message);
    return holds;
}

/* NULL: it holds and was counted. */
static const char *count_one(struct endorsed *endorsed, struct bytes one)
{
    const struct keyring *ring = endorsed->ring;
    struct bytes by, signature;

    if (!dmp_find_bin(one, "by", &by) || !dmp_find_bin(one, "signature", &signature))
        return "an endorsement names no key or has no signature";
    if (endorsed->holder->row != NULL && is_hash_of(by, endorsed->holder->row)) {
        if (!is_signed(endorsed, one, endorsed->holder->row, signature))
            return "the endorsement by the present key does not hold";
        endorsed->by_present = true;
        return NULL;
    }
    for (size_t i = 0; i < ring->root_count; i++) {
        if (!is_hash_of(by, ring->roots[i]))
            continue;
        if (!is_signed(endorsed, one, ring->roots[i], signature))
            return "the endorsement by a root key does not hold";
        endorsed->roots += !endorsed->by_root[i];
        endorsed->by_root[i] = true;
        return NULL;
    }
    return "an endorsement is by a key that may not endorse";
}

static const char *enrolment_fault(const struct keyring *ring, const struct table_entry *holder,
                                   struct bytes key, struct bytes list)
{
    struct endorsed endorsed = {.ring = ring, .holder = holder};
    struct dmp_cursor cursor = dmp_cursor(list);
    struct buf message = {0};
    struct dmp_item item;
    struct bytes one;
    const char *fault = NULL;

    if (!dmp_next(&cursor, &item) || item.kind != DMP_ARRAY)
        return "its endorsements are no list";
    build_message(ring, table_key(holder), holder->revision, key, &message);
    endorsed.message = buf_bytes(&message);
    for (uint64_t left = item.number; left > 0 && fault == NULL; left--)
        fault =
            dmp_skip(&cursor, &one) ? count_one(&endorsed, one) : "its endorsements are no list";
    buf_release(&message);
    if (fault == NULL && !endorsed.by_present && endorsed.roots < ROOTS_NEEDED)
        fault = "neither the key before nor two root keys endorse it";
    return fault;
}

/* ---- leaves ---- */

static void end_period(struct keyring *ring, const struct table_entry *holder, uint64_t seq)
{
    for (size_t i = ring->period_count; i > 0; i--) {
        struct keyring_period *period = &ring->periods[i - 1];

        if (period->holder == holder && period->last == UINT64_MAX) {
            period->last = seq;
            return;
        }
    }
}

static void begin_period(struct keyring *ring, const struct table_entry *holder, struct bytes key,
                         uint64_t seq)
{
    struct keyring_period period = {.holder = holder, .first = seq + 1, .last = UINT64_MAX};

    memcpy(period.key, key.at, PUBLIC_KEY_LEN);
    ring->periods = memory_grow(ring->periods, &ring->period_cap, ring->period_count + 1,
                                sizeof *ring->periods);
    ring->periods[ring->period_count++] = period;
}

static void enrol(struct keyring *ring, struct report *report, const struct leaf *leaf,
                  uint64_t seq, struct table_entry *holder)
{
    struct bytes key, list;
    const char *fault;

    if (!dmp_find_bin(leaf->body, "key", &key) || key.len != PUBLIC_KEY_LEN ||
        !dmp_find(leaf->body, "endorsements", &list))
        fault = "it names no key, or nobody who endorses it";
    else
        fault = enrolment_fault(ring, holder, key, list);
    holder->revision++;
    if (fault != NULL) {
        report_error(report, "KEY_UNPROVEN", (int64_t)seq, "the key of %.*s is not proven: %s",
                     BYTES_ARG(table_key(holder)), fault);
        return;
    }
    end_period(ring, holder, seq);
    begin_period(ring, holder, key, seq);
    table_set_row(&ring->holders, holder, key);
}

void keyring_leaf(struct keyring *ring, struct report *report, const struct leaf *leaf,
                  uint64_t seq)
{
    bool enrols = bytes_are(leaf->type, "key.enrolled");
    struct table_entry *holder;
    struct bytes person;

    if (!keyring_is_rooted(ring) || (!enrols && !bytes_are(leaf->type, "key.revoked")))
        return;
    if (!dmp_find_str(leaf->body, "person", &person) || person.len == 0) {
        report_error(report, "KEY_UNPROVEN", (int64_t)seq, "it does not say whose key it is");
        return;
    }
    holder = table_entry(&ring->holders, person);
    if (enrols) {
        enrol(ring, report, leaf, seq, holder);
        return;
    }
    holder->revision++;
    end_period(ring, holder, seq);
    if (holder->row != NULL)
        table_drop_row(&ring->holders, holder);
}

bool keyring_key(const struct keyring *ring, struct bytes actor, struct bytes *key)
{
    const struct table_entry *holder = table_find(&ring->holders, actor);

    if (holder == NULL || holder->row == NULL)
        return false;
    *key = bytes_of(holder->row, PUBLIC_KEY_LEN);
    return true;
}

/* ---- afterwards ---- */

void keyring_compare(const struct keyring *ring, struct report *report, const struct table *rows)
{
    static const char prefix[] = "person/";

    for (const struct table_entry *entry = rows->first; entry != NULL && keyring_is_rooted(ring);
         entry = entry->next) {
        struct bytes name = table_key(entry), said, key;
        bool has_said, has_key;

        if (entry->row == NULL || name.len <= sizeof prefix - 1 ||
            memcmp(name.at, prefix, sizeof prefix - 1) != 0)
            continue;
        name = bytes_of(name.at + sizeof prefix - 1, name.len - (sizeof prefix - 1));
        has_said = dmp_find_bin(table_row(entry), "sign", &said);
        has_key = keyring_key(ring, name, &key);
        if (has_said != has_key || (has_said && !bytes_equal(said, key)))
            report_error(report, "KEY_ROW", REPORT_NO_SEQ,
                         "the directory says that %.*s has %s, but %s was enrolled",
                         BYTES_ARG(name), has_said ? "a signing key" : "no signing key",
                         has_key ? "another" : "none");
    }
}

int keyring_write(const struct keyring *ring, FILE *out)
{
    for (size_t i = 0; i < ring->period_count; i++) {
        const struct keyring_period *period = &ring->periods[i];

        fprintf(out, "%.*s ", BYTES_ARG(table_key(period->holder)));
        for (size_t k = 0; k < PUBLIC_KEY_LEN; k++)
            fprintf(out, "%02x", period->key[k]);
        fprintf(out, " %" PRIu64, period->first);
        if (period->last != UINT64_MAX)
            fprintf(out, " %" PRIu64, period->last);
        fputc('\n', out);
    }
    return ferror(out) ? -1 : 0;
}
