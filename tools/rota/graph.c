/* graph.c - a drawing in the words of Graphviz (dot) and of Mermaid (flowchart). */
#include "graph.h"

#include <stdio.h>

#include "wire/json.h"

static const struct look {
    const char *name, *title, *fill, *line, *text;
} LOOKS[LOOK_COUNT] = {
    [LOOK_DRAFT] = {"draft", "draft", "#FBF7EA", "#B59B4C", "#4A3F1A"},
    [LOOK_APPROVED] = {"approved", "approved", "#E6F0FB", "#3F78B5", "#173A5E"},
    [LOOK_IN_FORCE] = {"in_force", "in force", "#E0F3E6", "#2C8A55", "#12482B"},
    [LOOK_UNDER_REVIEW] = {"under_review", "under review", "#FFF4CF", "#C7960F", "#5C4300"},
    [LOOK_CHANGED] = {"changed", "changed", "#FCE6D8", "#CF6A2C", "#672E0D"},
    [LOOK_CLOSED] = {"closed", "closed", "#F1F1F3", "#8B8D98", "#494A52"},
    [LOOK_START] = {"start", "", "#30323A", "#30323A", "#30323A"},
};

static const struct stroke {
    const char *colour, *dot, *mermaid; /* mermaid: the arrow */
} STROKES[] = {
    [STROKE_PLAIN] = {"#565A66", "", "-->"},
    [STROKE_TIMER] = {"#8A6FB0", " style=dotted penwidth=1.6", "-.->"},
    [STROKE_SIGNAL] = {"#3F78B5", " style=dashed", "-.->"},
    [STROKE_GATE] = {"#B23A48", " penwidth=2 dir=both arrowtail=tee", "==>"},
};

#define MARK "#B23A48"

/* ---- building ---- */

/* Room for one more in an array that grows by doubling. */
static void *grown(struct arena *arena, void *at, int count, int *cap, size_t size)
{
    void *more;

    if (count < *cap)
        return at;
    *cap = *cap == 0 ? 8 : 2 * *cap;
    more = arena_zero(arena, size * (size_t)*cap);
    if (count > 0)
        memcpy(more, at, size * (size_t)count);
    return more;
}

static const char *id_of(struct arena *arena, const char *prefix, const char *name)
{
    char *id = arena_printf(arena, "%s%s", prefix, name), *at;

    for (at = id; *at != '\0'; at++) {
        bool is_fine =
            (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');

        if (!is_fine)
            *at = '_';
    }
    return id;
}

int graph_node(struct graph *graph, const char *prefix, const char *name, enum graph_look look)
{
    graph->nodes = grown(graph->arena, graph->nodes, graph->node_count, &graph->node_cap,
                         sizeof *graph->nodes);
    graph->nodes[graph->node_count] =
        (struct graph_node){.id = id_of(graph->arena, prefix, name), .look = look, .group = -1};
    return graph->node_count++;
}

int graph_group(struct graph *graph, const char *prefix, const char *name, const char *title)
{
    graph->groups = grown(graph->arena, graph->groups, graph->group_count, &graph->group_cap,
                          sizeof *graph->groups);
    graph->groups[graph->group_count] =
        (struct graph_group){id_of(graph->arena, prefix, name), title};
    return graph->group_count++;
}

struct graph_edge *graph_edge(struct graph *graph, int from, int to, enum graph_stroke stroke)
{
    for (int i = 0; i < graph->edge_count; i++) {
        struct graph_edge *edge = &graph->edges[i];

        if (edge->from == from && edge->to == to && edge->stroke == stroke)
            return edge;
    }
    graph->edges = grown(graph->arena, graph->edges, graph->edge_count, &graph->edge_cap,
                         sizeof *graph->edges);
    graph->edges[graph->edge_count] = (struct graph_edge){.from = from, .to = to, .stroke = stroke};
    return &graph->edges[graph->edge_count++];
}

static void add_line(struct graph *graph, struct graph_text *text, enum graph_ink ink,
                     struct slice line)
{
    text->lines = grown(graph->arena, text->lines, text->count, &text->cap, sizeof *text->lines);
    text->lines[text->count++] =
        (struct graph_line){arena_copy(graph->arena, line.at, line.len), ink};
}

static size_t characters(struct slice text)
{
    size_t count = 0, i;

    for (i = 0; i < text.len; i++)
        count += (text.at[i] & 0xc0) != 0x80;
    return count;
}

void graph_say(struct graph *graph, struct graph_text *text, enum graph_ink ink, const char *words)
{
    struct slice rest = slice_str(words);

    while (rest.len > 0) {
        size_t end = rest.len, cut;

        for (cut = 0; cut < rest.len; cut++) {
            if (rest.at[cut] != ' ' || cut == 0)
                continue;
            if (characters(slice_of(rest.at, cut)) > GRAPH_WRAP && end < rest.len)
                break;
            end = cut;
        }
        if (cut == rest.len && characters(rest) <= GRAPH_WRAP)
            end = rest.len;
        add_line(graph, text, ink, slice_of(rest.at, end));
        rest = slice_of(rest.at + end, rest.len - end);
        while (rest.len > 0 && rest.at[0] == ' ')
            rest = slice_of(rest.at + 1, rest.len - 1);
    }
}

void graph_list(struct graph *graph, struct graph_text *text, enum graph_ink ink, const char *words)
{
    struct graph_line *last = text->count > 0 ? &text->lines[text->count - 1] : NULL;

    if (last == NULL || last->ink != ink ||
        characters(slice_str(last->text)) + strlen(words) > GRAPH_WRAP) {
        if (last != NULL && last->ink == ink)
            last->text = arena_printf(graph->arena, "%s,", last->text);
        add_line(graph, text, ink, slice_str(words));
        return;
    }
    last->text = arena_printf(graph->arena, "%s, %s", last->text, words);
}

/* ---- Graphviz: labels are HTML-like, so that a line may be bold or faint ---- */

static void add_html(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buf_add_str(out, "&amp;");
            break;
        case '<':
            buf_add_str(out, "&lt;");
            break;
        case '>':
            buf_add_str(out, "&gt;");
            break;
        case '"':
            buf_add_str(out, "&quot;");
            break;
        default:
            buf_add_byte(out, (uint8_t)*text < ' ' ? ' ' : (uint8_t)*text);
        }
    }
}

