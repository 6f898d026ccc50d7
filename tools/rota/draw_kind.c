/* draw_kind.c - states and transitions of a kind. What leads nowhere else (votes, reminders, holds) stands inside its
 * state, so that the arrows show the way. */
#include "core/span.h"
#include "draw.h"

struct drawing {
    struct graph *graph;
    struct arena *arena;
    const struct pack *pack;
    const struct kind *kind;
    const struct draw_options *options;
};

static const char *spoken(struct arena *arena, const char *name)
{
    char *text = arena_str(arena, name);

    for (char *at = text; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    return text;
}

static const char *person(struct arena *arena, const struct pack *pack, const char *word)
{
    static const char *const WORDS[][2] = {{"system", "the engine"}, {"asked", "those asked"},
                                           {"anyone", "anybody"},    {"owner", "the owner"},
                                           {"author", "the author"}, {"editors", "its editors"}};
    const struct role *role = pack_role(pack, slice_str(word));

    if (strncmp(word, "manager_of:", 11) == 0)
        return arena_printf(arena, "the manager of %s", person(arena, pack, word + 11));
    if (strncmp(word, "did:", 4) == 0)
        return arena_printf(arena, "who did %s", spoken(arena, word + 4));
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (strcmp(word, WORDS[i][0]) == 0)
            return WORDS[i][1];
    }
    return role != NULL && role->title != NULL ? role->title : spoken(arena, word);
}

const char *draw_people(struct arena *arena, const struct pack *pack, const struct words *words)
{
    const char *text = "";

    for (int i = 0; i < words->count; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "",
                            person(arena, pack, words->at[i]));
    return text;
}

static const char *title_of(struct drawing *d, const char *title, const char *name)
{
    return title != NULL ? title : spoken(d->arena, name);
}

/* ---- transitions ---- */

static const char *who_may(struct drawing *d, const struct transition *transition)
{
    if (transition->automatic)
        return "by itself";
    if (transition->by.count == 0)
        return "";
    return arena_printf(d->arena, "by %s", draw_people(d->arena, d->pack, &transition->by));
}

/* What those sign who grant: “approved”; where stages differ, each with its stage: “reviewed” (law), “authorised” (board). */
static const char *granted_as(struct drawing *d, const struct approval *approval)
{
    const struct approval_stage *stages = approval->stages;
    const char *text = "";
    bool differ = false;

    for (int i = 1; i < approval->stage_count; i++)
        differ = differ || strcmp(stages[i].meaning, stages[0].meaning) != 0;
    if (!differ)
        return arena_printf(d->arena, "“%s”", spoken(d->arena, stages[0].meaning));
    for (int i = 0; i < approval->stage_count; i++)
        text = arena_printf(d->arena, "%s%s“%s” (%s)", text, i > 0 ? ", " : "",
                            spoken(d->arena, stages[i].meaning), spoken(d->arena, stages[i].name));
    return text;
}

/* What else it takes: ", signed “approved”, with a reason". */
static const char *terms(struct drawing *d, const struct transition *transition)
{
    const char *text = "";
    const struct approval *approval = d->kind->approval;

    if (transition->opens_round)
        text = arena_printf(d->arena, "%s; opens the round", text);
    if (transition->vote != VOTE_NONE)
        text = arena_printf(d->arena, "%s; vote: %s", text, vote_name(transition->vote));
    if (transition->meaning != NULL)
        text =
            arena_printf(d->arena, "%s; signed “%s”", text, spoken(d->arena, transition->meaning));
    else if (transition->vote == VOTE_GRANT && approval != NULL)
        text = arena_printf(d->arena, "%s; signed %s", text, granted_as(d, approval));
    if (transition->reason)
        text = arena_printf(d->arena, "%s; with a reason", text);
    if (transition->supersedes)
        text = arena_printf(d->arena, "%s; supersedes the version before", text);
    if (transition->makes_successor)
        text = arena_printf(d->arena, "%s; opens the next version", text);
    return *text != '\0' ? text + 2 : text;
}

