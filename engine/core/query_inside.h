/* query_inside.h - what the queries share; only query*.c include it. A file is one query, or a pair that belongs
 * together. */
#ifndef ROTA_CORE_QUERY_INSIDE_H
#define ROTA_CORE_QUERY_INSIDE_H

#include "core/inside.h"
#include "core/query.h"

struct asking {
    struct core *core;
    const struct core_query *query;
    const struct value *args; /* map */
    struct arena *arena;      /* of the answer */
    struct value *out;
};

/* Each gives 0 and `*asking->out`, or -1 after run_refuse(). */
int query_info(struct asking *asking);
int query_kinds(struct asking *asking);
int query_processes(struct asking *asking);
int query_rules(struct asking *asking);
int query_people(struct asking *asking);
int query_show(struct asking *asking);
int query_list(struct asking *asking);
int query_log(struct asking *asking);
int query_diff(struct asking *asking);
int query_why(struct asking *asking);
int query_prepare(struct asking *asking);
int query_inbox(struct asking *asking);
int query_tasks(struct asking *asking);
int query_content(struct asking *asking);
int query_packs(struct asking *asking);
int query_migration(struct asking *asking);
int query_delegations(struct asking *asking);
int query_waivers(struct asking *asking);
int query_import(struct asking *asking); /* import.c */
int query_proposals(struct asking *asking);
/* `prepare` with args {proposal}: what an agreement is signed over. */
int prepare_agreement(struct asking *asking);
/* The open proposals to which `person` may agree. */
void each_open_proposal(struct asking *asking, struct slice person,
                        void (*each)(void *with, const struct value *row), void *with);
/* A leaf of the journal, in memory of the answer: 1, 0 if there is none; -1 after a refusal. */
int asked_leaf(struct asking *asking, uint64_t seq, struct leaf *out);

int asked_subject(struct asking *asking, struct subject *out); /* args.record, or refuses */
/* What was refused meanwhile becomes `refused` {status, code, message} of the answer, which is given all the same. */
void put_refused(struct asking *asking);
uint32_t asked_limit(const struct asking *asking, uint32_t preset, uint32_t max);

/* Calls `each` for every stored record, ascending by id, after `after`; a row is lent for the call and
 * everything taken from core->arena meanwhile with it. Ends when `each` gives false, or after SCAN_ROWS_MAX
 * rows. `last` (may be NULL) gets the last id that was looked at, in the answer's memory, or is empty if all
 * were seen. */
typedef bool each_record_fn(void *with, struct slice id, const struct value *row);
void each_record(struct asking *asking, struct slice kind, struct slice after, each_record_fn *each,
                 void *with, struct slice *last);

/* The kind of a record's row, by the pack that governs it; NULL if that pack is not here. */
const struct kind *kind_of_row(struct core *core, const struct value *row);
const struct value *round_of_row(struct core *core, struct slice id, const struct value *row);
void copy_facts(struct arena *arena, const struct value *row, const char *const *names,
                size_t count, struct value *out);
/* `past` of a record: dates that a timer watches in its state and that are over. */
void put_past(struct asking *asking, const struct kind *kind, const struct value *row,
              struct value *record);
struct value words_value(struct arena *arena, const struct words *words);
struct value task_value(struct asking *asking, struct slice key, const struct value *row);

/* Whose right `person` would use for this: his own, else that of somebody for whom he may do it now; `*number` is then the
 * delegation. His own name if there is none. `wanted` (or empty) is in whose place it shall be. */
struct slice right_to_use(struct asking *asking, const struct subject *subject,
                          const struct transition *transition, struct slice person,
                          struct slice wanted, struct slice *number);

/* The record's waivers, the oldest first: as `waivers` lists them. */
struct value waivers_value(struct asking *asking, const struct subject *subject);

/* People of an open round who have not voted yet. */
struct value still_to_vote(struct arena *arena, const struct value *round); /* asked now */
struct value still_to_vote_in(struct arena *arena, const struct value *round,
                              const struct value *stage); /* of its row's `stages` */

#endif
