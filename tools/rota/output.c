/* output.c - wrapped text, tables, colour, JSON lines. */
#include "output.h"
#include "paper.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "wire/json.h"

enum { WIDTH_MIN = 40, WIDTH_MAX = 120, WIDTH_PIPE = 100, CELL_MIN = 12 };

static const char *const inks[] = {
    [INK_NONE] = "",         [INK_BOLD] = "\033[1m", [INK_DIM] = "\033[2m",
    [INK_GOOD] = "\033[32m", [INK_BAD] = "\033[31m", [INK_WAIT] = "\033[33m",
};

void output_init(struct output *out, FILE *to)
{
    struct winsize size = {0, 0, 0, 0};
    bool terminal = isatty(fileno(to)) == 1;
    const char *plain = getenv("NO_COLOR");

    setlocale(LC_CTYPE, "C.UTF-8");
    out->to = to;
    out->form = OUTPUT_TEXT;
    out->block = 0;
    out->json = false;
    out->colour = terminal && (plain == NULL || *plain == '\0');
    out->width = WIDTH_PIPE;
    if (terminal && ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        out->width = size.ws_col < WIDTH_MIN   ? WIDTH_MIN
                     : size.ws_col > WIDTH_MAX ? WIDTH_MAX
                                               : size.ws_col;
}

const char *const output_forms[3] = {
    [OUTPUT_TEXT] = "text", [OUTPUT_MARKDOWN] = "markdown", [OUTPUT_HTML] = "html"};

int output_form(struct output *out, const char *name)
{
    for (int i = 0; i < (int)(sizeof output_forms / sizeof output_forms[0]); i++) {
        if (strcmp(name, output_forms[i]) == 0) {
            out->form = (enum output_form)i;
            return 0;
        }
    }
    return -1;
}

void output_begin(struct output *out, const char *title)
{
    if (out->form != OUTPUT_TEXT)
        paper_begin(out, title);
}

void output_end(struct output *out)
{
    if (out->form != OUTPUT_TEXT)
        paper_end(out);
}

/* One character of UTF-8: its length in bytes and its width in columns. Broken bytes count as one. */
static size_t character(struct slice text, size_t at, int *width)
{
    wchar_t wide = 0;
    mbstate_t state;
    size_t len;

    memset(&state, 0, sizeof state);
    len = mbrtowc(&wide, (const char *)text.at + at, text.len - at, &state);
    if (len == 0 || len > 4) {
        *width = 1;
        return 1;
    }
    *width = wcwidth(wide);
    if (*width < 0)
        *width = 1;
    return len;
}

int text_width(struct slice text)
{
    int total = 0, width;

    for (size_t i = 0; i < text.len; total += width)
        i += character(text, i, &width);
    return total;
}

/* How many bytes at `at` must not reach a terminal: 1 for C0 and DEL, 2 for C1, 3 for what turns the direction of the text
 * that follows (U+202A to U+202E, U+2066 to U+2069): with it a title shows another sentence than the one that is
 * signed. Text that is written from right to left needs none of these. 0 if it is text. */
static size_t control_length(struct slice text, size_t at, bool lines)
{
    uint8_t byte = text.at[at];

    if (byte == '\n')
        return lines ? 0 : 1;
    if (byte < 0x20 || byte == 0x7f)
        return 1;
    if (byte == 0xc2 && at + 1 < text.len && text.at[at + 1] >= 0x80 && text.at[at + 1] < 0xa0)
        return 2;
    if (byte == 0xe2 && at + 2 < text.len &&
        ((text.at[at + 1] == 0x80 && text.at[at + 2] >= 0xaa && text.at[at + 2] <= 0xae) ||
         (text.at[at + 1] == 0x81 && text.at[at + 2] >= 0xa6 && text.at[at + 2] <= 0xa9)))
        return 3;
    return 0;
}

char *text_clean(struct arena *arena, struct slice text, bool lines)
{
    struct buf clean = BUF_EMPTY;
    char *copy;

    for (size_t i = 0; i < text.len;) {
        size_t control = control_length(text, i, lines);

        if (control == 0)
            buf_add_byte(&clean, text.at[i++]);
        else if (text.at[i] == '\t' || text.at[i] == '\n')
            buf_add_byte(&clean, ' ');
        else if (text.at[i] != '\r')
            buf_add_str(&clean, "\xef\xbf\xbd");
        i += control;
    }
    copy = arena_copy(arena, buf_text(&clean), clean.len);
    buf_release(&clean);
    return copy;
}

static void spaces(struct output *out, int count)
{
    if (count > 0)
        fprintf(out->to, "%*s", count, "");
}

static void inked(struct output *out, enum ink ink, const void *at, size_t len)
{
    bool coloured = out->colour && ink != INK_NONE;

    if (coloured)
        fputs(inks[ink], out->to);
    fwrite(at, 1, len, out->to);
    if (coloured)
        fputs("\033[0m", out->to);
}

/* How many bytes of `text` fit into `room` columns, broken at a blank if there is one; *next is where
 * the rest begins. */
static size_t line_length(struct slice text, int room, size_t *next)
{
    size_t i = 0, blank = 0;
    int used = 0, width;

    while (i < text.len && text.at[i] != '\n') {
        size_t len = character(text, i, &width);

        if (used + width > room && i > 0) {
            *next = blank > 0 ? blank + 1 : i;
            return blank > 0 ? blank : i;
        }
        if (text.at[i] == ' ')
            blank = i;
        used += width;
        i += len;
    }
    *next = i < text.len ? i + 1 : i;
    return i;
}

/* Text from the present column on; later lines begin at `indent`. Ends with a line end. */
static void wrapped(struct output *out, int indent, enum ink ink, struct slice text)
{
    int room = out->width - indent < CELL_MIN ? CELL_MIN : out->width - indent;

    for (;;) {
        size_t next, len = line_length(text, room, &next);
        bool more = next < text.len;

        inked(out, ink, text.at, len);
        fputc('\n', out->to);
        if (!more)
            return;
        text = slice_of(text.at + next, text.len - next);
        if (text.at[0] != '\n')
            spaces(out, indent);
    }
}

void output_text(struct output *out, int indent, struct slice text)
{
    struct arena arena = ARENA_EMPTY;
    const char *clean = text_clean(&arena, text, true);

    if (out->form != OUTPUT_TEXT) {
        paper_text(out, clean);
    } else {
        spaces(out, indent);
        wrapped(out, indent, INK_NONE, slice_str(clean));
    }
    arena_release(&arena);
}

/* One clean line, owned by `arena`. */
__attribute__((format(printf, 2, 0))) static const char *
clean_line(struct arena *arena, const char *format, va_list args)
{
    return text_clean(arena, slice_str(arena_vprintf(arena, format, args)), false);
}

void output_line(struct output *out, enum ink ink, const char *format, ...)
{
    struct arena arena = ARENA_EMPTY;
    const char *text;
    va_list args;

    va_start(args, format);
    text = clean_line(&arena, format, args);
    va_end(args);
    if (out->form != OUTPUT_TEXT) {
        paper_line(out, ink, text);
    } else {
        inked(out, ink, text, strlen(text));
        fputc('\n', out->to);
    }
    arena_release(&arena);
}

void output_heading(struct output *out, const char *format, ...)
{
    struct arena arena = ARENA_EMPTY;
    const char *text;
    va_list args;

    va_start(args, format);
    text = clean_line(&arena, format, args);
    va_end(args);
    if (out->form != OUTPUT_TEXT) {
        paper_heading(out, 2, text);
    } else {
        output_blank(out);
        output_line(out, INK_BOLD, "%s", text);
    }
    arena_release(&arena);
}

void output_title(struct output *out, const char *name, const char *title)
{
    struct arena arena = ARENA_EMPTY;

    if (out->form != OUTPUT_TEXT)
        paper_heading(
            out, 1,
            text_clean(&arena, slice_str(arena_printf(&arena, "%s  %s", name, title)), false));
    else
        output_line(out, INK_BOLD, "%s  %s", name, title);
    arena_release(&arena);
}

void output_subheading(struct output *out, const char *text)
{
    struct arena arena = ARENA_EMPTY;

    if (out->form != OUTPUT_TEXT)
        paper_heading(out, 3, text_clean(&arena, slice_str(text), false));
    else
        output_line(out, INK_DIM, "  %s", text);
    arena_release(&arena);
}

void output_blank(struct output *out)
{
    if (out->form != OUTPUT_TEXT)
        paper_close(out);
    else
        fputc('\n', out->to);
}

void output_pair(struct output *out, int indent, int label_width, const char *label, enum ink ink,
                 struct slice text)
{
    struct arena arena = ARENA_EMPTY;
    const char *clean = text_clean(&arena, slice_str(label), false),
               *value = text_clean(&arena, text, true);

    if (out->form != OUTPUT_TEXT) {
        paper_pair(out, clean, ink, value);
    } else {
        spaces(out, indent);
        inked(out, INK_DIM, clean, strlen(clean));
        spaces(out, label_width - text_width(slice_str(clean)));
        fputs("  ", out->to);
        wrapped(out, indent + label_width + 2, ink, slice_str(value));
    }
    arena_release(&arena);
}

static void put_piece(struct output *out, int indent, const struct output_piece *piece,
                      struct arena *arena, int *column)
{
    struct slice left = slice_str(text_clean(arena, piece->text, false));

    while (left.len > 0) {
        size_t len = 0;
        int width;

        while (len < left.len && left.at[len] != ' ')
            len++;
        width = text_width(slice_of(left.at, len));
        if (*column > indent && *column + width > out->width) {
            fputc('\n', out->to);
            spaces(out, indent);
            *column = indent;
        }
        while (len < left.len && left.at[len] == ' ')
            len++;
        inked(out, piece->ink, left.at, len);
        *column += text_width(slice_of(left.at, len));
        left = slice_of(left.at + len, left.len - len);
    }
}

void output_pieces(struct output *out, int indent, const char *mark,
                   const struct output_piece *pieces, uint32_t count)
{
    struct arena arena = ARENA_EMPTY;
    int column = indent + text_width(slice_str(mark)) + 1, from = column;

    spaces(out, indent);
    inked(out, INK_DIM, mark, strlen(mark));
    fputc(' ', out->to);
    for (uint32_t i = 0; i < count; i++)
        put_piece(out, from, &pieces[i], &arena, &column);
    fputc('\n', out->to);
    arena_release(&arena);
}

void output_json(struct output *out, const struct value *value)
{
    struct buf text = BUF_EMPTY;

    value_to_json(&text, value, false);
    buf_add_byte(&text, '\n');
    fwrite(text.at, 1, text.len, out->to);
    fflush(out->to);
    buf_release(&text);
}

void table_begin(struct table *table, int column_count, const char *const *heads)
{
    memset(table, 0, sizeof *table);
    table->column_count = column_count;
    for (int i = 0; i < column_count; i++)
        table->heads[i] = heads != NULL ? heads[i] : NULL;
}

void table_row(struct table *table)
{
    size_t columns = (size_t)table->column_count;

    if (table->row_count == table->row_cap) {
        table->row_cap = table->row_cap == 0 ? 16 : table->row_cap * 2;
        table->cells =
            realloc(table->cells, (size_t)table->row_cap * columns * sizeof *table->cells);
        if (table->cells == NULL)
            abort();
    }
    for (int i = 0; i < table->column_count; i++)
        table->cells[table->row_count * table->column_count + i] = (struct cell){"", INK_NONE};
    table->row_count++;
}

void table_cell(struct table *table, int column, enum ink ink, const char *text)
{
    table->cells[(table->row_count - 1) * table->column_count + column] =
        (struct cell){text != NULL ? text : "", ink};
}

static void table_widths(const struct table *table, int room, int *widths)
{
    int total = 0, last = table->column_count - 1;

    for (int c = 0; c < table->column_count; c++) {
        widths[c] = table->heads[c] != NULL ? text_width(slice_str(table->heads[c])) : 0;
        for (int r = 0; r < table->row_count; r++) {
            int width = text_width(slice_str(table->cells[r * table->column_count + c].text));

            if (width > widths[c])
                widths[c] = width;
        }
        total += widths[c] + 2;
    }
    while (total - 2 >
           room) { /* take from the widest until it fits; the last column is wrapped anyway */
        int widest = last;

        for (int c = 0; c < last; c++)
            if (widths[c] > widths[widest])
                widest = c;
        if (widths[widest] <= CELL_MIN)
            return;
        widths[widest]--;
        total--;
    }
}

/* A table row whose cells are wrapped each in its own column. */
static void table_print_row(struct output *out, int indent, int count, const struct cell *cells,
                            const int *widths)
{
    struct arena arena = ARENA_EMPTY;
    struct slice left[TABLE_COLUMNS_MAX];
    bool more = true;

    for (int c = 0; c < count; c++)
        left[c] = slice_str(text_clean(&arena, slice_str(cells[c].text), false));
    while (more) {
        int owed = indent;

        more = false;
        for (int c = 0; c < count; c++) {
            size_t next = 0, len = line_length(left[c], widths[c] < 1 ? 1 : widths[c], &next);

            if (len > 0) {
                spaces(out, owed);
                inked(out, cells[c].ink, left[c].at, len);
                owed = 0;
            }
            owed += widths[c] + 2 - text_width(slice_of(left[c].at, len));
            left[c] = slice_of(left[c].at + next, left[c].len - next);
            more = more || left[c].len > 0;
        }
        fputc('\n', out->to);
    }
    arena_release(&arena);
}

void table_print(struct table *table, struct output *out, int indent)
{
    int widths[TABLE_COLUMNS_MAX];

    if (out->form != OUTPUT_TEXT) {
        paper_table(out, table);
        return;
    }
    table_widths(table, out->width - indent, widths);
    if (table->column_count > 0 && table->heads[0] != NULL) {
        struct cell heads[TABLE_COLUMNS_MAX];

        for (int c = 0; c < table->column_count; c++)
            heads[c] = (struct cell){table->heads[c], INK_DIM};
        table_print_row(out, indent, table->column_count, heads, widths);
    }
    for (int r = 0; r < table->row_count; r++)
        table_print_row(out, indent, table->column_count, table->cells + r * table->column_count,
                        widths);
}

void table_release(struct table *table)
{
    free(table->cells);
    memset(table, 0, sizeof *table);
}
