/* prove_rule.c - what sets itself off comes to an end.
 *
 * One event brings others in the same run, or in runs that follow at once: rules start records and signal others, rows
 * that are automatic happen as soon as a record has changed, or one that it is linked to, successors are opened and
 * predecessors superseded. Each row that can happen is a node of a graph, and there is an edge where one brings the
 * other. What people do, votes, timers and the results of tasks take time: no edge leads to those.
 *
 * A way round in that graph ends, if
 *
 *   1. every rule on it that opens a record is bounded: what `once` gives is the same every time round. It is, if it
 *      names nothing but constants; or if the watched record is not opened anew on the way, no row on the way sets a
 *      field that `once` reads, it reads neither `now` nor `args`, and the elements (`each`) are not links, which grow;
 *   2. and without the edges of such rules, no record can go on for ever. A row that the rows on ways round with it do not
 *      lead back to happens once to each record: it ends every way round that it is on, and is taken out, until none is left.
 *
 * Else it is refused, with a shortest way round. Conditions count as possibly true. */
#include "definition/prove_inside.h"

enum { VIA_ITSELF = -1, VIA_SUCCESSOR = -2, VIA_VERSION = -3, VIA_CHANGE = -4 };

struct meeting { /* where what happens meets what it brings */
    struct proof *proof;
    int *
        first; /* by kind: the node of its first row; the node of kind i's change is changes + i, and so on */
    int changes, tries, node_count;
    bool *linked; /* kind * kinds + kind */
};

static const struct kind *kind_at(const struct meeting *m, int index)
{
    return &m->proof->pack->kinds[index];
}

static int node_of(const struct meeting *m, int kind, int row)
{
    return m->first[kind] + row;
}

/* The kind whose row a node is; MODEL_NONE if it is none. */
static int kind_of_node(const struct meeting *m, int node)
{
    int low = 0, high = m->proof->pack->kind_count;

    if (node >= m->changes)
        return MODEL_NONE;
    while (high - low > 1) {
        int middle = (low + high) / 2;

        if (m->first[middle] <= node)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static const struct transition *row_of_node(const struct meeting *m, int node)
{
    int kind = kind_of_node(m, node);

    return kind == MODEL_NONE ? NULL
                              : &kind_at(m, kind)->lifecycle->transitions[node - m->first[kind]];
}

/* ---- the graph ---- */

static void link_kinds(struct meeting *m)
{
    const struct pack *pack = m->proof->pack;
    int count = pack->kind_count;

    m->linked = arena_zero(m->proof->arena, (size_t)count * (size_t)count + 1);
    for (int r = 0; r < pack->rule_count; r++) {
        const struct rule *rule = &pack->rules[r];
        const bool *kinds = signals_of(m->proof, r);

        for (int k = 0; k < count; k++) {
            if (m->proof->fires[r] && (kinds[k] || rule->starts == k))
                m->linked[rule->kind * count + k] = m->linked[k * count + rule->kind] = true;
        }
    }
}

static void add_event(struct meeting *m, struct graph *graph, int from, int kind, const char *event,
                      int via)
{
    const struct lifecycle *l = kind_at(m, kind)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];

        if (m->proof->lives[kind].made[i] && !row->creates && row->vote == VOTE_NONE &&
            strcmp(row->event, event) == 0 && (via < 0 || is_for_system(row)))
            graph_add(graph, from, node_of(m, kind, i), via);
    }
}

static void add_creation(struct meeting *m, struct graph *graph, int from, int kind, int via)
{
    const struct lifecycle *l = kind_at(m, kind)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].creates)
            graph_add(graph, from, node_of(m, kind, i), via);
    }
}

/* Rows that happen by themselves: in this state, or (MODEL_NONE) in any. */
static void add_automatic(struct meeting *m, struct graph *graph, int from, int kind, int state)
{
    const struct lifecycle *l = kind_at(m, kind)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].automatic && m->proof->lives[kind].made[i] &&
            (state == MODEL_NONE || l->transitions[i].from[state]))
            graph_add(graph, from, node_of(m, kind, i), VIA_ITSELF);
    }
}

static void add_row(struct meeting *m, struct graph *graph, int kind, int index)
{
    const struct transition *row = &kind_at(m, kind)->lifecycle->transitions[index];
    int from = node_of(m, kind, index);

    add_automatic(m, graph, from, kind, row->to);
    if (row->makes_successor)
        add_creation(m, graph, from, kind, VIA_SUCCESSOR);
    if (row->supersedes)
        add_event(m, graph, from, kind, "supersede", VIA_VERSION);
    if (row->drops_successor)
        add_event(m, graph, from, kind, "withdraw", VIA_VERSION);
    graph_add(graph, from, m->changes + kind, VIA_CHANGE);
}

