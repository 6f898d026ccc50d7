/* prove_version.c - the next version of a document can take the place of the one before, or be dropped.
 *
 * The engine moves the version that is valid by its event `supersede`, and a successor that is given up by its event
 * `withdraw`. Where no row answers these, the new version can never come into force, or the change never be abandoned.
 * Beside the state of a version stands whether it has a successor (a row with `successor` opens one, one with
 * `drops_successor` takes it away); so that
 *
 *   error  a state that is valid, can be reached with a successor, and does not answer `supersede`;
 *   error  an open state that a successor can be in, not valid yet, that does not answer `withdraw`, in a lifecycle that
 *          drops successors. */
#include "definition/prove_inside.h"

enum { HAS_SUCCESSOR = 1, STANDINGS = 2 };

static bool answers(const struct proof *proof, int state, const char *event)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].from[state] && strcmp(l->transitions[i].event, event) == 0)
            return true;
    }
    return false;
}

static void draw(struct proof *proof, struct graph *graph, int begin)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    graph_init(graph, proof->arena, begin + 1);
    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];

        if (row->creates && life_of(proof)->made[i])
            graph_add(graph, begin, row->to * STANDINGS, i);
        for (int node = 0; node < begin; node++) {
            int has = row->makes_successor   ? HAS_SUCCESSOR
                      : row->drops_successor ? 0
                                             : node % STANDINGS;

            if (can_happen(proof, i, node / STANDINGS))
                graph_add(graph, node, row->to * STANDINGS + has, i);
        }
    }
}

static void prove_superseded(struct proof *proof)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    int begin = l->state_count * STANDINGS, count;
    bool *starts = arena_zero(proof->arena, (size_t)begin + 1);
    struct graph graph;
    const struct edge **way;
    const int *came;

    draw(proof, &graph, begin);
    starts[begin] = true;
    came = graph_spread(&graph, starts, NULL);
    for (int s = 0; s < l->state_count; s++) {
        if (!l->states[s].is_valid || came[s * STANDINGS + HAS_SUCCESSOR] == GRAPH_NONE ||
            answers(proof, s, "supersede"))
            continue;
        way = graph_way(&graph, came, s * STANDINGS + HAS_SUCCESSOR, &count);
        say_of_kind(
            proof, PROBLEM_ERROR, l->states[s].where,
            "%s leaves a version valid in '%s', where nothing answers 'supersede': the next "
            "version can never come into force",
            way_text(proof, way, count), l->states[s].name);
    }
}

static void prove_dropped(struct proof *proof, const struct transition *row)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int s = 0; s < l->state_count; s++) {
        if (life_of(proof)->reached[s] && !l->states[s].is_valid &&
            l->states[s].stage != STAGE_CLOSED && !answers(proof, s, "withdraw"))
            say_of_kind(proof, PROBLEM_ERROR, row->where,
                        "'%s' drops the next version, but nothing answers 'withdraw' while that is "
                        "in '%s' (reached by %s)",
                        row->event, l->states[s].name, way_to_state(proof, s));
    }
}

void prove_versions(struct proof *proof)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    bool supersedes = false;

    for (int i = 0; i < l->transition_count; i++) {
        if (!life_of(proof)->made[i])
            continue;
        supersedes = supersedes || l->transitions[i].supersedes;
        if (l->transitions[i].drops_successor)
            prove_dropped(proof, &l->transitions[i]);
    }
    if (supersedes)
        prove_superseded(proof);
}
