/* option.h - settings read by tables: each group of the language is a table of options, and the table reads it,
 * checks it, explains what is wrong with it and prints the reference page. One list per fact. */
#ifndef ROTA_DEFINITION_OPTION_H
#define ROTA_DEFINITION_OPTION_H

#include "definition/problems.h"

#include <libconfig.h>

struct reader {
    struct arena *arena; /* everything read is put here */
    struct problems *problems;
    const char *file;
    bool partial; /* a group that changes another: what is required there need not be here */
};

typedef void (*option_read)(struct reader *reader, const config_setting_t *setting, void *into);

struct option_table;

struct option {
    const char *name;
    const char *takes; /* for people: "a text" */
    option_read read;
    size_t at; /* where in the struct that the table fills */
    bool required;
    const char *preset; /* what holds if it is left out; for people; NULL: nothing */
    const char *help;
};

struct option_table {
    const char *name; /* "kind", "transition" */
    const char *help;
    const struct option *options;
    size_t count;
};

/* Reads a group over `into`, which already holds the defaults. */
void option_read_group(struct reader *reader, const config_setting_t *setting,
                       const struct option_table *table, void *into);

/* Adds the table as Markdown. */
void option_reference(const struct option_table *table, struct buf *out);

/* ---- texts that know where they were written ---- */

/* A copy of `text` that where_of() can place. Every name that comes out of a reader is one. */
const char *text_placed(struct arena *arena, struct where where, const char *text);
struct where where_of(const char *placed);
struct where where_setting(const struct reader *reader, const config_setting_t *setting);

/* A place in an arena for one more item of a list; the items so far are kept. */
void *list_add(struct arena *arena, void *items, int *count, size_t item_size);

struct settings { /* names with expressions */
    struct setting *at;
    int count;
};

/* ---- readers; `into` is what the comment says ---- */

void read_text(struct reader *reader, const config_setting_t *setting,
               void *into); /* const char * */
void read_words(struct reader *reader, const config_setting_t *setting,
                void *into); /* struct words */
void read_bool(struct reader *reader, const config_setting_t *setting, void *into); /* bool */
void read_flag(struct reader *reader, const config_setting_t *setting,
               void *into);                                                        /* int, 0 or 1 */
void read_int(struct reader *reader, const config_setting_t *setting, void *into); /* int */
void read_number(struct reader *reader, const config_setting_t *setting, void *into); /* int64_t */
void read_span(struct reader *reader, const config_setting_t *setting,
               void *into); /* struct span */
void read_exact(struct reader *reader, const config_setting_t *setting,
                void *into); /* int64_t, ms */
void read_expr(struct reader *reader, const config_setting_t *setting,
               void *into); /* struct expr * */
void read_settings(struct reader *reader, const config_setting_t *setting,
                   void *into); /* struct settings */
void read_value(struct reader *reader, const config_setting_t *setting,
                void *into); /* struct value */

/* Says that a setting is of the wrong type. */
void wrong_type(struct reader *reader, const config_setting_t *setting, const char *wanted);

/* True if it is a list of groups, or one group; says so if not. `count` of them, each by group_at(). */
bool are_groups(struct reader *reader, const config_setting_t *setting, int *count);
const config_setting_t *group_at(const config_setting_t *setting, int index);

#endif
