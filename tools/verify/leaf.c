#include "leaf.h"

static bool is_uint(const struct dmp_item *item)
{
    return item->kind == DMP_INT && !item->is_negative && item->number <= INT64_MAX;
}

static bool is_text(const struct dmp_item *item, size_t limit)
{
    return item->kind == DMP_STR && item->bytes.len > 0 && item->bytes.len <= limit &&
           memchr(item->bytes.at, 0, item->bytes.len) == NULL;
}

static bool is_bin(const struct dmp_item *item, size_t len)
{
    return item->kind == DMP_BIN && item->bytes.len == len;
}

static bool read_uint(struct dmp_cursor *cursor, uint64_t *out)
{
    struct dmp_item item;

    if (!dmp_next(cursor, &item) || !is_uint(&item))
        return false;
    *out = item.number;
    return true;
}

static bool read_text(struct dmp_cursor *cursor, size_t limit, struct bytes *out)
{
    struct dmp_item item;

    if (!dmp_next(cursor, &item) || !is_text(&item, limit))
        return false;
    *out = item.bytes;
    return true;
}

static bool read_auth(struct dmp_cursor *cursor, struct leaf *leaf)
{
    struct dmp_item item;

    if (!dmp_next(cursor, &item) || item.kind != DMP_ARRAY || item.number != 2)
        return false;
    if (!read_text(cursor, 32, &leaf->auth_method) || !dmp_next(cursor, &item))
        return false;
    leaf->has_auth_key = item.kind != DMP_NIL;
    return item.kind == DMP_NIL || (item.kind == DMP_BIN && item.bytes.len <= 64);
}

static bool read_command_id(struct dmp_cursor *cursor, struct leaf *leaf)
{
    struct dmp_item item;

    if (!dmp_next(cursor, &item) || !is_bin(&item, ID_LEN))
        return false;
    leaf->command_id = item.bytes.at;
    return true;
}

static bool read_cause(struct dmp_cursor *cursor, struct leaf *leaf)
{
    struct dmp_item item;

    if (!dmp_next(cursor, &item))
        return false;
    leaf->has_cause = item.kind != DMP_NIL;
    leaf->cause = item.number;
    return item.kind == DMP_NIL || is_uint(&item);
}

static bool read_map(struct dmp_cursor *cursor, bool or_nil, struct bytes *out)
{
    return dmp_skip(cursor, out) && (dmp_is_map(*out) || (or_nil && dmp_is_nil(*out)));
}

static bool read_content(struct dmp_cursor *cursor, struct leaf *leaf)
{
    const uint8_t *start = cursor->at;
    struct dmp_item item;
    uint64_t count = 1;

    if (!dmp_next(cursor, &item))
        return false;
    leaf->content_count = 0;
    if (item.kind == DMP_ARRAY) {
        count = item.number;
        if (count < 1 || count > LEAF_MAX_CONTENTS || !dmp_next(cursor, &item))
            return false;
    } else if (item.kind == DMP_NIL) {
        count = 0;
    }
    while (count > 0) {
        if (!is_bin(&item, HASH_LEN))
            return false;
        leaf->contents[leaf->content_count++] = item.bytes.at;
        if (--count > 0 && !dmp_next(cursor, &item))
            return false;
    }
    leaf->content = bytes_of(start, (size_t)(cursor->at - start));
    return true;
}

static bool read_signature(struct dmp_cursor *cursor, struct leaf *leaf)
{
    struct dmp_item item;

    if (!dmp_next(cursor, &item))
        return false;
    leaf->actor_sig = item.kind == DMP_NIL ? NULL : item.bytes.at;
    return item.kind == DMP_NIL || is_bin(&item, SIGNATURE_LEN);
}

static bool read_tag(struct dmp_cursor *cursor)
{
    struct dmp_item item;

    return dmp_next(cursor, &item) && item.kind == DMP_STR && bytes_are(item.bytes, "rota.leaf/1");
}

