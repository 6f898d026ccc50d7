/* What conditions mean: cases as data. The result is JSON-like text; "!" begins what the compiler says, "?" what the
 * evaluation says. Many of the cases are those of CEL's own conformance tests, in its own words. */
#include "base/date.h"
#include "definition/condition.h"
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- the scope of all cases: a finding FND-0007 ---- */

static const char *GRADES[] = {"major_nc", "minor_nc", "observation"};
static const char *SIDES[] = {"in", "out"};
static struct field COLUMNS[] = {{.name = "item", .type = FIELD_TEXT},
                                 {.name = "n", .type = FIELD_INT},
                                 {.name = "side", .type = FIELD_ENUM, .of = {SIDES, 2}}};
static struct field FIELDS[] = {
    {.name = "count", .type = FIELD_INT},
    {.name = "flag", .type = FIELD_BOOL},
    {.name = "grade", .type = FIELD_ENUM, .of = {GRADES, 3}},
    {.name = "due", .type = FIELD_DATE},
    {.name = "found", .type = FIELD_DATETIME},
    {.name = "period", .type = FIELD_DURATION},
    {.name = "tags", .type = FIELD_TEXT, .list = true},
    {.name = "grades", .type = FIELD_ENUM, .list = true, .of = {GRADES, 3}},
    {.name = "note", .type = FIELD_LONGTEXT},
    {.name = "file", .type = FIELD_FILE},
    {.name = "rows", .type = FIELD_TABLE, .columns = COLUMNS, .column_count = 3},
};

enum { FIELD_COUNT = sizeof FIELDS / sizeof FIELDS[0] };

struct bench {
    struct arena arena;
    struct condition_scope types;
    struct value scope;
    struct calendar calendar;
};

static void put(struct bench *b, struct value *map, const char *key, struct value value)
{
    value_set(&b->arena, map, key, value);
}

static struct value row(struct bench *b, const char *item, int n, const char *side)
{
    struct value map = value_map();

    put(b, &map, "item", value_str(item));
    put(b, &map, "n", value_int(n));
    put(b, &map, "side", value_str(side));
    return map;
}

static struct value texts(struct bench *b, const char *first, const char *second)
{
    struct value list = value_array();

    value_push(&b->arena, &list, value_str(first));
    value_push(&b->arena, &list, value_str(second));
    return list;
}

static struct value make_record(struct bench *b)
{
    struct value record = value_map(), rows = value_array();

    value_push(&b->arena, &rows, row(b, "Paris", 1, "in"));
    value_push(&b->arena, &rows, row(b, "Lyon", 2, "in"));
    value_push(&b->arena, &rows, row(b, "Brest", 3, "out"));
    put(b, &record, "id", value_str("FND-0007"));
    put(b, &record, "count", value_int(3));
    put(b, &record, "flag", value_bool(true));
    put(b, &record, "grade", value_str("major_nc"));
    put(b, &record, "due", value_str("2026-03-31"));
    put(b, &record, "found", value_int(1767225600000)); /* 2026-01-01T00:00:00Z */
    put(b, &record, "period", value_str("12 months"));
    put(b, &record, "tags", texts(b, "a", "b"));
    put(b, &record, "rows", rows);
    return record;
}

static struct value make_args(struct bench *b)
{
    struct value args = value_map(), map = value_map();

    put(b, &map, "k", value_str("v"));
    put(b, &args, "one", value_int(1));
    put(b, &args, "text", value_str("t"));
    put(b, &args, "yes", value_bool(true));
    put(b, &args, "day", value_str("2026-02-28"));
    put(b, &args, "span", value_str("1 month"));
    put(b, &args, "list", texts(b, "x", "y"));
    put(b, &args, "map", map);
    return args;
}

static struct condition_scope make_types(struct bench *b)
{
    struct member *fields = arena_zero(&b->arena, sizeof *fields * (FIELD_COUNT + 1));
    struct member *names = arena_zero(&b->arena, sizeof *names * 6), *kinds;
    struct type *record = arena_zero(&b->arena, sizeof *record), *list, *links;
    int i;

