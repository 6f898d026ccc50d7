#include "core/expr_time.h"

#include "base/date.h"
#include "core/span.h"

static const int64_t DAY_MS = 86400000;
static const int64_t MOMENT_MIN = -62135596800000, MOMENT_MAX = 253402300799999; /* years 1..9999 */
static const int64_t DURATION_MAX = 9223372036854; /* ms: CEL's 2^63 ns, some 292 years */

/* Every sum there is; anything else is refused by the compiler. */
static const struct sum {
    enum expr_op op;
    enum expr_sort a, b, result;
} SUMS[] = {
    {EXPR_ADD, SORT_DATE, SORT_SPAN, SORT_DATE},
    {EXPR_ADD, SORT_SPAN, SORT_DATE, SORT_DATE},
    {EXPR_ADD, SORT_MOMENT, SORT_SPAN, SORT_MOMENT},
    {EXPR_ADD, SORT_SPAN, SORT_MOMENT, SORT_MOMENT},
    {EXPR_ADD, SORT_MOMENT, SORT_DURATION, SORT_MOMENT},
    {EXPR_ADD, SORT_DURATION, SORT_MOMENT, SORT_MOMENT},
    {EXPR_ADD, SORT_DURATION, SORT_DURATION, SORT_DURATION},
    {EXPR_ADD, SORT_SPAN, SORT_SPAN, SORT_SPAN},
    {EXPR_SUBTRACT, SORT_DATE, SORT_SPAN, SORT_DATE},
    {EXPR_SUBTRACT, SORT_DATE, SORT_DATE, SORT_SPAN},
    {EXPR_SUBTRACT, SORT_MOMENT, SORT_SPAN, SORT_MOMENT},
    {EXPR_SUBTRACT, SORT_MOMENT, SORT_MOMENT, SORT_DURATION},
    {EXPR_SUBTRACT, SORT_MOMENT, SORT_DURATION, SORT_MOMENT},
    {EXPR_SUBTRACT, SORT_DURATION, SORT_DURATION, SORT_DURATION},
    {EXPR_SUBTRACT, SORT_SPAN, SORT_SPAN, SORT_SPAN},
};

static const size_t SUM_COUNT = sizeof SUMS / sizeof SUMS[0];

enum expr_sort expr_time_sort(enum expr_op op, enum expr_sort a, enum expr_sort b)
{
    enum expr_sort result = SORT_NULL;
    size_t i;

    for (i = 0; i < SUM_COUNT; i++) {
        if (SUMS[i].op != op || (a != SORT_DYN && SUMS[i].a != a) ||
            (b != SORT_DYN && SUMS[i].b != b))
            continue;
        if (result != SORT_NULL && result != SUMS[i].result)
            return SORT_DYN;
        result = SUMS[i].result;
    }
    return result;
}

/* A value whose type only the record knows has come as a text or a number: what does it mean here? */
static bool may_be(const struct value *value, enum expr_sort found, enum expr_sort meant)
{
    struct span span;
    int32_t date;

    if (found == meant)
        return true;
    if (found == SORT_INT)
        return meant == SORT_MOMENT || meant == SORT_DURATION;
    if (found != SORT_TEXT)
        return false;
    return (meant == SORT_DATE && date_parse(value_slice(value), &date) == 0) ||
           (meant == SORT_SPAN && span_parse(value_slice(value), &span) == 0);
}

static int bad_text(struct error *err, const char *what, const struct value *value)
{
    return error_set(err, ERROR_INPUT, "'%.*s' is not %s",
                     value->count > 60 ? 60 : (int)value->count, value->as.text, what);
}

static int as_span(const struct value *value, bool negative, struct span *out, struct error *err)
{
    if (span_parse(value_slice(value), out) != 0)
        return bad_text(err, "a span of time", value);
    if (negative)
        *out = (struct span){-out->months, -out->days, out->working, -out->ms};
    return 0;
}

static int as_date(const struct value *value, int32_t *out, struct error *err)
{
    return date_parse(value_slice(value), out) == 0 ? 0 : bad_text(err, "a date", value);
}