/* `begin` and `end` stand around each line. */
static void dot_lines(struct buf *out, const struct graph_text *text, const char *begin,
                      const char *end)
{
    for (int i = 0; i < text->count; i++) {
        const struct graph_line *line = &text->lines[i];

        buf_add_str(out, begin);
        if (line->ink == GRAPH_STRONG)
            buf_add_str(out, "<B>");
        if (line->ink == GRAPH_FAINT)
            buf_add_str(out, "<FONT POINT-SIZE=\"9\" COLOR=\"#6A6D78\">");
        add_html(out, line->text);
        if (line->ink == GRAPH_FAINT)
            buf_add_str(out, "</FONT>");
        if (line->ink == GRAPH_STRONG)
            buf_add_str(out, "</B>");
        buf_add_str(out, end);
    }
}

static void dot_node(const struct graph_node *node, const char *indent, struct buf *out)
{
    const struct look *look = &LOOKS[node->look];

    if (node->look == LOOK_START) {
        buf_addf(out, "%s%s [shape=circle width=0.16 label=\"\" style=filled fillcolor=\"%s\"];\n",
                 indent, node->id, look->fill);
        return;
    }
    buf_addf(out, "%s%s [fillcolor=\"%s\" color=\"%s\" fontcolor=\"%s\"%s%s%s label=<", indent,
             node->id, look->fill, node->is_marked ? MARK : look->line, look->text,
             node->is_double ? " peripheries=2" : "",
             node->is_dashed ? " style=\"rounded,filled,dashed\"" : "",
             node->is_marked ? " penwidth=3" : "");
    dot_lines(out, &node->text, "", "<BR/>");
    buf_add_str(out, ">];\n");
}

static void dot_edge(const struct graph *graph, const struct graph_edge *edge, struct buf *out)
{
    const struct stroke *stroke = &STROKES[edge->stroke];

    buf_addf(out, "  %s -> %s [color=\"%s\"%s", graph->nodes[edge->from].id,
             graph->nodes[edge->to].id, stroke->colour, stroke->dot);
    if (edge->stroke != STROKE_PLAIN)
        buf_addf(out, " fontcolor=\"%s\"", stroke->colour);
    if (edge->text.count > 0) {
        buf_add_str(out, " label=<");
        dot_lines(out, &edge->text, "&#160;", "<BR ALIGN=\"LEFT\"/>");
        buf_add_str(out, ">");
    }
    buf_add_str(out, "];\n");
}

static bool has_look(const struct graph *graph, enum graph_look look)
{
    for (int i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].look == look)
            return true;
    }
    return false;
}

/* What the colours mean stands in the title, as coloured words. */
static void dot_title(const struct graph *graph, struct buf *out)
{
    buf_add_str(out, "  label=<<FONT POINT-SIZE=\"18\" COLOR=\"#23252B\"><B>");
    add_html(out, graph->title);
    buf_add_str(out, "</B></FONT><BR/><FONT POINT-SIZE=\"5\"> <BR/></FONT>");
    if (graph->subtitle != NULL) {
        buf_add_str(out, "<FONT POINT-SIZE=\"11\" COLOR=\"#6A6D78\">");
        add_html(out, graph->subtitle);
        buf_add_str(out, "</FONT><BR/><FONT POINT-SIZE=\"4\"> <BR/></FONT>");
    }
    for (int look = 0; graph->group_count == 0 && look < LOOK_START; look++) {
        if (has_look(graph, (enum graph_look)look))
            buf_addf(out, "<FONT POINT-SIZE=\"11\" COLOR=\"%s\">&#9632; %s&#160;&#160;</FONT>",
                     LOOKS[look].line, LOOKS[look].title);
    }
    buf_add_str(out, "<BR/>>;\n");
}

