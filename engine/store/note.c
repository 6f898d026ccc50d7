#include "store/note.h"

#include "base/check.h"
#include "base/dmp.h"

static const char SIGNATURE_MARK[] = "\xe2\x80\x94 "; /* an em dash and a space */

enum { ED25519_KIND = 0x01, MARK_LEN = sizeof SIGNATURE_MARK - 1 };

/* Spaces of Unicode (White_Space) that are not ASCII, as UTF-8. */
static bool has_wide_space(struct slice text)
{
    static const char *const spaces[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        if (text.len > 0 && memmem(text.at, text.len, spaces[i], strlen(spaces[i])) != NULL)
            return true;
    return false;
}

static bool is_name(struct slice name)
{
    if (name.len == 0 || name.len > NOTE_NAME_MAX || !utf8_is_valid(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] == 0x7f || name.at[i] == '+')
            return false;
    return !has_wide_space(name);
}

/* ---- keys ---- */

int note_key_make(struct slice name, const uint8_t key[SIGN_KEY_LEN], struct note_key *out,
                  struct error *err)
{
    struct buf bytes = BUF_EMPTY;
    uint8_t hash[HASH_LEN];

    if (!is_name(name))
        return error_set(err, ERROR_INPUT,
                         "a key name is 1 to %d bytes of UTF-8 without spaces or '+'",
                         NOTE_NAME_MAX);
    buf_add_slice(&bytes, name);
    buf_add_str(&bytes, "\n");
    buf_add_byte(&bytes, ED25519_KIND);
    buf_add(&bytes, key, SIGN_KEY_LEN);
    hash_bytes(buf_slice(&bytes), hash);
    buf_release(&bytes);
    memset(out->name, 0, sizeof out->name);
    memcpy(out->name, name.at, name.len);
    memcpy(out->id, hash, NOTE_KEY_ID_LEN);
    memcpy(out->key, key, SIGN_KEY_LEN);
    return 0;
}

void note_key_add(struct buf *out, const struct note_key *key)
{
    uint8_t bytes[1 + SIGN_KEY_LEN] = {ED25519_KIND};
    char id[2 * NOTE_KEY_ID_LEN + 1];

    memcpy(bytes + 1, key->key, SIGN_KEY_LEN);
    hex_encode(slice_of(key->id, NOTE_KEY_ID_LEN), id);
    buf_addf(out, "%s+%s+", key->name, id);
    base64_add(out, slice_of(bytes, sizeof bytes));
}

static int key_error(struct error *err, const char *why)
{
    return error_set(err, ERROR_INPUT, "not a verifier key (name+hex id+base64): %s", why);
}

int note_key_parse(struct slice vkey, struct note_key *out, struct error *err)
{
    const uint8_t *first = vkey.len > 0 ? memchr(vkey.at, '+', vkey.len) : NULL;
    struct buf bytes = BUF_EMPTY;
    char id[2 * NOTE_KEY_ID_LEN + 1] = "";
    struct note_key found;
    size_t name_len, rest;
    int rc = -1;

    if (first == NULL)
        return key_error(err, "no '+'");
    name_len = (size_t)(first - vkey.at);
    rest = vkey.len - name_len - 1;
    if (rest < sizeof id || first[sizeof id] != '+')
        return key_error(err, "the key id is not 8 hexadecimal digits");
    memcpy(id, first + 1, sizeof id - 1);
    if (base64_decode(slice_of(first + 1 + sizeof id, rest - sizeof id), &bytes) != 0)
        rc = key_error(err, "the key is not base64");
    else if (bytes.len != 1 + SIGN_KEY_LEN || bytes.at[0] != ED25519_KIND)
        rc = key_error(err, "the key is not an Ed25519 key");
    else
        rc = note_key_make(slice_of(vkey.at, name_len), bytes.at + 1, &found, err);
    buf_release(&bytes);
    if (rc == 0) {
        uint8_t said[NOTE_KEY_ID_LEN];

        if (hex_decode(id, said, sizeof said) != 0 || memcmp(said, found.id, sizeof said) != 0)
            return key_error(err, "the key id is not that of the key");
        *out = found;
    }
    return rc;
}

/* ---- notes ---- */

void note_sign(struct buf *out, struct slice text, const struct note_key *key,
               const uint8_t seed[SIGN_SEED_LEN])
{
    uint8_t bytes[NOTE_KEY_ID_LEN + SIGNATURE_LEN];

    check(text.len > 0 && text.at[text.len - 1] == '\n');
    memcpy(bytes, key->id, NOTE_KEY_ID_LEN);
    sign_message(seed, text, bytes + NOTE_KEY_ID_LEN);
    buf_add_slice(out, text);
    buf_addf(out, "\n%s%s ", SIGNATURE_MARK, key->name);
    base64_add(out, slice_of(bytes, sizeof bytes));
    buf_add_byte(out, '\n');
}

static int note_error(struct error *err, const char *why)
{
    return error_set(err, ERROR_INPUT, "not a signed note: %s", why);
}

/* Where the signature lines begin: after the last empty line. 0 if there is none. */
static size_t signatures_at(struct slice note)
{
    for (size_t i = note.len; i >= 2; i--)
        if (note.at[i - 1] == '\n' && note.at[i - 2] == '\n')
            return i;
    return 0;
}

static int note_shape(struct slice note, size_t *signatures, struct error *err)
{
    if (note.len > NOTE_BYTES_MAX)
        return note_error(err, "too long");
    if (!utf8_is_valid(note))
        return note_error(err, "not UTF-8");
    for (size_t i = 0; i < note.len; i++)
        if (note.at[i] < ' ' && note.at[i] != '\n')
            return note_error(err, "a control character");
    *signatures = signatures_at(note);
    if (*signatures == 0 || *signatures == note.len)
        return note_error(err, "no signature");
    if (note.at[note.len - 1] != '\n')
        return note_error(err, "the last line does not end");
    return 0;
}

/* Is `line` (without its newline) a signature by `key`? 1 it holds, 0 by somebody else, -1 malformed or false. */
static int line_verify(struct slice line, const struct note_key *key, struct slice text,
                       struct error *err)
{
    struct buf bytes = BUF_EMPTY;
    const uint8_t *space;
    struct slice name;
    int rc = 0;

    if (!slice_starts(line, SIGNATURE_MARK))
        return note_error(err, "a line after the text is no signature");
    line = slice_of(line.at + MARK_LEN, line.len - MARK_LEN);
    space = line.len > 0 ? memchr(line.at, ' ', line.len) : NULL;
    name = slice_of(line.at, space == NULL ? 0 : (size_t)(space - line.at));
    if (!is_name(name))
        return note_error(err, "a signature has no name");
    if (base64_decode(slice_of(space + 1, line.len - name.len - 1), &bytes) != 0 ||
        bytes.len <= NOTE_KEY_ID_LEN)
        rc = note_error(err, "a signature is not base64");
    else if (slice_is(name, key->name) && memcmp(bytes.at, key->id, NOTE_KEY_ID_LEN) == 0) {
        if (bytes.len == NOTE_KEY_ID_LEN + SIGNATURE_LEN &&
            sign_verify(key->key, text, bytes.at + NOTE_KEY_ID_LEN))
            rc = 1;
        else
            rc = error_set(err, ERROR_INPUT, "the signature of %s does not hold", key->name);
    }
    buf_release(&bytes);
    return rc;
}

int note_verify(struct slice note, const struct note_key *key, struct slice *text,
                struct error *err)
{
    struct slice body;
    bool is_signed = false;
    size_t at = 0;
    int lines = 0;

    if (note_shape(note, &at, err) != 0)
        return -1;
    body = slice_of(note.at, at - 1);
    while (at < note.len) {
        const uint8_t *end = memchr(note.at + at, '\n', note.len - at);
        size_t len = (size_t)(end - (note.at + at));
        int found = line_verify(slice_of(note.at + at, len), key, body, err);

        if (found < 0)
            return -1;
        if (++lines > NOTE_SIGNATURES_MAX)
            return note_error(err, "too many signatures");
        is_signed = is_signed || found == 1;
        at += len + 1;
    }
    if (!is_signed)
        return error_set(err, ERROR_INPUT, "not signed by %s", key->name);
    if (text != NULL)
        *text = body;
    return 0;
}

/* ---- checkpoints ---- */

void checkpoint_add(struct buf *out, const struct checkpoint *checkpoint)
{
    buf_add_slice(out, checkpoint->origin);
    buf_addf(out, "\n%llu\n", (unsigned long long)checkpoint->size);
    base64_add(out, slice_of(checkpoint->root, HASH_LEN));
    buf_add_byte(out, '\n');
}

static int checkpoint_error(struct error *err, const char *why)
{
    return error_set(err, ERROR_INPUT, "not a checkpoint: %s", why);
}

/* Takes the next line without its newline off `rest`. */
static bool take_line(struct slice *rest, struct slice *line)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

    if (end == NULL)
        return false;
    *line = slice_of(rest->at, (size_t)(end - rest->at));
    *rest = slice_of(end + 1, rest->len - line->len - 1);
    return true;
}

