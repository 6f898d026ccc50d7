/* graph.h - a small directed graph whose edges say why they are there, for the proofs.
 *
 *   1. graph_spread() finds a way with the fewest edges to every node that can be reached, and among those always the
 *      same one: that of the edges added first. What is shown to a person does not change from run to run.
 *   2. Time and memory are linear in nodes and edges; nothing recurses.
 *
 * Nodes are numbers that the user gives meaning to; so is `via` of an edge. Everything lies in the arena.
 */
#ifndef ROTA_DEFINITION_GRAPH_H
#define ROTA_DEFINITION_GRAPH_H

#include "base/arena.h"

enum { GRAPH_NONE = -1, GRAPH_START = -2 };

struct edge {
    int from, to;
    int via;
    int next; /* of the same `from`; GRAPH_NONE: the last */
};

struct graph {
    struct arena *arena;
    int node_count;
    int *first, *last; /* by node: its edges, or GRAPH_NONE */
    struct edge *edges;
    int edge_count, edge_cap;
};

void graph_init(struct graph *graph, struct arena *arena, int node_count);
void graph_add(struct graph *graph, int from, int to, int via);

/* Breadth first from every node of which starts[node] is true, over nodes of which allowed[node] is (NULL: all). Gives
 * for each node the edge that a shortest way ends with, GRAPH_START for a start, GRAPH_NONE if no way leads there. */
int *graph_spread(const struct graph *graph, const bool *starts, const bool *allowed);

/* How many edges that way has. The node must have been reached. */
int graph_distance(const struct graph *graph, const int *came, int node);

/* The edges of that way in order, in `arena`; their number in `count`. The node must have been reached. */
const struct edge **graph_way(const struct graph *graph, const int *came, int node, int *count);

/* A number for each node, the same for nodes that lead to each other. */
int *graph_components(const struct graph *graph);

#endif