static void dot_group(const struct graph *graph, int group, struct buf *out)
{
    buf_addf(out, "  subgraph cluster_%s {\n    label=<<B>", graph->groups[group].id);
    add_html(out, graph->groups[group].title);
    buf_add_str(out, "</B>>; style=\"rounded,filled\"; color=\"#D5D7DE\"; fillcolor=\"#FAFAFC\"; "
                     "fontsize=14; fontcolor=\"#565A66\"; margin=14;\n");
    for (int i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].group == group)
            dot_node(&graph->nodes[i], "    ", out);
    }
    buf_add_str(out, "  }\n");
}

void graph_dot(const struct graph *graph, struct buf *out)
{
    buf_addf(out,
             "digraph rota {\n  rankdir=TB; newrank=true; labelloc=t; bgcolor=white; pad=0.4; "
             "nodesep=0.5; "
             "ranksep=%s; fontname=\"Helvetica\";\n",
             graph->group_count > 0 ? "0.8" : "0.55");
    dot_title(graph, out);
    buf_add_str(out, "  node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" "
                     "fontsize=12 margin=\"0.16,0.09\" penwidth=1.4];\n"
                     "  edge [fontname=\"Helvetica\" fontsize=10 arrowsize=0.75 "
                     "fontcolor=\"#33353D\"];\n");
    for (int i = 0; i < graph->group_count; i++)
        dot_group(graph, i, out);
    for (int i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].group < 0)
            dot_node(&graph->nodes[i], "  ", out);
    }
    for (int i = 0; i < graph->edge_count; i++)
        dot_edge(graph, &graph->edges[i], out);
    buf_add_str(out, "}\n");
}

/* ---- Mermaid: a flowchart, whose labels are quoted and whose entities are #name; ---- */

static void add_entities(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '#':
            buf_add_str(out, "#35;");
            break;
        case '"':
            buf_add_str(out, "#quot;");
            break;
        case '<':
            buf_add_str(out, "#lt;");
            break;
        case '>':
            buf_add_str(out, "#gt;");
            break;
        case '&':
            buf_add_str(out, "#amp;");
            break;
        case '`':
            buf_add_str(out, "#96;");
            break;
        default:
            buf_add_byte(out, (uint8_t)*text < ' ' ? ' ' : (uint8_t)*text);
        }
    }
}

static void mermaid_lines(struct buf *out, const struct graph_text *text)
{
    for (int i = 0; i < text->count; i++) {
        const char *tag = text->lines[i].ink == GRAPH_STRONG  ? "b"
                          : text->lines[i].ink == GRAPH_FAINT ? "small"
                                                              : NULL;

        buf_add_str(out, i > 0 ? "<br/>" : "");
        if (tag != NULL)
            buf_addf(out, "<%s>", tag);
        add_entities(out, text->lines[i].text);
        if (tag != NULL)
            buf_addf(out, "</%s>", tag);
    }
}

static void mermaid_node(const struct graph_node *node, const char *indent, struct buf *out)
{
    if (node->look == LOOK_START) {
        buf_addf(out, "%s%s((\" \")):::start\n", indent, node->id);
        return;
    }
    buf_addf(out, "%s%s%s", indent, node->id, node->is_double ? "[[\"" : "(\"");
    mermaid_lines(out, &node->text);
    buf_addf(out, "%s:::%s\n", node->is_double ? "\"]]" : "\")", LOOKS[node->look].name);
}

static void mermaid_styles(const struct graph *graph, struct buf *out)
{
    for (int look = 0; look < LOOK_COUNT; look++) {
        if (has_look(graph, (enum graph_look)look))
            buf_addf(out, "  classDef %s fill:%s,stroke:%s,color:%s%s\n", LOOKS[look].name,
                     LOOKS[look].fill, LOOKS[look].line, LOOKS[look].text,
                     look == LOOK_CLOSED ? ",stroke-dasharray:5 4" : "");
    }
    for (int i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].is_marked)
            buf_addf(out, "  style %s stroke:" MARK ",stroke-width:4px\n", graph->nodes[i].id);
    }
}

void graph_mermaid(const struct graph *graph, struct buf *out)
{
    buf_add_str(out, "---\ntitle: ");
    json_add_text(out, slice_str(graph->title));
    buf_add_str(out, "\n---\nflowchart TB\n");
    for (int g = 0; g < graph->group_count; g++) {
        buf_addf(out, "  subgraph %s[\"", graph->groups[g].id);
        add_entities(out, graph->groups[g].title);
        buf_add_str(out, "\"]\n");
        for (int i = 0; i < graph->node_count; i++) {
            if (graph->nodes[i].group == g)
                mermaid_node(&graph->nodes[i], "    ", out);
        }
        buf_add_str(out, "  end\n");
    }
    for (int i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].group < 0)
            mermaid_node(&graph->nodes[i], "  ", out);
    }
    for (int i = 0; i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];

        buf_addf(out, "  %s %s", graph->nodes[edge->from].id, STROKES[edge->stroke].mermaid);
        if (edge->text.count > 0) {
            buf_add_str(out, "|\"");
            mermaid_lines(out, &edge->text);
            buf_add_str(out, "\"|");
        }
        buf_addf(out, " %s\n", graph->nodes[edge->to].id);
    }
    mermaid_styles(graph, out);
}
