/* scenario.h - what is to be simulated: an organisation, a start, how long, what happens, and how people and programs
 * behave. Read from a libconfig file by tables, as the workflows are; README.md here is the reference.
 *
 *   1. Everything that is wrong is said at once, each with file, line and the nearest right name.
 *   2. Nothing is simulated unless all of it is right.
 */
#ifndef ROTA_SIMULATE_SCENARIO_H
#define ROTA_SIMULATE_SCENARIO_H

#include "definition/problems.h"

enum { SCENARIO_YEARS_MAX = 50 };

/* A moment as written: "2028-02-29", "2028-02-29 14:30" in the organisation's time zone, or a span from the start. */
struct moment {
    const char *text; /* placed; NULL: not given */
    int64_t ms;
};

struct period { /* from the first moment to the end of the last day */
    struct where where;
    struct moment from, to;
};

struct opening { /* a record to be opened */
    const char *file;
    const char *kind, *title, *by, *owner;
    struct value fields; /* map; of the file, with what the scenario says over it */
    struct moment at;
    struct where where;
};

struct happening { /* an event, an edit or an acknowledgement by somebody, at a moment */
    const char *who, *event, *record, *reason;
    struct value set;
    struct moment at;
    struct where where;
};

struct delay { /* between two spans of time */
    struct span least, most;
};

struct policy { /* how people behave; what is written later overrides */
    struct words kinds, events, states, who; /* empty: any; a kind or its lifecycle */
    int weight, sure;                        /* -1: not said */
    struct delay after, again;
    bool has_after, has_again;
    const char *reason;
    struct where where;
};

struct filling {      /* what people write into fields when a step needs them */
    const char *file; /* a record file: its fields, below `set` */
    struct words kinds, states, events;
    struct value set;
    struct where where;
};

struct absence {
    const char *who;
    struct period period;
    struct where where;
};

struct leaving {
    const char *who;
    struct moment on;
    struct where where;
};

struct person_entry { /* of the directory; also somebody who joins later */
    const char *name, *title, *email, *manager;
    struct words roles, services;
    bool is_worker, is_gateway;
    struct moment on; /* joins */
    struct where where;
};

struct periods {
    struct period *at;
    int count;
};

struct worker_entry { /* how a program behaves */
    const char *name;
    int success; /* percent of attempts */
    struct delay after;
    bool has_after, is_final;
    struct periods down, fails; /* nobody serves; every attempt fails */
    struct where where;
};

struct pack_file;

struct openings {
    struct opening *at;
    int count;
};
struct happenings {
    struct happening *at;
    int count;
};
struct policies {
    struct policy *at;
    int count;
};
struct fillings {
    struct filling *at;
    int count;
};
struct absences {
    struct absence *at;
    int count;
};
struct leavings {
    struct leaving *at;
    int count;
};
struct person_entries {
    struct person_entry *at;
    int count;
};
struct worker_entries {
    struct worker_entry *at;
    int count;
};

struct scenario {
    struct arena arena;
    const char *path, *name;
    const char *pack_path, *directory_path, *origin;
    struct moment start;
    struct span length;
    int64_t seed;
    struct openings openings;
    struct happenings happenings;
    struct policies policies;
    struct fillings fillings;
    struct absences absences;
    struct leavings leavings;
    struct person_entries people, joinings; /* people: of the directory, workers among them */
    struct worker_entries workers;
    struct pack *pack; /* owned until a simulation takes it */
    struct pack_file *pack_files;
    int pack_file_count;
    int64_t start_ms, end_ms;
};

/* Reads the scenario, its directory, its record files and its pack. 0; -1 with problems, or with `err` when a file could
 * not be read at all. Paths in a scenario are relative to its folder. `pack`: another folder of workflows than the
 * scenario's, or NULL; `usual`: the one of a scenario that names none, or NULL. */
int scenario_load(const char *path, const char *pack, const char *usual, struct scenario *out,
                  struct problems *problems, struct error *err);
void scenario_release(struct scenario *scenario);

/* Another moment to end at, as a scenario writes moments. -1 if it is none, or not after the start. */
int scenario_until(struct scenario *scenario, const char *text, struct error *err);

/* The settings as Markdown tables. */
void scenario_reference(struct buf *out);

#endif
