/* draw.h - from a pack to drawings: the life of a kind, and the map of how kinds set each other off. */
#ifndef ROTA_DRAW_H
#define ROTA_DRAW_H

#include "core/model.h"
#include "graph.h"

struct draw_options {
    const char *
        lifecycle; /* its name, if it was asked for by that: the kind only lends its states; or NULL */
    const char *record; /* whose state is marked: "SCP-0001@1.0"; or NULL */
    int state;          /* index of the marked state, or MODEL_NONE */
    bool is_full;       /* conditions, work, notices and separation as well */
    bool by_clause;     /* the map: grouped by clause, else by phase */
};

void draw_kind(struct graph *graph, const struct pack *pack, const struct kind *kind,
               const struct draw_options *options);
void draw_map(struct graph *graph, const struct pack *pack, const struct draw_options *options);

/* "Top management, the owner": those whom the words of a workflow mean, as people say it. */
const char *draw_people(struct arena *arena, const struct pack *pack, const struct words *words);

#endif
