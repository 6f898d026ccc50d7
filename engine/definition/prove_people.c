/* prove_people.c - the people there are suffice.
 *
 * Who a word means is found from above: a role means its holders, and what depends on a record (its owner, a field) may
 * mean anybody. So what is refused here is certain:
 *
 *   error    nobody may make an event that only people make: nobody is meant by `by`, or everyone who is, is kept apart
 *            whoever owns the record or did what went before;
 *   error    an approval that cannot be granted, whoever is its author: too few are asked once the author is left out,
 *            for a stage or for its stages together, since a person votes in one of them;
 *   error    somebody holds two roles that conflict;
 *   warning  the same, if somebody in particular is the author, or made the event that keeps apart;
 *   warning  a role that something waits for and nobody holds. */
#include "core/ballot.h"
#include "definition/option.h"
#include "definition/prove_inside.h"

enum { NAMES_SHOWN = 5 };

struct meant { /* whom words mean */
    struct crowd crowd;
    bool anybody; /* and it may be anybody else */
};

static void add_words(const struct proof *p, const struct words *words, struct meant *out);

/* ---- whom a word means ---- */

static void add_role(const struct proof *p, const char *role, struct meant *out)
{
    for (int i = 0; i < p->people->count; i++) {
        if (words_have(&p->people->at[i].roles, slice_str(role)))
            crowd_add(&out->crowd, i);
    }
}

static const struct words *creators(const struct kind *kind)
{
    const struct lifecycle *l = kind->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].creates && l->transitions[i].by.count > 0)
            return &l->transitions[i].by;
    }
    return &kind->create;
}

static void add_managers(const struct proof *p, const char *word, struct meant *out)
{
    const char *at[] = {word};
    struct meant managed = {{{0}}, false};

    add_words(p, &(struct words){at, 1}, &managed);
    out->anybody = out->anybody || managed.anybody;
    for (int i = 0; i < p->people->count; i++) {
        const char *manager = p->people->at[i].manager;

        for (int k = 0; manager != NULL && crowd_has(&managed.crowd, i) && k < p->people->count;
             k++) {
            if (strcmp(p->people->at[k].name, manager) == 0)
                crowd_add(&out->crowd, k);
        }
    }
}

/* Words behind a word: roles are looked up, everything else may be anybody. Nothing is followed further, so that words
 * which lead back to themselves (`create = ["author"]`) come to an end. */
static void add_roles(const struct proof *p, const struct words *words, struct meant *out)
{
    for (int i = 0; i < words->count; i++) {
        if (pack_role(p->pack, slice_str(words->at[i])) != NULL)
            add_role(p, words->at[i], out);
        else
            out->anybody = true;
    }
}

static void add_word(const struct proof *p, const char *word, struct meant *out)
{
    const struct kind *kind = kind_of(p);

    if (kind_field(kind, slice_str(word)) != NULL || strchr(word, '@') != NULL)
        out->anybody = true;
    else if (strncmp(word, "manager_of:", 11) == 0)
        add_managers(p, word + 11, out);
    else if (strcmp(word, "audience") == 0)
        add_roles(p, &kind->audience, out);
    else if (strcmp(word, "author") == 0 || strcmp(word, "requester") == 0)
        add_roles(p, creators(kind), out);
    else if (strcmp(word, "asked") == 0 && kind->approval != NULL)
        for (int i = 0; i < kind->approval->stage_count; i++)
            add_roles(p, &kind->approval->stages[i].ask, out);
    else if (pack_role(p->pack, slice_str(word)) != NULL)
        add_role(p, word, out);
    else
        out->anybody = true;
}

static void add_words(const struct proof *p, const struct words *words, struct meant *out)
{
    for (int i = 0; i < words->count; i++)
        add_word(p, words->at[i], out);
}

/* "amara, henrik and 3 more" */
static const char *names_of(const struct proof *p, const struct crowd *crowd)
{
    const char *text = "";
    int count = crowd_count(crowd), shown = 0;

    for (int i = 0; i < p->people->count && shown < NAMES_SHOWN; i++) {
        if (!crowd_has(crowd, i))
            continue;
        text = arena_printf(p->arena, "%s%s%s", text, shown > 0 ? ", " : "", p->people->at[i].name);
        shown++;
    }
    return count > shown ? arena_printf(p->arena, "%s and %d more", text, count - shown)
           : count == 0  ? "nobody"
                         : text;
}

