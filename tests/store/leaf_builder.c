#include "leaf_builder.h"

#include "base/dmp.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>

void leaf_command_id(uint64_t command, uint8_t out[16])
{
    memset(out, 0, 16);
    for (int i = 0; i < 8; i++)
        out[15 - i] = (uint8_t)(command >> (8 * i));
}

static void put_optional_bin(struct buf *out, const uint8_t *bytes, size_t len)
{
    if (bytes == NULL)
        dmp_put_nil(out);
    else
        dmp_put_bin(out, slice_of(bytes, len));
}

static void put_opened(struct buf *out, struct slice filler)
{
    uint8_t key[SIGN_KEY_LEN];

    sign_public_key((const uint8_t *)LEAF_BUILDER_SEED, key);
    dmp_put_map(out, filler.len > 0 ? 7 : 6);
    dmp_put_str(out, slice_str("clock"));
    dmp_put_str(out, slice_str("system"));
    if (filler.len > 0) {
        dmp_put_str(out, slice_str("filler"));
        dmp_put_str(out, filler);
    }
    dmp_put_str(out, slice_str("format"));
    dmp_put_str(out, slice_str("rota.leaf/1"));
    dmp_put_str(out, slice_str("log_key"));
    dmp_put_bin(out, slice_of(key, sizeof key));
    dmp_put_str(out, slice_str("origin"));
    dmp_put_str(out, slice_str(LEAF_BUILDER_ORIGIN));
    dmp_put_str(out, slice_str("root_keys"));
    dmp_put_array(out, 0);
    dmp_put_str(out, slice_str("timezone"));
    dmp_put_str(out, slice_str("UTC"));
}

static void put_body(struct buf *out, const struct leaf_spec *spec)
{
    struct buf filler = BUF_EMPTY;

    for (size_t i = 0; i < spec->pad; i++)
        buf_add_byte(&filler, (uint8_t)('a' + (spec->seq * 7 + i * (spec->seq % 13 + 1)) % 26));
    if (spec->seq == 0) {
        put_opened(out, buf_slice(&filler));
        buf_release(&filler);
        return;
    }
    dmp_put_map(out, spec->redacts != NULL ? 2 : 1);
    dmp_put_str(out, slice_str("filler"));
    dmp_put_str(out, buf_slice(&filler));
    if (spec->redacts != NULL) {
        dmp_put_str(out, slice_str("hash"));
        dmp_put_bin(out, slice_of(spec->redacts, 32));
    }
    buf_release(&filler);
}

void leaf_build(struct buf *out, const struct leaf_spec *spec)
{
    char stream[64];
    uint8_t id[16];

    snprintf(stream, sizeof stream, "test/%" PRIu64, spec->seq);
    leaf_command_id(spec->command, id);
    dmp_put_array(out, 14);
    dmp_put_str(out, slice_str("rota.leaf/1"));
    dmp_put_int(out, (int64_t)spec->seq);
    dmp_put_int(out, INT64_C(1700000000000000) + (int64_t)spec->seq * 1000);
    dmp_put_str(out, slice_str(spec->seq == 0          ? "journal.opened"
                               : spec->redacts != NULL ? "content.redacted"
                                                       : "test.happened"));
    dmp_put_str(out, slice_str(spec->seq == 0         ? "journal"
                               : spec->stream != NULL ? spec->stream
                                                      : stream));
    dmp_put_int(out, spec->rev > 0 ? (int64_t)spec->rev : 1);
    dmp_put_str(out, slice_str("engine"));
    dmp_put_array(out, 2);
    dmp_put_str(out, slice_str("engine"));
    dmp_put_nil(out);
    dmp_put_bin(out, slice_of(id, sizeof id));
    dmp_put_nil(out);
    put_body(out, spec);
    dmp_put_map(out, 0);
    put_optional_bin(out, spec->content, 32);
    dmp_put_nil(out);
}