static void say_full(struct drawing *d, struct graph_text *text,
                     const struct transition *transition)
{
    if (transition->when != NULL)
        graph_say(d->graph, text, GRAPH_FAINT,
                  arena_printf(d->arena, "if %s", expr_text(transition->when)));
    if (transition->apart.count > 0)
        graph_say(d->graph, text, GRAPH_FAINT,
                  arena_printf(d->arena, "never by %s%s%s%s",
                               draw_people(d->arena, d->pack, &transition->apart),
                               transition->apart_rule != NULL ? " (" : "",
                               transition->apart_rule != NULL ? transition->apart_rule : "",
                               transition->apart_rule != NULL ? ")" : ""));
    for (int i = 0; i < transition->task_count; i++)
        graph_say(d->graph, text, GRAPH_FAINT,
                  arena_printf(d->arena, "work: %s (%s)",
                               spoken(d->arena, transition->tasks[i].name),
                               transition->tasks[i].service));
    for (int i = 0; i < transition->tell_count; i++)
        graph_say(d->graph, text, GRAPH_FAINT,
                  arena_printf(d->arena, "tells %s",
                               draw_people(d->arena, d->pack, &transition->tell[i].to)));
}

static void say_transition(struct drawing *d, struct graph_text *text,
                           const struct transition *transition)
{
    const char *may = who_may(d, transition), *also = terms(d, transition);

    graph_say(d->graph, text, GRAPH_STRONG, title_of(d, transition->title, transition->event));
    graph_say(d->graph, text, GRAPH_FAINT, may);
    graph_say(d->graph, text, GRAPH_FAINT, also);
    if (d->options->is_full)
        say_full(d, text, transition);
}

/* It stays where it is: a line inside the state. */
static void say_inside(struct drawing *d, struct graph_text *text,
                       const struct transition *transition)
{
    const char *may = who_may(d, transition), *also = terms(d, transition);

    graph_say(
        d->graph, text, GRAPH_FAINT,
        arena_printf(d->arena, "↻ %s: %s%s%s", title_of(d, transition->title, transition->event),
                     strncmp(may, "by ", 3) == 0 ? may + 3 : may, *also != '\0' ? "; " : "", also));
    if (d->options->is_full)
        say_full(d, text, transition);
}

static void draw_transition(struct drawing *d, const struct transition *transition)
{
    const struct lifecycle *lifecycle = d->kind->lifecycle;
    bool begins = transition->creates;

    for (int s = 0; s < lifecycle->state_count; s++)
        begins = begins && !transition->from[s];
    if (begins) /* the point where records begin comes after the states */
        say_transition(
            d, &graph_edge(d->graph, lifecycle->state_count, transition->to, STROKE_PLAIN)->text,
            transition);
    for (int s = 0; s < lifecycle->state_count; s++) {
        if (!transition->from[s])
            continue;
        if (s == transition->to)
            say_inside(d, &d->graph->nodes[s].text, transition);
        else
            say_transition(d, &graph_edge(d->graph, s, transition->to, STROKE_PLAIN)->text,
                           transition);
    }
}

/* ---- timers ---- */

static bool is_before(const struct span *span)
{
    return span->months < 0 || span->days < 0 || span->ms < 0;
}

static const char *distance(struct drawing *d, const struct span *span)
{
    const struct span there = {-span->months, -span->days, span->working, -span->ms};

    const int64_t ms = there.ms < 0 ? -there.ms : there.ms;

    if (span->months == 0 && span->days == 0 && ms >= 3600000 && ms % 3600000 == 0)
        return arena_printf(d->arena, "%lld hour%s", (long long)(ms / 3600000),
                            ms == 3600000 ? "" : "s");
    if (span->months == 0 && span->days == 0 && ms >= 60000 && ms % 60000 == 0)
        return arena_printf(d->arena, "%lld minute%s", (long long)(ms / 60000),
                            ms == 60000 ? "" : "s");
    return span_text(d->arena, is_before(span) ? &there : span);
}

