/* paper.c - pages in Markdown and HTML. */
#include "paper.h"

enum { WIDE = 7 }; /* columns from which on a table is set smaller */

enum block { BLOCK_NONE, BLOCK_LIST, BLOCK_PAIRS };

/* Colours carry nothing that the words do not say: the page is printed in black as well. */
static const char STYLE[] =
    "body{font:15px/1.5 system-ui,-apple-system,\"Segoe "
    "UI\",Helvetica,Arial,sans-serif;color:#23252b;"
    "max-width:62rem;margin:2.5rem auto;padding:0 1.5rem}"
    "h1{font-size:1.6rem;line-height:1.25;margin:0 0 .2rem}"
    "h2{font-size:1.15rem;margin:2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid "
    "#d5d7de;break-after:avoid}"
    "h3{font-size:1rem;margin:1.2rem 0 .4rem;color:#565a66;break-after:avoid}"
    "p{margin:.3rem 0}ul{margin:.3rem 0;padding-left:.6rem;list-style:none}"
    "table{border-collapse:collapse;width:100%;margin:.4rem 0;font-size:.92em}"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid "
    "#e4e6eb;overflow-wrap:break-word}"
    "thead{display:table-header-group}thead th{color:#565a66;border-bottom:2px solid "
    "#c9ccd5;overflow-wrap:normal}"
    "tr{break-inside:avoid}"
    ".pairs th{width:13rem;font-weight:600;color:#565a66}.pairs "
    "td{overflow-wrap:anywhere}.wide{font-size:.8em}.wide th,.wide td{padding:.3rem .4rem}"
    ".long{white-space:pre-wrap;border-left:3px solid #d5d7de;padding:.1rem 0 .1rem "
    ".9rem;margin:.4rem 0}"
    ".dim{color:#6a6d78}.good{color:#1f7a48}.bad{color:#b23a48;font-weight:600}.wait{color:#8a6300}"
    ".bold{font-weight:600}"
    "@page{margin:18mm}@media print{body{max-width:none;margin:0;padding:0;font-size:10.5pt}}";

static const char *const CLASSES[] = {
    [INK_NONE] = NULL,   [INK_BOLD] = "bold", [INK_DIM] = "dim",
    [INK_GOOD] = "good", [INK_BAD] = "bad",   [INK_WAIT] = "wait"};

/* ---- escaping ---- */

static void put_html(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        case '\'':
            fputs("&#39;", to);
            break;
        default:
            fputc(*text, to);
        }
    }
}

/* The first word of a line may be a mark of Markdown where the same sign later on is none: "- ", "1. ", "=". */
static const char *put_line_start(FILE *to, const char *text)
{
    size_t figures;

    while (*text == ' ') /* four of them would be a block of code */
        text++;
    figures = strspn(text, "0123456789");
    if (*text == '-' || *text == '+' || *text == '=')
        fputc('\\', to);
    if (figures > 0 && (text[figures] == '.' || text[figures] == ')')) {
        fprintf(to, "%.*s\\", (int)figures, text);
        text += figures;
    }
    return text;
}

/* Line ends become `line_end`, with the start of a new line after each. */
static void put_markdown(FILE *to, const char *text, const char *line_end)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            fputs(line_end, to);
            text = put_line_start(to, text + 1) - 1;
            continue;
        }
        if (strchr("\\`*_[]<>#|~&$", *text) != NULL)
            fputc('\\', to);
        fputc(*text, to);
    }
}

static void put_inked(struct output *out, enum ink ink, const char *text, const char *line_end)
{
    if (out->form == OUTPUT_MARKDOWN) {
        put_markdown(out->to, put_line_start(out->to, text), line_end);
        return;
    }
    if (CLASSES[ink] != NULL)
        fprintf(out->to, "<span class=\"%s\">", CLASSES[ink]);
    for (const char *end = strchr(text, '\n'); end != NULL; end = strchr(text, '\n')) {
        struct arena arena = ARENA_EMPTY;

        put_html(out->to, arena_copy(&arena, text, (size_t)(end - text)));
        fputs("<br>", out->to);
        arena_release(&arena);
        text = end + 1;
    }
    put_html(out->to, text);
    if (CLASSES[ink] != NULL)
        fputs("</span>", out->to);
}

/* ---- blocks ---- */

void paper_close(struct output *out)
{
    static const char *const ENDS[] = {
        [BLOCK_NONE] = "", [BLOCK_LIST] = "</ul>\n", [BLOCK_PAIRS] = "</table>\n"};

    if (out->form == OUTPUT_HTML)
        fputs(ENDS[out->block], out->to);
    else if (out->block != BLOCK_NONE)
        fputc('\n', out->to);
    out->block = BLOCK_NONE;
}

static void open_block(struct output *out, enum block block)
{
    static const char *const STARTS[] = {
        [BLOCK_NONE] = "", [BLOCK_LIST] = "<ul>\n", [BLOCK_PAIRS] = "<table class=\"pairs\">\n"};

    if (out->block == (int)block)
        return;
    paper_close(out);
    if (out->form == OUTPUT_HTML)
        fputs(STARTS[block], out->to);
    out->block = (int)block;
}