static void add_rule(struct meeting *m, struct graph *graph, int index, bool is_bounded)
{
    const struct rule *rule = &m->proof->pack->rules[index];
    const struct lifecycle *l = kind_at(m, rule->kind)->lifecycle;
    const bool *kinds = signals_of(m->proof, index);

    for (int i = 0; i < l->transition_count; i++) {
        int from = node_of(m, rule->kind, i);

        if (!m->proof->lives[rule->kind].made[i] ||
            strcmp(l->transitions[i].event, rule->event) != 0)
            continue;
        if (rule->starts != MODEL_NONE && !is_bounded)
            add_creation(m, graph, from, rule->starts, index);
        for (int k = 0; k < m->proof->pack->kind_count; k++) {
            if (kinds[k])
                add_event(m, graph, from, k, rule->signal, index);
        }
    }
}

/* `bounded` (by rule, or NULL): those whose records are no longer followed. */
static void draw(struct meeting *m, struct graph *graph, const bool *bounded)
{
    const struct pack *pack = m->proof->pack;

    graph_init(graph, m->proof->arena, m->node_count);
    for (int r = 0; r < pack->rule_count; r++) {
        if (m->proof->fires[r])
            add_rule(m, graph, r, bounded != NULL && bounded[r]);
    }
    for (int k = 0; k < pack->kind_count; k++) {
        for (int i = 0; i < kind_at(m, k)->lifecycle->transition_count; i++) {
            if (m->proof->lives[k].made[i])
                add_row(m, graph, k, i);
        }
        for (int other = 0; other < pack->kind_count; other++) {
            if (m->linked[k * pack->kind_count + other])
                graph_add(graph, m->changes + k, m->tries + other, VIA_CHANGE);
        }
        add_automatic(m, graph, m->tries + k, k, MODEL_NONE);
    }
}

/* ---- a way round, in words ---- */

static const char *step_text(const struct meeting *m, const struct edge *edge)
{
    int kind = kind_of_node(m, edge->to);

    if (kind == MODEL_NONE)
        return "";
    return arena_printf(m->proof->arena, " -> %s%s%s.%s",
                        edge->via >= 0 ? m->proof->pack->rules[edge->via].name : "",
                        edge->via >= 0 ? ": " : "", kind_at(m, kind)->name,
                        row_of_node(m, edge->to)->event);
}

/* From `first` by a shortest way back to where it begins, within its component; `rule`: the first rule on it. */
static const char *round_text(const struct meeting *m, const struct graph *graph,
                              const int *component, const struct edge *first,
                              const struct rule **rule)
{
    struct arena *arena = m->proof->arena;
    bool *starts = arena_zero(arena, (size_t)graph->node_count + 1);
    bool *inside = arena_zero(arena, (size_t)graph->node_count + 1);
    int kind = kind_of_node(m, first->from), count;
    const struct edge **way;
    const char *text;

    for (int i = 0; i < graph->node_count; i++)
        inside[i] = component[i] == component[first->from];
    starts[first->to] = true;
    way = graph_way(graph, graph_spread(graph, starts, inside), first->from, &count);
    *rule = first->via >= 0 ? &m->proof->pack->rules[first->via] : NULL;
    text = arena_printf(arena, "%s.%s%s", kind_at(m, kind)->name,
                        row_of_node(m, first->from)->event, step_text(m, first));
    for (int i = 0; i < count; i++) {
        text = arena_printf(arena, "%s%s", text, step_text(m, way[i]));
        if (*rule == NULL && way[i]->via >= 0)
            *rule = &m->proof->pack->rules[way[i]->via];
    }
    return text;
}

/* ---- 1. rules that open records ---- */

/* Is what `once` gives the same each time round the component? */
static bool is_bounded(const struct meeting *m, const struct rule *rule, const int *component,
                       int round)
{
    const struct lifecycle *l = kind_at(m, rule->kind)->lifecycle;

    if (expr_is_fixed(rule->once))
        return true;
    if (expr_grows(rule->each) || expr_grows(rule->once) || expr_reads(rule->once, "now") ||
        expr_reads(rule->once, "args"))
        return false;
    for (int i = 0; i < l->transition_count; i++) {
        if (component[node_of(m, rule->kind, i)] == round &&
            (l->transitions[i].creates || expr_reads_set(rule->once, &l->transitions[i])))
            return false;
    }
    return true;
}