static int give_date(int32_t date, struct arena *arena, struct value *out, struct error *err)
{
    char text[DATE_TEXT_LEN + 1];

    if (date < date_of(1, 1, 1) || date > date_of(9999, 12, 31))
        return error_set(err, ERROR_INPUT, "the date is out of range");
    date_format(date, text);
    *out = value_str(arena_copy(arena, text, DATE_TEXT_LEN));
    return 0;
}

static int give_moment(int64_t ms, struct value *out, struct error *err)
{
    if (ms < MOMENT_MIN || ms > MOMENT_MAX)
        return error_set(err, ERROR_INPUT, "the timestamp is out of range");
    *out = value_int(ms);
    return 0;
}

static int give_duration(int64_t ms, struct value *out, struct error *err)
{
    if (ms < -DURATION_MAX || ms > DURATION_MAX)
        return error_set(err, ERROR_INPUT, "the duration is out of range");
    *out = value_int(ms);
    return 0;
}

static int give_span(const struct span *span, struct arena *arena, struct value *out,
                     struct error *err)
{
    if (span->months > SPAN_NUMBER_MAX || span->months < -SPAN_NUMBER_MAX ||
        span->days > SPAN_NUMBER_MAX || span->days < -SPAN_NUMBER_MAX ||
        (span->working && (span->days > SPAN_WORKING_MAX || span->days < -SPAN_WORKING_MAX)))
        return error_set(err, ERROR_INPUT, "the span of time is out of range");
    *out = value_str(span_text(arena, span));
    return 0;
}

static int add_to_date(const struct value *date, const struct value *span, bool minus,
                       const struct calendar *calendar, struct arena *arena, struct value *out,
                       struct error *err)
{
    struct span step;
    int32_t day;

    if (as_date(date, &day, err) != 0 || as_span(span, minus, &step, err) != 0)
        return -1;
    if (step.ms % DAY_MS != 0)
        return error_set(err, ERROR_INPUT, "a date moves by whole days");
    return give_date(span_add_date(&step, calendar, day), arena, out, err);
}

static int add_to_moment(const struct value *moment, const struct value *span, bool minus,
                         const struct calendar *calendar, struct value *out, struct error *err)
{
    struct span step;

    if (as_span(span, minus, &step, err) != 0 || give_moment(moment->as.number, out, err) != 0)
        return -1;
    return give_moment(span_add_moment(&step, calendar, moment->as.number), out, err);
}

static int add_spans(const struct value *a, const struct value *b, bool minus, struct arena *arena,
                     struct value *out, struct error *err)
{
    struct span first, second;

    if (as_span(a, false, &first, err) != 0 || as_span(b, minus, &second, err) != 0)
        return -1;
    if (first.days != 0 && second.days != 0 && first.working != second.working)
        return error_set(err, ERROR_INPUT, "working days and other days do not add up");
    first.months += second.months;
    first.days += second.days;
    first.working = first.working || second.working;
    first.ms += second.ms;
    return give_span(&first, arena, out, err);
}

static int subtract_dates(const struct value *a, const struct value *b, struct arena *arena,
                          struct value *out, struct error *err)
{
    struct span days = {0, 0, false, 0};
    int32_t first, second;

    if (as_date(a, &first, err) != 0 || as_date(b, &second, err) != 0)
        return -1;
    days.days = first - second; /* years 1..9999: below SPAN_NUMBER_MAX */
    *out = value_str(span_text(arena, &days));
    return 0;
}

static int add_numbers(const struct sum *sum, int64_t a, int64_t b, struct value *out,
                       struct error *err)
{
    int64_t result;
    bool over = sum->op == EXPR_ADD ? __builtin_add_overflow(a, b, &result)
                                    : __builtin_sub_overflow(a, b, &result);

    if (over)
        return error_set(err, ERROR_INPUT, "the number is out of range");
    return sum->result == SORT_MOMENT ? give_moment(result, out, err)
                                      : give_duration(result, out, err);
}

