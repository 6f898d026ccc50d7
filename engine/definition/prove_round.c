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
 *     a row with `set`       not granted, if it sets content, except in a guarded state
 *
 * Content is what a person answers for: the title, and the fields that are not computed. Where the definition itself says
 * what else may change after the vote (a state with `edit_fields`, a row with `set`), optional fields are what is filled in
 * later, results and notes, and only those that are required are content; a `set` that takes over what came with the event
 * (`args`) counts like an edit. In a guarded state what `edit_fields` names may be edited, whatever it is.
 *
 * Guarded are the states of stage in_force. There are records of which not the beginning is signed but the result, a
 * review, an analysis: where no version is valid and every vote that grants leads to a closed state, guarded are those
 * states.
 *
 * A way to a guarded state where the content is not granted is refused, with the shortest way to it.
 *
 * And the digest says what is signed, no more and no less: a computed field that a row sets as it opens a round is part of
 * what it asks about, so it is `signed`; one that is signed is set by no row that neither creates nor opens a round. */
#include "core/span.h"
#include "definition/option.h"
#include "definition/prove_inside.h"

enum { GRANTED = 1, OPEN = 2, STANDINGS = 4 }; /* bits */
enum { VIA_EXPIRY = -2, VIA_EDIT = -1 };       /* what is no row */

struct rounds {
    struct proof *proof;
    const struct kind *kind;
    const struct lifecycle *lifecycle;
    bool is_guarded[STATES_MAX];
    struct graph graph; /* nodes: state and standing, and `begin` */
    int begin;
    int *came;
};

static int node_of(int state, int standing)
{
    return state * STANDINGS + standing;
}

static const struct transition *row_at(const struct rounds *r, int row)
{
    return &r->lifecycle->transitions[row];
}

/* ---- which states ---- */

static bool is_result_signed(const struct rounds *r)
{
    bool grants = false;

    for (int i = 0; i < r->lifecycle->transition_count; i++) {
        if (row_at(r, i)->vote != VOTE_GRANT)
            continue;
        grants = true;
        if (!r->lifecycle->states[row_at(r, i)->to].is_closed)
            return false;
    }
    return grants && !r->lifecycle->versioned;
}

static void find_guarded(struct rounds *r)
{
    bool is_result = is_result_signed(r);

    for (int s = 0; s < r->lifecycle->state_count && !is_result; s++)
        r->is_guarded[s] = r->lifecycle->states[s].stage == STAGE_IN_FORCE;
    for (int i = 0; i < r->lifecycle->transition_count && is_result; i++) {
        if (row_at(r, i)->vote == VOTE_GRANT)
            r->is_guarded[row_at(r, i)->to] = true;
    }
}

/* ---- what happens to the content ---- */

static bool is_content(const struct kind *kind, const char *name, bool only_required)
{
    const struct field *field = kind_field(kind, slice_str(name));

    if (field == NULL)
        return strcmp(name, "title") == 0;
    return !field->computed && (!only_required || field->required || field->required_if != NULL);
}

/* The field of content that the row sets, or NULL. `state` is where it leaves, MODEL_NONE if it creates. */
static const char *content_set(const struct rounds *r, const struct transition *row, int state)
{
    for (int i = 0; i < row->set_count && (state == MODEL_NONE || !r->is_guarded[state]); i++) {
        if (is_content(r->kind, row->set[i].field, !expr_reads(row->set[i].value, "args")))
            return row->set[i].field;
    }
    return NULL;
}

/* The field of content that may be edited in the state ("content": any), or NULL. */
static const char *content_edited(const struct rounds *r, int index)
{
    const struct state *state = &r->lifecycle->states[index];

    if (state->edit.count == 0 || state->edit_fields.count == 0)
        return state->edit.count > 0 ? "content" : NULL;
    for (int i = 0; i < state->edit_fields.count && !r->is_guarded[index]; i++) {
        if (is_content(r->kind, state->edit_fields.at[i], true))
            return state->edit_fields.at[i];
    }
    return NULL;
}

