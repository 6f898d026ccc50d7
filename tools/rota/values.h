/* values.h - what a person types or keeps in a file becomes the fields of a record.
 *
 * A kind's fields and their types come from the engine (query `kinds`), so that nothing here knows any
 * kind. Texts over 1 KiB, files, tables over 1 KiB, and whatever its field says can be erased do not travel in a command:
 * they go up first through `upload`, and a reference by hash stands in their place.
 */
#ifndef ROTA_VALUES_H
#define ROTA_VALUES_H

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"

enum {
    VALUES_INLINE_MAX = 1024,
    VALUES_FILE_MAX = 64 * 1024 * 1024,
    VALUES_TEXT_MAX = 4 * 1024 * 1024
};

/* Stores `data` with the engine and gives {content, size}. -1 with `err`; what went wrong may have been
 * said already (err->text empty then). */
typedef int values_upload_fn(void *self, struct slice data, struct value *out, struct error *err);

struct values {
    struct arena *arena;
    const struct value *kind; /* one entry of the query `kinds` */
    const char *base;         /* paths are relative to this directory; NULL: the current one */
    const char *path;         /* the file that is read, for messages; NULL: the command line */
    struct value lines;       /* field -> line in `path`; a map, or nil where lines are not known */
    const char *today;        /* what the word `today` means: YYYY-MM-DD; NULL: not known */
    values_upload_fn *upload;
    void *self;
};

/* Reads a libconfig file, or JSON if it begins with `{` or `[`. `lines` gets the line of each name at the
 * top and inside `fields`. */
int values_read(struct arena *arena, const char *path, struct value *out, struct value *lines,
                struct error *err);
int values_read_bytes(struct arena *arena, const char *path, size_t max, struct slice *out,
                      struct error *err);

/* A map of fields as read from a file: each fitted to its type and put into `fields`. */
int values_fit(struct values *values, const struct value *raw, struct value *fields,
               struct error *err);

/* "field=value" or "field=@file"; an empty value is nil. A list field that is named again grows. */
int values_word(struct values *values, const char *word, struct value *fields, struct error *err);

/* A reason or comment: always a reference. */
int values_reason(struct values *values, const char *text, struct value *out, struct error *err);

/* The field of a kind's description, or NULL. */
const struct value *values_field(const struct value *kind, struct slice name);

#endif
