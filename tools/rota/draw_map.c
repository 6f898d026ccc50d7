/* draw_map.c - how kinds set each other off: what clause 4.4 asks to see of the processes and their interactions. */
#include "draw.h"

struct map {
    struct graph *graph;
    const struct pack *pack;
};

enum { BUNDLE = 4 }; /* kinds from which the same rule comes: then it is said in words */

/* ---- groups ---- */

/* Clauses 4 to 7 plan, 8 does, 9 checks, 10 acts. A kind is in the group of the first clause that it names; one that
 * names none (or Annex A) is operation. */
static int main_clause(const struct kind *kind)
{
    const char *text = kind->clauses.count > 0 ? kind->clauses.at[0]
                       : kind->clause != NULL  ? kind->clause
                                               : "";
    int number = 0;

    for (; *text >= '0' && *text <= '9' && number < 100; text++)
        number = number * 10 + (*text - '0');
    return number >= 4 && number <= 10 ? number : 8;
}

static enum pdca phase_of(int clause)
{
    return clause <= 7 ? PDCA_PLAN : clause == 8 ? PDCA_DO : clause == 9 ? PDCA_CHECK : PDCA_ACT;
}

static const enum graph_look PHASE_LOOKS[] = {[PDCA_PLAN] = LOOK_APPROVED,
                                              [PDCA_DO] = LOOK_IN_FORCE,
                                              [PDCA_CHECK] = LOOK_UNDER_REVIEW,
                                              [PDCA_ACT] = LOOK_CHANGED};

/* The group of every clause or phase that has a kind, in their order; `groups` by clause. */
static void make_groups(struct map *m, bool by_clause, int groups[11])
{
    static const char *const PHASES[][2] = {[PDCA_PLAN] = {"plan", "Plan"},
                                            [PDCA_DO] = {"do", "Do"},
                                            [PDCA_CHECK] = {"check", "Check"},
                                            [PDCA_ACT] = {"act", "Act"}};
    static const char *const CLAUSES[] = {[4] = "4 Context of the organisation",
                                          [5] = "5 Leadership",
                                          [6] = "6 Planning",
                                          [7] = "7 Support",
                                          [8] = "8 Operation",
                                          [9] = "9 Performance evaluation",
                                          [10] = "10 Improvement"};
    int last = -1;

    for (int clause = 4; clause <= 10; clause++) {
        bool is_used = false;
        enum pdca phase = phase_of(clause);

        for (int i = 0; i < m->pack->kind_count; i++)
            is_used = is_used || main_clause(&m->pack->kinds[i]) == clause;
        if (!is_used)
            continue;
        if (by_clause)
            groups[clause] = graph_group(
                m->graph, "c_", arena_printf(m->graph->arena, "%d", clause), CLAUSES[clause]);
        else if (last >= 0 && phase_of(last) == phase)
            groups[clause] = groups[last];
        else
            groups[clause] = graph_group(m->graph, "p_", PHASES[phase][0], PHASES[phase][1]);
        last = clause;
    }
}

/* ---- rules ---- */

/* Does the word stand in the text, alone, after `before`? */
static bool names(const char *text, const char *before, const char *word)
{
    size_t len = strlen(before), word_len = strlen(word);

    for (const char *at = strstr(text, before); at != NULL; at = strstr(at + len, before)) {
        char end = at[len + (strncmp(at + len, word, word_len) == 0 ? word_len : 0)];

        if (strncmp(at + len, word, word_len) == 0 && end != '_' && !(end >= 'a' && end <= 'z') &&
            !(end >= '0' && end <= '9'))
            return true;
    }
    return false;
}

/* Whom may a signal reach? What its expression reads says it: links.KIND, valid.KIND, or a field that refers to kinds. */
static bool may_reach(const struct map *m, const struct rule *rule, int kind)
{
    const char *text = expr_text(rule->signal_to), *name = m->pack->kinds[kind].name;
    const struct kind *watched = &m->pack->kinds[rule->kind];

    if (names(text, "links.", name) || names(text, "valid.", name))
        return true;
    for (int i = 0; i < watched->field_count; i++) {
        const struct field *field = &watched->fields[i];

        if (field->type == FIELD_REF && names(text, "record.", field->name) &&
            words_have(&field->of, slice_str(name)))
            return true;
    }
    return false;
}

