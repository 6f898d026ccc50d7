#include "note.h"

#include "dmp.h"

#include <stdio.h>

static const char SIGNATURE_MARK[] = "\xe2\x80\x94 "; /* an em dash and a space */

/* White space or control character, as Unicode has them (Zs, Zl, Zp, Cc). */
static bool is_blank(uint32_t c)
{
    return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* A key's name: not empty, UTF-8, without "+" and white space. */
static bool name_is_good(struct bytes name)
{
    size_t i = 0;

    if (name.len == 0 || name.len > VKEY_MAX_NAME || !utf8_valid(name))
        return false;
    while (i < name.len) {
        uint32_t c = name.at[i++];
        unsigned more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

        if (more > 0)
            c &= 0x3fu >> more;
        for (; more > 0; more--)
            c = c << 6 | (name.at[i++] & 0x3fu);
        if (c == '+' || is_blank(c))
            return false;
    }
    return true;
}

static void key_id(const struct vkey *key, uint8_t id[4])
{
    uint8_t middle[2] = {'\n', key->kind}, hash[HASH_LEN];
    struct bytes parts[] = {bytes_text(key->name), bytes_of(middle, 2),
                            bytes_of(key->key, PUBLIC_KEY_LEN)};

    hash_sha256(parts, 3, hash);
    memcpy(id, hash, 4);
}

static bool is_lower_hex(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.at[i] >= '0' && text.at[i] <= '9') || (text.at[i] >= 'a' && text.at[i] <= 'f')))
            return false;
    return true;
}

const char *vkey_read(struct bytes text, struct vkey *out)
{
    const uint8_t *end = text.at + text.len, *first, *second;
    struct vkey key = {.kind = 0};
    struct bytes id_text;
    uint8_t raw[1 + PUBLIC_KEY_LEN], id[4];
    size_t len;

    first = text.len > 0 ? memchr(text.at, '+', text.len) : NULL;
    second = first != NULL ? memchr(first + 1, '+', (size_t)(end - first - 1)) : NULL;
    if (second == NULL)
        return "a verifier key has three parts joined by '+'";
    if (!name_is_good(bytes_of(text.at, (size_t)(first - text.at))))
        return "bad key name";
    memcpy(key.name, text.at, (size_t)(first - text.at));
    id_text = bytes_of(first + 1, (size_t)(second - first - 1));
    if (!is_lower_hex(id_text) || hex_read(id_text, key.id, 4) != 0)
        return "bad key id";
    if (base64_read(bytes_of(second + 1, (size_t)(end - second - 1)), raw, sizeof raw, &len) != 0 ||
        len != sizeof raw || (raw[0] != VKEY_ED25519 && raw[0] != VKEY_COSIGNATURE))
        return "unsupported verifier key (want Ed25519, type 0x01 or 0x04)";
    key.kind = raw[0];
    memcpy(key.key, raw + 1, PUBLIC_KEY_LEN);
    key_id(&key, id);
    if (memcmp(id, key.id, 4) != 0)
        return "verifier key does not hash to its key id";
    *out = key;
    return NULL;
}

void vkey_as_witness(struct vkey *key)
{
    key->kind = VKEY_COSIGNATURE;
    key_id(key, key->id);
}

/* The next line without its newline. False: no newline is left. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

    if (end == NULL)
        return false;
    *line = bytes_of(rest->at, (size_t)(end - rest->at));
    *rest = bytes_of(end + 1, rest->len - line->len - 1);
    return true;
}

/* A plain decimal of at most 2^63. */
static bool read_decimal(struct bytes text, uint64_t *out)
{
    uint64_t n = 0;

    if (text.len == 0 || text.len > 19 || (text.at[0] == '0' && text.len > 1))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(text.at[i] - '0');
    }
    *out = n;
    return n <= (uint64_t)1 << 63;
}

const char *checkpoint_parse(struct bytes text, struct checkpoint *out)
{
    struct bytes rest = text, lines[3], extension;
    uint8_t empty[HASH_LEN];
    size_t len;

    if (!utf8_valid(text))
        return "checkpoint is not UTF-8";
    for (size_t i = 0; i < 3; i++)
        if (!next_line(&rest, &lines[i]) || lines[i].len == 0)
            return "checkpoint needs three or more non-empty lines";
    while (rest.len > 0)
        if (!next_line(&rest, &extension) || extension.len == 0)
            return "checkpoint needs three or more non-empty lines";
    if (!read_decimal(lines[1], &out->size))
        return "tree size is not a plain decimal";
    if (base64_read(lines[2], out->root, HASH_LEN, &len) != 0 || len != HASH_LEN)
        return "checkpoint root is not 32 bytes of base64";
    hash_sha256(NULL, 0, empty);
    if (out->size == 0 && memcmp(out->root, empty, HASH_LEN) != 0)
        return "empty tree with a root that is not the empty root";
    out->origin = lines[0];
    return NULL;
}

