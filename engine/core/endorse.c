/* endorse.c - endorsements of keys: the message, and whether there are enough. */
#include "core/endorse.h"

#include "base/dmp.h"

#include <string.h>

void endorse_message(struct buf *out, const struct enrolment *enrolment)
{
    buf_add_str(out, "rota.key/1\n");
    dmp_put_array(out, 4);
    dmp_put_str(out, enrolment->origin);
    dmp_put_str(out, enrolment->person);
    dmp_put_int(out, enrolment->serial);
    dmp_put_bin(out, slice_of(enrolment->key, SIGN_KEY_LEN));
}

static bool holds(const struct value *endorsement, const uint8_t *key, const struct buf *message)
{
    struct slice signature = value_get_bin(endorsement, "signature");
    struct buf wrapped = BUF_EMPTY;
    bool is_held;

    if (signature.len != SIGNATURE_LEN)
        return false;
    buf_add_slice(&wrapped, buf_slice(message));
    if (slice_is(value_get_text(endorsement, "sig_format"), "sshsig"))
        sign_wrap_for_ssh(&wrapped);
    is_held = sign_verify(key, buf_slice(&wrapped), signature.at);
    buf_release(&wrapped);
    return is_held;
}

static bool is_hash_of(struct slice hash, const uint8_t *key)
{
    uint8_t own[HASH_LEN];

    hash_bytes(slice_of(key, SIGN_KEY_LEN), own);
    return slice_equal(hash, slice_of(own, HASH_LEN));
}

/* The key whose hash this is; `root` is its number among the roots, or -1. */
static const uint8_t *key_of(const struct enrolment *enrolment, struct slice by, int *root)
{
    *root = -1;
    if (enrolment->present != NULL && is_hash_of(by, enrolment->present))
        return enrolment->present;
    for (uint32_t i = 0; enrolment->roots != NULL && i < enrolment->roots->count; i++) {
        struct slice key = value_slice(&enrolment->roots->as.items[i]);

        if (i >= ROOT_KEYS_MAX || key.len != SIGN_KEY_LEN || !is_hash_of(by, key.at))
            continue;
        *root = (int)i;
        return key.at;
    }
    return NULL;
}

const char *endorse_fault(const struct enrolment *enrolment, const struct value *endorsements)
{
    struct buf message = BUF_EMPTY;
    bool seen[ROOT_KEYS_MAX] = {false}, by_present = false;
    const char *fault = NULL;
    int roots = 0, root;

    if (!value_is(endorsements, VALUE_ARRAY) || endorsements->count > ENDORSEMENTS_MAX)
        return "the endorsements are a list of at most 16";
    endorse_message(&message, enrolment);
    for (uint32_t i = 0; i < endorsements->count && fault == NULL; i++) {
        const struct value *one = &endorsements->as.items[i];
        const uint8_t *key = key_of(enrolment, value_get_bin(one, "by"), &root);

        if (key == NULL)
            fault = "an endorsement is by a key that is neither the present one nor a root key";
        else if (!holds(one, key, &message))
            fault = "an endorsement does not hold for this person, key and number of change";
        else if (root < 0)
            by_present = true;
        else if (!seen[root])
            roots += seen[root] = true;
    }
    buf_release(&message);
    if (fault == NULL && !by_present && roots < ENDORSE_ROOTS_MIN)
        fault = "it takes the person's present key, or two different root keys";
    return fault;
}

void endorse_fingerprint(const struct value *roots, uint8_t out[HASH_LEN])
{
    struct buf bytes = BUF_EMPTY;

    buf_add_str(&bytes, "rota.roots/1\n");
    for (uint32_t i = 0; value_is(roots, VALUE_ARRAY) && i < roots->count; i++)
        buf_add_slice(&bytes, value_slice(&roots->as.items[i]));
    hash_bytes(buf_slice(&bytes), out);
    buf_release(&bytes);
}
