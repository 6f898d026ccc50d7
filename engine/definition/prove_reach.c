/* prove_reach.c - every state is reached, and from every open one a closed one can be; every row has somebody who makes it.
 *
 * The graph of a kind holds the rows that can happen (prove_life.c). What cannot be reached from the beginning is dead
 * text, or a mistake in the row that was to lead there; an open state with no way to a closed one holds its records,
 * and the duties and timers that they have, for ever. */
#include "definition/option.h"
#include "definition/prove_inside.h"

/* A row that leads to the state and never happens: the reason is there. */
static const struct transition *barred_row(const struct proof *proof, int state)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].to != state || life_of(proof)->made[i])
            continue;
        for (int s = 0; s < l->state_count; s++) {
            if (l->transitions[i].from[s] && life_of(proof)->reached[s])
                return &l->transitions[i];
        }
    }
    return NULL;
}

static void say_unreached(struct proof *proof, int state)
{
    const struct state *s = &kind_of(proof)->lifecycle->states[state];
    const struct transition *row = barred_row(proof, state);

    if (row == NULL)
        say_of_kind(proof, PROBLEM_ERROR, s->where, "no way leads to state '%s'", s->name);
    else
        say_of_kind(proof, PROBLEM_ERROR, s->where,
                    "no way leads to state '%s': '%s' (%s:%d) would, but can never happen", s->name,
                    row->event, row->where.file, row->where.line);
}

/* The states from which a closed one can be reached: the graph walked backwards. */
static int *spread_back(struct proof *proof)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    const struct graph *graph = &life_of(proof)->graph;
    bool *closed = arena_zero(proof->arena, (size_t)graph->node_count + 1);
    struct graph back;

    graph_init(&back, proof->arena, graph->node_count);
    for (int e = 0; e < graph->edge_count; e++)
        graph_add(&back, graph->edges[e].to, graph->edges[e].from, graph->edges[e].via);
    for (int s = 0; s < l->state_count; s++)
        closed[s] = l->states[s].is_closed;
    return graph_spread(&back, closed, NULL);
}

static void prove_states(struct proof *proof)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    const int *ends = spread_back(proof);

    for (int s = 0; s < l->state_count; s++) {
        if (!life_of(proof)->reached[s])
            say_unreached(proof, s);
        else if (ends[s] == GRAPH_NONE)
            say_of_kind(proof, PROBLEM_ERROR, l->states[s].where,
                        "no way leads to a closed state from '%s', which is reached by %s",
                        l->states[s].name, way_to_state(proof, s));
    }
}

/* ---- rows that nobody makes ---- */

static bool starts_reached(const struct proof *proof, const struct transition *row)
{
    for (int s = 0; s < kind_of(proof)->lifecycle->state_count; s++) {
        if (row->from[s] && life_of(proof)->reached[s])
            return true;
    }
    return false;
}

static bool is_never(const struct proof *proof, int row)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int s = 0; s < l->state_count; s++) {
        if (l->transitions[row].from[s] && life_of(proof)->reached[s] &&
            !life_of(proof)->never[row * l->state_count + s])
            return false;
    }
    return true;
}

/* 'apart' always wins: where it has every word of 'by', nobody is left. */
static void prove_hands(struct proof *proof, const struct transition *row)
{
    for (int i = 0; i < row->by.count; i++) {
        if (!words_have(&row->apart, slice_str(row->by.at[i])))
            return;
    }
    if (row->by.count > 0)
        say_of_kind(proof, PROBLEM_ERROR, row->where,
                    "nobody can do '%s': everyone whom 'by' names is kept 'apart' as well; name "
                    "somebody else in 'by', or take '%s' from 'apart'",
                    row->event, row->by.at[0]);
}

static void prove_row(struct proof *proof, int index)
{
    const struct transition *row = &kind_of(proof)->lifecycle->transitions[index];
    const char *why = never_holds(proof, proof->kind, row->when);

    prove_hands(proof, row);
    if (row->creates || life_of(proof)->made[index] || !starts_reached(proof, row))
        return;
    if (is_never(proof, index))
        say_of_kind(proof, PROBLEM_ERROR, row->where, "'%s' can never happen: %s", row->event,
                    why != NULL ? why : "its condition is false whatever the data");
    else if (row->vote != VOTE_NONE && is_for_people(&row->by))
        say_of_kind(proof, PROBLEM_ERROR, row->where,
                    "nobody can ever vote with '%s': no round is open in the states it leaves",
                    row->event);
    else if (row->by.count > 0)
        say_of_kind(proof, PROBLEM_WARNING, row->where,
                    "nothing ever makes '%s': only the engine may, and no timer, rule or task asks "
                    "it to",
                    row->event);
    else
        say_of_kind(proof, PROBLEM_WARNING, row->where, "nobody may do '%s'; name who in 'by'",
                    row->event);
}

void prove_reach(struct proof *proof)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    if (!life_of(proof)->is_born) {
        say_of_kind(proof, PROBLEM_ERROR, kind_of(proof)->where,
                    "nobody may open one, and no rule starts one; name who in 'create'");
        return;
    }
    prove_states(proof);
    for (int i = 0; i < l->transition_count; i++)
        prove_row(proof, i);
}
