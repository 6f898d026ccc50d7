/* definition.h - what the packs in the journal say about approvals, read from their files by libconfig.
 *
 * Which kinds need whose signatures is nobody's word: the files of each pack are in table content, and the digest that every
 * record names is over their bytes. So they are read here, by the library that anybody could read them with, and not
 * taken from a row that the engine could write otherwise.
 *
 * Only what an approval needs is read: states, transitions (with the kind's `on` laid over them), the approval, and which
 * fields are computed. That the whole makes sense is the engine's to check.
 */
#ifndef ROTA_VERIFY_DEFINITION_H
#define ROTA_VERIFY_DEFINITION_H

#include "db.h"
#include "hash.h"
#include "memory.h"

#include <libconfig.h>

enum { DEFINITION_STAGES_MAX = 16 };

enum vote { VOTE_NONE, VOTE_GRANT, VOTE_REFUSE, VOTE_RETURN, VOTE_ABSTAIN };

/* A list of words: an array, a list, one text, or nothing (NULL). Lent by the definition. */
typedef const config_setting_t *words;

int words_count(words list);
const char *words_at(words list, int index);
bool words_have(words list, struct bytes word);

struct kind_state {
    const char *name, *stage;
    bool is_valid;
    words edit, edit_fields;
};

enum { KIND_STATES_MAX = 64, ROW_SETS_MAX = 4, TO_SAME = -1 };

struct kind_row { /* a transition */
    const char *event, *meaning;
    uint64_t from; /* bit i: leaves state i; none: it creates the record */
    int to;        /* TO_SAME: it stays where it is */
    enum vote vote;
    bool opens_round;
    const config_setting_t *sets[ROW_SETS_MAX]; /* groups: field = expression */
    int set_count;
    words by; /* who may, `system` is the engine; NULL: nobody is named */
    bool is_automatic, erases;
    words apart; /* who may not; NULL: nobody in particular */
    const char *apart_rule;
};

struct kind_stage {                        /* of an approval */
    const char *name, *meaning, *counting; /* need, all, percent, majority */
    words ask, require, veto;
    const config_setting_t *weights, *need; /* NULL: 1 each; 1 */
    int percent;
    const char *when; /* or NULL: always */
    bool waits_for_all, one_refuse_ends;
};

enum { APART_MAX = 32 };
#define APART_RULE "SOD-1" /* where none is named */

struct apart { /* whom a word keeps apart, and by which rule of separation */
    const char *word, *rule;
};

struct kind {
    struct kind *next;
    const char *name;
    bool is_versioned;
    struct kind_state states[KIND_STATES_MAX];
    int state_count, own_states; /* the first are the lifecycle's, the rest of what it ends with */
    struct kind_row *rows;       /* owned */
    size_t row_count, row_cap;
    const config_setting_t *fields, *needs;
    words audience, owner;
    const struct definition *of; /* borrowed */
    bool has_approval, silence_grants, is_one_stage;
    const char *expires;           /* a span, as "20 days"; or NULL */
    struct apart apart[APART_MAX]; /* from granting */
    int apart_count;
    enum vote on_tie;
    struct kind_stage stages[DEFINITION_STAGES_MAX];
    int stage_count;
    bool is_kept;  /* has the fields of retention */
    uint64_t free; /* states that can be reached without anybody's grant */
};

struct definition { /* of one pack */
    struct definition *next;
    uint8_t digest[HASH_LEN];
    const char *fault; /* static; NULL: it was read */
    config_t *files;   /* owned */
    size_t file_count, file_cap;
    struct kind *kinds; /* owned */
    int zone; /* a file of memory with the data of its time zone; -1: its days are those of UTC */
};

struct definitions {
    struct db *db;         /* borrowed */
    struct report *report; /* borrowed */
    struct definition *first;
};

void definitions_release(struct definitions *definitions);

/* The moment at which a day (of UTC, by its first moment) begins where the organisation is, as the pack's own data of its zone
 * say; ms. Where the clock is put forward at midnight it may be an hour off. False: they cannot be read here. */
bool definition_midnight(const struct definition *definition, int64_t day_ms, int64_t *begins_ms);

/* The one of this digest that was read already, or NULL. */
const struct definition *definition_known(const struct definitions *definitions,
                                          struct bytes digest);

/* The definition of this digest; `content` is the hash under which its files are said to lie. Read when it is first
 * asked for. Never NULL; look at its fault. */
const struct definition *definition_of(struct definitions *definitions, struct bytes digest,
                                       struct bytes content);

const struct kind *definition_kind(const struct definition *definition, struct bytes name);

/* -1: there is none of this name. */
int kind_state(const struct kind *kind, struct bytes name);

/* The row that answers an event in a state; -1: the one that creates, whatever it is called. NULL: none. */
const struct kind_row *kind_row(const struct kind *kind, struct bytes event, int state);

/* Is the field the engine's (`computed`, and not `signed`; one that the engine adds to kinds, as the day of the next review),
 * and so no part of the content, which is signed? */
#define KIND_REVIEW "next_review_due"
bool kind_leaves_out(const struct kind *kind, struct bytes field);

/* Has the kind itself a field of this name? And its type, as "person[]"; NULL: there is none. */
bool kind_has_field(const struct kind *kind, const char *name);
const char *kind_field_type(const struct kind *kind, const char *name);

/* The roles that a process names (`owner`, `approves`, `tell`); NULL: none. */
words definition_process(const struct definition *definition, struct bytes id, const char *what);

/* A setting of the pack itself (`migrate_by`, `migrate_meaning`); NULL: it is not there. */
const config_setting_t *definition_setting(const struct definition *definition, const char *name);

/* Does an event put this field there by an expression of its own? */
bool row_sets(const struct kind_row *row, struct bytes field);

#endif