/* "30 days before next review due", for an arrow. */
static const char *step_text(struct drawing *d, const struct timer *timer,
                             const struct timer_step *step)
{
    const struct span *after = &step->after;
    const char *field = timer->from == TIMER_FIELD ? spoken(d->arena, timer->field) : NULL;

    if (step->percent > 0)
        return arena_printf(d->arena, "after %d %% of the time%s%s", step->percent,
                            timer->until != NULL ? " until " : "",
                            timer->until != NULL ? spoken(d->arena, timer->until) : "");
    if (field != NULL && span_is_zero(after))
        return arena_printf(d->arena, "on %s", field);
    if (field != NULL)
        return arena_printf(d->arena, "%s %s %s", distance(d, after),
                            is_before(after) ? "before" : "after", field);
    return arena_printf(d->arena, "after %s%s", distance(d, after),
                        timer->from == TIMER_ROUND ? " of the round" : "");
}

/* "-7 days, on the day, +7 days", for a list inside a state. */
static const char *step_short(struct drawing *d, const struct timer_step *step)
{
    if (step->percent > 0)
        return arena_printf(d->arena, "%d %%", step->percent);
    if (span_is_zero(&step->after))
        return "on the day";
    return arena_printf(d->arena, "%s%s", is_before(&step->after) ? "−" : "+",
                        distance(d, &step->after));
}

static void draw_step(struct drawing *d, const struct timer *timer, const struct timer_step *step,
                      int state, const char **reminders)
{
    const struct transition *answer =
        step->event != NULL ? kind_transition(d->kind, state, slice_str(step->event)) : NULL;

    if (answer != NULL && answer->to != state) {
        struct graph_edge *edge = graph_edge(d->graph, state, answer->to, STROKE_TIMER);

        graph_say(d->graph, &edge->text, GRAPH_PLAIN, step_text(d, timer, step));
    } else if (step->event == NULL || answer != NULL) {
        *reminders = arena_printf(d->arena, "%s%s%s", *reminders, **reminders != '\0' ? ", " : "",
                                  step_short(d, step));
    }
}

static void draw_timer(struct drawing *d, const struct timer *timer)
{
    for (int s = 0; s < d->kind->lifecycle->state_count; s++) {
        const char *reminders = "";

        for (int i = 0; timer->in[s] && i < timer->step_count; i++)
            draw_step(d, timer, &timer->steps[i], s, &reminders);
        if (*reminders != '\0')
            graph_say(d->graph, &d->graph->nodes[s].text, GRAPH_FAINT,
                      arena_printf(d->arena, "◷ %s%s%s%s: %s", spoken(d->arena, timer->name),
                                   timer->from == TIMER_FIELD ? " (" : "",
                                   timer->from == TIMER_FIELD ? spoken(d->arena, timer->field) : "",
                                   timer->from == TIMER_FIELD ? ")" : "", reminders));
    }
}

/* ---- the kind ---- */

static void draw_state(struct drawing *d, int index)
{
    const struct state *state = &d->kind->lifecycle->states[index];
    int id = graph_node(d->graph, "s_", state->name, (enum graph_look)state->stage);
    struct graph_node *node = &d->graph->nodes[id];

    node->is_double = state->is_valid;
    node->is_dashed = state->is_closed;
    node->is_marked = index == d->options->state;
    graph_say(d->graph, &node->text, GRAPH_STRONG, title_of(d, state->title, state->name));
    if (node->is_marked)
        graph_say(d->graph, &node->text, GRAPH_STRONG,
                  arena_printf(d->arena, "▶ %s is here",
                               d->options->record != NULL ? d->options->record : "the record"));
}