static const char *words_text(const struct proof *p, const struct words *words)
{
    const char *text = "";

    for (int i = 0; i < words->count; i++)
        text = arena_printf(p->arena, "%s%s%s", text, i > 0 ? " or " : "", words->at[i]);
    return text;
}

/* ---- events ---- */

/* Did the event happen to every record that is in one of the row's states? */
static bool is_before(const struct proof *p, const char *event, const struct transition *row)
{
    const struct lifecycle *l = kind_of(p)->lifecycle;
    const struct graph *graph = &life_of(p)->graph;
    bool reached[STATES_MAX + 1] = {false}, more = true;

    reached[l->state_count] = true;
    while (more) {
        more = false;
        for (int e = 0; e < graph->edge_count; e++) {
            const struct edge *edge = &graph->edges[e];

            if (reached[edge->from] && !reached[edge->to] &&
                strcmp(l->transitions[edge->via].event, event) != 0)
                more = reached[edge->to] = true;
        }
    }
    for (int s = 0; s < l->state_count; s++) {
        if (row->from[s] && reached[s])
            return false;
    }
    return true;
}

/* Who made an event that has certainly happened; `anybody` also if the engine may have. */
static struct meant makers_of(const struct proof *p, const char *event,
                              const struct transition *row)
{
    const struct lifecycle *l = kind_of(p)->lifecycle;
    struct meant makers = {{{0}}, false};

    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *made = &l->transitions[i];

        if (strcmp(made->event, event) != 0)
            continue;
        add_words(p, made->creates ? creators(kind_of(p)) : &made->by, &makers);
        makers.anybody = makers.anybody || is_for_system(made) || life_of(p)->asked[i];
    }
    makers.anybody = makers.anybody || !is_before(p, event, row);
    return makers;
}

/* Whom one word of `apart` keeps away: certainly all of them, or one of them whom it depends on. */
static bool is_one_of(const struct proof *p, const char *word, const struct transition *row,
                      struct meant *who)
{
    *who = (struct meant){{{0}}, false};
    if (strncmp(word, "did:", 4) == 0 && strchr(word, '@') == NULL)
        *who = makers_of(p, word + 4, row);
    else if (strcmp(word, "author") == 0 || strcmp(word, "requester") == 0) {
        add_words(p, creators(kind_of(p)), who);
        who->anybody = who->anybody || life_of(p)->is_started;
    } else {
        add_word(p, word, who);
        return false;
    }
    return true;
}

/* Whoever is kept away by the word, somebody of `may` is left: 1. With somebody of `who` away nobody is: 0, and `one`.
 * Whoever it is, nobody is: -1. */
static int left_without_one(const struct proof *p, const struct crowd *may, const struct meant *who,
                            int *one)
{
    bool is_always = !who->anybody, is_ever = false;

    for (int i = 0; i < p->people->count; i++) {
        struct crowd left = *may;

        if (!crowd_has(&who->crowd, i))
            continue;
        crowd_remove(&left, i);
        if (crowd_count(&left) > 0) {
            is_always = false;
        } else if (!is_ever) {
            is_ever = true;
            *one = i;
        }
    }
    return is_ever ? (is_always ? -1 : 0) : 1;
}

static void say_apart(const struct proof *p, const struct transition *row, const struct crowd *may,
                      const char *word)
{
    say_of_kind(p, PROBLEM_ERROR, row->where,
                "nobody may make '%s': of %s there is %s, kept apart as %s", row->event,
                words_text(p, &row->by), names_of(p, may), word);
}

