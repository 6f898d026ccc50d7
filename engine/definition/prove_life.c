/* prove_life.c - which rows can happen at all: found by letting everything happen, again and again, until nothing new
 * does. A row happens if a record can be in one of its states, its condition is not false whatever the data, and
 * somebody makes it: a person, the engine by itself, a timer, a vote, or somebody who asks the engine to. */
#include "definition/build.h"
#include "definition/prove_inside.h"

const struct kind *kind_of(const struct proof *proof)
{
    return &proof->pack->kinds[proof->kind];
}

const struct life *life_of(const struct proof *proof)
{
    return &proof->lives[proof->kind];
}

bool is_for_people(const struct words *by)
{
    for (int i = 0; i < by->count; i++) {
        if (strcmp(by->at[i], WHO_SYSTEM) != 0)
            return true;
    }
    return false;
}

bool is_for_system(const struct transition *row)
{
    return words_have(&row->by, slice_str(WHO_SYSTEM)) || row->automatic;
}

const bool *signals_of(const struct proof *proof, int rule)
{
    return proof->signals + (size_t)rule * KINDS_MAX;
}

/* ---- who makes a row ---- */

static bool has_timer(const struct lifecycle *l, int state, const char *event)
{
    for (int i = 0; i < l->timer_count; i++) {
        const struct timer *timer = &l->timers[i];

        for (int s = 0; timer->in[state] && s < timer->step_count; s++) {
            if (timer->steps[s].event != NULL && strcmp(timer->steps[s].event, event) == 0)
                return true;
        }
    }
    return false;
}

/* A round is open in the state that the row which opens it leads to, until the record moves. */
static bool has_round(const struct lifecycle *l, const struct life *life, int state)
{
    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].opens_round && l->transitions[i].to == state && life->made[i])
            return true;
    }
    return false;
}

static bool is_made(const struct lifecycle *l, const struct life *life, int index, int state)
{
    const struct transition *row = &l->transitions[index];

    if (life->never[index * l->state_count + state])
        return false;
    if (row->vote != VOTE_NONE)
        return is_for_people(&row->by) && has_round(l, life, state);
    return row->automatic || is_for_people(&row->by) || life->asked[index] ||
           (is_for_system(row) && has_timer(l, state, row->event));
}

bool can_happen(const struct proof *proof, int row, int state)
{
    const struct life *life = life_of(proof);
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    return l->transitions[row].from[state] && life->reached[state] && is_made(l, life, row, state);
}

/* ---- until nothing new happens ---- */

static bool set_true(bool *flag)
{
    bool is_new = !*flag;

    *flag = true;
    return is_new;
}

/* The engine asks for `event` of a kind; `always`: also where `by` does not name it. */
static bool ask(struct proof *proof, int kind, const char *event, bool always)
{
    const struct lifecycle *l = proof->pack->kinds[kind].lifecycle;
    bool is_new = false;

    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];

        if (!row->creates && row->vote == VOTE_NONE && strcmp(row->event, event) == 0 &&
            (always || is_for_system(row)))
            is_new |= set_true(&proof->lives[kind].asked[i]);
    }
    return is_new;
}

static int kind_named(const struct pack *pack, const char *name)
{
    for (int i = 0; i < pack->kind_count; i++) {
        if (strcmp(pack->kinds[i].name, name) == 0)
            return i;
    }
    return MODEL_NONE;
}

/* What a row that happens brings with it, apart from rules. */
static bool follow(struct proof *proof, int kind, const struct transition *row)
{
    int finding = kind_named(proof->pack, "finding");
    bool is_new = false;

    for (int i = 0; i < row->task_count; i++) {
        if (row->tasks[i].on_done != NULL)
            is_new |= ask(proof, kind, row->tasks[i].on_done, false);
        if (row->tasks[i].on_failure != NULL)
            is_new |= ask(proof, kind, row->tasks[i].on_failure, false);
    }
    if (row->supersedes)
        is_new |= ask(proof, kind, "supersede", true);
    if (row->makes_successor)
        is_new |= set_true(&proof->lives[kind].is_started);
    if (row->drops_successor)
        is_new |= ask(proof, kind, "withdraw", true);
    /* The results of a tool become findings: core/import.c. */
    if (strcmp(row->event, "import") == 0 && finding != MODEL_NONE) {
        is_new |= set_true(&proof->lives[finding].is_started);
        is_new |= ask(proof, finding, "verify", false);
        is_new |= ask(proof, finding, "reappear", false);
        is_new |= ask(proof, finding, "suppress", false);
    }
    return is_new;
}

static bool happen(struct proof *proof, int kind, int index)
{
    struct life *life = &proof->lives[kind];
    const struct transition *row = &proof->pack->kinds[kind].lifecycle->transitions[index];
    bool is_new = set_true(&life->made[index]);

    is_new |= set_true(&life->reached[row->to]);
    if (is_new)
        (void)follow(proof, kind, row);
    return is_new;
}

/* Before there is a record nobody is its owner or its author, and no field names anybody. */
static bool may_be_opened(const struct pack *pack, const struct kind *kind,
                          const struct transition *row)
{
    const struct words *by = row->by.count > 0 ? &row->by : &kind->create;

    for (int i = 0; i < by->count; i++) {
        const char *word = by->at[i];

        if (strncmp(word, "manager_of:", 11) == 0)
            word += 11;
        if (strcmp(word, "anyone") == 0 ||
            (strcmp(word, WHO_SYSTEM) != 0 && pack_role(pack, slice_str(word)) != NULL))
            return true;
    }
    return false;
}

