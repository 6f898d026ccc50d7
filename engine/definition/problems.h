/* problems.h - everything that is wrong with a pack, each with its place, so that a person mends all of it at
 * once. The same fault found twice (a lifecycle is read once for each kind that uses it) is kept once. */
#ifndef ROTA_DEFINITION_PROBLEMS_H
#define ROTA_DEFINITION_PROBLEMS_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/model.h"

enum { PROBLEMS_MAX = 500, PROBLEM_TEXT_MAX = 2048 }; /* a sentence may hold a long way */

enum severity { PROBLEM_ERROR, PROBLEM_WARNING };

struct problem {
    const char *file; /* path inside the pack; "" if it is about the pack as a whole */
    int line;         /* 0 if about no line */
    int column;       /* inside the condition, from 1; 0 if not about one */
    enum severity severity;
    const char *text;      /* one sentence */
    const char *kind;      /* it was found in this kind; NULL: it is about no kind */
    int more_kinds;        /* in how many others as well */
    const char *last_kind; /* of these, the last */
};

struct problems {
    struct arena arena;
    struct problem *at; /* in `arena` */
    int count, cap;
    int errors; /* how many are PROBLEM_ERROR */
    int found;  /* errors, counted each time one is found */
};

#define PROBLEMS_EMPTY                                                                             \
    {                                                                                              \
        ARENA_EMPTY, NULL, 0, 0, 0, 0                                                              \
    }

void problems_release(struct problems *problems);
void problem_add(struct problems *problems, enum severity severity, struct where where, int column,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* About a kind. Kinds share lifecycles: what was said of one kind is not said again of the next, but counted. */
void problem_of_kind(struct problems *problems, enum severity severity, struct where where,
                     const char *kind, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* PROBLEM_ERROR without a column, the common case. */
#define problem(problems, where, ...)                                                              \
    problem_add((problems), PROBLEM_ERROR, (where), 0, __VA_ARGS__)

/* One line each: "file:line: [warning: ][column n: ]text [(in kind 'k' and n more)]". */
void problems_show(const struct problems *problems, struct buf *out);
void problem_show(const struct problem *problem, struct buf *out);

#endif