/* First those who are kept apart whatever happened, then those whom it depends on. */
static void prove_apart(const struct proof *p, const struct transition *row, struct crowd may)
{
    struct meant who;
    int one = 0;

    for (int i = 0; i < row->apart.count; i++) {
        struct crowd left = may;

        if (is_one_of(p, row->apart.at[i], row, &who) || who.anybody)
            continue;
        crowd_leave(&left, &who.crowd);
        if (crowd_count(&left) == 0) {
            say_apart(p, row, &may, row->apart.at[i]);
            return;
        }
        may = left;
    }
    for (int i = 0; i < row->apart.count; i++) {
        int left =
            is_one_of(p, row->apart.at[i], row, &who) ? left_without_one(p, &may, &who, &one) : 1;

        if (left < 0)
            say_apart(p, row, &may, row->apart.at[i]);
        else if (left == 0)
            say_of_kind(p, PROBLEM_WARNING, row->where,
                        "nobody may make '%s' where %s stands as %s: of %s there is nobody else",
                        row->event, p->people->at[one].name, row->apart.at[i],
                        words_text(p, &row->by));
    }
}

static void prove_row(const struct proof *p, int index)
{
    const struct transition *row = &kind_of(p)->lifecycle->transitions[index];
    const struct words *by = row->creates && row->by.count == 0 ? &kind_of(p)->create : &row->by;
    bool by_engine = row->creates ? life_of(p)->is_started
                                  : row->automatic || words_have(by, slice_str("system"));
    struct meant may = {{{0}}, false};

    if (!life_of(p)->made[index] || !is_for_people(by))
        return;
    add_words(p, by, &may);
    if (may.anybody || by_engine)
        return;
    if (crowd_count(&may.crowd) == 0)
        say_of_kind(p, PROBLEM_ERROR, row->where, "nobody may make '%s': nobody is %s", row->event,
                    words_text(p, by));
    else
        prove_apart(p, row, may.crowd);
}

/* ---- approvals ---- */

struct board { /* who may grant a stage, and how much it takes */
    const struct approval_stage *stage;
    struct meant asked;
    int64_t need;
};

static int64_t most_needed(const struct approval_stage *stage)
{
    int64_t numbers[NUMBERS_MAX], most = 1;
    int count = numbers_of(stage->need, numbers);

    for (int i = 0; i < count; i++)
        most = numbers[i] > most ? numbers[i] : most;
    return most;
}

static int64_t weight_of(const struct proof *p, const struct approval_stage *stage, int person)
{
    int64_t weight = 1;

    for (int i = 0; i < stage->weight_count; i++) {
        struct meant heavy = {{{0}}, false};

        add_word(p, stage->weights[i].who, &heavy);
        if ((heavy.anybody || crowd_has(&heavy.crowd, person)) && stage->weights[i].weight > weight)
            weight = stage->weights[i].weight;
    }
    return weight;
}

/* The word of `require` that nobody among them answers, or NULL. */
static const char *missing_word(const struct proof *p, const struct approval_stage *stage,
                                const struct crowd *left)
{
    for (int i = 0; i < stage->require.count; i++) {
        struct meant required = {{{0}}, false};
        struct crowd missing;

        add_word(p, stage->require.at[i], &required);
        missing = required.crowd;
        crowd_leave(&missing, left);
        if (!required.anybody && crowd_count(&missing) == crowd_count(&required.crowd))
            return stage->require.at[i];
    }
    return NULL;
}

/* Can the stage be granted without this person (MODEL_NONE: with all)? */
static bool can_grant(const struct proof *p, const struct board *board, int without)
{
    struct crowd left = board->asked.crowd;
    int64_t weight = 0;

    if (board->asked.anybody)
        return true;
    if (without != MODEL_NONE)
        crowd_remove(&left, without);
    for (int i = 0; i < p->people->count; i++) {
        if (crowd_has(&left, i))
            weight += weight_of(p, board->stage, i);
    }
    return weight >= board->need && missing_word(p, board->stage, &left) == NULL;
}

/* "it takes 2 of top_management, and there is amara" */
static const char *lack_text(const struct proof *p, const struct board *board, int without)
{
    struct crowd left = board->asked.crowd;
    const char *missing;

    if (without != MODEL_NONE)
        crowd_remove(&left, without);
    missing = missing_word(p, board->stage, &left);
    if (missing != NULL)
        return arena_printf(p->arena, "%s must be among those who grant it, and of %s there is %s",
                            missing, words_text(p, &board->stage->ask), names_of(p, &left));
    return arena_printf(p->arena, "it takes %lld of %s, and there is %s", (long long)board->need,
                        words_text(p, &board->stage->ask), names_of(p, &left));
}