int expr_time_arithmetic(enum expr_op op, const struct value *a, enum expr_sort a_sort,
                         const struct value *b, enum expr_sort b_sort,
                         const struct calendar *calendar, struct arena *arena, struct value *out,
                         struct error *err)
{
    const bool minus = op == EXPR_SUBTRACT;
    const struct sum *sum = NULL;
    size_t i;

    for (i = 0; i < SUM_COUNT && sum == NULL; i++) {
        if (SUMS[i].op == op && may_be(a, a_sort, SUMS[i].a) && may_be(b, b_sort, SUMS[i].b))
            sum = &SUMS[i];
    }
    if (sum == NULL)
        return error_set(err, ERROR_INPUT, "%s and %s have no %s", expr_sort_name(a_sort),
                         expr_sort_name(b_sort),
                         minus            ? "difference"
                         : op == EXPR_ADD ? "sum"
                                          : "product");
    if (sum->a == SORT_DATE && sum->b == SORT_DATE)
        return subtract_dates(a, b, arena, out, err);
    if (sum->result == SORT_DATE)
        return add_to_date(sum->a == SORT_DATE ? a : b, sum->a == SORT_DATE ? b : a, minus,
                           calendar, arena, out, err);
    if (sum->result == SORT_SPAN)
        return add_spans(a, b, minus, arena, out, err);
    if (sum->a == SORT_SPAN || sum->b == SORT_SPAN)
        return add_to_moment(sum->a == SORT_SPAN ? b : a, sum->a == SORT_SPAN ? a : b, minus,
                             calendar, out, err);
    return add_numbers(sum, a->as.number, b->as.number, out, err);
}

/* ---- comparison ---- */

static int side(const struct value *value, enum expr_sort sort, struct span *out, struct error *err)
{
    if (sort == SORT_DURATION) {
        *out = (struct span){0, 0, false, value->as.number};
        return 0;
    }
    return as_span(value, false, out, err);
}

int expr_compare_spans(const struct value *a, enum expr_sort a_sort, const struct value *b,
                       enum expr_sort b_sort, int *order, struct error *err)
{
    struct span first, second;
    int64_t left, right;

    if (side(a, a_sort, &first, err) != 0 || side(b, b_sort, &second, err) != 0)
        return -1;
    left = first.days * DAY_MS + first.ms;
    right = second.days * DAY_MS + second.ms;
    if (first.months != second.months && (left != 0 || right != 0))
        return error_set(err, ERROR_INPUT, "months have no fixed number of days to compare");
    if (first.working != second.working && first.days != 0 && second.days != 0)
        return error_set(err, ERROR_INPUT, "working days and other days have no order");
    if (first.months != second.months) {
        left = first.months;
        right = second.months;
    }
    *order = (left > right) - (left < right);
    return 0;
}

/* ---- conversion ---- */

static int counted(enum expr_op op, int64_t count, struct arena *arena, struct value *out,
                   struct error *err)
{
    const int64_t most = op == EXPR_WORKDAYS ? SPAN_WORKING_MAX : SPAN_NUMBER_MAX;
    struct span span = {0, 0, op == EXPR_WORKDAYS, 0};

    if (count > most || count < -most)
        return error_set(err, ERROR_INPUT, "the span of time is out of range");
    if (op == EXPR_MONTHS)
        span.months = (int)count;
    else
        span.days = (int)count;
    *out = value_str(span_text(arena, &span));
    return 0;
}

/* A moment of the engine is a whole millisecond: what is finer is refused, never dropped. */
static bool is_finer(struct slice text)
{
    const uint8_t *point = text.len > 0 ? memchr(text.at, '.', text.len) : NULL;
    size_t at = point != NULL ? (size_t)(point - text.at) + 4 : text.len;

    for (; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++) {
        if (text.at[at] != '0')
            return true;
    }
    return false;
}

static int to_moment(const struct value *from, enum expr_sort sort, const struct calendar *calendar,
                     struct value *out, struct error *err)
{
    int64_t ms = from->as.number;
    int32_t date;

