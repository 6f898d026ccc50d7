/* output.c - wrapped text, tables, colour, JSON lines. */
#include "output.h"
#include "paper.h"

#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "wire/json.h"

enum { WIDTH_MIN = 40, WIDTH_MAX = 120, WIDTH_PIPE = 100, ROOM_MIN = 12, HANG = 2 };
enum {
    CELL_SHORT = 16,
    CELL_PROSE = 32
}; /* columns: what stays whole if it can; what is read as a text */

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
    out->terminal = terminal;
    out->colour = terminal && (plain == NULL || *plain == '\0');
    out->width = WIDTH_PIPE;
    if (terminal && ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        out->width = size.ws_col < WIDTH_MIN   ? WIDTH_MIN
                     : size.ws_col > WIDTH_MAX ? WIDTH_MAX
                                               : size.ws_col;
}

void output_form(struct output *out, const char *name)
{
    static const char *const names[] = {
        [OUTPUT_TEXT] = "text", [OUTPUT_MARKDOWN] = "markdown", [OUTPUT_HTML] = "html"};

    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            out->form = (enum output_form)i;
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

/* A place in a line where it may be broken: what stands before it, and where the rest begins. */
struct place {
    size_t end, next;
};

/* How many bytes of `text` fit into `room` columns, broken at a blank or beside a wide character. A word that is wider stands
 * whole (a digest is copied), but in the cell of a table it is parted, after a sign if it has one. *next is where the rest
 * begins. */
static size_t line_length(struct slice text, int room, bool parts_words, size_t *next)
{
    struct place blank = {0, 0}, sign = {0, 0};
    size_t i = 0;
    int used = 0, width;

    while (i < text.len && text.at[i] != '\n') {
        size_t len = character(text, i, &width);

        if (width == 2 && i > 0)
            blank = (struct place){i, i};
        if (used + width > room && i > 0 && text.at[i] != ' ' && (blank.end > 0 || parts_words)) {
            struct place at = blank.end > 0 ? blank : sign.end > 0 ? sign : (struct place){i, i};

            *next = at.next;
            return at.end;
        }
        if (text.at[i] == ' ') {
            if (blank.next != i || i == 0)
                blank.end = i;
            blank.next = i + 1;
        } else if (strchr("./-_:@,", text.at[i]) != NULL) {
            sign = (struct place){i + 1, i + 1};
        }
        used += width;
        i += len;
    }
    *next = i < text.len ? i + 1 : i;
    return i;
}

/* Text from the present column on; lines that it is broken into begin at `indent` + `hang`, those it has at `indent`. Ends
 * with a line end. */
static void wrapped(struct output *out, int indent, int hang, enum ink ink, struct slice text)
{
    int room = out->width - indent, broken = 0;

    for (;;) {
        int left = room - broken < ROOM_MIN ? ROOM_MIN : room - broken;
        size_t next, len = line_length(text, left, false, &next);

        inked(out, ink, text.at, len);
        fputc('\n', out->to);
        if (next >= text.len)
            return;
        broken = len < text.len && text.at[len] != '\n' ? hang : 0;
        text = slice_of(text.at + next, text.len - next);
        if (text.at[0] != '\n')
            spaces(out, indent + broken);
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
        wrapped(out, indent, 0, INK_NONE, slice_str(clean));
    }
    arena_release(&arena);
}

/* One clean line, owned by `arena`. */
__attribute__((format(printf, 2, 0))) static const char *
clean_line(struct arena *arena, const char *format, va_list args)
{
    return text_clean(arena, slice_str(arena_vprintf(arena, format, args)), false);
}

/* At a terminal what is too long goes on under itself, a little further in; elsewhere it stays one line, to be searched. */
static void hanging(struct output *out, enum ink ink, int hang, const char *text)
{
    int lead = (int)strspn(text, " ");

    if (out->form != OUTPUT_TEXT) {
        paper_line(out, ink, text);
    } else if (out->terminal) {
        spaces(out, lead);
        wrapped(out, lead, hang, ink, slice_str(text + lead));
    } else {
        inked(out, ink, text, strlen(text));
        fputc('\n', out->to);
    }
}

void output_line(struct output *out, enum ink ink, const char *format, ...)
{
    struct arena arena = ARENA_EMPTY;
    va_list args;

    va_start(args, format);
    hanging(out, ink, HANG, clean_line(&arena, format, args));
    va_end(args);
    arena_release(&arena);
}

void output_whole(struct output *out, enum ink ink, const char *format, ...)
{
    struct arena arena = ARENA_EMPTY;
    const char *text;
    va_list args;

    va_start(args, format);
    text = clean_line(&arena, format, args);
    va_end(args);
    inked(out, ink, text, strlen(text));
    fputc('\n', out->to);
    arena_release(&arena);
}

void output_said(FILE *to, const char *before, const char *format, va_list args)
{
    struct arena arena = ARENA_EMPTY;
    struct output out;

    output_init(&out, to);
    hanging(&out, INK_NONE, (int)strcspn(before, " ") + 1,
            arena_printf(&arena, "%s%s", before, arena_vprintf(&arena, format, args)));
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
        if (out->terminal && text_width(slice_str(clean)) > label_width) {
            fputc('\n', out->to);
            spaces(out, indent + label_width);
        } else {
            spaces(out, label_width - text_width(slice_str(clean)));
        }
        fputs("  ", out->to);
        wrapped(out, indent + label_width + 2, 0, ink, slice_str(value));
    }
    arena_release(&arena);
}