static void prove_stage(const struct proof *p, const struct approval_stage *stage)
{
    const struct approval *approval = kind_of(p)->approval;
    bool parts_author = words_have(&approval->apart, slice_str("editors")) ||
                        words_have(&approval->apart, slice_str("author"));
    struct board board = {stage, {{{0}}, false}, most_needed(stage)};
    struct meant authors = {{{0}}, false};
    bool is_ever = false;
    int stuck = MODEL_NONE;

    if (truth_of(stage->when, NULL, NULL) == NEVER)
        return; /* said already */
    add_words(p, &stage->ask, &board.asked);
    add_words(p, creators(kind_of(p)), &authors);
    if (!can_grant(p, &board, MODEL_NONE)) {
        say_of_kind(p, PROBLEM_ERROR, stage->where, "this approval cannot be granted: %s",
                    lack_text(p, &board, MODEL_NONE));
        return;
    }
    for (int i = 0; i < p->people->count && parts_author; i++) {
        if (!crowd_has(&authors.crowd, i))
            continue;
        if (can_grant(p, &board, i))
            is_ever = true;
        else if (stuck == MODEL_NONE)
            stuck = i;
    }
    if (stuck == MODEL_NONE)
        return;
    say_of_kind(
        p, is_ever || authors.anybody || life_of(p)->is_started ? PROBLEM_WARNING : PROBLEM_ERROR,
        stage->where, "this approval cannot be granted where %s is the author: %s",
        p->people->at[stuck].name, lack_text(p, &board, stuck));
}

/* ---- the stages together ---- */

enum { SEARCH_STEPS = 100000 };

/* Who votes in which stage: a person in one (SOD-2), so that each stage which is granted alone may still lack somebody who
 * votes in another. Decided by the ballot that the engine counts with; a search that takes too long finds nothing wrong. */
struct together {
    const struct proof *p;
    struct board boards[APPROVAL_STAGES_MAX];
    struct crowd may
        [APPROVAL_STAGES_MAX]; /* whom the stage asks, once those who are kept apart are left out */
    struct ballot_rule rules[APPROVAL_STAGES_MAX];
    struct ballot_voter *voters; /* as they are placed now */
    int voter_count, steps;
};

static uint32_t groups_of(const struct proof *p, const struct approval_stage *stage, int person)
{
    uint32_t groups = 0;

    for (int i = 0; i < stage->require.count; i++) {
        struct meant required = {{{0}}, false};

        add_word(p, stage->require.at[i], &required);
        if (required.anybody || crowd_has(&required.crowd, person))
            groups |= 1u << i;
    }
    return groups;
}

static bool is_granted(const struct together *t, int stage)
{
    const struct ballot ballot = {t->rules, APPROVAL_STAGES_MAX, t->voters, t->voter_count};

    return ballot_stage_can_be_granted(&ballot, stage);
}

/* Somebody of `free` joins the stage until it is granted, and so the next; whoever is lower than `from` was tried. */
static bool place(struct together *t, uint32_t stages, struct crowd *free, int from)
{
    int stage = 0;

    while (stages != 0 && ((stages & 1u << stage) == 0 || is_granted(t, stage))) {
        stages &= ~(1u << stage);
        stage++;
        from = 0;
    }
    if (stages == 0 || ++t->steps > SEARCH_STEPS)
        return true;
    for (int i = from; i < t->p->people->count; i++) {
        const struct approval_stage *declared = t->boards[stage].stage;

        if (!crowd_has(free, i) || !crowd_has(&t->may[stage], i))
            continue;
        t->voters[t->voter_count++] = (struct ballot_voter){.stage = stage,
                                                            .weight = weight_of(t->p, declared, i),
                                                            .groups = groups_of(t->p, declared, i)};
        crowd_remove(free, i);
        if (place(t, stages, free, i + 1))
            return true;
        crowd_add(free, i);
        t->voter_count--;
    }
    return false;
}

static bool can_grant_all(struct together *t, uint32_t stages, int without)
{
    struct crowd free = {{0}};

    for (int i = 0; i < t->p->people->count; i++) {
        if (i != without)
            crowd_add(&free, i);
    }
    t->voter_count = t->steps = 0;
    return place(t, stages, &free, 0);
}