    if (sort == SORT_DATE) {
        if (as_date(from, &date, err) != 0)
            return -1;
        ms = calendar_midnight_ms(calendar, date);
    } else if (sort == SORT_TEXT) {
        if (moment_parse(value_slice(from), &ms) != 0)
            return bad_text(err, "a timestamp like 2026-01-31T12:00:00Z", from);
        if (is_finer(value_slice(from)))
            return bad_text(err, "a timestamp of whole milliseconds", from);
    } else if (sort == SORT_INT && __builtin_mul_overflow(from->as.number, (int64_t)1000, &ms)) {
        return error_set(err, ERROR_INPUT, "the timestamp is out of range");
    }
    return give_moment(ms, out, err);
}

static int to_date(const struct value *from, enum expr_sort sort, const struct calendar *calendar,
                   struct arena *arena, struct value *out, struct error *err)
{
    int32_t date;

    if (sort == SORT_MOMENT)
        return give_date(calendar_date(calendar, from->as.number), arena, out, err);
    if (as_date(from, &date, err) != 0)
        return -1;
    *out = *from;
    return 0;
}

/* One term of a duration like 1.5h: at most 12 digits before and 6 after the point. -1 if it is none, 1 if there is no
 * room for it. */
static int take_term(struct slice *text, int64_t *ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } UNITS[] = {{"ms", 1000000},      {"us", 1000},       {"ns", 1},
                 {"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000}};
    int64_t whole = 0, part = 0, scale = 1, sum;
    size_t at = 0, i, digits = 0;

    for (; at < text->len && text->at[at] >= '0' && text->at[at] <= '9'; at++, digits++)
        whole = digits < 12 ? whole * 10 + (text->at[at] - '0') : INT64_MAX / 2;
    if (at < text->len && text->at[at] == '.') {
        for (at++; at < text->len && text->at[at] >= '0' && text->at[at] <= '9'; at++, digits++) {
            part = scale < 1000000 ? part * 10 + (text->at[at] - '0') : part;
            scale = scale < 1000000 ? scale * 10 : scale;
        }
    }
    *text = slice_of(text->at + at, text->len - at);
    for (i = 0; i < sizeof UNITS / sizeof UNITS[0] && digits > 0; i++) {
        if (!slice_starts(*text, UNITS[i].name))
            continue;
        at = strlen(UNITS[i].name);
        *text = slice_of(text->at + at, text->len - at);
        if (__builtin_mul_overflow(whole, UNITS[i].ns, &sum) ||
            __builtin_add_overflow(sum, part * UNITS[i].ns / scale, &sum) ||
            __builtin_add_overflow(*ns, sum, ns))
            return 1;
        return 0;
    }
    return -1;
}

static int to_duration(const struct value *from, enum expr_sort sort, struct value *out,
                       struct error *err)
{
    struct slice text = value_slice(from);
    int64_t ns = 0;
    bool minus;

    if (sort == SORT_DURATION)
        return give_duration(from->as.number, out, err);
    minus = text.len > 0 && text.at[0] == '-';
    if (minus || (text.len > 0 && text.at[0] == '+'))
        text = slice_of(text.at + 1, text.len - 1);
    if (text.len == 0)
        return bad_text(err, "a duration like 1h30m", from);
    if (slice_is(text, "0"))
        text.len = 0;
    while (text.len > 0) {
        int term = take_term(&text, &ns);

        if (term > 0)
            return error_set(err, ERROR_INPUT, "the duration is out of range");
        if (term < 0)
            return bad_text(err, "a duration like 1h30m", from);
    }
    if (ns % 1000000 != 0)
        return bad_text(err, "a duration of whole milliseconds", from);
    return give_duration(minus ? -(ns / 1000000) : ns / 1000000, out, err);
}

static int to_int(const struct value *from, enum expr_sort sort, struct value *out,
                  struct error *err)
{
    struct slice text = value_slice(from);
    bool minus = text.len > 0 && text.at[0] == '-';
    int64_t number = 0;
    size_t i = minus ? 1 : 0;

    if (sort == SORT_MOMENT || sort == SORT_INT) {
        int64_t ms = from->as.number;

        *out = value_int(sort == SORT_INT ? ms : ms / 1000 - (ms % 1000 < 0 ? 1 : 0));
        return 0;
    }
    if (i == text.len || text.len > 20)
        return bad_text(err, "a number", from);
    for (; i < text.len; i++) { /* downwards, so that the least number can be read */
        if (text.at[i] < '0' || text.at[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, text.at[i] - '0', &number))
            return bad_text(err, "a number", from);
    }
    if (!minus && __builtin_sub_overflow((int64_t)0, number, &number))
        return bad_text(err, "a number", from);
    *out = value_int(number);
    return 0;
}

static char *put_number(char *end, int64_t number, int least)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    for (; rest > 0 || least > 0; rest /= 10, least--)
        *--end = (char)('0' + rest % 10);
    if (number < 0)
        *--end = '-';
    return end;
}

