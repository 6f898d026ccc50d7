/* What people type and keep in files becomes the fields that a kind declares, or a sentence that says why not. */
#include "rota/values.h"

#include "base/hash.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char kind_json[] =
    "{\"name\":\"thing\",\"fields\":["
    "{\"name\":\"name\",\"type\":\"text\"},{\"name\":\"story\",\"type\":\"longtext\"},"
    "{\"name\":\"count\",\"type\":\"int\"},{\"name\":\"is_open\",\"type\":\"bool\"},"
    "{\"name\":\"level\",\"type\":\"enum\",\"of\":[\"low\",\"high\"]},"
    "{\"name\":\"due\",\"type\":\"date\"},{\"name\":\"at\",\"type\":\"datetime\"},"
    "{\"name\":\"span\",\"type\":\"duration\"},{\"name\":\"owners\",\"type\":\"person\",\"list\":"
    "true},"
    "{\"name\":\"notes\",\"type\":\"text\",\"list\":true},{\"name\":\"files\",\"type\":\"file\","
    "\"list\":true},"
    "{\"name\":\"rows\",\"type\":\"table\",\"columns\":["
    "{\"name\":\"item\",\"type\":\"text\"},{\"name\":\"position\",\"type\":\"enum\",\"of\":[\"in\","
    "\"out\"]},"
    "{\"name\":\"n\",\"type\":\"int\"},"
    "{\"name\":\"sides\",\"type\":\"enum\",\"list\":true,\"of\":[\"in\",\"out\"]}]},"
    "{\"name\":\"witness\",\"type\":\"text\",\"erasable\":true},"
    "{\"name\":\"met\",\"type\":\"table\",\"erasable\":true,\"columns\":["
    "{\"name\":\"who\",\"type\":\"text\",\"erasable\":true},"
    "{\"name\":\"photo\",\"type\":\"file\"}]}]}";

struct desk { /* what a test works with */
    struct arena arena;
    struct value kind, fields;
    struct values values;
    struct error err;
    int uploads;
    size_t uploaded; /* bytes of the last upload */
};

static int upload(void *self, struct slice data, struct value *out, struct error *err)
{
    struct desk *desk = self;
    uint8_t *hash = arena_take(&desk->arena, HASH_LEN);

    (void)err;
    hash_bytes(data, hash);
    desk->uploads++;
    desk->uploaded = data.len;
    *out = value_map();
    value_set(&desk->arena, out, "content", value_bin(hash, HASH_LEN));
    value_set(&desk->arena, out, "size", value_int((int64_t)data.len));
    return 0;
}

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    assert_non_null(desk);
    assert_int_equal(json_to_value(&desk->arena, slice_str(kind_json), 8, &desk->kind, &desk->err),
                     0);
    desk->fields = value_map();
    desk->values = (struct values){.arena = &desk->arena,
                                   .kind = &desk->kind,
                                   .today = "2026-11-23",
                                   .upload = upload,
                                   .self = desk};
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;

    arena_release(&desk->arena);
    free(desk);
    return 0;
}

static const struct value *take(struct desk *desk, const char *word)
{
    struct slice name = slice_of(word, strcspn(word, "="));

    if (values_word(&desk->values, word, &desk->fields, &desk->err) != 0)
        fail_msg("%s: %s", word, desk->err.text);
    return value_find(&desk->fields, name);
}