/* Those whom a word keeps apart whatever happened: they vote in no stage. */
static void leave_apart(const struct proof *p, const struct words *apart, struct crowd *crowd)
{
    for (int i = 0; i < apart->count; i++) {
        struct meant who = {{{0}}, false};

        if (pack_role(p->pack, slice_str(apart->at[i])) == NULL)
            continue;
        add_role(p, apart->at[i], &who);
        crowd_leave(crowd, &who.crowd);
    }
}

/* The stages that count: all whose people are known; those with a condition only if `with_conditions`. */
static uint32_t gather(struct together *t, bool with_conditions)
{
    const struct approval *approval = kind_of(t->p)->approval;
    uint32_t stages = 0;

    for (int i = 0; i < approval->stage_count; i++) {
        const struct approval_stage *stage = &approval->stages[i];
        enum truth truth = truth_of(stage->when, NULL, NULL);

        t->boards[i] = (struct board){stage, {{{0}}, false}, most_needed(stage)};
        add_words(t->p, &stage->ask, &t->boards[i].asked);
        t->may[i] = t->boards[i].asked.crowd;
        leave_apart(t->p, &approval->apart, &t->may[i]);
        t->rules[i] = (struct ballot_rule){.counting = stage->counting,
                                           .need = t->boards[i].need,
                                           .percent = stage->percent,
                                           .require_count = stage->require.count};
        if (!t->boards[i].asked.anybody && truth != NEVER && (with_conditions || truth == ALWAYS))
            stages |= 1u << i;
    }
    return stages;
}

/* The fewest stages that cannot be granted together: what a person looks at. */
static uint32_t fewest(struct together *t, uint32_t stages, int without)
{
    for (int i = 0; i < APPROVAL_STAGES_MAX; i++) {
        if ((stages & 1u << i) != 0 && !can_grant_all(t, stages & ~(1u << i), without))
            stages &= ~(1u << i);
    }
    return stages;
}

static void say_together(struct together *t, enum severity level, uint32_t stages, int without)
{
    const struct proof *p = t->p;
    struct crowd all = {{0}};
    const char *names = "", *where = "";

    stages = fewest(t, stages, without);
    for (int i = 0; i < APPROVAL_STAGES_MAX; i++) {
        if ((stages & 1u << i) == 0)
            continue;
        names = arena_printf(p->arena, "%s%s'%s'", names, *names != '\0' ? " and " : "",
                             t->boards[i].stage->name);
        crowd_join(&all, &t->may[i]);
    }
    if (without != MODEL_NONE) {
        crowd_remove(&all, without);
        where = arena_printf(p->arena, " where %s is the author", p->people->at[without].name);
    }
    say_of_kind(
        p, level, kind_of(p)->approval->where,
        "this approval cannot be granted%s: a person votes in one stage of a round (SOD-2), "
        "and for %s together there is %s",
        where, names, names_of(p, &all));
}

/* Of each stage alone it is said already (prove_stage); false if something was. */
static bool each_can_be_granted(const struct together *t, uint32_t stages, int without)
{
    for (int i = 0; i < APPROVAL_STAGES_MAX; i++) {
        if ((stages & 1u << i) != 0 && !can_grant(t->p, &t->boards[i], without))
            return false;
    }
    return true;
}

static void prove_authors(struct together *t, uint32_t stages)
{
    const struct proof *p = t->p;
    struct meant authors = {{{0}}, false};
    bool is_ever = false;
    int stuck = MODEL_NONE;

    add_words(p, creators(kind_of(p)), &authors);
    for (int i = 0; i < p->people->count; i++) {
        if (!crowd_has(&authors.crowd, i))
            continue;
        if (!each_can_be_granted(t, stages, i))
            return;
        if (can_grant_all(t, stages, i))
            is_ever = true;
        else if (stuck == MODEL_NONE)
            stuck = i;
    }
    if (stuck != MODEL_NONE)
        say_together(t,
                     is_ever || authors.anybody || life_of(p)->is_started ? PROBLEM_WARNING
                                                                          : PROBLEM_ERROR,
                     stages, stuck);
}

