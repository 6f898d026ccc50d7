/* expr_time.h - the part of conditions that knows the calendar: sums and differences of days, moments and spans,
 * and conversions. For the evaluator and the compiler alone. */
#ifndef ROTA_CORE_EXPR_TIME_H
#define ROTA_CORE_EXPR_TIME_H

#include "core/expr_build.h"

/* EXPR_ADD or EXPR_SUBTRACT where at least one side is a day, moment, duration or span. Values are of the
 * representation that their sort says. */
int expr_time_arithmetic(enum expr_op op, const struct value *a, enum expr_sort a_sort,
                         const struct value *b, enum expr_sort b_sort,
                         const struct calendar *calendar, struct arena *arena, struct value *out,
                         struct error *err);

/* What the static types give for it: SORT_NULL if there is no such sum. Sorts may be SORT_DYN. */
enum expr_sort expr_time_sort(enum expr_op op, enum expr_sort a, enum expr_sort b);

/* Spans and durations in any mixture; months have no fixed length and compare with months only. */
int expr_compare_spans(const struct value *a, enum expr_sort a_sort, const struct value *b,
                       enum expr_sort b_sort, int *order, struct error *err);

/* EXPR_DAYS .. EXPR_TO_TEXT. */
int expr_convert(enum expr_op op, const struct value *from, enum expr_sort sort,
                 const struct calendar *calendar, struct arena *arena, struct value *out,
                 struct error *err);

#endif
