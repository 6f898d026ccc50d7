/* people.h - who there is, as far as proofs ask: names, roles, managers, and who is away. */
#ifndef ROTA_DEFINITION_PEOPLE_H
#define ROTA_DEFINITION_PEOPLE_H

#include "base/error.h"
#include "core/model.h"

enum { PEOPLE_KNOWN_MAX = 4096 };

struct person {
    const char *name;
    struct words roles;
    const char *manager; /* NULL: none */
};

struct people {
    struct person *at;
    int count;
};

/* Adds one; roles are taken over as they are. Names and lists must live as long as `people`. -1 if there are more than
 * PEOPLE_KNOWN_MAX. */
int people_add(struct people *people, struct arena *arena, struct person person);

/* Those of a directory.cfg, in `arena`: people, not workers. -1 with file and line if it cannot be read. */
int people_read(const char *path, struct arena *arena, struct people *people, struct error *err);

/* Those of a list of maps {name, kind, roles, manager}, as the engine answers the query `people`. */
int people_take(const struct value *list, struct arena *arena, struct people *people,
                struct error *err);

/* ---- a set of them ---- */

struct crowd {
    uint64_t bits[PEOPLE_KNOWN_MAX / 64];
};

void crowd_add(struct crowd *crowd, int person);
bool crowd_has(const struct crowd *crowd, int person);
void crowd_join(struct crowd *crowd, const struct crowd *other);
void crowd_part(struct crowd *crowd, const struct crowd *other); /* takes the others away */
int crowd_count(const struct crowd *crowd);

#endif