static bool is_number(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

/* "2 of: Top management", "75 % of: Board". */
static const char *stage_rule(struct drawing *d, const struct approval_stage *stage)
{
    const char *people = draw_people(d->arena, d->pack, &stage->ask);
    const char *need = stage->need != NULL ? expr_text(stage->need) : "1";

    switch (stage->counting) {
    case COUNT_ALL:
        return arena_printf(d->arena, "all of: %s", people);
    case COUNT_PERCENT:
        return arena_printf(d->arena, "%d %% of: %s", stage->percent, people);
    case COUNT_MAJORITY:
        return arena_printf(d->arena, "a majority of: %s", people);
    case COUNT_NEED:
        break;
    }
    if (is_number(need))
        return arena_printf(d->arena, "%s of: %s", need, people);
    if (!d->options->is_full)
        need = "as many as the record needs";
    return arena_printf(d->arena, "%s of: %s", need, people);
}

static void say_stage(struct drawing *d, struct graph_text *text, int index)
{
    const struct approval *approval = d->kind->approval;
    const struct approval_stage *stage = &approval->stages[index];
    const char *line = stage_rule(d, stage), *after = "";

    for (int i = 0; i < approval->stage_count; i++) {
        if ((stage->after & (1u << i)) != 0)
            after = arena_printf(d->arena, "%s%s%s", after, *after != '\0' ? ", " : " after ",
                                 spoken(d->arena, approval->stages[i].name));
    }
    if (approval->stage_count == 1)
        line = arena_printf(d->arena, "approved by %s", line);
    else
        line = arena_printf(d->arena, "%s%s: %s", spoken(d->arena, stage->name), after, line);
    graph_say(d->graph, text, GRAPH_PLAIN, line);
    if (stage->require.count > 0)
        graph_say(d->graph, text, GRAPH_FAINT,
                  arena_printf(d->arena, "one each of: %s",
                               draw_people(d->arena, d->pack, &stage->require)));
    if (stage->veto.count > 0)
        graph_say(d->graph, text, GRAPH_FAINT,
                  arena_printf(d->arena, "veto: %s", draw_people(d->arena, d->pack, &stage->veto)));
}

/* Who signs: in the state in which the round opens. */
static void say_approval(struct drawing *d)
{
    const struct lifecycle *lifecycle = d->kind->lifecycle;
    const struct transition *opens = NULL;

    for (int i = 0; i < lifecycle->transition_count && opens == NULL; i++)
        opens = lifecycle->transitions[i].opens_round ? &lifecycle->transitions[i] : NULL;
    if (d->kind->approval == NULL || opens == NULL)
        return;
    for (int i = 0; i < d->kind->approval->stage_count; i++)
        say_stage(d, &d->graph->nodes[opens->to].text, i);
}

static void say_title(struct drawing *d)
{
    const struct kind *kind = d->kind;
    const struct lifecycle *lifecycle = kind->lifecycle;
    const char *others = "";

    if (d->options->lifecycle == NULL) {
        d->graph->title = kind->title;
        d->graph->subtitle = arena_printf(
            d->arena, "%s · %s%s%s · lifecycle %s", kind->name, kind->prefix,
            kind->clause != NULL ? " · clause " : "", kind->clause != NULL ? kind->clause : "",
            lifecycle->title != NULL ? lifecycle->title : lifecycle->name);
        return;
    }
    for (int i = 0; i < d->pack->kind_count; i++) {
        if (strcmp(d->pack->kinds[i].lifecycle->name, lifecycle->name) == 0)
            others = arena_printf(d->arena, "%s%s%s", others, *others != '\0' ? ", " : "",
                                  d->pack->kinds[i].name);
    }
    d->graph->title = title_of(d, lifecycle->title, lifecycle->name);
    d->graph->subtitle = arena_printf(d->arena, "as %s lives it; lived by: %s", kind->name, others);
}

void draw_kind(struct graph *graph, const struct pack *pack, const struct kind *kind,
               const struct draw_options *options)
{
    struct drawing d = {graph, graph->arena, pack, kind, options};
    const struct lifecycle *lifecycle = kind->lifecycle;

    say_title(&d);
    for (int i = 0; i < lifecycle->state_count; i++)
        draw_state(&d, i);
    (void)graph_node(graph, "begin", "", LOOK_START);
    say_approval(&d);
    for (int i = 0; i < lifecycle->transition_count; i++)
        draw_transition(&d, &lifecycle->transitions[i]);
    for (int i = 0; i < lifecycle->timer_count; i++)
        draw_timer(&d, &lifecycle->timers[i]);
}
