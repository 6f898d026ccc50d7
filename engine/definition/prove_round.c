/* prove_round.c - in a kind that declares an approval, nothing comes into force that was not approved as it is.
 *
 * Beside the state of a record stands what its approvals amount to: is the present content granted, and is a round open?
 * All pairs of the two that can happen are walked through, breadth first:
 *
 *     opens = "round"        a round is open
 *     a vote that grants     granted; there is such a row only while a round is open
 *     any other vote         not granted
 *     any other row          closes the round; what was granted stays granted
 *     an edit                not granted, no round open
 *     the round expires      by `on_expiry` it goes where a vote would lead: where nobody voted, nothing was granted
 *     a row with `set`       not granted, if it sets a field that belongs to the content
 *
 * Content is what the digest of an approval covers and a person answers for: fields that are not computed. A state that
 * lets only certain fields be edited (`edit_fields`) once the record is in force says by that that these are filled in
 * later, and are not what was approved; before, and outside of that stage, they are content if they are required.
 *
 * A way to a state of stage in_force where the content is not granted is refused, with the shortest way to it. */
#include "core/span.h"
#include "definition/prove_inside.h"

enum { GRANTED = 1, OPEN = 2, STANDINGS = 4 }; /* bits */
enum { VIA_EXPIRY = -2, VIA_EDIT = -1 };       /* what is no row */

static int node_of(int state, int standing)
{
    return state * STANDINGS + standing;
}

static bool is_content(const struct kind *kind, const char *name, bool only_required)
{
    const struct field *field = kind_field(kind, slice_str(name));

    if (field == NULL)
        return strcmp(name, "title") == 0;
    return !field->computed && (!only_required || field->required || field->required_if != NULL);
}

/* ---- what happens to the standing ---- */

static bool sets_content(const struct kind *kind, const struct transition *row, int state)
{
    bool is_in_force = state >= 0 && kind->lifecycle->states[state].stage == STAGE_IN_FORCE;

    for (int i = 0; i < row->set_count && !is_in_force; i++) {
        if (is_content(kind, row->set[i].field, false))
            return true;
    }
    return false;
}

/* After the row; MODEL_NONE: it cannot happen so. `state` is where it leaves, MODEL_NONE if it creates. */
static int standing_after(const struct kind *kind, const struct transition *row, int state,
                          int standing)
{
    if (row->vote != VOTE_NONE && (standing & OPEN) == 0)
        return MODEL_NONE;
    standing &= ~OPEN;
    if (row->vote == VOTE_GRANT)
        standing |= GRANTED;
    else if (row->vote != VOTE_NONE)
        standing = 0;
    if (sets_content(kind, row, state))
        standing &= ~GRANTED;
    return row->opens_round ? standing | OPEN : standing;
}

static bool edits_content(const struct kind *kind, const struct state *state)
{
    if (state->edit.count == 0 || state->edit_fields.count == 0)
        return state->edit.count > 0;
    for (int i = 0; i < state->edit_fields.count && state->stage != STAGE_IN_FORCE; i++) {
        if (is_content(kind, state->edit_fields.at[i], true))
            return true;
    }
    return false;
}

/* ---- the graph ---- */

static bool is_breach(const struct lifecycle *l, int node)
{
    return l->states[node / STANDINGS].stage == STAGE_IN_FORCE && (node & GRANTED) == 0;
}

/* A round that time ends as if it had been granted. */
static void add_expiry(struct proof *proof, struct graph *graph, int state, int standing)
{
    const struct kind *kind = kind_of(proof);
    const struct lifecycle *l = kind->lifecycle;

    if (span_is_zero(&kind->approval->expires) || kind->approval->on_expiry != VOTE_GRANT)
        return;
    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].vote == VOTE_GRANT && l->transitions[i].from[state])
            graph_add(graph, node_of(state, standing), node_of(l->transitions[i].to, 0),
                      VIA_EXPIRY);
    }
}

static void add_rows(struct proof *proof, struct graph *graph, int state, int standing)
{
    const struct kind *kind = kind_of(proof);
    const struct lifecycle *l = kind->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        int after;

        if (!can_happen(proof, i, state))
            continue;
        after = standing_after(kind, &l->transitions[i], state, standing);
        if (after != MODEL_NONE)
            graph_add(graph, node_of(state, standing), node_of(l->transitions[i].to, after), i);
    }
    if ((standing & OPEN) != 0)
        add_expiry(proof, graph, state, standing);
    if (edits_content(kind, &l->states[state]))
        graph_add(graph, node_of(state, standing), node_of(state, 0), VIA_EDIT);
}