    fields[0] = (struct member){"id", &TYPE_TEXT};
    for (i = 0; i < FIELD_COUNT; i++)
        fields[i + 1] = (struct member){FIELDS[i].name, type_of_field(&b->arena, &FIELDS[i])};
    *record = (struct type){
        .sort = SORT_MAP, .members = fields, .member_count = FIELD_COUNT + 1, .what = "a finding"};
    list = arena_zero(&b->arena, sizeof *list);
    *list =
        (struct type){.sort = SORT_LIST, .item = record, .or_empty = true, .uses = EXPR_USES_LINKS};
    kinds = arena_zero(&b->arena, sizeof *kinds);
    kinds[0] = (struct member){"finding", list};
    links = arena_zero(&b->arena, sizeof *links);
    *links = (struct type){.sort = SORT_MAP, .members = kinds, .member_count = 1, .what = "links"};
    names[0] = (struct member){"record", record};
    names[1] = (struct member){"today", &TYPE_DATE};
    names[2] = (struct member){"now", &TYPE_MOMENT};
    names[3] = (struct member){"args", &TYPE_MAP};
    names[4] = (struct member){"links", links};
    return (struct condition_scope){names, 5, record};
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    static const int32_t holidays[] = {20454}; /* 2026-01-01 */
    int i;

    if (b == NULL)
        return -1;
    b->types = make_types(b);
    b->scope = value_map();
    put(b, &b->scope, "record", make_record(b));
    put(b, &b->scope, "today", value_str("2026-01-31"));
    put(b, &b->scope, "now", value_int(1769860800000)); /* 2026-01-31T12:00:00Z */
    put(b, &b->scope, "args", make_args(b));
    put(b, &b->scope, "links", value_map());
    for (i = 0; i < 5; i++)
        b->calendar.working[i] = true;
    b->calendar.holidays = holidays;
    b->calendar.holiday_count = 1;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    arena_release(&b->arena);
    free(b);
    return 0;
}

struct example {
    const char *text, *gives;
};

/* What comes of it, as the cases write it. */
static const char *outcome(struct bench *b, const char *text)
{
    struct expr *expr = NULL;
    struct error err = {ERROR_NONE, ""};
    struct value result = VALUE_NONE;

    if (condition_compile(&b->arena, &b->types, text, (struct where){"f.cfg", 7}, &expr, &err) != 0)
        return arena_printf(&b->arena, "!%s", err.text);
    if (expr_eval(expr, &b->scope, &b->calendar, &b->arena, &result, &err) != 0)
        return arena_printf(&b->arena, "?%s", err.text);
    return value_show(&b->arena, &result);
}

static bool is_as_expected(const char *found, const char *expected)
{
    if (expected[0] == '!' || expected[0] == '?')
        return found[0] == expected[0] && strstr(found, expected + 1) != NULL;
    return strcmp(found, expected) == 0;
}

static int try_all(struct bench *b, const struct example *examples, size_t count)
{
    int wrong = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        const char *expected = examples[i].gives, *found = outcome(b, examples[i].text);

        if (!is_as_expected(found, expected)) {
            print_error("%s\n  gives    %s\n  expected %s\n", examples[i].text, found, expected);
            wrong++;
        }
    }
    return wrong;
}

#define TRY(state, examples)                                                                       \
    assert_int_equal(try_all(*(state), (examples), sizeof(examples) / sizeof(examples)[0]), 0)

