/* prove_gate.c - what waits is let go in the end, and what is done for each of several is done for each.
 *
 * A gate: a rule has opened a record (the child), and an event of the watched record (the parent) waits until the child
 * is closed. Taken apart from everything else the child closes some day (prove_reach.c); here it is shown that it does so
 * without the event that waits for it. Rows of the child that only a rule asks for, one that watches what the parent
 * can do only after that event, do not count. */
#include "definition/prove_inside.h"

struct gate {
    struct proof *proof;
    const struct rule *rule;
    bool late[RULES_MAX]; /* rules that fire only once the gate has opened */
};

static const struct kind *kind_at(const struct gate *g, int index)
{
    return &g->proof->pack->kinds[index];
}

static const char *name_of(const struct gate *g, int kind)
{
    return kind_at(g, kind)->name;
}

/* ---- what the parent can do before the gate opens ---- */

/* The states it can be in after the event that the rule watches; without the gate's event if `is_held`. */
static void states_after(const struct gate *g, bool is_held, bool reached[STATES_MAX])
{
    const struct lifecycle *l = kind_at(g, g->rule->kind)->lifecycle;
    const struct life *life = &g->proof->lives[g->rule->kind];
    bool more = true;

    memset(reached, 0, sizeof(bool) * STATES_MAX);
    for (int i = 0; i < l->transition_count; i++) {
        if (life->made[i] && strcmp(l->transitions[i].event, g->rule->event) == 0)
            reached[l->transitions[i].to] = true;
    }
    while (more) {
        more = false;
        for (int e = 0; e < life->graph.edge_count; e++) {
            const struct edge *edge = &life->graph.edges[e];

            if (edge->from < l->state_count && reached[edge->from] && !reached[edge->to] &&
                !(is_held && strcmp(l->transitions[edge->via].event, g->rule->gate_event) == 0))
                more = reached[edge->to] = true;
        }
    }
}

/* Can the parent do this in one of the states? */
static bool can_do(const struct gate *g, const char *event, const bool states[STATES_MAX])
{
    const struct lifecycle *l = kind_at(g, g->rule->kind)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (strcmp(l->transitions[i].event, event) != 0)
            continue;
        for (int s = 0; s < l->state_count; s++) {
            if (states[s] && l->transitions[i].from[s])
                return true;
        }
    }
    return false;
}

static void find_late(struct gate *g)
{
    const struct pack *pack = g->proof->pack;
    bool before[STATES_MAX];

    states_after(g, true, before);
    for (int r = 0; r < pack->rule_count; r++) {
        const struct rule *rule = &pack->rules[r];

        g->late[r] =
            rule->kind == g->rule->kind && strcmp(rule->event, g->rule->event) != 0 &&
            (strcmp(rule->event, g->rule->gate_event) == 0 || !can_do(g, rule->event, before));
    }
}

/* ---- what the child can do without it ---- */

static bool has_task(const struct lifecycle *l, const char *event)
{
    for (int i = 0; i < l->transition_count; i++) {
        for (int t = 0; t < l->transitions[i].task_count; t++) {
            const struct task_plan *task = &l->transitions[i].tasks[t];

            if ((task->on_done != NULL && strcmp(task->on_done, event) == 0) ||
                (task->on_failure != NULL && strcmp(task->on_failure, event) == 0))
                return true;
        }
    }
    return false;
}

static bool has_timer(const struct lifecycle *l, const char *event)
{
    for (int i = 0; i < l->timer_count; i++) {
        for (int s = 0; s < l->timers[i].step_count; s++) {
            if (l->timers[i].steps[s].event != NULL &&
                strcmp(l->timers[i].steps[s].event, event) == 0)
                return true;
        }
    }
    return false;
}

/* Does only a late rule ask for the row? That rule; NULL: somebody else makes it, too. */
static const struct rule *only_late(const struct gate *g, const struct transition *row)
{
    const struct lifecycle *l = kind_at(g, g->rule->starts)->lifecycle;
    const struct rule *late = NULL;

    if (row->creates || row->automatic || is_for_people(&row->by) || has_task(l, row->event) ||
        has_timer(l, row->event))
        return NULL;
    for (int r = 0; r < g->proof->pack->rule_count; r++) {
        const struct rule *rule = &g->proof->pack->rules[r];

        if (rule->signal == NULL || !g->proof->fires[r] || strcmp(rule->signal, row->event) != 0)
            continue;
        if (!signals_of(g->proof, r)[g->rule->starts])
            continue;
        if (!g->late[r])
            return NULL;
        late = rule;
    }
    return late;
}

static bool is_closed_stage(const struct kind *kind, int state)
{
    return kind->lifecycle->states[state].stage == STAGE_CLOSED;
}

