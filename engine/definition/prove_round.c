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
 *     a row with `set`       not granted, if it sets content, except where the record is in force and stays so
 *
 * Content is what a person answers for: the title, and the fields that are not computed. Where the definition itself says
 * what else may change after the vote (a state with `edit_fields`, a row with `set`), optional fields are what is filled in
 * later, results and notes, and only those that are required are content; a `set` that takes over what came with the event
 * (`args`) counts like an edit. In a state of stage in_force what `edit_fields` names may be edited, whatever it is.
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

/* The field of content that the row sets, or NULL. */
static const char *content_set(const struct kind *kind, const struct transition *row, int state)
{
    bool is_in_force = state >= 0 && kind->lifecycle->states[state].stage == STAGE_IN_FORCE;

    for (int i = 0; i < row->set_count && !is_in_force; i++) {
        if (is_content(kind, row->set[i].field, !expr_reads(row->set[i].value, "args")))
            return row->set[i].field;
    }
    return NULL;
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
    if (content_set(kind, row, state) != NULL)
        standing &= ~GRANTED;
    return row->opens_round ? standing | OPEN : standing;
}

/* The field of content that may be edited in the state ("content": any), or NULL. */
static const char *content_edited(const struct kind *kind, const struct state *state)
{
    if (state->edit.count == 0 || state->edit_fields.count == 0)
        return state->edit.count > 0 ? "content" : NULL;
    for (int i = 0; i < state->edit_fields.count && state->stage != STAGE_IN_FORCE; i++) {
        if (is_content(kind, state->edit_fields.at[i], true))
            return state->edit_fields.at[i];
    }
    return NULL;
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
    if (content_edited(kind, &l->states[state]) != NULL)
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

/* What an edge changes in the content, or NULL. */
static const char *changed_by(const struct kind *kind, const struct edge *edge)
{
    int state = edge->from / STANDINGS;

    if (state == kind->lifecycle->state_count) /* where records begin */
        state = MODEL_NONE;
    if (edge->via == VIA_EDIT)
        return content_edited(kind, &kind->lifecycle->states[state]);
    return edge->via == VIA_EXPIRY
               ? NULL
               : content_set(kind, &kind->lifecycle->transitions[edge->via], state);
}

/* The way that ends with `last`; `changed`: what of the content was changed after it had been granted, or NULL. */
static const char *way_of(struct proof *proof, const struct graph *graph, const int *came,
                          const struct edge *last, const char **changed)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    const char *text = "";
    const struct edge **way;
    bool was_granted = false;
    int count;

    *changed = NULL;
    way = graph_way(graph, came, last->from, &count);
    for (int i = 0; i <= count; i++) {
        const struct edge *edge = i < count ? way[i] : last;
        const char *change = changed_by(kind_of(proof), edge);

        was_granted = was_granted || is_grant(l, edge);
        *changed = was_granted && change != NULL ? change : *changed;
        text = arena_printf(proof->arena, "%s%s%s", text, i > 0 ? " -> " : "", event_of(l, edge));
    }
    return text;
}

static struct where place_of(const struct proof *proof, const struct edge *last)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    return last->via == VIA_EDIT     ? l->states[last->to / STANDINGS].where
           : last->via == VIA_EXPIRY ? kind_of(proof)->approval->where
                                     : l->transitions[last->via].where;
}

static void say_breach(struct proof *proof, const struct graph *graph, const int *came,
                       const struct edge *last)
{
    const struct state *state = &kind_of(proof)->lifecycle->states[last->to / STANDINGS];
    const char *changed, *way = way_of(proof, graph, came, last, &changed);

    if (changed == NULL)
        say_of_kind(proof, PROBLEM_ERROR, place_of(proof, last),
                    "%s reaches '%s' and no approval was granted", way, state->name);
    else
        say_of_kind(proof, PROBLEM_ERROR, place_of(proof, last),
                    "%s reaches '%s' with another %s%s%s than was approved", way, state->name,
                    strcmp(changed, "content") == 0 ? "" : "'", changed,
                    strcmp(changed, "content") == 0 ? "" : "'");
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
