/* expression.h - what an expression of a pack comes to, as far as a record's row alone can say.
 *
 * Literals, record.FIELD, record.version and the like, process.id, comparisons, && || !, + - *, the conditional operator,
 * has(), `in` a list, and startsWith, endsWith, contains. Of fields only those whose value stands in the row as it is meant: text,
 * choice, whole number, truth, person, reference, day. Whatever else an expression says makes it unknown, and nobody guesses:
 * an unknown part makes the whole unknown, unless the rest decides it alone.
 */
#ifndef ROTA_VERIFY_EXPRESSION_H
#define ROTA_VERIFY_EXPRESSION_H

#include "definition.h"

enum term_kind { TERM_UNKNOWN, TERM_TRUTH, TERM_NUMBER, TERM_TEXT };

struct term {
    enum term_kind kind;
    int64_t number; /* of TERM_TRUTH 0 or 1 */
    struct bytes text;
};

/* `text` over a record of this kind, whose row it is. */
struct term expression_value(const struct kind *kind, struct bytes row, const char *text);

#endif