/* Can the child be closed by rows that do not need the gate to be open? `rule`: the one that comes too late. */
static bool child_closes(struct gate *g, const struct rule **rule)
{
    const struct kind *child = kind_at(g, g->rule->starts);
    const struct life *life = &g->proof->lives[g->rule->starts];
    int states = child->lifecycle->state_count;
    const struct rule **late = arena_zero(
        g->proof->arena, sizeof *late * (size_t)(child->lifecycle->transition_count + 1));
    bool *starts = arena_zero(g->proof->arena, (size_t)states + 1);
    struct graph graph;
    const int *came;

    for (int i = 0; i < child->lifecycle->transition_count; i++) {
        late[i] = only_late(g, &child->lifecycle->transitions[i]);
        *rule = late[i] != NULL ? late[i] : *rule;
    }
    graph_init(&graph, g->proof->arena, states + 1);
    for (int e = 0; e < life->graph.edge_count; e++) {
        const struct edge *edge = &life->graph.edges[e];

        if (late[edge->via] == NULL)
            graph_add(&graph, edge->from, edge->to, edge->via);
    }
    starts[states] = true;
    came = graph_spread(&graph, starts, NULL);
    for (int s = 0; s < states; s++) {
        if (came[s] != GRAPH_NONE && is_closed_stage(child, s))
            return true;
    }
    return false;
}

/* ---- gates ---- */

/* Ends of the child that are not of the stage which gates wait for. */
static void prove_child_ends(struct gate *g)
{
    const struct kind *child = kind_at(g, g->rule->starts);
    const struct life *life = &g->proof->lives[g->rule->starts];

    for (int s = 0; s < child->lifecycle->state_count; s++) {
        const struct state *state = &child->lifecycle->states[s];

        if (life->reached[s] && state->is_closed && state->stage != STAGE_CLOSED &&
            life->graph.first[s] == GRAPH_NONE)
            problem(g->proof->problems, g->rule->where,
                    "rule '%s': '%s' waits until the %s is in the stage closed, but one that ends "
                    "in '%s' (%s:%d) never is",
                    g->rule->name, g->rule->gate_event, child->name, state->name, state->where.file,
                    state->where.line);
    }
}

static void prove_gate(struct proof *proof, int index)
{
    struct gate g = {.proof = proof, .rule = &proof->pack->rules[index]};
    const struct rule *late = NULL;
    bool after[STATES_MAX];

    prove_child_ends(&g);
    states_after(&g, false, after);
    if (!can_do(&g, g.rule->gate_event, after))
        problem_add(proof->problems, PROBLEM_WARNING, g.rule->where, 0,
                    "rule '%s' holds nothing: no '%s' can come after '%s'", g.rule->name,
                    g.rule->gate_event, g.rule->event);
    find_late(&g);
    if (!child_closes(&g, &late) && late != NULL)
        problem(
            proof->problems, g.rule->where,
            "rule '%s' holds for ever: '%s' of the %s waits until the %s is closed, which waits "
            "for '%s' (rule %s), which comes after '%s'",
            g.rule->name, g.rule->gate_event, name_of(&g, g.rule->kind),
            name_of(&g, g.rule->starts), late->signal, late->name, g.rule->gate_event);
}

/* ---- once for each ---- */

static void prove_once(struct proof *proof, const struct rule *rule)
{
    if (rule->each == NULL || rule->starts == MODEL_NONE || expr_reads(rule->once, "row") ||
        expr_reads(rule->once, "n"))
        return;
    problem(proof->problems, rule->where,
            "rule '%s' opens a %s for each element, but 'once' is the same for all of them, so "
            "that only the first is opened; let it name 'row' or 'n'",
            rule->name, proof->pack->kinds[rule->starts].name);
}

/* ---- signals ---- */

static bool may_signal(const struct kind *kind, const char *event)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *row = &kind->lifecycle->transitions[i];

        if (!row->creates && row->vote == VOTE_NONE && is_for_system(row) &&
            strcmp(row->event, event) == 0)
            return true;
    }
    return false;
}

static void prove_signal(struct proof *proof, int index)
{
    const struct rule *rule = &proof->pack->rules[index];
    const bool *kinds = signals_of(proof, index);
    const char *barred = NULL;

    if (rule->signal == NULL || rule->signal_to == NULL)
        return;
    for (int i = 0; i < proof->pack->kind_count; i++) {
        if (kinds[i] && may_signal(&proof->pack->kinds[i], rule->signal))
            return;
        barred = kinds[i] ? proof->pack->kinds[i].name : barred;
    }
    if (barred != NULL)
        problem(proof->problems, rule->where,
                "rule '%s' signals '%s' to a %s, which the engine may not do: no 'by' there names "
                "system",
                rule->name, rule->signal, barred);
    else
        problem(proof->problems, rule->where,
                "rule '%s' signals '%s' to records of kinds that have no such event", rule->name,
                rule->signal);
}

void prove_gates(struct proof *proof)
{
    for (int i = 0; i < proof->pack->rule_count; i++) {
        const struct rule *rule = &proof->pack->rules[i];
        const char *why = never_holds(proof, rule->kind, rule->when);

        prove_once(proof, rule);
        prove_signal(proof, i);
        if (rule->gate && rule->starts != MODEL_NONE && proof->fires[i])
            prove_gate(proof, i);
        else if (!proof->fires[i])
            problem_add(proof->problems, PROBLEM_WARNING, rule->where, 0,
                        "rule '%s' never fires: %s", rule->name,
                        why != NULL ? why
                        : truth_of(rule->when, NULL, rule->event) == NEVER
                            ? "its condition is false whatever the data"
                            : "what it watches can never happen");
    }
}