/* The standing after the row; MODEL_NONE: it cannot happen so. */
static int standing_after(const struct rounds *r, const struct transition *row, int state,
                          int standing)
{
    if (row->vote != VOTE_NONE && (standing & OPEN) == 0)
        return MODEL_NONE;
    standing &= ~OPEN;
    if (row->vote == VOTE_GRANT)
        standing |= GRANTED;
    else if (row->vote != VOTE_NONE)
        standing = 0;
    if (content_set(r, row, state) != NULL)
        standing &= ~GRANTED;
    return row->opens_round ? standing | OPEN : standing;
}

/* ---- the graph ---- */

static bool is_breach(const struct rounds *r, int node)
{
    return r->is_guarded[node / STANDINGS] && (node & GRANTED) == 0;
}

/* A round that time ends as if it had been granted. */
static void add_expiry(struct rounds *r, int state, int standing)
{
    if (span_is_zero(&r->kind->approval->expires) || r->kind->approval->on_expiry != VOTE_GRANT)
        return;
    for (int i = 0; i < r->lifecycle->transition_count; i++) {
        if (row_at(r, i)->vote == VOTE_GRANT && row_at(r, i)->from[state])
            graph_add(&r->graph, node_of(state, standing), node_of(row_at(r, i)->to, 0),
                      VIA_EXPIRY);
    }
}

static void add_rows(struct rounds *r, int state, int standing)
{
    for (int i = 0; i < r->lifecycle->transition_count; i++) {
        int after;

        if (!can_happen(r->proof, i, state))
            continue;
        after = standing_after(r, row_at(r, i), state, standing);
        if (after != MODEL_NONE)
            graph_add(&r->graph, node_of(state, standing), node_of(row_at(r, i)->to, after), i);
    }
    if ((standing & OPEN) != 0)
        add_expiry(r, state, standing);
    if (content_edited(r, state) != NULL)
        graph_add(&r->graph, node_of(state, standing), node_of(state, 0), VIA_EDIT);
}

/* From a breach no way goes on: the first one is the one to mend. */
static void draw(struct rounds *r)
{
    bool *starts = arena_zero(r->proof->arena, (size_t)r->begin + 1);

    graph_init(&r->graph, r->proof->arena, r->begin + 1);
    for (int i = 0; i < r->lifecycle->transition_count; i++) {
        if (row_at(r, i)->creates && life_of(r->proof)->made[i])
            graph_add(&r->graph, r->begin,
                      node_of(row_at(r, i)->to, standing_after(r, row_at(r, i), MODEL_NONE, 0)), i);
    }
    for (int node = 0; node < r->begin; node++) {
        if (!is_breach(r, node))
            add_rows(r, node / STANDINGS, node % STANDINGS);
    }
    starts[r->begin] = true;
    r->came = graph_spread(&r->graph, starts, NULL);
}

/* ---- what is wrong ---- */

static const char *event_of(const struct rounds *r, const struct edge *edge)
{
    return edge->via == VIA_EDIT     ? "edit"
           : edge->via == VIA_EXPIRY ? "(the round expires)"
                                     : row_at(r, edge->via)->event;
}

/* What an edge changes in the content, or NULL. */
static const char *changed_by(const struct rounds *r, const struct edge *edge)
{
    int state = edge->from == r->begin ? MODEL_NONE : edge->from / STANDINGS;

    if (edge->via == VIA_EDIT)
        return content_edited(r, state);
    return edge->via == VIA_EXPIRY ? NULL : content_set(r, row_at(r, edge->via), state);
}

/* The way that ends with `last`; `changed`: what of the content was changed after it had been granted, or NULL. */
static const char *way_of(const struct rounds *r, const struct edge *last, const char **changed)
{
    struct arena *arena = r->proof->arena;
    const char *text = "";
    const struct edge **way;
    bool was_granted = false;
    int count;

    *changed = NULL;
    way = graph_way(&r->graph, r->came, last->from, &count);
    for (int i = 0; i <= count; i++) {
        const struct edge *edge = i < count ? way[i] : last;
        const char *change = changed_by(r, edge);

        was_granted = was_granted || (edge->via >= 0 && row_at(r, edge->via)->vote == VOTE_GRANT);
        *changed = was_granted && change != NULL ? change : *changed;
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? " -> " : "", event_of(r, edge));
    }
    return text;
}

static struct where place_of(const struct rounds *r, const struct edge *last)
{
    return last->via == VIA_EDIT     ? r->lifecycle->states[last->to / STANDINGS].where
           : last->via == VIA_EXPIRY ? r->kind->approval->where
                                     : row_at(r, last->via)->where;
}