/* One arrow for all that leads from a kind to another: a gate is stronger than an opening, and that than a signal. */
static struct graph_edge *edge_of(struct map *m, int from, int to, enum graph_stroke stroke)
{
    for (int i = 0; i < m->graph->edge_count; i++) {
        struct graph_edge *edge = &m->graph->edges[i];

        if (edge->from != from || edge->to != to)
            continue;
        if (stroke == STROKE_GATE || edge->stroke == STROKE_SIGNAL)
            edge->stroke = stroke;
        return edge;
    }
    return graph_edge(m->graph, from, to, stroke);
}

static void add_rule(struct map *m, const struct rule *rule, int to, enum graph_stroke stroke,
                     const char *label)
{
    struct graph_edge *edge = edge_of(m, rule->kind, to, stroke);

    for (int i = 0; i < edge->text.count;
         i++) { /* a rule that watches several events is one rule */
        if (names(arena_printf(m->graph->arena, ", %s", edge->text.lines[i].text), ", ", label))
            return;
    }
    graph_list(m->graph, &edge->text, stroke == STROKE_SIGNAL ? GRAPH_FAINT : GRAPH_PLAIN, label);
}

static const char *label_of(struct map *m, const struct rule *rule)
{
    if (rule->starts == MODEL_NONE)
        return arena_printf(m->graph->arena, "%s %s", rule->name, rule->signal);
    return rule->gate ? arena_printf(m->graph->arena, "%s gate %s", rule->name, rule->gate_event)
                      : rule->name;
}

static bool leads_to(const struct map *m, const struct rule *rule, int kind)
{
    return rule->starts != MODEL_NONE ? rule->starts == kind : may_reach(m, rule, kind);
}

/* From how many kinds do rules of this name lead there? Many of them would be a bundle of arrows. */
static int count_sources(const struct map *m, const struct rule *rule, int to)
{
    bool seen[KINDS_MAX] = {false};
    int count = 0;

    for (int i = 0; i < m->pack->rule_count; i++) {
        const struct rule *other = &m->pack->rules[i];

        if (strcmp(other->name, rule->name) != 0 || seen[other->kind] || !leads_to(m, other, to))
            continue;
        seen[other->kind] = true;
        count++;
    }
    return count;
}

static bool was_said(const struct graph_text *text, const char *line)
{
    for (int i = 0; i < text->count; i++) {
        if (strcmp(text->lines[i].text, line) == 0)
            return true;
    }
    return false;
}

/* What every document does alike stands in the kind that it comes to: "◂ TM-2.1 from 8 kinds". */
static void say_inside(struct map *m, const struct rule *rule, int to, int count)
{
    struct graph_text *text = &m->graph->nodes[to].text;
    const char *line =
        arena_printf(m->graph->arena, "◂ %s from %d kinds", label_of(m, rule), count);

    if (!was_said(text, line))
        graph_say(m->graph, text, GRAPH_FAINT, line);
}

static void draw_rule(struct map *m, const struct rule *rule)
{
    enum graph_stroke stroke = rule->starts == MODEL_NONE ? STROKE_SIGNAL
                               : rule->gate               ? STROKE_GATE
                                                          : STROKE_PLAIN;

    for (int to = 0; to < m->pack->kind_count; to++) {
        int count = 0;

        if ((rule->starts == MODEL_NONE && rule->signal_to == NULL) || !leads_to(m, rule, to))
            continue;
        count = count_sources(m, rule, to);
        if (count >= BUNDLE)
            say_inside(m, rule, to, count);
        else
            add_rule(m, rule, to, stroke, label_of(m, rule));
    }
}

void draw_map(struct graph *graph, const struct pack *pack, const struct draw_options *options)
{
    struct map m = {graph, pack};
    int groups[11] = {0};

    graph->title = arena_printf(graph->arena, "%s: how records set each other off",
                                pack->name != NULL ? pack->name : "The pack");
    graph->subtitle = "an arrow opens a record · small or dashed: signals one · red: a gate, "
                      "which holds the first until the second is closed";
    make_groups(&m, options->by_clause, groups);
    for (int i = 0; i < pack->kind_count; i++) {
        const struct kind *kind = &pack->kinds[i];
        int clause = main_clause(kind);
        int id = graph_node(graph, "k_", kind->name, PHASE_LOOKS[phase_of(clause)]);
        struct graph_node *node = &graph->nodes[id];

        node->group = groups[clause];
        graph_say(graph, &node->text, GRAPH_STRONG, kind->title);
        graph_say(graph, &node->text, GRAPH_FAINT,
                  arena_printf(graph->arena, "%s%s%s", kind->prefix,
                               kind->clause != NULL ? " · " : "",
                               kind->clause != NULL ? kind->clause : ""));
    }
    for (int i = 0; i < pack->rule_count; i++)
        draw_rule(&m, &pack->rules[i]);
}