static void refuses(struct desk *desk, const char *word, const char *because)
{
    memset(&desk->err, 0, sizeof desk->err);
    assert_int_equal(values_word(&desk->values, word, &desk->fields, &desk->err), -1);
    if (strstr(desk->err.text, because) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", word, desk->err.text, because);
}

static void words_become_values_of_the_fields_type(void **state)
{
    struct desk *desk = *state;

    assert_true(slice_is(value_slice(take(desk, "name=a=b")), "a=b"));
    assert_int_equal(take(desk, "count=-12")->as.number, -12);
    assert_int_equal(take(desk, "is_open=yes")->as.number, 1);
    assert_int_equal(take(desk, "is_open=false")->type, VALUE_BOOL);
    assert_true(slice_is(value_slice(take(desk, "level=high")), "high"));
    assert_true(slice_is(value_slice(take(desk, "due=2028-02-29")), "2028-02-29"));
    assert_true(slice_is(value_slice(take(desk, "due=today")), "2026-11-23"));
    assert_int_equal(take(desk, "at=1970-01-01T00:00:01Z")->as.number, 1000);
    assert_int_equal(take(desk, "name=")->type, VALUE_NIL);
    assert_true(slice_is(value_slice(take(desk, "name=@@home")), "@home"));
}

static void what_is_wrong_is_said_with_what_would_be_right(void **state)
{
    struct desk *desk = *state;

    refuses(desk, "nothing", "field=value");
    refuses(desk, "cuont=1", "did you mean 'count'?");
    refuses(desk, "count=12x", "whole number");
    refuses(desk, "count=99999999999999999999", "whole number");
    refuses(desk, "is_open=maybe", "yes or no");
    refuses(desk, "level=middle", "low, high");
    refuses(desk, "due=2027-02-29", "a day that exists");
    refuses(desk, "at=yesterday", "a moment");
    refuses(desk, "rows=[{\"itme\":\"x\"}]", "no column itme");
    refuses(desk, "rows=[{\"position\":\"beside\"}]", "rows.position");
    refuses(desk, "rows=[{\"sides\":[\"in\",\"beside\"]}]", "rows.sides: needs one of in, out");
    refuses(desk, "story=@/nowhere/at/all", "/nowhere/at/all");
}

static void lists_take_commas_or_the_same_field_again(void **state)
{
    struct desk *desk = *state;

    assert_int_equal(take(desk, "owners=amara, bo")->count, 2);
    assert_int_equal(take(desk, "owners=ines")->count, 3);
    assert_int_equal(take(desk, "notes=one, and a half")->count, 1);
    assert_int_equal(take(desk, "notes=two")->count, 2);
}

static void long_texts_and_long_tables_go_up_and_short_ones_stay(void **state)
{
    struct desk *desk = *state;
    char word[2200] = "story=";
    const struct value *rows;

    memset(word + 6, 'x', VALUES_INLINE_MAX);
    assert_int_equal(take(desk, word)->type, VALUE_STR);
    assert_int_equal(desk->uploads, 0);
    word[6 + VALUES_INLINE_MAX] = 'y';
    assert_int_equal(take(desk, word)->type, VALUE_MAP);
    assert_int_equal(desk->uploaded, VALUES_INLINE_MAX + 1);
    rows = take(desk, "rows=[{\"item\":\"a\",\"position\":\"in\",\"n\":3}]");
    assert_int_equal(rows->type, VALUE_ARRAY);
    assert_int_equal(value_get_int(&rows->as.items[0], "n", 0), 3);
    rows = take(desk, "rows=[{\"sides\":[\"in\",\"out\"]}]");
    assert_string_equal(value_show(&desk->arena, rows), "[{\"sides\": [\"in\", \"out\"]}]");
    memcpy(word, "name=", 5);
    refuses(desk, word, "longtext");
}

static const char *write_file(struct desk *desk, const char *text)
{
    const char *folder = getenv("TMPDIR");
    char *path =
        arena_printf(&desk->arena, "%s/rota-values-XXXXXX", folder != NULL ? folder : "/tmp");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void what_can_be_erased_goes_up_however_short_it_is(void **state)
{
    struct desk *desk = *state;
    const struct value *value = take(desk, "witness=Zoe"), *holds;
    const char *path = write_file(desk, "A photograph.");

    assert_int_equal(desk->uploads, 1);
    assert_int_equal(value_get_bin(value, "content").len, 32);
    assert_true(take(desk, "met=[]")->type == VALUE_ARRAY);
    assert_int_equal(desk->uploads, 1);
    value =
        take(desk, arena_printf(&desk->arena, "met=[{\"who\": \"Zoe\", \"photo\": \"%s\"}]", path));
    assert_int_equal(desk->uploads, 3);
    holds = value_get(value, "holds");
    assert_true(value_is(holds, VALUE_ARRAY) && holds->count == 1);
    assert_int_equal(value_get_bin(&holds->as.items[0], "content").len, 32);
    unlink(path);
}

static void a_libconfig_file_is_read_with_its_lines(void **state)
{
    struct desk *desk = *state;
    const char *path =
        write_file(desk, "title = \"T\";\nfields = {\n  name = \"a\" \"b\";\n  count = 7;\n"
                         "  rows = ( { item = \"x\"; n = 1; } );\n  levle = \"low\";\n};\n");
    struct value file, lines;

    assert_int_equal(values_read(&desk->arena, path, &file, &lines, &desk->err), 0);
    assert_true(slice_is(value_get_text(&file, "title"), "T"));
    assert_true(slice_is(value_get_text(value_get(&file, "fields"), "name"), "ab"));
    desk->values.path = path;
    desk->values.lines = lines;
    assert_int_equal(
        values_fit(&desk->values, value_get(&file, "fields"), &desk->fields, &desk->err), -1);
    assert_non_null(strstr(desk->err.text, ":6: levle"));
    assert_non_null(strstr(desk->err.text, "did you mean 'level'?"));
    unlink(path);
}

static void a_byte_order_mark_before_a_file_is_passed_over(void **state)
{
    static const char *const texts[] = {"\xef\xbb\xbf"
                                        "count = 3;\n",
                                        "\xef\xbb\xbf{\"count\": 3}"};
    struct desk *desk = *state;
    struct value file, lines;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *path = write_file(desk, texts[i]);

        assert_int_equal(values_read(&desk->arena, path, &file, &lines, &desk->err), 0);
        assert_int_equal(value_get_int(&file, "count", 0), 3);
        unlink(path);
    }
}

static void a_json_file_is_read_too_and_a_fraction_is_not(void **state)
{
    struct desk *desk = *state;
    const char *json = write_file(desk, " {\"count\": 3, \"due\": \"2026-01-31\"}");
    const char *fraction = write_file(desk, "count = 1.5;\n"),
               *broken = write_file(desk, "count = \n");
    struct value file, lines;

    assert_int_equal(values_read(&desk->arena, json, &file, &lines, &desk->err), 0);
    assert_int_equal(values_fit(&desk->values, &file, &desk->fields, &desk->err), 0);
    assert_int_equal(value_get_int(&desk->fields, "count", 0), 3);
    assert_int_equal(values_read(&desk->arena, fraction, &file, &lines, &desk->err), -1);
    assert_non_null(strstr(desk->err.text, "fraction"));
    assert_int_equal(values_read(&desk->arena, broken, &file, &lines, &desk->err), -1);
    assert_int_equal(values_read(&desk->arena, "/tmp", &file, &lines, &desk->err), -1);
    unlink(json);
    unlink(fraction);
    unlink(broken);
}

static void a_file_goes_up_with_name_and_type(void **state)
{
    struct desk *desk = *state;
    const char *path = write_file(desk, "the bytes");
    char *word = arena_printf(&desk->arena, "files=%s", path);
    const struct value *files = take(desk, word);

    assert_int_equal(files->count, 1);
    assert_int_equal(desk->uploaded, 9);
    assert_true(slice_is(value_get_text(&files->as.items[0], "name"), strrchr(path, '/') + 1));
    assert_true(slice_is(value_get_text(&files->as.items[0], "type"), "application/octet-stream"));
    unlink(path);
}

static void a_reason_always_goes_up(void **state)
{
    struct desk *desk = *state;
    struct value reference;

    assert_int_equal(values_reason(&desk->values, "short", &reference, &desk->err), 0);
    assert_int_equal(desk->uploads, 1);
    assert_int_equal(value_get_int(&reference, "size", 0), 5);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        EACH(words_become_values_of_the_fields_type),
        EACH(what_is_wrong_is_said_with_what_would_be_right),
        EACH(lists_take_commas_or_the_same_field_again),
        EACH(long_texts_and_long_tables_go_up_and_short_ones_stay),
        EACH(what_can_be_erased_goes_up_however_short_it_is),
        EACH(a_libconfig_file_is_read_with_its_lines),
        EACH(a_byte_order_mark_before_a_file_is_passed_over),
        EACH(a_json_file_is_read_too_and_a_fraction_is_not),
        EACH(a_file_goes_up_with_name_and_type),
        EACH(a_reason_always_goes_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
