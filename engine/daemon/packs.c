/* packs.c - definitions: from the journal's contents to compiled packs. */
#include "daemon/engine.h"

#include "definition/pack.h"

/* The bytes of each file, in memory of the engine's arena. */
static int read_files(struct engine *engine, const struct value *files, struct pack_file *out,
                      struct error *err)
{
    for (uint32_t i = 0; i < files->count; i++) {
        const struct value *file = &files->as.items[i];
        struct slice hash = value_get_bin(file, "content");
        struct buf bytes = BUF_EMPTY;

        out[i].path = value_get_str(file, "path", "", &engine->arena);
        if (hash.len != HASH_LEN || journal_content(engine->journal, hash.at, &bytes, NULL) != 1) {
            buf_release(&bytes);
            return error_set(err, ERROR_DAMAGED, "the text of %s is not in the journal",
                             out[i].path);
        }
        out[i].bytes = slice_of(arena_copy(&engine->arena, bytes.at, bytes.len), bytes.len);
        buf_release(&bytes);
    }
    return 0;
}

int engine_compile_pack(struct engine *engine, const struct value *files, uint8_t digest[HASH_LEN],
                        struct error *err)
{
    struct pack_file *list = arena_zero(&engine->arena, (files->count + 1) * sizeof *list);
    struct problems problems = PROBLEMS_EMPTY;
    struct pack *pack = NULL;
    int rc = -1;

    if (read_files(engine, files, list, err) != 0)
        return -1;
    if (pack_load_files(list, (int)files->count, &pack, &problems, err) == 0) {
        memcpy(digest, pack->digest, HASH_LEN);
        core_use_pack(engine->core, &pack);
        rc = 0;
    } else if (problems.count > 0) {
        struct buf text = BUF_EMPTY;

        problems_show(&problems, &text);
        error_set(err, ERROR_INPUT, "%d problems:\n%s", problems.errors, buf_text(&text));
        buf_release(&text);
    }
    problems_release(&problems);
    return rc;
}

struct loading {
    struct engine *engine;
    struct error *err;
};

static int load_one(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    struct loading *loading = self;
    struct engine *engine = loading->engine;
    struct value row = VALUE_NONE;
    uint8_t digest[HASH_LEN];
    char hex[2 * HASH_LEN + 1];

    (void)due_ms;
    if (dmp_decode(&engine->arena, bytes, &row, loading->err) != 0 ||
        engine_compile_pack(engine, value_get(&row, "files"), digest, loading->err) != 0)
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