static void prove_together(const struct proof *p)
{
    const struct approval *approval = kind_of(p)->approval;
    struct together t = {.p = p};
    uint32_t always, ever;

    if (approval == NULL || approval->stage_count < 2)
        return;
    t.voters = arena_take(p->arena, sizeof *t.voters * (size_t)(p->people->count + 1));
    ever = gather(&t, true);
    always = gather(&t, false);
    if (!each_can_be_granted(&t, ever, MODEL_NONE))
        return;
    if (!can_grant_all(&t, always, MODEL_NONE))
        say_together(&t, PROBLEM_ERROR, always, MODEL_NONE);
    else if (!can_grant_all(&t, ever, MODEL_NONE))
        say_together(&t, PROBLEM_WARNING, ever, MODEL_NONE);
    else if (words_have(&approval->apart, slice_str("editors")) ||
             words_have(&approval->apart, slice_str("author")))
        prove_authors(&t, always);
}

/* ---- roles ---- */

static void find_first(const struct words *words, const char *role, const char **placed)
{
    for (int i = 0; i < words->count && *placed == NULL; i++) {
        if (strcmp(words->at[i], role) == 0)
            *placed = words->at[i];
    }
}

/* Where something first waits for the role; NULL: nothing does. */
static const char *first_need(const struct pack *pack, const char *role)
{
    const char *placed = NULL;

    for (int k = 0; k < pack->kind_count; k++) {
        const struct kind *kind = &pack->kinds[k];

        find_first(&kind->create, role, &placed);
        for (int i = 0; i < kind->lifecycle->transition_count; i++)
            find_first(&kind->lifecycle->transitions[i].by, role, &placed);
        for (int i = 0; kind->approval != NULL && i < kind->approval->stage_count; i++)
            find_first(&kind->approval->stages[i].ask, role, &placed);
        for (int i = 0; kind->approval != NULL && i < kind->approval->stage_count; i++)
            find_first(&kind->approval->stages[i].require, role, &placed);
    }
    return placed;
}

static void prove_roles(const struct proof *p)
{
    for (int i = 0; i < p->pack->role_count; i++) {
        const char *role = p->pack->roles[i].name, *placed;
        struct meant holders = {{{0}}, false};

        add_role(p, role, &holders);
        if (crowd_count(&holders.crowd) > 0 || strcmp(role, "system") == 0)
            continue;
        placed = first_need(p->pack, role);
        if (placed != NULL)
            problem_add(p->problems, PROBLEM_WARNING, where_of(role), 0,
                        "nobody holds the role '%s', which is waited for (first at %s:%d)", role,
                        where_of(placed).file, where_of(placed).line);
    }
}

static void prove_conflicts(const struct proof *p)
{
    for (int s = 0; s < p->pack->separation_count; s++) {
        const struct separation *rule = &p->pack->separation[s];

        for (int i = 0; i < p->people->count; i++) {
            const char *held = NULL;

            for (int k = 0; k < rule->conflict.count; k++) {
                if (!words_have(&p->people->at[i].roles, slice_str(rule->conflict.at[k])))
                    continue;
                if (held != NULL)
                    problem(p->problems, where_of(rule->conflict.at[k]),
                            "%s holds '%s' and '%s', which conflict (%s)", p->people->at[i].name,
                            held, rule->conflict.at[k], rule->name);
                held = rule->conflict.at[k];
            }
        }
    }
}

void prove_people(const struct pack *pack, const struct people *people, struct problems *problems)
{
    struct arena arena = ARENA_EMPTY;
    struct proof p = {.pack = pack, .people = people, .problems = problems, .arena = &arena};

    lives_find(&p);
    prove_roles(&p);
    prove_conflicts(&p);
    for (p.kind = 0; p.kind < pack->kind_count; p.kind++) {
        const struct kind *kind = kind_of(&p);

        for (int i = 0; i < kind->lifecycle->transition_count; i++)
            prove_row(&p, i);
        for (int i = 0; kind->approval != NULL && i < kind->approval->stage_count; i++)
            prove_stage(&p, &kind->approval->stages[i]);
        prove_together(&p);
    }
    arena_release(&arena);
}
