/* pack.h - a pack: a directory of libconfig files, or the same bytes from the journal, compiled and checked.
 *
 *   1. What loads is sound as far as check.h and prove.h say; nothing half-loaded is ever given out.
 *   2. The digest depends on paths and bytes alone. Time-zone data is one of the files (zoneinfo/<zone>): a pack
 *      means the same wherever it is loaded.
 *   3. Every problem is reported, not only the first.
 */
#ifndef ROTA_DEFINITION_PACK_H
#define ROTA_DEFINITION_PACK_H

#include "base/error.h"
#include "definition/problems.h"

enum {
    PACK_FILES_MAX = 512,
    PACK_FILE_BYTES_MAX = 512 * 1024,
    PACK_DEPTH_MAX = 6,
    PACK_PATH_MAX = 200
};

struct pack_file {
    const char *path; /* below the directory, with '/' */
    struct slice bytes;
};

/* Reads every *.cfg below `directory`, and the time-zone data of the zone that the pack names: from zoneinfo/ in
 * the directory if it is there, else from the system. Files and bytes in `arena`, sorted by path. */
int pack_read(const char *directory, struct arena *arena, struct pack_file **files, int *count,
              struct error *err);

/* A copy in the order of paths, the order in which everything is read. */
struct pack_file *pack_sorted(struct arena *arena, const struct pack_file *files, int count);

/* A pack as the one content that the journal keeps: DMP [[path, bytes], ...] in the order of paths; its salt comes from the
 * bytes, since nothing in a pack is personal, so the same pack is the same content. */
void pack_join(const struct pack_file *files, int count, struct buf *out, uint8_t salt[16]);
/* The other way; paths are copied into `arena`, the bytes of files are lent by `bytes`. */
int pack_split(struct slice bytes, struct arena *arena, struct pack_file **files, int *count,
               struct error *err);

/* SHA-256 ("rota.pack/1\n" || DMP [[path, SHA-256 (bytes)], ...] sorted by path). */
void pack_digest(const struct pack_file *files, int count, uint8_t out[HASH_LEN]);

/* 0 and a pack (pack_free()); -1 with the problems, or with an error alone if nothing could be read.
 * Warnings in `problems` do not hinder. `files` are borrowed until the call returns. */
int pack_load_files(const struct pack_file *files, int count, struct pack **out,
                    struct problems *problems, struct error *err);

/* The same for a pack that was proven when it was installed: names and types are checked, but no proof stands in the way.
 * A release that proves more than the one before still opens every journal. */
int pack_load_installed(const struct pack_file *files, int count, struct pack **out,
                        struct problems *problems, struct error *err);

int pack_load(const char *directory, struct pack **out, struct problems *problems,
              struct error *err);

/* Compiles a condition as one of `kind` would be; for tools. `arena` holds it. */
int pack_condition(const struct pack *pack, const struct kind *kind, const char *text,
                   struct arena *arena, struct expr **out, struct error *err);

/* The settings of the language as Markdown tables. */
void pack_reference(struct buf *out);

#endif