static bool read_size(struct slice digits, uint64_t *out)
{
    uint64_t size = 0;

    if (digits.len == 0 || (digits.len > 1 && digits.at[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)digits.at[i] - '0';

        if (digit > 9 || size > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        size = size * 10 + digit;
    }
    *out = size;
    return true;
}

int checkpoint_parse(struct slice text, struct checkpoint *out, struct error *err)
{
    struct slice origin, size, root, more;
    struct checkpoint found;
    struct buf bytes = BUF_EMPTY;
    bool is_hash;

    if (!take_line(&text, &origin) || !take_line(&text, &size) || !take_line(&text, &root))
        return checkpoint_error(err, "fewer than three lines");
    if (origin.len == 0)
        return checkpoint_error(err, "no origin");
    if (!read_size(size, &found.size))
        return checkpoint_error(err, "the size is not a number");
    is_hash = base64_decode(root, &bytes) == 0 && bytes.len == HASH_LEN;
    if (is_hash)
        memcpy(found.root, bytes.at, HASH_LEN);
    buf_release(&bytes);
    if (!is_hash)
        return checkpoint_error(err, "the root is not 32 bytes of base64");
    while (text.len > 0)
        if (!take_line(&text, &more) || more.len == 0)
            return checkpoint_error(err, "an extension line is empty or does not end");
    found.origin = origin;
    *out = found;
    return 0;
}

int checkpoint_open(struct slice note, const struct note_key *key, struct checkpoint *out,
                    struct error *err)
{
    struct checkpoint found;
    struct slice text;

    if (note_verify(note, key, &text, err) != 0 || checkpoint_parse(text, &found, err) != 0)
        return -1;
    if (!slice_is(found.origin, key->name))
        return checkpoint_error(err, "its origin is not the name of its key");
    *out = found;
    return 0;
}