/* Marks what is bounded in `bounded` (by rule), and reports each component that opens records without end. */
static void prove_openings(struct meeting *m, bool *bounded)
{
    const struct pack *pack = m->proof->pack;
    struct graph graph;
    const int *component;
    bool *said;

    draw(m, &graph, NULL);
    component = graph_components(&graph);
    said = arena_zero(m->proof->arena, (size_t)graph.node_count + 1);
    memset(bounded, 1, (size_t)pack->rule_count);
    for (int e = 0; e < graph.edge_count; e++) {
        const struct edge *edge = &graph.edges[e];
        int round = component[edge->from];
        const struct transition *to = row_of_node(m, edge->to);
        const struct rule *rule;
        const char *text;

        if (to == NULL || !to->creates || component[edge->to] != round ||
            (edge->via >= 0 && is_bounded(m, &pack->rules[edge->via], component, round)))
            continue;
        if (edge->via >= 0)
            bounded[edge->via] = false;
        if (said[round])
            continue;
        said[round] = true;
        text = round_text(m, &graph, component, edge, &rule);
        problem(m->proof->problems, rule != NULL ? rule->where : row_of_node(m, edge->from)->where,
                "this opens records without end, each time round another: %s", text);
    }
}

/* ---- 2. records that go on for ever ---- */

/* Can a record of the kind come from the row's end to its beginning, by rows of the same component? */
static bool comes_round(const struct meeting *m, const int *component, int node)
{
    int kind = kind_of_node(m, node);
    const struct lifecycle *l = kind_at(m, kind)->lifecycle;
    bool reached[STATES_MAX] = {false}, more = true;

    reached[row_of_node(m, node)->to] = true;
    while (more) {
        more = false;
        for (int i = 0; i < l->transition_count; i++) {
            const struct transition *row = &l->transitions[i];

            for (int s = 0; s < l->state_count && !reached[row->to]; s++) {
                if (reached[s] && row->from[s] && component[node_of(m, kind, i)] == component[node])
                    more = reached[row->to] = true;
            }
        }
    }
    for (int s = 0; s < l->state_count; s++) {
        if (reached[s] && row_of_node(m, node)->from[s])
            return true;
    }
    return false;
}

static void thin(const struct meeting *m, const struct graph *whole, const bool *gone,
                 struct graph *out)
{
    graph_init(out, m->proof->arena, m->node_count);
    for (int e = 0; e < whole->edge_count; e++) {
        if (!gone[whole->edges[e].from] && !gone[whole->edges[e].to])
            graph_add(out, whole->edges[e].from, whole->edges[e].to, whole->edges[e].via);
    }
}

/* Takes out the rows that no record comes round to; gives whether there were any. */
static bool take_out(const struct meeting *m, const struct graph *graph, const int *component,
                     bool *gone)
{
    bool more = false;

    for (int e = 0; e < graph->edge_count; e++) {
        int node = graph->edges[e].from;

        if (!gone[node] && row_of_node(m, node) != NULL &&
            component[node] == component[graph->edges[e].to] && !comes_round(m, component, node))
            more = gone[node] = true;
    }
    return more;
}

static void prove_ends(struct meeting *m, const bool *bounded)
{
    bool *gone = arena_zero(m->proof->arena, (size_t)m->node_count + 1), *said;
    struct graph whole, graph;
    const int *component;

    draw(m, &whole, bounded);
    do {
        thin(m, &whole, gone, &graph);
        component = graph_components(&graph);
    } while (take_out(m, &graph, component, gone));
    said = arena_zero(m->proof->arena, (size_t)graph.node_count + 1);
    for (int e = 0; e < graph.edge_count; e++) {
        const struct edge *edge = &graph.edges[e];
        const struct transition *from = row_of_node(m, edge->from);
        const struct rule *rule;
        const char *text;

        if (from == NULL || component[edge->from] != component[edge->to] ||
            said[component[edge->from]])
            continue;
        said[component[edge->from]] = true;
        text = round_text(m, &graph, component, edge, &rule);
        problem(m->proof->problems, rule != NULL ? rule->where : from->where,
                "these set each other off without end: %s", text);
    }
}

void prove_rules(struct proof *proof)
{
    const struct pack *pack = proof->pack;
    struct meeting m = {.proof = proof};
    bool *bounded = arena_zero(proof->arena, (size_t)pack->rule_count + 1);
    int errors = proof->problems->errors;

    m.first = arena_zero(proof->arena, sizeof *m.first * (size_t)(pack->kind_count + 1));
    for (int k = 0; k < pack->kind_count; k++) {
        m.first[k] = m.node_count;
        m.node_count += pack->kinds[k].lifecycle->transition_count;
    }
    m.changes = m.node_count;
    m.tries = m.changes + pack->kind_count;
    m.node_count = m.tries + pack->kind_count;
    link_kinds(&m);
    prove_openings(&m, bounded);
    if (proof->problems->errors == errors) /* what opens without end goes on without end */
        prove_ends(&m, bounded);
}
