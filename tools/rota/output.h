/* output.h - what people and scripts read: wrapped text, tables, colour, JSON lines.
 *
 *   1. Colour only when stdout is a terminal and NO_COLOR is not set.
 *   2. Text that came from a record never reaches the terminal with control characters in it.
 *   3. With --json every line is one complete object.
 *   4. What is said with these functions can be written as Markdown or HTML as well (`form`): escaped, and between
 *      output_begin() and output_end() a document that needs nothing beside it. paper.h does that.
 */
#ifndef ROTA_OUTPUT_H
#define ROTA_OUTPUT_H

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/value.h"

enum ink { INK_NONE, INK_BOLD, INK_DIM, INK_GOOD, INK_BAD, INK_WAIT };

enum output_form { OUTPUT_TEXT, OUTPUT_MARKDOWN, OUTPUT_HTML };

struct output {
    FILE *to;
    enum output_form form;
    int block; /* of paper.c: what is open: a list, a table of pairs */
    bool json;
    bool
        terminal; /* a person reads along: nothing goes over the edge, and no word is parted by it */
    bool colour;
    int width; /* columns of the terminal; 100 where there is none */
};

void output_init(struct output *out, FILE *to);

/* "text", "markdown" or "html"; what else is given changes nothing. */
void output_form(struct output *out, const char *name);

/* The head and the foot of a document; nothing in a text. */
void output_begin(struct output *out, const char *title);
void output_end(struct output *out);

/* What a document is about: "SCP-0001@1.0  Scope of the ISMS". */
void output_title(struct output *out, const char *name, const char *title);

/* A line of text with an indent, cleaned of control characters, wrapped at the width. Line ends inside
 * `text` are kept. */
void output_text(struct output *out, int indent, struct slice text);

/* One line, cleaned; at a terminal what is too long goes on under itself. */
void output_line(struct output *out, enum ink ink, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One line, cleaned, never wrapped: to be copied as it stands. */
void output_whole(struct output *out, enum ink ink, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "rota: what went wrong", to stderr: as output_line, what is too long goes on behind its first word. */
void output_said(FILE *to, const char *before, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
void output_heading(struct output *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void output_subheading(struct output *out, const char *text); /* of a long text or a table */
void output_blank(struct output *out);

/* "  label      text": the label in a column of `label_width`, the text wrapped beside it; under it where the label is wider,
 * at a terminal. */
void output_pair(struct output *out, int indent, int label_width, const char *label, enum ink ink,
                 struct slice text);

/* Pieces of one text, each in its ink, wrapped at the width after an indent: the words of a line that was changed. Ends
 * with a line end. */
struct output_piece {
    enum ink ink;
    struct slice text; /* its blanks count */
};
void output_pieces(struct output *out, int indent, const char *mark,
                   const struct output_piece *pieces, uint32_t count);

void output_json(struct output *out, const struct value *value);

/* Tables: columns are as wide as their cells; where that is too wide, cells are wrapped, between words if it can be.
 * A list (not indented) that goes elsewhere than to a terminal has one line a row: it is searched and cut. */
enum { TABLE_COLUMNS_MAX = 32 }; /* as many as a table of a pack may have */

struct table {
    int column_count, row_count, row_cap;
    int spare; /* a column that is left out at a terminal too narrow for all; 0: none */
    const char *heads[TABLE_COLUMNS_MAX];
    struct cell {
        const char *text; /* borrowed until the table is printed */
        enum ink ink;
    } * cells; /* owned */
};

void table_begin(struct table *table, int column_count, const char *const *heads);
void table_cell(struct table *table, int column, enum ink ink, const char *text);
void table_row(struct table *table); /* begins a row; the cells follow */
void table_print(struct table *table, struct output *out, int indent);
void table_release(struct table *table);

/* Columns that UTF-8 text takes on a terminal. */
int text_width(struct slice text);

/* The text without control characters (each becomes U+FFFD); line ends stay if `lines`. */
char *text_clean(struct arena *arena, struct slice text, bool lines);

#endif