static bool live_on(struct proof *proof, int index)
{
    const struct kind *kind = &proof->pack->kinds[index];
    const struct lifecycle *l = kind->lifecycle;
    struct life *life = &proof->lives[index];
    bool is_new = false;

    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];

        if (row->creates && (life->is_started || may_be_opened(proof->pack, kind, row))) {
            life->is_born = true;
            is_new |= happen(proof, index, i);
        }
        for (int s = 0; s < l->state_count; s++) {
            if (!life->made[i] && row->from[s] && life->reached[s] && is_made(l, life, i, s))
                is_new |= happen(proof, index, i);
        }
    }
    return is_new;
}

static bool has_happened(const struct proof *proof, int kind, const char *event)
{
    const struct lifecycle *l = proof->pack->kinds[kind].lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (proof->lives[kind].made[i] && strcmp(l->transitions[i].event, event) == 0)
            return true;
    }
    return false;
}

static bool fire(struct proof *proof, int index)
{
    const struct rule *rule = &proof->pack->rules[index];

    if (proof->fires[index] || !has_happened(proof, rule->kind, rule->event) ||
        truth_of(rule->when, NULL, rule->event) == NEVER ||
        never_holds(proof, rule->kind, rule->when) != NULL)
        return false;
    proof->fires[index] = true;
    if (rule->starts != MODEL_NONE)
        proof->lives[rule->starts].is_started = true;
    for (int i = 0; i < proof->pack->kind_count; i++) {
        if (signals_of(proof, index)[i])
            (void)ask(proof, i, rule->signal, false);
    }
    return true;
}

/* ---- the graph of a kind ---- */

static void draw(struct proof *proof, int index)
{
    const struct lifecycle *l = proof->pack->kinds[index].lifecycle;
    struct life *life = &proof->lives[index];
    bool *starts = arena_zero(proof->arena, (size_t)l->state_count + 1);

    proof->kind = index;
    graph_init(&life->graph, proof->arena, l->state_count + 1);
    starts[l->state_count] = true;
    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].creates && life->made[i])
            graph_add(&life->graph, l->state_count, l->transitions[i].to, i);
        for (int s = 0; s < l->state_count; s++) {
            if (can_happen(proof, i, s))
                graph_add(&life->graph, s, l->transitions[i].to, i);
        }
    }
    life->came = graph_spread(&life->graph, starts, NULL);
}

/* Which conditions are false in which state, whatever the data. */
static void rule_out(struct proof *proof, int kind, struct life *life, const struct lifecycle *l)
{
    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];
        bool depends = expr_reads(row->when, "state");
        bool never = truth_of(row->when, NULL, row->event) == NEVER ||
                     never_holds(proof, kind, row->when) != NULL;

        for (int s = 0; s < l->state_count; s++)
            life->never[i * l->state_count + s] =
                never || (depends && truth_of(row->when, l->states[s].name, row->event) == NEVER);
    }
}

static void prepare(struct proof *proof, int index)
{
    const struct lifecycle *l = proof->pack->kinds[index].lifecycle;
    struct life *life = &proof->lives[index];
    size_t rows = (size_t)l->transition_count + 1;

    life->made = arena_zero(proof->arena, rows);
    life->asked = arena_zero(proof->arena, rows);
    life->never = arena_zero(proof->arena, rows * ((size_t)l->state_count + 1));
    rule_out(proof, index, life, l);
}

void lives_find(struct proof *proof)
{
    const struct pack *pack = proof->pack;
    bool more = true;

    proof->lives = arena_zero(proof->arena, sizeof *proof->lives * (size_t)(pack->kind_count + 1));
    proof->fires = arena_zero(proof->arena, (size_t)pack->rule_count + 1);
    proof->signals = arena_zero(proof->arena, (size_t)(pack->rule_count + 1) * KINDS_MAX);
    for (int i = 0; i < pack->rule_count; i++)
        signal_kinds(pack, &pack->rules[i], proof->signals + (size_t)i * KINDS_MAX);
    for (int i = 0; i < pack->kind_count; i++)
        prepare(proof, i);
    while (more) {
        more = false;
        for (int i = 0; i < pack->kind_count; i++) {
            while (live_on(proof, i))
                more = true;
        }
        for (int i = 0; i < pack->rule_count; i++)
            more |= fire(proof, i);
    }
    for (int i = 0; i < pack->kind_count; i++)
        draw(proof, i);
}

/* ---- in words ---- */

const char *way_text(const struct proof *proof, const struct edge **way, int count)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    const char *text = "";

    for (int i = 0; i < count; i++)
        text = arena_printf(proof->arena, "%s%s%s", text, i > 0 ? " -> " : "",
                            l->transitions[way[i]->via].event);
    return text;
}

const char *way_to_state(const struct proof *proof, int state)
{
    const struct life *life = life_of(proof);
    const struct edge **way;
    int count;

    way = graph_way(&life->graph, life->came, state, &count);
    return way_text(proof, way, count);
}