void paper_begin(struct output *out, const char *title)
{
    if (out->form != OUTPUT_HTML)
        return;
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          out->to);
    put_html(out->to, title);
    fprintf(out->to, "</title>\n<style>%s</style>\n</head>\n<body>\n", STYLE);
}

void paper_end(struct output *out)
{
    paper_close(out);
    if (out->form == OUTPUT_HTML)
        fputs("</body>\n</html>\n", out->to);
}

void paper_heading(struct output *out, int level, const char *text)
{
    paper_close(out);
    if (out->form == OUTPUT_HTML) {
        fprintf(out->to, "<h%d>", level);
        put_html(out->to, text);
        fprintf(out->to, "</h%d>\n", level);
        return;
    }
    fprintf(out->to, "%.*s ", level, "###");
    put_markdown(out->to, text, " ");
    fputs("\n\n", out->to);
}

void paper_line(struct output *out, enum ink ink, const char *text)
{
    bool html = out->form == OUTPUT_HTML;

    if (text[0] == ' ') {
        open_block(out, BLOCK_LIST);
        fputs(html ? "<li>" : "- ", out->to);
        put_inked(out, ink, text + strspn(text, " "), " ");
        fputs(html ? "</li>\n" : "\n", out->to);
        return;
    }
    paper_close(out);
    fputs(html ? "<p>" : "", out->to);
    put_inked(out, ink, text, " ");
    fputs(html ? "</p>\n" : "\n\n", out->to);
}

void paper_text(struct output *out, const char *text)
{
    paper_close(out);
    if (out->form == OUTPUT_HTML) {
        fputs("<div class=\"long\">", out->to);
        put_html(out->to, text);
        fputs("</div>\n", out->to);
        return;
    }
    fputs("> ", out->to);
    put_markdown(out->to, put_line_start(out->to, text), "\\\n> ");
    fputs("\n\n", out->to);
}

void paper_pair(struct output *out, const char *label, enum ink ink, const char *text)
{
    open_block(out, BLOCK_PAIRS);
    if (out->form == OUTPUT_HTML) {
        fputs("<tr><th scope=\"row\">", out->to);
        put_html(out->to, label);
        fputs("</th><td>", out->to);
        put_inked(out, ink, text, "<br>");
        fputs("</td></tr>\n", out->to);
        return;
    }
    fputs("- **", out->to);
    put_markdown(out->to, label, " ");
    fputs("**: ", out->to);
    put_markdown(out->to, text, "\\\n  ");
    fputc('\n', out->to);
}

/* ---- tables ---- */

static void html_table(struct output *out, const struct table *table)
{
    fputs(table->column_count > WIDE ? "<table class=\"wide\">\n" : "<table>\n", out->to);
    if (table->heads[0] != NULL) {
        fputs("<thead><tr>", out->to);
        for (int c = 0; c < table->column_count; c++) {
            fputs("<th scope=\"col\">", out->to);
            put_html(out->to, table->heads[c]);
            fputs("</th>", out->to);
        }
        fputs("</tr></thead>\n", out->to);
    }
    fputs("<tbody>\n", out->to);
    for (int r = 0; r < table->row_count; r++) {
        const struct cell *cells = table->cells + r * table->column_count;

        fputs("<tr>", out->to);
        for (int c = 0; c < table->column_count; c++) {
            fputs("<td>", out->to);
            put_inked(out, cells[c].ink, cells[c].text, "<br>");
            fputs("</td>", out->to);
        }
        fputs("</tr>\n", out->to);
    }
    fputs("</tbody>\n</table>\n", out->to);
}

static void markdown_table(struct output *out, const struct table *table)
{
    for (int c = 0; c < table->column_count; c++) {
        fputs("| ", out->to);
        put_markdown(out->to, table->heads[0] != NULL ? table->heads[c] : "", " ");
        fputc(' ', out->to);
    }
    fputs("|\n", out->to);
    for (int c = 0; c < table->column_count; c++)
        fputs("|---", out->to);
    fputs("|\n", out->to);
    for (int r = 0; r < table->row_count; r++) {
        for (int c = 0; c < table->column_count; c++) {
            fputs("| ", out->to);
            put_markdown(out->to, table->cells[r * table->column_count + c].text, "<br>");
            fputc(' ', out->to);
        }
        fputs("|\n", out->to);
    }
    fputc('\n', out->to);
}

/* A cell comes as it was put: its control characters go here, its line ends stay. */
void paper_table(struct output *out, const struct table *table)
{
    struct table clean = *table;
    struct arena arena = ARENA_EMPTY;
    int count = table->row_count * table->column_count;

    paper_close(out);
    if (table->column_count == 0)
        return;
    clean.cells = arena_take(&arena, sizeof *clean.cells * (size_t)(count + 1));
    for (int i = 0; i < count; i++)
        clean.cells[i] = (struct cell){text_clean(&arena, slice_str(table->cells[i].text), true),
                                       table->cells[i].ink};
    if (out->form == OUTPUT_HTML)
        html_table(out, &clean);
    else
        markdown_table(out, &clean);
    arena_release(&arena);
}