static void say_breach(const struct rounds *r, const struct edge *last)
{
    const struct state *state = &r->lifecycle->states[last->to / STANDINGS];
    const char *changed, *way = way_of(r, last, &changed);

    if (changed == NULL)
        say_of_kind(r->proof, PROBLEM_ERROR, place_of(r, last),
                    "%s reaches '%s' and no approval was granted", way, state->name);
    else
        say_of_kind(r->proof, PROBLEM_ERROR, place_of(r, last),
                    "%s reaches '%s' with another %s%s%s than was approved", way, state->name,
                    strcmp(changed, "content") == 0 ? "" : "'", changed,
                    strcmp(changed, "content") == 0 ? "" : "'");
}

/* For each row (and before them for expiry and edit) the edge by which it first comes to a breach, or NULL. */
static const struct edge **first_breaches(const struct rounds *r)
{
    size_t places = (size_t)(r->lifecycle->transition_count - VIA_EXPIRY);
    const struct edge **best = arena_zero(r->proof->arena, sizeof *best * places);
    int *least = arena_zero(r->proof->arena, sizeof *least * places);

    for (int e = 0; e < r->graph.edge_count; e++) {
        const struct edge *edge = &r->graph.edges[e];
        int place = edge->via - VIA_EXPIRY, length;

        if (r->came[edge->from] == GRAPH_NONE || !is_breach(r, edge->to))
            continue;
        length = graph_distance(&r->graph, r->came, edge->from);
        if (best[place] == NULL || length < least[place]) {
            best[place] = edge;
            least[place] = length;
        }
    }
    return best;
}

/* ---- what the digest covers ---- */

static void prove_set(struct proof *proof, const struct transition *row,
                      const struct setting *setting)
{
    const struct field *field = kind_field(kind_of(proof), slice_str(setting->field));

    if (field == NULL || !field->computed || row->creates)
        return;
    if (row->opens_round && !field->is_signed)
        say_of_kind(proof, PROBLEM_ERROR, where_of(setting->field),
                    "'%s' sets '%s' as it asks for approval, but the content that is signed would "
                    "leave it out, since it is computed; give the field 'signed = true'",
                    row->event, field->name);
    else if (!row->opens_round && field->is_signed)
        say_of_kind(proof, PROBLEM_ERROR, where_of(setting->field),
                    "'%s' sets '%s', which people sign, and opens no round: what was signed would "
                    "change without them; let it set a field that is not 'signed'",
                    row->event, field->name);
}

static void prove_digest(struct proof *proof)
{
    const struct lifecycle *lifecycle = kind_of(proof)->lifecycle;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        for (int j = 0; j < lifecycle->transitions[i].set_count; j++)
            prove_set(proof, &lifecycle->transitions[i], &lifecycle->transitions[i].set[j]);
    }
}

/* ---- stages that are never needed ---- */

static void prove_stages(struct proof *proof)
{
    const struct approval *approval = kind_of(proof)->approval;
    int needed = 0;

    for (int i = 0; i < approval->stage_count; i++) {
        if (truth_of(approval->stages[i].when, NULL, NULL) != NEVER)
            needed++;
        else
            say_of_kind(proof, PROBLEM_WARNING, approval->stages[i].where,
                        "stage '%s' is never asked: its condition is false whatever the data",
                        approval->stages[i].name);
    }
    if (needed == 0)
        say_of_kind(proof, PROBLEM_ERROR, approval->where,
                    "this approval asks nobody: none of its stages is ever needed, so that no "
                    "round can be opened");
}

void prove_round(struct proof *proof)
{
    struct rounds r = {
        .proof = proof, .kind = kind_of(proof), .lifecycle = kind_of(proof)->lifecycle};
    const struct edge **breaches;

    if (r.kind->approval == NULL)
        return;
    prove_stages(proof);
    prove_digest(proof);
    r.begin = r.lifecycle->state_count * STANDINGS;
    find_guarded(&r);
    draw(&r);
    breaches = first_breaches(&r);
    for (int i = 0; i < r.lifecycle->transition_count - VIA_EXPIRY; i++) {
        if (breaches[i] != NULL)
            say_breach(&r, breaches[i]);
    }
}
