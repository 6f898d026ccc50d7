/* graph.h - a drawing before it is drawn: nodes, edges, groups, and the same in the words of Graphviz and Mermaid.
 *
 *   1. Any text may stand in a node, edge or title: it is escaped here, and nowhere else.
 *   2. The same graph gives the same words, in the order in which it was built.
 */
#ifndef ROTA_GRAPH_H
#define ROTA_GRAPH_H

#include "base/arena.h"
#include "base/buf.h"

enum { GRAPH_WRAP = 34 }; /* characters a line of a node or edge has */

enum graph_ink { GRAPH_PLAIN, GRAPH_STRONG, GRAPH_FAINT };

struct graph_line {
    const char *text; /* one line; long ones are wrapped when they are added */
    enum graph_ink ink;
};

struct graph_text {
    struct graph_line *lines;
    int count, cap;
};

/* How a node looks. The first six are the stages of the workflow language. */
enum graph_look {
    LOOK_DRAFT,
    LOOK_APPROVED,
    LOOK_IN_FORCE,
    LOOK_UNDER_REVIEW,
    LOOK_CHANGED,
    LOOK_CLOSED,
    LOOK_START, /* a point where things begin */
    LOOK_COUNT
};

struct graph_node {
    const char *id; /* letters, figures and _ */
    enum graph_look look;
    bool is_double, is_dashed, is_marked;
    int group; /* index, or -1 */
    struct graph_text text;
};

enum graph_stroke { STROKE_PLAIN, STROKE_TIMER, STROKE_SIGNAL, STROKE_GATE };

struct graph_edge {
    int from, to; /* indices of nodes */
    enum graph_stroke stroke;
    struct graph_text text;
};

struct graph_group {
    const char *id, *title;
};

struct graph {
    struct arena *arena;
    const char *title, *subtitle;
    struct graph_node *nodes;
    struct graph_edge *edges;
    struct graph_group *groups;
    int node_count, node_cap, edge_count, edge_cap, group_count, group_cap;
};

int graph_node(struct graph *graph, const char *prefix, const char *name, enum graph_look look);
int graph_group(struct graph *graph, const char *prefix, const char *name, const char *title);

/* The edge between the two of this stroke: the one there is, or a new one. Lent until the next is added. */
struct graph_edge *graph_edge(struct graph *graph, int from, int to, enum graph_stroke stroke);

/* Adds `text`, wrapped. */
void graph_say(struct graph *graph, struct graph_text *text, enum graph_ink ink, const char *words);
/* Adds `words` to the last line after a comma, or as the first. */
void graph_list(struct graph *graph, struct graph_text *text, enum graph_ink ink,
                const char *words);

void graph_dot(const struct graph *graph, struct buf *out);
void graph_mermaid(const struct graph *graph, struct buf *out);

#endif