/* From what is in force unapproved no way goes on: the first breach is the one to mend. */
static void draw(struct proof *proof, struct graph *graph, int begin)
{
    const struct kind *kind = kind_of(proof);
    const struct lifecycle *l = kind->lifecycle;

    graph_init(graph, proof->arena, begin + 1);
    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];

        if (row->creates && life_of(proof)->made[i])
            graph_add(graph, begin, node_of(row->to, standing_after(kind, row, MODEL_NONE, 0)), i);
    }
    for (int node = 0; node < begin; node++) {
        if (!is_breach(l, node))
            add_rows(proof, graph, node / STANDINGS, node % STANDINGS);
    }
}

/* ---- what is wrong ---- */

static const char *event_of(const struct lifecycle *l, const struct edge *edge)
{
    return edge->via == VIA_EDIT     ? "edit"
           : edge->via == VIA_EXPIRY ? "(the round expires)"
                                     : l->transitions[edge->via].event;
}

static bool is_grant(const struct lifecycle *l, const struct edge *edge)
{
    return edge->via >= 0 && l->transitions[edge->via].vote == VOTE_GRANT;
}

static const char *way_of(struct proof *proof, const struct graph *graph, const int *came,
                          const struct edge *last, bool *was_granted)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    const char *text = "";
    const struct edge **way;
    int count;

    *was_granted = false;
    way = graph_way(graph, came, last->from, &count);
    for (int i = 0; i < count; i++) {
        *was_granted = *was_granted || is_grant(l, way[i]);
        text = arena_printf(proof->arena, "%s%s -> ", text, event_of(l, way[i]));
    }
    return arena_printf(proof->arena, "%s%s", text, event_of(l, last));
}

static void say_breach(struct proof *proof, const struct graph *graph, const int *came,
                       const struct edge *last)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    const struct state *state = &l->states[last->to / STANDINGS];
    bool was_granted;
    const char *way = way_of(proof, graph, came, last, &was_granted);

    say_of_kind(proof, PROBLEM_ERROR,
                last->via == VIA_EDIT     ? state->where
                : last->via == VIA_EXPIRY ? kind_of(proof)->approval->where
                                          : l->transitions[last->via].where,
                was_granted || is_grant(l, last)
                    ? "%s leaves it in '%s' with another content than the one that was approved"
                    : "%s reaches '%s' and no approval was granted",
                way, state->name);
}

/* For each row (and before them for expiry and edit) the edge by which it first comes to a breach, or NULL. */
static const struct edge **first_breaches(const struct proof *proof, const struct graph *graph,
                                          const int *came)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    size_t places = (size_t)(l->transition_count - VIA_EXPIRY);
    const struct edge **best = arena_zero(proof->arena, sizeof *best * places);
    int *least = arena_zero(proof->arena, sizeof *least * places);

    for (int e = 0; e < graph->edge_count; e++) {
        const struct edge *edge = &graph->edges[e];
        int place = edge->via - VIA_EXPIRY, length;

        if (came[edge->from] == GRAPH_NONE || !is_breach(l, edge->to))
            continue;
        length = graph_distance(graph, came, edge->from);
        if (best[place] == NULL || length < least[place]) {
            best[place] = edge;
            least[place] = length;
        }
    }
    return best;
}

void prove_round(struct proof *proof)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    int begin = l->state_count * STANDINGS;
    bool *starts = arena_zero(proof->arena, (size_t)begin + 1);
    const struct edge **breaches;
    struct graph graph;
    const int *came;

    if (kind_of(proof)->approval == NULL)
        return;
    draw(proof, &graph, begin);
    starts[begin] = true;
    came = graph_spread(&graph, starts, NULL);
    breaches = first_breaches(proof, &graph, came);
    for (int i = 0; i < l->transition_count - VIA_EXPIRY; i++) {
        if (breaches[i] != NULL)
            say_breach(proof, &graph, came, breaches[i]);
    }
}