static const char *read_fields(struct dmp_cursor *cursor, struct leaf *leaf)
{
    if (!read_tag(cursor))
        return "field tag is wrong";
    if (!read_uint(cursor, &leaf->seq))
        return "field seq is wrong";
    if (!read_uint(cursor, &leaf->time_us))
        return "field time_us is wrong";
    if (!read_text(cursor, 64, &leaf->type))
        return "field type is wrong";
    if (!read_text(cursor, 128, &leaf->stream))
        return "field stream is wrong";
    if (!read_uint(cursor, &leaf->rev) || leaf->rev == 0)
        return "field rev is wrong";
    if (!read_text(cursor, 128, &leaf->actor))
        return "field actor is wrong";
    if (!read_auth(cursor, leaf))
        return "field auth is wrong";
    if (!read_command_id(cursor, leaf))
        return "field command_id is wrong";
    if (!read_cause(cursor, leaf))
        return "field cause is wrong";
    if (!read_map(cursor, false, &leaf->body))
        return "field body is wrong";
    if (!read_map(cursor, true, &leaf->effects))
        return "field effects is wrong";
    if (!read_content(cursor, leaf))
        return "field content is wrong";
    return read_signature(cursor, leaf) ? NULL : "field actor_sig is wrong";
}

const char *leaf_read(struct bytes raw, struct leaf *leaf)
{
    struct dmp_cursor cursor = dmp_cursor(raw);
    struct dmp_item item;
    const char *why = dmp_check(raw);

    if (why != NULL)
        return why;
    if (!dmp_next(&cursor, &item) || item.kind != DMP_ARRAY || item.number != 14)
        return "a leaf is an array of 14 values";
    return read_fields(&cursor, leaf);
}

void leaf_command_message(const struct leaf *leaf, struct bytes origin, struct buf *out)
{
    out->len = 0;
    buf_add_text(out, "rota.command/1\n");
    buf_add_byte(out, 0x98); /* an array of eight */
    dmp_add_str(out, origin);
    dmp_add_bin(out, bytes_of(leaf->command_id, ID_LEN));
    dmp_add_str(out, leaf->type);
    dmp_add_str(out, leaf->stream);
    dmp_add_uint(out, leaf->rev - 1);
    dmp_add_str(out, leaf->actor);
    buf_add_bytes(out, leaf->body);
    buf_add_bytes(out, leaf->content);
}

bool leaf_vote_stream(struct bytes stream, struct bytes *round_row, struct bytes *person)
{
    static const char word[] = "/round/";
    size_t word_len = sizeof word - 1, slash = stream.len, digits;

    while (slash > 0 && stream.at[slash - 1] != '/')
        slash--;
    if (slash == 0 || slash == stream.len)
        return false;
    digits = slash - 1;
    while (digits > 0 && stream.at[digits - 1] >= '0' && stream.at[digits - 1] <= '9')
        digits--;
    if (digits == slash - 1 || digits <= word_len ||
        memcmp(stream.at + digits - word_len, word, word_len) != 0)
        return false;
    *round_row = bytes_of(stream.at, slash - 1);
    *person = bytes_of(stream.at + slash, stream.len - slash);
    return true;
}

/* ---- OpenSSH's envelope ---- */

static void add_ssh_string(struct buf *out, struct bytes text)
{
    uint8_t len[4] = {0, 0, 0, (uint8_t)text.len}; /* ours are all shorter than 256 */

    buf_add(out, len, 4);
    buf_add_bytes(out, text);
}

/* What `ssh-keygen -Y sign -n rota` signs instead of the message itself (OpenSSH PROTOCOL.sshsig, sha512). */
void leaf_wrap_for_ssh(struct buf *message)
{
    uint8_t hash[SHA512_LEN];

    hash_sha512(buf_bytes(message), hash);
    message->len = 0;
    buf_add_text(message, "SSHSIG");
    add_ssh_string(message, bytes_text("rota"));
    add_ssh_string(message, bytes_text(""));
    add_ssh_string(message, bytes_text("sha512"));
    add_ssh_string(message, bytes_of(hash, sizeof hash));
}
