#include "definition/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problems_release(struct problems *problems)
{
    arena_release(&problems->arena);
    *problems = (struct problems)PROBLEMS_EMPTY;
}

/* The same that was found before, or NULL. */
static struct problem *known(const struct problems *problems, const struct problem *problem)
{
    int i;

    for (i = 0; i < problems->count; i++) {
        struct problem *other = &problems->at[i];

        if (other->line == problem->line && other->column == problem->column &&
            strcmp(other->file, problem->file) == 0 && strcmp(other->text, problem->text) == 0)
            return other;
    }
    return NULL;
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

static void add(struct problems *problems, struct problem problem)
{
    struct problem *other = known(problems, &problem);

    problems->found += problem.severity == PROBLEM_ERROR;
    if (other != NULL && other->kind != NULL && problem.kind != NULL &&
        strcmp(other->last_kind, problem.kind) != 0) {
        other->last_kind = arena_str(&problems->arena, problem.kind);
        other->more_kinds++;
    }
    if (other != NULL)
        return;
    if (problem.severity == PROBLEM_ERROR)
        problems->errors++;
    if (problems->count >= PROBLEMS_MAX)
        return;
    if (problems->count == problems->cap)
        grow(problems);
    problem.file = arena_str(&problems->arena, problem.file);
    problem.text = arena_str(&problems->arena, problem.text);
    if (problem.kind != NULL)
        problem.kind = problem.last_kind = arena_str(&problems->arena, problem.kind);
    problems->at[problems->count++] = problem;
}

void problem_add(struct problems *problems, enum severity severity, struct where where, int column,
                 const char *format, ...)
{
    char text[PROBLEM_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add(problems, (struct problem){.file = where.file != NULL ? where.file : "",
                                   .line = where.line,
                                   .column = column,
                                   .severity = severity,
                                   .text = text});
}

void problem_of_kind(struct problems *problems, enum severity severity, struct where where,
                     const char *kind, const char *format, ...)
{
    char text[PROBLEM_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add(problems, (struct problem){.file = where.file != NULL ? where.file : "",
                                   .line = where.line,
                                   .severity = severity,
                                   .text = text,
                                   .kind = kind});
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
    if (problem->kind != NULL && problem->more_kinds > 0)
        buf_addf(out, " (in kind '%s' and %d more)", problem->kind, problem->more_kinds);
    else if (problem->kind != NULL)
        buf_addf(out, " (in kind '%s')", problem->kind);
    buf_add_byte(out, '\n');
}

/* The next of the same file as `from` that stands behind `after` there, or, of one line, that came later. */
static int next_of_file(const struct problems *problems, int from, int after)
{
    int next = -1;

    for (int i = from; i < problems->count; i++) {
        int line = problems->at[i].line, last = after >= 0 ? problems->at[after].line : -1;

        if (strcmp(problems->at[i].file, problems->at[from].file) == 0 &&
            (line > last || (line == last && i > after)) &&
            (next < 0 || line < problems->at[next].line))
            next = i;
    }
    return next;
}

static bool was_shown(const struct problems *problems, int index)
{
    for (int i = 0; i < index; i++) {
        if (strcmp(problems->at[i].file, problems->at[index].file) == 0)
            return true;
    }
    return false;
}

/* Files in the order in which they were found wanting, the lines of each from above: as somebody mends them. */
void problems_show(const struct problems *problems, struct buf *out)
{
    for (int from = 0; from < problems->count; from++) {
        if (was_shown(problems, from))
            continue;
        for (int at = next_of_file(problems, from, -1); at >= 0;
             at = next_of_file(problems, from, at))
            problem_show(&problems->at[at], out);
    }
    if (problems->count == PROBLEMS_MAX)
        buf_addf(out, "only the first %d problems are shown\n", PROBLEMS_MAX);
}