/* "5400s", "0.250s", as CEL writes a duration. */
static char *put_duration(char *end, int64_t ms)
{
    int64_t rest = ms % 1000;
    bool minus = ms < 0;

    *--end = 's';
    if (rest != 0) {
        end = put_number(end, rest < 0 ? -rest : rest, 3);
        *--end = '.';
    }
    ms /= 1000;
    end = put_number(end, ms < 0 ? -ms : ms, 1);
    if (minus)
        *--end = '-';
    return end;
}

static int to_text(const struct value *from, enum expr_sort sort, struct arena *arena,
                   struct value *out, struct error *err)
{
    char text[64], *end = text + sizeof text, *at = end;

    if (from->type == VALUE_STR) {
        *out = *from;
        return 0;
    }
    if (sort == SORT_MOMENT) {
        moment_format(from->as.number, text);
        *out = value_str(arena_str(arena, text));
        return 0;
    }
    if (from->type == VALUE_BOOL) {
        *out = value_str(from->as.number ? "true" : "false");
        return 0;
    }
    if (from->type != VALUE_INT)
        return error_set(err, ERROR_INPUT, "%s cannot become a text", expr_sort_name(sort));
    at = sort == SORT_DURATION ? put_duration(end, from->as.number)
                               : put_number(end, from->as.number, 1);
    *out = value_text(slice_of(arena_copy(arena, at, (size_t)(end - at)), (size_t)(end - at)));
    return 0;
}

int expr_convert(enum expr_op op, const struct value *from, enum expr_sort sort,
                 const struct calendar *calendar, struct arena *arena, struct value *out,
                 struct error *err)
{
    static const struct {
        enum expr_op op;
        const char *what;
        bool takes_int, takes_text;
    } RULES[] = {
        {EXPR_DAYS, "days()", true, false},           {EXPR_MONTHS, "months()", true, false},
        {EXPR_WORKDAYS, "workdays()", true, false},   {EXPR_TO_MOMENT, "timestamp()", true, true},
        {EXPR_TO_DURATION, "duration()", true, true}, {EXPR_TO_DATE, "date()", true, true},
        {EXPR_TO_INT, "int()", true, true},
    };
    size_t i;

    for (i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        bool fits = (from->type == VALUE_INT && RULES[i].takes_int) ||
                    (from->type == VALUE_STR && RULES[i].takes_text);

        if (RULES[i].op == op && !fits)
            return error_set(err, ERROR_INPUT, "%s does not take %s", RULES[i].what,
                             expr_sort_name(sort));
    }
    if (op == EXPR_DAYS || op == EXPR_MONTHS || op == EXPR_WORKDAYS)
        return counted(op, from->as.number, arena, out, err);
    if (op == EXPR_TO_MOMENT)
        return to_moment(from, sort, calendar, out, err);
    if (op == EXPR_TO_DATE)
        return sort == SORT_INT ? error_set(err, ERROR_INPUT, "date() does not take a number")
                                : to_date(from, sort, calendar, arena, out, err);
    if (op == EXPR_TO_DURATION)
        return sort == SORT_INT ? error_set(err, ERROR_INPUT, "duration() does not take a number")
                                : to_duration(from, sort, out, err);
    return op == EXPR_TO_INT ? to_int(from, sort, out, err) : to_text(from, sort, arena, out, err);
}