/* `*owed` blanks stand before the next word, unless it begins a line. */
static void put_piece(struct output *out, int indent, const struct output_piece *piece,
                      struct arena *arena, int *column, int *owed)
{
    struct slice left = slice_str(text_clean(arena, piece->text, false));

    while (left.len > 0) {
        size_t len = 0, blanks = 0;
        int width;

        while (blanks < left.len && left.at[blanks] == ' ')
            blanks++;
        *owed += (int)blanks;
        left = slice_of(left.at + blanks, left.len - blanks);
        while (len < left.len && left.at[len] != ' ')
            len++;
        if (len == 0)
            return;
        width = text_width(slice_of(left.at, len));
        if (*column > indent && *column + *owed + width > out->width) {
            fputc('\n', out->to);
            spaces(out, indent);
            *column = indent;
        } else {
            inked(out, piece->ink, "                ", (size_t)(*owed < 16 ? *owed : 16));
            *column += *owed < 16 ? *owed : 16;
        }
        *owed = 0;
        inked(out, piece->ink, left.at, len);
        *column += width;
        left = slice_of(left.at + len, left.len - len);
    }
}

void output_pieces(struct output *out, int indent, const char *mark,
                   const struct output_piece *pieces, uint32_t count)
{
    struct arena arena = ARENA_EMPTY;
    int column = indent + text_width(slice_str(mark)) + 1, from = column, owed = 0;

    spaces(out, indent);
    inked(out, INK_DIM, mark, strlen(mark));
    fputc(' ', out->to);
    for (uint32_t i = 0; i < count; i++)
        put_piece(out, from, &pieces[i], &arena, &column, &owed);
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

/* The widest word of a text. */
static int word_width(const char *text)
{
    int widest = 0, width;

    for (; *text != '\0'; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");

        width = text_width(slice_of(text, len));
        widest = width > widest ? width : widest;
        text += len;
    }
    return widest;
}

/* What the columns take as they are, and at least, if no word is to be parted. */
struct widths {
    int whole[TABLE_COLUMNS_MAX], word[TABLE_COLUMNS_MAX];
    int whole_sum, count;
};

static struct widths table_measure(const struct table *table)
{
    struct widths w = {.count = table->column_count};

    for (int c = 0; c < table->column_count; c++) {
        for (int r = -1; r < table->row_count; r++) {
            const char *text =
                r < 0 ? table->heads[c] : table->cells[r * table->column_count + c].text;
            int whole = text != NULL ? text_width(slice_str(text)) : 0;
            int word = text != NULL ? word_width(text) : 0;

            w.whole[c] = whole > w.whole[c] ? whole : w.whole[c];
            w.word[c] = word > w.word[c] ? word : w.word[c];
        }
        w.whole_sum += w.whole[c];
    }
    return w;
}

/* Takes columns from the widest that is wider than its floor, until nothing is over. */
static int shrink(const struct widths *w, int *widths, const int *floors, int over)
{
    while (over > 0) {
        int widest = -1;

        for (int c = 0; c < w->count; c++)
            if (widths[c] > floors[c] && (widest < 0 || widths[c] >= widths[widest]))
                widest = c;
        if (widest < 0)
            break;
        widths[widest]--;
        over--;
    }
    return over;
}

/* First prose gives, as long as it can be read; then names; then what is short (a moment); then prose down to its words; at
 * last words are parted. */
static void table_widths(const struct widths *w, int room, int *widths)
{
    int floors[TABLE_COLUMNS_MAX], over = w->whole_sum - room;

    for (int c = 0; c < w->count; c++)
        widths[c] = w->whole[c];
    for (int step = 0; step < 5; step++) {
        for (int c = 0; c < w->count; c++) {
            int least = w->word[c] > CELL_PROSE ? w->word[c] : CELL_PROSE;
            bool is_prose = w->whole[c] > CELL_PROSE, is_short = w->whole[c] <= CELL_SHORT;

            floors[c] = step == 4               ? 1
                        : is_prose && step < 3  ? (least < w->whole[c] ? least : w->whole[c])
                        : is_short && step < 2  ? w->whole[c]
                        : !is_prose && step < 1 ? w->whole[c]
                                                : w->word[c];
        }
        over = shrink(w, widths, floors, over);
    }
}

static bool is_blank(const struct table *table, int column)
{
    for (int r = 0; r < table->row_count; r++)
        if (table->cells[r * table->column_count + column].text[0] != '\0')
            return false;
    return true;
}

static void leave_out(struct table *table, int column)
{
    int count = table->column_count--, to = 0;

    for (int r = 0; r < table->row_count; r++)
        for (int c = 0; c < count; c++)
            if (c != column)
                table->cells[to++] = table->cells[r * count + c];
    for (int c = column; c + 1 < count; c++)
        table->heads[c] = table->heads[c + 1];
}

/* Where the table does not fit, columns without a word go, and at a terminal the one that can be spared. */
static void table_narrow(struct table *table, const struct output *out, int room)
{
    int gaps = 2 * (table->column_count - 1);

    if (table_measure(table).whole_sum + gaps <= room)
        return;
    if (out->terminal && table->spare > 0)
        leave_out(table, table->spare);
    for (int c = table->column_count - 1; c >= 0 && table->column_count > 1; c--)
        if (is_blank(table, c))
            leave_out(table, c);
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
            size_t next = 0, len = line_length(left[c], widths[c] < 1 ? 1 : widths[c], true, &next);

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

enum { LABEL_MAX = 12 }; /* of a longer head the first word has to do */

/* Would many words be parted? */
static bool is_crammed(const struct widths *w, int room)
{
    int words = 0;

    for (int c = 0; c < w->count; c++)
        words += w->word[c];
    return words - room > room / 4;
}

/* Instead of a table that nobody could read: each row in lines of its own, its first cell before the others. */
static void table_print_lines(const struct table *table, struct output *out, int indent)
{
    struct arena arena = ARENA_EMPTY;
    const char *labels[TABLE_COLUMNS_MAX];
    int label_width = 0;

    for (int c = 0; c < table->column_count; c++) {
        const char *head = table->heads[c];
        int width;

        labels[c] =
            arena_copy(&arena, head, strlen(head) > LABEL_MAX ? strcspn(head, " ") : strlen(head));
        width = text_width(slice_str(labels[c]));
        label_width = width > label_width ? width : label_width;
    }
    for (int r = 0; r < table->row_count; r++)
        for (int c = 0; c < table->column_count; c++) {
            const struct cell *cell = &table->cells[r * table->column_count + c];

            if (cell->text[0] != '\0')
                output_pair(out, indent + (c > 0 ? 2 : 0), label_width, labels[c], cell->ink,
                            slice_str(text_clean(&arena, slice_str(cell->text), false)));
        }
    arena_release(&arena);
}

void table_print(struct table *table, struct output *out, int indent)
{
    int widths[TABLE_COLUMNS_MAX];
    struct widths measured;
    bool is_for_programs = !out->terminal && indent == 0;
    int room;

    if (out->form != OUTPUT_TEXT) {
        paper_table(out, table);
        return;
    }
    room = is_for_programs ? INT_MAX / 2 : out->width - indent;
    table_narrow(table, out, room);
    measured = table_measure(table);
    if (table->column_count > 2 && table->heads[0] != NULL &&
        is_crammed(&measured, room - 2 * (table->column_count - 1))) {
        table_print_lines(table, out, indent);
        return;
    }
    table_widths(&measured, room - 2 * (table->column_count - 1), widths);
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