static const char *split_note(struct bytes note, struct bytes *text, struct bytes *block)
{
    size_t cut;

    if (note.len > NOTE_MAX_BYTES)
        return "note too long";
    if (!utf8_valid(note))
        return "note is not UTF-8";
    for (size_t i = 0; i < note.len; i++)
        if (note.at[i] < 0x20 && note.at[i] != '\n')
            return "note has a control character";
    if (note.len < 2 || note.at[note.len - 1] != '\n')
        return "note has no signature block";
    for (cut = note.len - 2; note.at[cut] != '\n' || note.at[cut + 1] != '\n'; cut--)
        if (cut == 0)
            return "note has no signature block";
    *text = bytes_of(note.at, cut + 1);
    *block = bytes_of(note.at + cut + 2, note.len - cut - 2);
    return block->len == 0 ? "note has no signatures" : NULL;
}

struct signature {
    struct bytes name;
    uint8_t raw[256]; /* key id and signature */
    size_t len;
};

static const char *read_signature(struct bytes line, struct signature *out)
{
    static const char malformed[] = "malformed signature line";
    size_t mark = sizeof SIGNATURE_MARK - 1;
    const uint8_t *space;

    if (line.len < mark || memcmp(line.at, SIGNATURE_MARK, mark) != 0)
        return malformed;
    line = bytes_of(line.at + mark, line.len - mark);
    space = line.len > 0 ? memchr(line.at, ' ', line.len) : NULL;
    if (space == NULL)
        return malformed;
    out->name = bytes_of(line.at, (size_t)(space - line.at));
    if (!name_is_good(out->name))
        return malformed;
    line = bytes_of(space + 1, line.len - out->name.len - 1);
    if (base64_read(line, out->raw, sizeof out->raw, &out->len) != 0 || out->len < 5)
        return malformed;
    return NULL;
}

static bool is_by(const struct signature *signature, const struct vkey *key)
{
    return memcmp(signature->raw, key->id, 4) == 0 && bytes_are(signature->name, key->name);
}

static const struct vkey *signer_of(const struct signature *signature, const struct vkey *keys,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_by(signature, &keys[i]))
            return &keys[i];
    return NULL;
}

static bool cosignature_holds(const struct vkey *key, struct bytes text, struct bytes signature,
                              uint64_t *when)
{
    struct buf message = {0};
    char head[64];
    uint64_t time = 0;
    bool holds;

    if (signature.len != 8 + SIGNATURE_LEN)
        return false;
    for (size_t i = 0; i < 8; i++)
        time = time << 8 | signature.at[i];
    if (time > INT64_MAX)
        return false;
    snprintf(head, sizeof head, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    buf_add_text(&message, head);
    buf_add_bytes(&message, text);
    holds = hash_signed(key->key, buf_bytes(&message), bytes_of(signature.at + 8, SIGNATURE_LEN));
    buf_release(&message);
    *when = time;
    return holds;
}

/* What was found while the signature lines of one note are read. */
struct opening {
    const struct note_policy *policy;
    struct bytes text, origin;
    bool by_log, by_origin;
    uint64_t seen[(NOTE_MAX_SIGNATURES + 63) / 64]; /* witnesses that signed, by number */
    struct note_signers signers;
};

static const char *check_signature(struct opening *open, const struct signature *signature)
{
    const struct note_policy *policy = open->policy;
    struct bytes bare = bytes_of(signature->raw + 4, signature->len - 4);
    const struct vkey *key = signer_of(signature, policy->logs, policy->log_count);
    uint64_t when;
    size_t number;

    if (key != NULL) {
        if (!hash_signed(key->key, open->text, bare))
            return "bad signature by the log";
        open->by_log = true;
        open->by_origin = open->by_origin || bytes_are(open->origin, key->name);
        return NULL;
    }
    key = signer_of(signature, policy->witnesses, policy->witness_count);
    if (key == NULL)
        return NULL; /* somebody we do not know: neither good nor bad */
    if (!cosignature_holds(key, open->text, bare, &when))
        return "bad cosignature by a witness";
    number = (size_t)(key - policy->witnesses);
    if ((open->seen[number / 64] >> number % 64 & 1) == 0)
        open->signers.witnesses++;
    open->seen[number / 64] |= (uint64_t)1 << number % 64;
    if (!open->signers.has_time || when > open->signers.newest_time)
        open->signers.newest_time = when;
    open->signers.has_time = true;
    return NULL;
}

const char *checkpoint_open(struct bytes note, const struct note_policy *policy,
                            struct bytes origin, struct checkpoint *out,
                            struct note_signers *signers)
{
    struct opening open = {.policy = policy};
    struct bytes block = {NULL, 0}, line;
    struct signature signature;
    const char *why = split_note(note, &open.text, &block);
    size_t count = 0;

    if (why == NULL)
        why = checkpoint_parse(open.text, out);
    if (why == NULL)
        open.origin = out->origin;
    while (why == NULL && next_line(&block, &line)) {
        why = ++count > NOTE_MAX_SIGNATURES ? "note has too many signatures"
                                            : read_signature(line, &signature);
        if (why == NULL)
            why = check_signature(&open, &signature);
    }
    if (why != NULL)
        return why;
    if (!open.by_log)
        return "checkpoint is not signed by the log";
    if (origin.len == 0 && !open.by_origin)
        return "checkpoint origin is not the name of the key that signed it";
    if (origin.len > 0 && !bytes_equal(origin, out->origin))
        return "checkpoint is for another log";
    *signers = open.signers;
    return NULL;
}
