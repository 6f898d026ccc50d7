/* build_inside.h - what the parts of build.c share. */
#ifndef ROTA_DEFINITION_BUILD_INSIDE_H
#define ROTA_DEFINITION_BUILD_INSIDE_H

#include "definition/build.h"

struct builder {
    struct arena *arena;
    struct problems *problems;
    const struct written_pack *written;
    struct pack *pack;
};

/* The index of a name that a reader placed, or MODEL_NONE (said, with the nearest right one). */
int find_placed(struct builder *b, const char *name, const char *what, const char *const *names,
                int count);
enum vote build_vote(struct builder *b, const char *name); /* NULL: VOTE_NONE */

/* ---- build_approval.c ---- */
struct approval *build_approval(struct builder *b, const struct written_approval *written,
                                struct reader *reader); /* NULL: there is none */

#endif
