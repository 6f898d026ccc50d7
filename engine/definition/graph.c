#include "definition/graph.h"

#include "base/check.h"

void graph_init(struct graph *graph, struct arena *arena, int node_count)
{
    int i;

    *graph = (struct graph){.arena = arena, .node_count = node_count};
    graph->first = arena_take(arena, sizeof *graph->first * (size_t)(node_count + 1));
    graph->last = arena_take(arena, sizeof *graph->last * (size_t)(node_count + 1));
    for (i = 0; i < node_count; i++)
        graph->first[i] = graph->last[i] = GRAPH_NONE;
}

static void grow(struct graph *graph)
{
    int cap = graph->edge_cap == 0 ? 64 : graph->edge_cap * 2;
    struct edge *more = arena_take(graph->arena, sizeof *more * (size_t)cap);

    if (graph->edge_count > 0)
        memcpy(more, graph->edges, sizeof *more * (size_t)graph->edge_count);
    graph->edges = more;
    graph->edge_cap = cap;
}

void graph_add(struct graph *graph, int from, int to, int via)
{
    int edge = graph->edge_count;

    check(from >= 0 && from < graph->node_count && to >= 0 && to < graph->node_count);
    if (edge == graph->edge_cap)
        grow(graph);
    graph->edges[graph->edge_count++] = (struct edge){from, to, via, GRAPH_NONE};
    if (graph->last[from] == GRAPH_NONE)
        graph->first[from] = edge;
    else
        graph->edges[graph->last[from]].next = edge;
    graph->last[from] = edge;
}

int *graph_spread(const struct graph *graph, const bool *starts, const bool *allowed)
{
    int *came = arena_take(graph->arena, sizeof *came * (size_t)(graph->node_count + 1));
    int *queue = arena_take(graph->arena, sizeof *queue * (size_t)(graph->node_count + 1));
    int head = 0, tail = 0, i, e;

    for (i = 0; i < graph->node_count; i++) {
        bool begins = starts[i] && (allowed == NULL || allowed[i]);

        came[i] = begins ? GRAPH_START : GRAPH_NONE;
        if (begins)
            queue[tail++] = i;
    }
    while (head < tail) {
        for (e = graph->first[queue[head++]]; e != GRAPH_NONE; e = graph->edges[e].next) {
            int to = graph->edges[e].to;

            if (came[to] != GRAPH_NONE || (allowed != NULL && !allowed[to]))
                continue;
            came[to] = e;
            queue[tail++] = to;
        }
    }
    return came;
}

int graph_distance(const struct graph *graph, const int *came, int node)
{
    int length = 0, at;

    check(came[node] != GRAPH_NONE);
    for (at = node; came[at] != GRAPH_START; at = graph->edges[came[at]].from)
        length++;
    return length;
}

const struct edge **graph_way(const struct graph *graph, const int *came, int node, int *count)
{
    int length = graph_distance(graph, came, node), at;
    const struct edge **way = arena_take(graph->arena, sizeof *way * (size_t)(length + 1));
    *count = length;
    for (at = node; came[at] != GRAPH_START; at = graph->edges[came[at]].from)
        way[--length] = &graph->edges[came[at]];
    return way;
}

/* Tarjan's algorithm; the stack of calls is a list of nodes that know the edge they go on with. */
struct search {
    const struct graph *graph;
    int *component, *found, *low, *next_edge;
    int *open; /* nodes whose component is not known yet */
    int *calls;
    int open_count, call_count, found_count, component_count;
};

static void enter(struct search *s, int node)
{
    s->found[node] = s->low[node] = s->found_count++;
    s->next_edge[node] = s->graph->first[node];
    s->open[s->open_count++] = node;
    s->calls[s->call_count++] = node;
}

static void leave(struct search *s, int node)
{
    s->call_count--;
    if (s->call_count > 0 && s->low[node] < s->low[s->calls[s->call_count - 1]])
        s->low[s->calls[s->call_count - 1]] = s->low[node];
    if (s->low[node] != s->found[node])
        return;
    do {
        s->component[s->open[--s->open_count]] = s->component_count;
    } while (s->open[s->open_count] != node);
    s->component_count++;
}

static void search_from(struct search *s, int node)
{
    enter(s, node);
    while (s->call_count > 0) {
        int at = s->calls[s->call_count - 1], e = s->next_edge[at], to;

        if (e == GRAPH_NONE) {
            leave(s, at);
            continue;
        }
        s->next_edge[at] = s->graph->edges[e].next;
        to = s->graph->edges[e].to;
        if (s->found[to] == GRAPH_NONE)
            enter(s, to);
        else if (s->component[to] == GRAPH_NONE && s->found[to] < s->low[at])
            s->low[at] = s->found[to];
    }
}

int *graph_components(const struct graph *graph)
{
    size_t size = sizeof(int) * (size_t)(graph->node_count + 1);
    struct search s = {.graph = graph,
                       .component = arena_take(graph->arena, size),
                       .found = arena_take(graph->arena, size),
                       .low = arena_take(graph->arena, size),
                       .next_edge = arena_take(graph->arena, size),
                       .open = arena_take(graph->arena, size),
                       .calls = arena_take(graph->arena, size)};
    int i;

    for (i = 0; i < graph->node_count; i++)
        s.component[i] = s.found[i] = GRAPH_NONE;
    for (i = 0; i < graph->node_count; i++) {
        if (s.found[i] == GRAPH_NONE)
            search_from(&s, i);
    }
    return s.component;
}
