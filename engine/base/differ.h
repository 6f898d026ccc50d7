/* differ.h - what differs between two lists: the lines of a text, the words of a line, the rows of a table.
 *
 *   1. The steps name every item of both lists once, in their order; items that are the same on both sides come as
 *      one step, and so do two that are alike enough to be one item that was changed.
 *   2. The same lists give the same steps. Time and memory are bounded: where what lies between the common beginning
 *      and the common end is too much to compare (DIFFER_PAIRS_MAX pairs), all of it went and all of it came.
 */
#ifndef ROTA_DIFFER_H
#define ROTA_DIFFER_H

#include "base/arena.h"
#include "base/value.h"

enum { DIFFER_PAIRS_MAX = 250000, DIFFER_SAME = 100, DIFFER_ALIKE = 40 };

enum differ_what { STEP_SAME, STEP_CHANGED, STEP_GONE, STEP_NEW };

struct differ_step {
    enum differ_what what;
    uint32_t before, after; /* indices; the one that does not apply is where it would stand */
};

struct differ_steps {
    struct differ_step *at; /* memory of the arena */
    uint32_t count;
};

/* How much two items are alike, in percent; DIFFER_SAME: they are the same, below DIFFER_ALIKE: another item. */
typedef int differ_fn(const void *with, uint32_t before, uint32_t after);

struct differ_steps differ_items(struct arena *arena, uint32_t before, uint32_t after,
                                 differ_fn *alike, const void *with);

/* Rows of a table (arrays of maps; anything else counts as no row). Two rows that agree in most cells, or in the
 * column `first` that names a row (NULL: none does), are one row that was changed. */
struct differ_steps differ_rows(struct arena *arena, const struct value *before,
                                const struct value *after, const char *first);

/* A text in parts, each borrowed from it: lines without their ends; words with the blanks that follow each. */
struct differ_text {
    struct slice *parts;
    uint32_t count;
};
struct differ_text differ_lines(struct arena *arena, struct slice text);
struct differ_text differ_words(struct arena *arena, struct slice text);

/* `is_near`: a part may be the changed form of one that is like it (lines), else it is the same or another (words). */
struct differ_steps differ_texts(struct arena *arena, const struct differ_text *before,
                                 const struct differ_text *after, bool is_near);

#endif
