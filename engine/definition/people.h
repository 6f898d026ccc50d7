/* people.h - what directory.cfg says; and who there is, as far as proofs ask: names, the roles they hold, their managers. */
#ifndef ROTA_DEFINITION_PEOPLE_H
#define ROTA_DEFINITION_PEOPLE_H

#include "base/error.h"
#include "core/model.h"

enum { PEOPLE_KNOWN_MAX = 4096 }; /* as core/authority.h keeps */

struct person {
    const char *name;
    struct words roles;
    const char *manager; /* NULL: none */
};

struct people {
    struct person *at;
    int count;
};

#define PEOPLE_NONE                                                                                \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* What directory.cfg says of people and workers: an array of maps as the command directory.install takes them, without their
 * keys, in `arena`. -1 with file and line if it cannot be read, or says something that nobody would read. */
int people_entries(const char *path, struct arena *arena, struct value *entries, struct error *err);

/* The people (no workers) of a directory.cfg, in `arena`. -1 with file and line if it cannot be read, or names more than
 * PEOPLE_KNOWN_MAX. */
int people_read(const char *path, struct arena *arena, struct people *people, struct error *err);

/* Those of a list of maps {name, kind, roles, manager, not_after}, as the engine answers the query `people`; who has left
 * by `now_ms` is left out. */
int people_take(const struct value *list, int64_t now_ms, struct arena *arena,
                struct people *people, struct error *err);

/* Takes somebody out: as if they were away. False: there is nobody of that name. */
bool people_drop(struct people *people, const char *name);

/* ---- a set of them, by their places in `people` ---- */

struct crowd {
    uint64_t bits[PEOPLE_KNOWN_MAX / 64];
};

void crowd_add(struct crowd *crowd, int person);
void crowd_remove(struct crowd *crowd, int person);
bool crowd_has(const struct crowd *crowd, int person);
void crowd_join(struct crowd *crowd, const struct crowd *other);
void crowd_leave(struct crowd *crowd, const struct crowd *other); /* without the others */
int crowd_count(const struct crowd *crowd);

#endif
