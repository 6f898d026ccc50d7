#include "definition/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problems_release(struct problems *problems)
{
    arena_release(&problems->arena);
    *problems = (struct problems)PROBLEMS_EMPTY;
}

static bool is_known(const struct problems *problems, const struct problem *problem)
{
    int i;

    for (i = 0; i < problems->count; i++) {
        const struct problem *other = &problems->at[i];

        if (other->line == problem->line && other->column == problem->column &&
            strcmp(other->file, problem->file) == 0 && strcmp(other->text, problem->text) == 0)
            return true;
    }
    return false;
}

static void grow(struct problems *problems)
{
    int cap = problems->cap == 0 ? 16 : problems->cap * 2;
    struct problem *more = arena_zero(&problems->arena, (size_t)cap * sizeof *more);

    if (problems->count > 0)
        memcpy(more, problems->at, (size_t)problems->count * sizeof *more);
    problems->at = more;
    problems->cap = cap;
}

void problem_add(struct problems *problems, enum severity severity, struct where where, int column,
                 const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    struct problem problem = {where.file != NULL ? where.file : "", where.line, column, severity,
                              text};
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (is_known(problems, &problem))
        return;
    if (severity == PROBLEM_ERROR)
        problems->errors++;
    if (problems->count >= PROBLEMS_MAX)
        return;
    if (problems->count == problems->cap)
        grow(problems);
    problem.file = arena_str(&problems->arena, problem.file);
    problem.text = arena_str(&problems->arena, text);
    problems->at[problems->count++] = problem;
}

void problem_show(const struct problem *problem, struct buf *out)
{
    if (problem->file[0] != '\0')
        buf_addf(out, "%s:", problem->file);
    if (problem->line > 0)
        buf_addf(out, "%d:", problem->line);
    if (problem->file[0] != '\0')
        buf_add_byte(out, ' ');
    if (problem->severity == PROBLEM_WARNING)
        buf_add_str(out, "warning: ");
    if (problem->column > 0)
        buf_addf(out, "column %d: ", problem->column);
    buf_add_str(out, problem->text);
    buf_add_byte(out, '\n');
}

void problems_show(const struct problems *problems, struct buf *out)
{
    int i;

    for (i = 0; i < problems->count; i++)
        problem_show(&problems->at[i], out);
    if (problems->count == PROBLEMS_MAX)
        buf_addf(out, "only the first %d problems are shown\n", PROBLEMS_MAX);
}
