/* packs.c - definitions: from the journal's contents to compiled packs. */
#include "daemon/engine.h"

#include "definition/pack.h"

/* What to do with the files of a pack, and where to say what is wrong with them. */
struct compiling {
    bool is_new; /* it is proven as well; one that is installed was, by the release of its day */
    struct buf *said; /* every problem, a line each; NULL: `err` says enough */
};

/* Compiles, and gives the pack to core. */
static int compile(struct engine *engine, const struct compiling *how,
                   const struct pack_file *files, int count, uint8_t digest[HASH_LEN],
                   struct error *err)
{
    struct problems problems = PROBLEMS_EMPTY;
    struct pack *pack = NULL;
    int rc = how->is_new ? pack_load_files(files, count, &pack, &problems, err)
                         : pack_load_installed(files, count, &pack, &problems, err);

    if (rc == 0) {
        memcpy(digest, pack->digest, HASH_LEN);
        core_use_pack(engine->core, &pack);
    } else if (how->said != NULL) {
        problems_show(&problems, how->said);
    }
    problems_release(&problems);
    return rc;
}

/* A pack that is content of the journal: {content, size}. */
static int compile_content(struct engine *engine, const struct compiling *how,
                           const struct value *pack, uint8_t digest[HASH_LEN], struct error *err)
{
    struct slice hash = value_get_bin(pack, "content");
    struct pack_file *files = NULL;
    struct buf bytes = BUF_EMPTY;
    int count = 0, rc;

    if (hash.len != HASH_LEN || journal_content(engine->journal, hash.at, &bytes, NULL) != 1)
        rc = error_set(err, ERROR_DAMAGED, "its files are not in the journal");
    else
        rc = pack_split(buf_slice(&bytes), &engine->arena, &files, &count, err);
    if (rc == 0)
        rc = compile(engine, how, files, count, digest, err);
    buf_release(&bytes);
    return rc;
}

int engine_take_pack(struct engine *engine, struct value *args, struct buf *said, struct error *err)
{
    const struct compiling how = {true, said};
    uint8_t *digest = arena_take(&engine->arena, HASH_LEN);

    if (compile_content(engine, &how, value_get(args, "pack"), digest, err) != 0)
        return -1;
    value_set(&engine->arena, args, "digest", value_bin(digest, HASH_LEN));
    return 0;
}

/* ---- packs that were installed ---- */

struct loading {
    struct engine *engine;
    struct error *err;
};

static int load_one(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    struct loading *loading = self;
    struct engine *engine = loading->engine;
    const struct compiling how = {false, NULL};
    struct value row = VALUE_NONE;
    uint8_t digest[HASH_LEN];
    char hex[2 * HASH_LEN + 1];

    (void)due_ms;
    if (dmp_decode(&engine->arena, bytes, &row, loading->err) != 0 ||
        compile_content(engine, &how, value_get(&row, "pack"), digest, loading->err) != 0)
        return -1;
    hex_encode(slice_of(digest, HASH_LEN), hex);
    if (key.len != 5 + strlen(hex) || memcmp(key.at + 5, hex, strlen(hex)) != 0)
        return error_set(loading->err, ERROR_DAMAGED,
                         "the pack %.*s has another digest than its files", (int)key.len,
                         (const char *)key.at);
    return 0;
}

int engine_load_packs(struct engine *engine, struct error *err)
{
    struct loading loading = {engine, err};

    return journal_each_row(engine->journal, slice_str("pack/"), slice_of(NULL, 0), load_one,
                            &loading, err) < 0
               ? -1
               : 0;
}