static void literals_are_those_of_cel(void **state)
{
    static const struct example EXAMPLES[] = {
        {"0", "0"},
        {"42", "42"},
        {"-1", "-1"},
        {"0x55", "85"},
        {"-0x7f", "-127"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", "!column 1: the number is out of range"},
        {"true", "true"},
        {"false", "false"},
        {"null", "null"},
        {"\"\"", "\"\""},
        {"''", "\"\""},
        {"'abc'", "\"abc\""},
        {"\"it's\"", "\"it's\""},
        {"'''x'y'''", "\"x'y\""},
        {"r'\\d'", "\"\\\\d\""},
        {"'\\u00e9' == '\303\251'", "true"},
        {"'\\x41\\101\\U00000041' == 'AAA'", "true"},
        {"size('\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\"\\'\\`')", "12"},
        {"'\\ud800'", "!the escape names no character"},
        {"'\\q'", "!unknown escape"},
        {"'open", "!the text is not closed"},
        {"[]", "[]"},
        {"[1, 2, 3]", "[1, 2, 3]"},
        {"[1, 2, 3,]", "[1, 2, 3]"},
        {"{}", "{}"},
        {"{'b': 1, 'a': 2}", "{\"a\": 2, \"b\": 1}"},
        {"{'a': 1, 'a': 2}", "?a key stands twice"},
        {"{1: 2}", "!the keys of a map are texts"},
        {"1.5", "!there are no decimal numbers"},
        {".5", "!there are no decimal numbers"},
        {"1e3", "!there are no decimal numbers"},
        {"1u", "!a number cannot end in 'u'"},
        {"b'x'", "!there are no byte strings"},
        {"1 // the rest is not read", "1"},
        {" \t\n 1 \n", "1"},
    };

    TRY(state, EXAMPLES);
}

static void logic_absorbs_errors_on_either_side(void **state)
{
    static const struct example EXAMPLES[] = {
        {"true && true", "true"},
        {"true && false", "false"},
        {"false || true", "true"},
        {"false || false", "false"},
        {"!true", "false"},
        {"!!true", "true"},
        {"!false && true", "true"},
        {"false && [1][5] == 1", "false"},
        {"[1][5] == 1 && false", "false"},
        {"[1][5] == 1 && true", "?the list has no item 5"},
        {"true || [1][5] == 1", "true"},
        {"[1][5] == 1 || true", "true"},
        {"[1][5] == 1 || false", "?the list has no item 5"},
        {"args.none && false", "false"},
        {"args.none || true", "true"},
        {"args.one && false", "false"},
        {"args.one && true", "?expected a truth value, found a number"},
        {"args.one || args.yes", "true"},
        {"args.yes && args.one", "?expected a truth value"},
        {"true || false && false", "true"},
        {"true ? 1 : 2", "1"},
        {"false ? 1 : 2", "2"},
        {"true ? 1 : [1][5]", "1"},
        {"false ? [1][5] : 2", "2"},
        {"[true][5] ? 1 : 2", "?no item"},
        {"false ? 1 : true ? 2 : 3", "2"},
        {"(false ? 1 : 2) + 1", "3"},
        {"args.one ? 1 : 2", "?expected a truth value"},
        {"1 && true", "!column 1: expected a truth value, found a number"},
        {"true && 'x'", "!column 9: expected a truth value, found a text"},
        {"!1", "!expected a truth value"},
        {"true ? 1 : 'x'", "!cannot be the two ends of one choice"},
        {"true ? 1 : null", "1"},
        {"false ? today : null", "null"},
        {"true & false", "!write '&&'"},
        {"true or false", "!expected an operator or the end, found 'or'"},
    };

    TRY(state, EXAMPLES);
}

static void equality_is_deep_and_between_types_false(void **state)
{
    static const struct example EXAMPLES[] = {
        {"1 == 1", "true"},
        {"1 == 2", "false"},
        {"1 != 2", "true"},
        {"'a' == 'a'", "true"},
        {"'a' == 'A'", "false"},
        {"true == false", "false"},
        {"null == null", "true"},
        {"[1, 2] == [1, 2]", "true"},
        {"[1, 2] == [2, 1]", "false"},
        {"[1, [2]] == [1, [2]]", "true"},
        {"[] == []", "true"},
        {"{'a': [1]} == {'a': [1]}", "true"},
        {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"},
        {"{'a': 1} == {'a': 2}", "false"},
        {"{'a': 1} == {'b': 1}", "false"},
        {"args.one == 'x'", "false"},
        {"args.one != 'x'", "true"},
        {"args.text == 1", "false"},
        {"args.text == 't'", "true"},
        {"args.one == 1", "true"},
        {"args.one == null", "false"},
        {"args.list == ['x', 'y']", "true"},
        {"1 == '1'", "!a number and a text never equal each other"},
        {"record.note == null", "!use has()"},
        {"record.due == '2026-03-31'", "!write date('2026-01-31')"},
        {"1 == 1 == true", "true"},
        {"1 = 1", "!write '=='"},
    };

    TRY(state, EXAMPLES);
}

static void order_is_of_one_type(void **state)
{
    static const struct example EXAMPLES[] = {
        {"1 < 2", "true"},
        {"2 <= 2", "true"},
        {"2 > 2", "false"},
        {"2 >= 2", "true"},
        {"-5 < -4", "true"},
        {"'a' < 'b'", "true"},
        {"'a' < 'ab'", "true"},
        {"'Z' < 'a'", "true"},
        {"'\303\251' > 'z'", "true"},
        {"false < true", "true"},
        {"true <= false", "false"},
        {"args.one < 2", "true"},
        {"args.one < args.text", "?have no order"},
        {"1 < 'a'", "!have no order"},
        {"[1] < [2]", "!have no order"},
        {"null < null", "!have no order"},
    };

    TRY(state, EXAMPLES);
}

static void arithmetic_never_wraps(void **state)
{
    static const struct example EXAMPLES[] = {
        {"40 + 2", "42"},
        {"40 - -2", "42"},
        {"6 * 7", "42"},
        {"2 + 3 * 4", "14"},
        {"(2 + 3) * 4", "20"},
        {"10 - 3 - 2", "5"},
        {"-record.count", "-3"},
        {"--1", "1"},
        {"-(-9223372036854775807 - 1)", "?out of range"},
        {"9223372036854775807 + 1", "?out of range"},
        {"-9223372036854775808 - 1", "?out of range"},
        {"9223372036854775807 * 2", "?out of range"},
        {"-9223372036854775808 * -1", "?out of range"},
        {"3037000500 * 3037000500", "?out of range"},
        {"args.one + 1", "2"},
        {"args.text + 'u'", "\"tu\""},
        {"args.one + 'u'", "?have no sum"},
        {"'a' + 'b'", "\"ab\""},
        {"'' + ''", "\"\""},
        {"[1] + [2, 3]", "[1, 2, 3]"},
        {"[] + []", "[]"},
        {"'a' - 'b'", "!have no difference"},
        {"'a' * 2", "!have no product"},
        {"'n' + 1", "!string(x) makes a text"},
        {"6 / 2", "!there is no division"},
        {"6 % 2", "!there is no division"},
        {"-'a'", "!expected a number after '-'"},
        {"-args.text", "?expected a number after '-'"},
    };

    TRY(state, EXAMPLES);
}

static void lists_and_maps_are_looked_into(void **state)
{
    static const struct example EXAMPLES[] = {
        {"1 in [1, 2]", "true"},
        {"3 in [1, 2]", "false"},
        {"3 in []", "false"},
        {"'a' in {'a': 1}", "true"},
        {"'b' in {'a': 1}", "false"},
        {"args.one in ['x', 'y']", "false"},
        {"args.one in args.map", "false"},
        {"args.one in args.text", "?expected a list or a map"},
        {"1 in ['a']", "!is never in a list"},
        {"1 in {'a': 1}", "!the keys of a map are texts"},
        {"1 in 1", "!expected a list or a map"},
        {"[7, 8, 9][0]", "7"},
        {"[7, 8, 9][2]", "9"},
        {"[7, 8, 9][3]", "?the list has no item 3"},
        {"[7, 8, 9][-1]", "?the list has no item -1"},
        {"[7]['a']", "!a list is indexed by a number"},
        {"{'a': 7}['a']", "7"},
        {"{'a': 7}.a", "7"},
        {"{'a': 7}['b']", "?there is no 'b'"},
        {"{'a': {'b': 7}}.a.b", "7"},
        {"1[0]", "!cannot be indexed"},
        {"args.map.k", "\"v\""},
        {"args.map['k']", "\"v\""},
        {"args.text.k", "?expected a map, found a text"},
        {"args.nothing", "?there is no 'nothing'"},
        {"has(args.one)", "true"},
        {"has(args.nothing)", "false"},
        {"has(args.nothing.more)", "?there is no 'nothing'"},
        {"has(args.text.more)", "?expected a map"},
        {"has({'a': 1}.a)", "true"},
        {"has({'a': 1}.b)", "false"},
        {"has(1)", "!has() asks for a part"},
        {"has(args)", "!has() asks for a part"},
        {"size([1, 2])", "2"},
        {"size([])", "0"},
        {"size({'a': 1})", "1"},
        {"size('')", "0"},
        {"size('L\303\244ge')", "4"},
        {"'four'.size()", "4"},
        {"[1].size()", "1"},
        {"size(1)", "!does not take a number"},
        {"size(args.one)", "?has no size"},
        {"size(1, 2)", "!write size(x)"},
    };

    TRY(state, EXAMPLES);
}

static void texts_are_matched(void **state)
{
    static const struct example EXAMPLES[] = {
        {"'foobar'.startsWith('foo')", "true"},
        {"'foobar'.startsWith('bar')", "false"},
        {"'foobar'.startsWith('')", "true"},
        {"'foobar'.endsWith('bar')", "true"},
        {"'foobar'.endsWith('foobars')", "false"},
        {"''.endsWith('')", "true"},
        {"'foobar'.contains('oba')", "true"},
        {"'foobar'.contains('')", "true"},
        {"''.contains('a')", "false"},
        {"record.id.startsWith('FND-')", "true"},
        {"args.one.startsWith('x')", "?expected a text, found a number"},
        {"startsWith('a', 'b')", "!write text.startsWith(text)"},
        {"1.startsWith('a')", "!text.startsWith(text) does not take a number"},
        {"'a'.matches('a')", "!unknown function 'matches'"},
        {"'a'.startWith('a')", "!did you mean 'startsWith'?"},
    };

    TRY(state, EXAMPLES);
}

static void what_is_near_has_something_in_common(void **state)
{
    static const char *const WANTED[][3] = {{"m", "n", ""},
                                            {"", "n", ""},
                                            {"ab", "ac", "; did you mean 'ac'?"},
                                            {"won", "one", "; did you mean 'one'?"},
                                            {"aproved", "approved", "; did you mean 'approved'?"},
                                            {"aproved", "rejected", ""}};
    struct arena arena = ARENA_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++) {
        struct nearest nearest = nearest_to(slice_str(WANTED[i][0]));

        nearest_offer(&nearest, WANTED[i][1]);
        assert_string_equal(nearest_hint(&nearest, &arena), WANTED[i][2]);
    }
    arena_release(&arena);
}

static void rows_are_laid_over_and_lists_put_together(void **state)
{
    static const struct example EXAMPLES[] = {
        {"rows.map(r, r.with({'n': r.n * 10}).n)", "[10, 20, 30]"},
        {"rows.map(r, r.with({'n': 7}).item) == rows.map(r, r.item)", "true"},
        {"{'a': 1}.with({'b': 2, 'a': 3})", "{\"a\": 3, \"b\": 2}"},
        {"rows.map(r, r.with({'m': 1}))", "!has no 'm'"},
        {"rows.map(r, r.with({'n': 'x'}))", "!'n' holds a number, not a text"},
        {"rows.map(r, r.with(r))", "!write row.with({'column': value})"},
        {"with({'n': 1})", "!write row.with({'column': value})"},
        {"[1].with({'n': 1})", "!has no parts to set"},
        {"args.one.with({'n': 1})", "?expected a map"},
        {"[1, 2, 1, 1, 3, 2].distinct()", "[1, 2, 3]"},
        {"[].distinct()", "[]"},
        {"[[1], [1], [2]].distinct()", "[[1], [2]]"},
        {"'a'.distinct()", "!is no list"},
        {"[1].distinct(1)", "!write list.distinct()"},
        {"[[1, 2], [], [3]].flatten()", "[1, 2, 3]"},
        {"[[1, 2], [3]].flatten().exists(x, x == 3)", "true"},
        {"[[[1], [2]]].flatten()", "[[1], [2]]"},
        {"[].flatten()", "[]"},
        {"[1].flatten()", "!is no list of lists"},
        {"[[1]].flatten(1)", "!write list.flatten()"},
        {"args.one.flatten()", "?expected a list"},
        {"['a', 'b', 'c'].join(', ')", "\"a, b, c\""},
        {"['a'].join(', ')", "\"a\""},
        {"rows.filter(r, r.n > 99).map(r, r.item).join(' ')", "\"\""},
        {"[1, 2].join(', ')", "!join() puts texts together"},
        {"['a'].join(1)", "!join() takes the text between"},
        {"['a'].join()", "!write list.join(', ')"},
        {"[args.one, 'a'].join(', ')", "?join() puts texts together"},
        {"flag ? due : null", "\"2026-03-31\""},
        {"flag ? null : due", "null"},
    };

    TRY(state, EXAMPLES);
}

static void macros_go_over_lists_and_keys(void **state)
{
    static const struct example EXAMPLES[] = {
        {"[1, 2].all(x, x > 0)", "true"},
        {"[1, 2].all(x, x > 1)", "false"},
        {"[].all(x, x > 0)", "true"},
        {"[1, 2].exists(x, x > 1)", "true"},
        {"[1, 2].exists(x, x > 2)", "false"},
        {"[].exists(x, x > 2)", "false"},
        {"[1, 2].exists_one(x, x > 1)", "true"},
        {"[1, 2, 3].exists_one(x, x > 1)", "false"},
        {"[].exists_one(x, true)", "false"},
        {"[1, 2, 3].filter(x, x > 1)", "[2, 3]"},
        {"[].filter(x, x > 1)", "[]"},
        {"[1, 2, 3].map(x, x * 2)", "[2, 4, 6]"},
        {"[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"},
        {"{'b': 1, 'a': 2}.map(k, k)", "[\"a\", \"b\"]"},
        {"{'b': 1, 'a': 2}.exists(k, k == 'a')", "true"},
        {"{'b': 1}.all(k, k == 'a')", "false"},
        {"{'b': 1, 'a': 2}.filter(k, k == 'a')", "[\"a\"]"},
        {"[0, 1].exists(x, [5][x] == 5)", "true"},
        {"[1, 0].exists(x, [5][x] == 5)", "true"},
        {"[1, 0].exists(x, [5][x] == 6)", "?no item 1"},
        {"[1, 0].all(x, [5][x] == 6)", "false"},
        {"[1, 0].all(x, [5][x] == 5)", "?no item 1"},
        {"[1, 0].exists_one(x, [5][x] == 5)", "?no item 1"},
        {"[1, 0].filter(x, [5][x] == 5)", "?no item 1"},
        {"[1, 0].map(x, [5][x])", "?no item 1"},
        {"[[1, 2], [3]].all(l, l.exists(x, x > 1))", "true"},
        {"[1, 2].map(x, [3, 4].map(y, x * y))", "[[3, 4], [6, 8]]"},
        {"[1].exists(x, [2].exists(x, x == 2) && x == 1)", "true"},
        {"args.list.exists(x, x == 'y')", "true"},
        {"args.list.all(x, x)", "?expected a truth value"},
        {"args.one.all(x, true)", "?expected a list or a map"},
        {"1.all(x, true)", "!goes over a list or a map"},
        {"[1].all(x, x)", "!expected a truth value, found a number"},
        {"[1].all(x)", "!write list.all(x, condition about x)"},
        {"[1].all(1, true)", "!expected a name for the element"},
        {"[1].all(x, y > 0)", "!unknown name 'y'"},
        {"[1].exists(x, x > 0) && x > 0", "!unknown name 'x'"},
        {"[1].exits(x, x > 0)", "!did you mean 'exists'?"},
    };

    TRY(state, EXAMPLES);
}

static void records_are_known_by_their_fields(void **state)
{
    static const struct example EXAMPLES[] = {
        {"record.id", "\"FND-0007\""},
        {"record.count + 1", "4"},
        {"count + 1", "4"},
        {"flag && record.flag", "true"},
        {"grade == 'major_nc'", "true"},
        {"grade in ['minor_nc', 'observation']", "false"},
        {"'major_nc' in grades", "?there is no 'grades'"},
        {"has(record.grades) && 'major_nc' in grades", "false"},
        {"has(note)", "false"},
        {"has(record.count)", "true"},
        {"!has(record.note) || record.note != ''", "true"},
        {"record.note != ''", "?f.cfg:7: column 8: there is no 'note'"},
        {"rows.exists(r, r.item == 'Lyon' && r.side == 'in')", "true"},
        {"rows.filter(r, r.side == 'in').size() == 2", "true"},
        {"rows.map(r, r.n)", "[1, 2, 3]"},
        {"rows[1].item", "\"Lyon\""},
        {"tags.exists(t, t == 'b')", "true"},
        {"size(links.finding)", "0"},
        {"links.finding.all(f, f.grade == 'major_nc')", "true"},
        {"has(links.finding)", "false"},
        {"recrod.id", "!f.cfg:7: column 1: unknown name 'recrod'; did you mean 'record'?"},
        {"record.grad == 'x'", "!column 8: a finding has no 'grad'; did you mean 'grade'?"},
        {"1 < 2 && cuont > 1", "!column 10: unknown name 'cuont'; did you mean 'count'?"},
        {"'\303\244' == 'b' || nowhere", "!column 15: unknown name 'nowhere'"},
        {"rows.exists(r, r.itme == 'x')", "!a row of rows has no 'itme'; did you mean 'item'?"},
        {"rows.exists(r, r.side == 'within')", "!'within' is none of its values"},
        {"grade == 'major'", "!'major' is none of its values"},
        {"grade == 'major_cn'", "!did you mean 'major_nc'?"},
        {"grade in ['minor_nc', 'none']", "!'none' is none of its values"},
        {"'none' in record.grades", "!'none' is none of its values"},
        {"links.findings.size() > 0", "!links has no 'findings'; did you mean 'finding'?"},
        {"count == 'x'", "!a number and a text never equal each other"},
        {"count.x", "!a number has no parts"},
        {"record.file.name", "?there is no 'file'"},
        {"record.file.nmae", "!a file has no 'nmae'; did you mean 'name'?"},
        {"record.rows.filter(r, r.n == 3)", "[{\"item\": \"Brest\", \"n\": 3, \"side\": \"out\"}]"},
    };

    TRY(state, EXAMPLES);
}

static void days_and_moments_are_reckoned(void **state)
{
    static const struct example EXAMPLES[] = {
        {"today + days(30)", "\"2026-03-02\""},
        {"today + months(1)", "\"2026-02-28\""},
        {"months(1) + today", "\"2026-02-28\""},
        {"today - months(2)", "\"2025-11-30\""},
        {"today + workdays(1)", "\"2026-02-02\""},
        {"today + workdays(5)", "\"2026-02-06\""},
        {"date('2025-12-31') + workdays(1)", "\"2026-01-02\""},
        {"date('2026-01-02') - workdays(1)", "\"2025-12-31\""},
        {"today + period", "\"2027-01-31\""},
        {"record.due - today", "\"59 days\""},
        {"record.due - today > days(30)", "true"},
        {"record.due - today == days(59)", "true"},
        {"record.due > today", "true"},
        {"record.due == date('2026-03-31')", "true"},
        {"today + days(1) <= record.due", "true"},
        {"period == months(12)", "true"},
        {"months(12) > months(6)", "true"},
        {"months(1) > days(30)", "?months have no fixed number of days"},
        {"days(7) == duration('168h')", "true"},
        {"now - record.found", "2635200000"},
        {"now - record.found > days(30)", "true"},
        {"now - record.found == duration('732h')", "true"},
        {"now + duration('90m') - now", "5400000"},
        {"now - duration('1h') < now", "true"},
        {"now + days(1) == timestamp('2026-02-01T12:00:00Z')", "true"},
        {"now + months(1) == timestamp('2026-02-28T12:00:00Z')", "true"},
        {"timestamp('2026-01-31T13:30:00+01:30') == now", "true"},
        {"timestamp(today) == timestamp('2026-01-31T00:00:00Z')", "true"},
        {"date(now) == today", "true"},
        {"timestamp('1970-01-01T00:00:01.5Z')", "1500"},
        {"timestamp(1) == timestamp('1970-01-01T00:00:01Z')", "true"},
        {"timestamp('9999-12-31T23:59:59Z') + duration('1s')", "?the timestamp is out of range"},
        {"timestamp('0001-01-01T00:00:00Z') - duration('1s')", "?the timestamp is out of range"},
        {"date('9999-12-31') + days(1)", "?the date is out of range"},
        {"duration('1h30m')", "5400000"},
        {"duration('1.5h')", "5400000"},
        {"duration('-1m1s')", "-61000"},
        {"duration('0')", "0"},
        {"duration('250ms')", "250"},
        {"duration('1h') + duration('1m') > duration('1h')", "true"},
        {"-duration('1h') < duration('0')", "true"},
    };

    TRY(state, EXAMPLES);
}

static void values_of_one_type_become_another(void **state)
{
    static const struct example EXAMPLES[] = {
        {"string(now)", "\"2026-01-31T12:00:00Z\""},
        {"string(duration('90s'))", "\"90s\""},
        {"string(duration('-250ms'))", "\"-0.250s\""},
        {"string(today)", "\"2026-01-31\""},
        {"string(months(3))", "\"3 months\""},
        {"string(42)", "\"42\""},
        {"string(-9223372036854775807 - 1)", "\"-9223372036854775808\""},
        {"string(true)", "\"true\""},
        {"string('x')", "\"x\""},
        {"int('42')", "42"},
        {"int('-9223372036854775808')", "-9223372036854775808"},
        {"int('9223372036854775808')", "!is not a number"},
        {"int('x')", "!column 5: 'x' is not a number"},
        {"int('')", "!is not a number"},
        {"int(args.text)", "?'t' is not a number"},
        {"int(now)", "1769860800"},
        {"int(true)", "!does not take a truth value"},
        {"args.day + days(1)", "\"2026-03-01\""},
        {"today + args.span", "\"2026-02-28\""},
        {"date(args.day) + args.span == date('2026-03-28')", "true"},
        {"date(args.text)", "?'t' is not a date"},
        {"date('2026-02-29')", "!'2026-02-29' is not a date"},
        {"timestamp('2026-01-31')", "!is not a timestamp"},
        {"duration('1 day')", "!is not a duration"},
        {"duration('1us')", "!whole milliseconds"},
        {"duration('999999999999h')", "!the duration is out of range"},
        {"workdays(20001)", "!out of range"},
        {"today + 30", "!write days(n), months(n) or workdays(n)"},
        {"today < now", "!use today for days, now for moments"},
        {"today + today", "!have no sum"},
        {"days('1')", "!days(n) does not take a text"},
        {"days(1) + workdays(1)", "?do not add up"},
        {"months(1) + days(1)", "\"1 month 1 day\""},
        {"days(1) * 2", "!have no product"},
    };

    TRY(state, EXAMPLES);
}

static void syntax_is_refused_where_it_breaks(void **state)
{
    static const struct example EXAMPLES[] = {
        {"", "!column 1: expected a value, found the end"},
        {"1 +", "!column 4: expected a value, found the end"},
        {"(1", "!column 3: expected ')', found the end"},
        {"1)", "!column 2: expected an operator or the end, found ')'"},
        {"[1, 2", "!expected ',' or the closing bracket"},
        {"{'a' 1}", "!expected ':'"},
        {"true ? 1", "!expected ':'"},
        {"record.", "!expected a name after '.'"},
        {"record.1", "!there are no decimal numbers"},
        {"1 2", "!expected an operator or the end, found '2'"},
        {"in", "!'in' is a reserved word"},
        {"while", "!'while' is a reserved word"},
        {"#", "!column 1: a character that means nothing here"},
        {"\377", "!not UTF-8"},
        {"foo(1)", "!unknown function 'foo'"},
        {"has(record.count, 1)", "!write has(record.field)"},
        {"'a'.days()", "!write days(n)"},
        {"0x", "!figures are missing"},
    };

    TRY(state, EXAMPLES);
}

static char *repeated(struct bench *b, const char *before, const char *part, int times,
                      const char *after)
{
    struct buf text = BUF_EMPTY;
    char *copy;
    int i;

    buf_add_str(&text, before);
    for (i = 0; i < times; i++)
        buf_add_str(&text, part);
    buf_add_str(&text, after);
    copy = arena_copy(&b->arena, text.at, text.len);
    buf_release(&text);
    return copy;
}

static void nesting_is_bounded_but_chains_of_and_are_not(void **state)
{
    struct bench *b = *state;

    assert_string_equal(outcome(b, repeated(b, "true", " && true", 500, "")), "true");
    assert_string_equal(outcome(b, repeated(b, "false", " || false", 500, "")), "false");
    assert_string_equal(outcome(b, repeated(b, "1", " + 1", 40, "")), "41");
    assert_non_null(strstr(outcome(b, repeated(b, "1", " + 1", 500, "")), "nested"));
    assert_string_equal(outcome(b, repeated(b, "", "(", 32, repeated(b, "1", ")", 32, ""))), "1");
    assert_non_null(strstr(outcome(b, repeated(b, "", "(", 2000, "")), "nested"));
    assert_non_null(strstr(outcome(b, repeated(b, "", "!", 2000, "true")), "nested"));
    assert_non_null(strstr(outcome(b, repeated(b, "record", ".a", 2000, "")), "nested"));
    assert_non_null(strstr(outcome(b, repeated(b, "1", "         ", 1000, "")), "longer than"));
    assert_non_null(strstr(outcome(b, repeated(b, "[1", ", 1", 300, "]")), "more than 256 items"));
}

static void what_is_read_is_known_before(void **state)
{
    static const struct {
        const char *text;
        unsigned uses;
    } EXAMPLES[] = {
        {"record.count > 1", 0},
        {"size(rows) > 0", EXPR_USES_TABLES},
        {"has(record.note)", EXPR_USES_TABLES},
        {"links.finding.exists(f, f.flag)", EXPR_USES_LINKS},
        {"links.finding.exists(f, size(f.rows) > 0)", EXPR_USES_LINKS | EXPR_USES_TABLES}};
    struct bench *b = *state;
    size_t i;

    for (i = 0; i < sizeof EXAMPLES / sizeof EXAMPLES[0]; i++) {
        struct expr *expr = NULL;

        assert_int_equal(condition_compile(&b->arena, &b->types, EXAMPLES[i].text,
                                           (struct where){"f.cfg", 1}, &expr, NULL),
                         0);
        assert_int_equal(expr_uses(expr), EXAMPLES[i].uses);
        assert_string_equal(expr_text(expr), EXAMPLES[i].text);
    }
}

/* The table would prove nothing if a wrong case passed. */
static void a_wrong_case_is_noticed(void **state)
{
    static const struct example WRONG[] = {{"1 + 1", "3"},
                                           {"1 + 1", "!2"},
                                           {"1 +", "2"},
                                           {"1 +", "!other"},
                                           {"1 +", "?expected a value"}};
    size_t i;

    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_false(is_as_expected(outcome(*state, WRONG[i].text), WRONG[i].gives));
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(literals_are_those_of_cel),
        cmocka_unit_test(logic_absorbs_errors_on_either_side),
        cmocka_unit_test(equality_is_deep_and_between_types_false),
        cmocka_unit_test(order_is_of_one_type),
        cmocka_unit_test(arithmetic_never_wraps),
        cmocka_unit_test(lists_and_maps_are_looked_into),
        cmocka_unit_test(texts_are_matched),
        cmocka_unit_test(what_is_near_has_something_in_common),
        cmocka_unit_test(rows_are_laid_over_and_lists_put_together),
        cmocka_unit_test(macros_go_over_lists_and_keys),
        cmocka_unit_test(records_are_known_by_their_fields),
        cmocka_unit_test(days_and_moments_are_reckoned),
        cmocka_unit_test(values_of_one_type_become_another),
        cmocka_unit_test(syntax_is_refused_where_it_breaks),
        cmocka_unit_test(nesting_is_bounded_but_chains_of_and_are_not),
        cmocka_unit_test(what_is_read_is_known_before),
        cmocka_unit_test(a_wrong_case_is_noticed),
    };

    return cmocka_run_group_tests(TESTS, set_up, tear_down);
}
