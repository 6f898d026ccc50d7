#include "base/dmp.h"
#include "bytes.h"
#include "wire/body.h"
#include "wire/command.h"
#include "wire/options.h"
#include "wire/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena = (struct arena)ARENA_EMPTY;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct command full_command(void)
{
    struct command command = {.v = 1,
                              .id = slice_str("0123456789abcdef"),
                              .command = slice_str("approve"),
                              .record = slice_str("SCP-0001@2.0"),
                              .has_if_revision = true,
                              .if_revision = 7,
                              .args = value_map(),
                              .deadline_ms = 1700000000000,
                              .on_behalf_of = slice_str("bo"),
                              .has_signature = true,
                              .trace = slice_str("00-ab-cd-01")};

    value_set(&arena, &command.args, "reason", value_str("because"));
    value_set(&arena, &command.args, "digest", value_bin("\1\2\3", 3));
    memset(command.signature, 0xab, sizeof command.signature);
    return command;
}

static void same(const struct command *a, const struct command *b)
{
    assert_int_equal(a->v, b->v);
    assert_true(slice_equal(a->id, b->id));
    assert_true(slice_equal(a->command, b->command));
    assert_true(slice_equal(a->record, b->record));
    assert_int_equal(a->has_if_revision, b->has_if_revision);
    assert_int_equal(a->if_revision, b->if_revision);
    assert_true(value_equal(&a->args, &b->args));
    assert_int_equal(a->deadline_ms, b->deadline_ms);
    assert_true(slice_equal(a->on_behalf_of, b->on_behalf_of));
    assert_int_equal(a->has_signature, b->has_signature);
    assert_memory_equal(a->signature, b->signature, SIGNATURE_LEN);
    assert_true(slice_equal(a->trace, b->trace));
}

static int decode(struct slice bytes)
{
    struct arena own = ARENA_EMPTY;
    struct command command;
    struct reply no;
    int rc = command_decode(&own, bytes, &command, NULL, &no);

    assert_true(rc == 0 || (no.status >= 400 && no.code.len > 0 && no.message.len > 0));
    arena_release(&own);
    return rc;
}

static void a_command_comes_back_from_messagepack_and_from_json(void **state)
{
    struct command sent = full_command(), got;
    bool is_json;
    struct reply no;

    (void)state;
    for (int json = 0; json < 2; json++) {
        struct buf body = BUF_EMPTY;

        command_encode(&body, &sent, json == 1);
        assert_int_equal(command_decode(&arena, buf_slice(&body), &got, &is_json, &no), 0);
        assert_int_equal(is_json, json);
        same(&sent, &got);
        buf_release(&body);
    }
}

static void no_prefix_is_taken_and_no_changed_byte_hurts(void **state)
{
    struct command sent = full_command();
    struct buf body = BUF_EMPTY;

    (void)state;
    for (int json = 0; json < 2; json++) {
        buf_clear(&body);
        command_encode(&body, &sent, json == 1);
        assert_int_equal(bytes_prefixes_taken(decode, buf_slice(&body)), 0);
        bytes_flip_all(decode, buf_slice(&body));
    }
    buf_release(&body);
}

static void refused(const char *json, int status, const char *code)
{
    struct command command;
    struct reply no;

    if (command_decode(&arena, slice_str(json), &command, NULL, &no) == 0)
        fail_msg("taken: %s", json);
    if (no.status != status || !slice_is(no.code, code))
        fail_msg("%s: %d %.*s", json, no.status, (int)no.code.len, (const char *)no.code.at);
}

#define GOOD "\"v\":1,\"id\":\"0123456789abcdef\",\"command\":\"open\""

static void each_malformed_command_has_its_refusal(void **state)
{
    (void)state;
    refused("", 400, "malformed");
    refused("{", 400, "malformed");
    refused("[1]", 400, "malformed");
    refused("{}", 400, "malformed");
    refused("{\"v\":0}", 400, "malformed");
    refused("{\"v\":\"1\"}", 400, "malformed");
    refused("{\"v\":2,\"whatever\":[]}", 426, "version");
    refused("{\"v\":1,\"command\":\"open\"}", 400, "malformed");
    refused("{\"v\":1,\"id\":\"short\",\"command\":\"open\"}", 400, "malformed");
    refused("{\"v\":1,\"id\":\"0123456789abcde/\",\"command\":\"open\"}", 400, "malformed");
    refused("{\"v\":1,\"id\":\"0123456789abcdef\"}", 400, "malformed");
    refused("{" GOOD ",\"recrod\":\"FND-1\"}", 400, "unknown-key");
    refused("{" GOOD ",\"record\":\"\"}", 400, "malformed");
    refused("{" GOOD ",\"if_revision\":-1}", 400, "malformed");
    refused("{" GOOD ",\"if_revision\":null}", 400, "malformed");
    refused("{" GOOD ",\"args\":[]}", 400, "malformed");
    refused("{" GOOD ",\"signature\":\"hex:00\"}", 400, "malformed");
    refused("{" GOOD ",\"args\":{\"a\":[[[[[1]]]]]}}", 413, "too-large");
    refused("{" GOOD ",\"args\":{\"a\":1.5}}", 400, "malformed");
}

static void keys_that_begin_with_x_are_for_others(void **state)
{
    struct command command;
    struct reply no;

    (void)state;
    assert_int_equal(
        command_decode(&arena, slice_str("{" GOOD ",\"x-colour\":[1]}"), &command, NULL, &no), 0);
    assert_false(command.has_if_revision || command.has_signature);
    assert_int_equal(command.args.type, VALUE_MAP);
}

static void a_version_from_the_future_is_told_which_ones_are_spoken(void **state)
{
    struct command command;
    struct reply no;

    (void)state;
    assert_int_equal(
        command_decode(&arena, slice_str("{\"v\":9,\"id\":\"the-id\"}"), &command, NULL, &no), -1);
    assert_int_equal(value_get_int(&no.out, "min", 0), 1);
    assert_int_equal(value_get_int(&no.out, "max", 0), 1);
    assert_true(slice_is(no.id, "the-id"));
}

static void only_bulk_commands_may_be_large(void **state)
{
    static uint8_t bytes[70000];
    struct command command = {.v = 1,
                              .id = slice_str("0123456789abcdef"),
                              .command = slice_str("content.put"),
                              .args = value_map()};
    struct command got;
    struct reply no;
    struct buf body = BUF_EMPTY;

    (void)state;
    value_set(&arena, &command.args, "data", value_bin(bytes, sizeof bytes));
    command_encode(&body, &command, false);
    assert_int_equal(command_decode(&arena, buf_slice(&body), &got, NULL, &no), 0);
    command.command = slice_str("edit");
    buf_clear(&body);
    command_encode(&body, &command, false);
    assert_int_equal(command_decode(&arena, buf_slice(&body), &got, NULL, &no), -1);
    assert_int_equal(no.status, 413);
    buf_release(&body);
}

static void a_small_bomb_is_refused_without_asking_for_memory(void **state)
{
    static const uint8_t array[] = {0xdd, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t map[] = {0xdf, 0xff, 0xff, 0xff, 0xff};
    uint8_t deep[64];

    (void)state;
    assert_int_equal(decode(slice_of(array, 5)), -1);
    assert_int_equal(decode(slice_of(map, 5)), -1);
    memset(deep, 0x91, sizeof deep);
    assert_int_equal(decode(slice_of(deep, sizeof deep)), -1);
}

static void a_query_comes_back_and_needs_no_id(void **state)
{
    struct query sent = {.v = 1, .query = slice_str("list"), .args = value_map()}, got;
    struct reply no;
    struct buf body = BUF_EMPTY;

    (void)state;
    query_encode(&body, &sent, true);
    assert_int_equal(query_decode(&arena, buf_slice(&body), &got, NULL, &no), 0);
    assert_true(slice_is(got.query, "list") && got.id.len == 0);
    assert_int_equal(query_decode(&arena, slice_str("{\"v\":1,\"query\":\"list\",\"limit\":3}"),
                                  &got, NULL, &no),
                     -1);
    assert_true(slice_is(no.code, "unknown-key"));
    buf_release(&body);
}

static void a_reply_comes_back_from_messagepack_and_from_json(void **state)
{
    uint8_t hash[32] = {1, 2, 3};
    struct reply sent = {.status = 200,
                         .id = slice_str("0123456789abcdef"),
                         .code = slice_str("ok"),
                         .message = slice_str("Done."),
                         .revision = 3,
                         .has_seq = true,
                         .seq = 0,
                         .hash = slice_of(hash, 32),
                         .duplicate = true,
                         .out = value_map()},
                 got;

    (void)state;
    value_set(&arena, &sent.out, "record", value_str("FND-0001"));
    for (int json = 0; json < 2; json++) {
        struct buf body = BUF_EMPTY;

        reply_encode(&body, &sent, json == 1);
        assert_int_equal(reply_decode(&arena, buf_slice(&body), &got, NULL), 0);
        assert_int_equal(got.status, 200);
        assert_true(slice_equal(got.id, sent.id) && slice_equal(got.code, sent.code) &&
                    slice_equal(got.message, sent.message) && slice_equal(got.hash, sent.hash));
        assert_true(got.revision == 3 && got.has_seq && got.seq == 0 && got.duplicate);
        assert_true(value_equal(&got.out, &sent.out));
        buf_release(&body);
    }
    assert_int_equal(reply_decode(&arena, slice_str("{\"v\":1}"), &got, NULL), -1);
}

static void every_code_has_one_number_and_a_sentence(void **state)
{
    size_t count;
    const struct status *table = status_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(status_of_code(slice_str(table[i].code)), &table[i]);
        assert_int_equal(status_of_number(table[i].number)->number, table[i].number);
        assert_true(i == 0 || table[i].number >= table[i - 1].number);
        assert_int_equal(table[i].sentence[strlen(table[i].sentence) - 1], '.');
        assert_int_equal(reply_refusal(table[i].code, NULL).status, table[i].number);
    }
    assert_null(status_of_code(slice_str("unheard-of")));
    assert_null(status_of_number(299));
}

/* ---- options ---- */

static int decode_options(struct slice bytes)
{
    struct arena own = ARENA_EMPTY;
    struct ready_options ready;
    struct beat_options beat;
    struct outcome outcome;
    struct progress progress;
    int rc = ready_options_decode(&own, bytes, &ready, NULL);

    rc |= beat_options_decode(&own, bytes, &beat, NULL);
    rc |= progress_decode(&own, bytes, &progress, NULL);
    rc |= outcome_decode(&own, bytes, &outcome, NULL);
    arena_release(&own);
    return rc;
}

static void ready_options_come_back_within_their_bounds(void **state)
{
    struct ready_options sent = {.name = slice_str("mailer"),
                                 .version = slice_str("1.2"),
                                 .credit = 8,
                                 .envelope = true,
                                 .lease_ms = 5000};
    struct ready_options got;
    struct buf frame = BUF_EMPTY;

    (void)state;
    ready_options_encode(&frame, &sent);
    assert_int_equal(ready_options_decode(&arena, buf_slice(&frame), &got, NULL), 0);
    assert_true(slice_equal(got.name, sent.name) && slice_equal(got.version, sent.version));
    assert_true(got.credit == 8 && got.envelope && got.lease_ms == 5000 && !got.is_json);
    assert_int_equal(
        ready_options_decode(&arena, slice_str("{\"credit\":9999,\"new\":1}"), &got, NULL), 0);
    assert_true(got.credit == CREDIT_MAX && !got.envelope && got.name.len == 0 && got.is_json);
    assert_int_equal(ready_options_decode(&arena, slice_str("{\"credit\":-5}"), &got, NULL), 0);
    assert_int_equal(got.credit, 1);
    buf_release(&frame);
}

static void heartbeat_options_come_back(void **state)
{
    struct beat_options sent = {.running = {slice_str("a"), slice_str("b")},
                                .running_count = 2,
                                .credit = 0,
                                .ack = {slice_str("c")},
                                .ack_count = 1,
                                .cancel = {slice_str("d")},
                                .cancel_count = 1,
                                .drain = true};
    struct beat_options got;
    struct buf frame = BUF_EMPTY;

    (void)state;
    beat_options_encode(&frame, &sent);
    assert_int_equal(beat_options_decode(&arena, buf_slice(&frame), &got, NULL), 0);
    assert_true(got.running_count == 2 && slice_is(got.running[1], "b"));
    assert_true(got.ack_count == 1 && slice_is(got.ack[0], "c"));
    assert_true(got.cancel_count == 1 && slice_is(got.cancel[0], "d"));
    assert_true(got.credit == 0 && got.drain);
    assert_int_equal(beat_options_decode(&arena, slice_str("{}"), &got, NULL), 0);
    assert_true(got.credit == -1 && got.running_count == 0 && !got.drain && got.is_json);
    buf_clear(&frame);
    sent.is_json = true;
    beat_options_encode(&frame, &sent);
    assert_true(slice_is(buf_slice(&frame), "{\"ack\":[\"c\"],\"cancel\":[\"d\"],\"credit\":0,"
                                            "\"drain\":true,\"running\":[\"a\",\"b\"],\"v\":1}"));
    buf_release(&frame);
}

static void results_and_progress_come_back(void **state)
{
    struct outcome sent = {429, slice_str("busy"), slice_str("Later."), 500, 1700000000000}, got;
    struct progress half = {50, slice_str("half")}, got_half;
    struct buf frame = BUF_EMPTY;

    (void)state;
    outcome_encode(&frame, &sent);
    assert_int_equal(outcome_decode(&arena, buf_slice(&frame), &got, NULL), 0);
    assert_true(got.status == 429 && got.retry_ms == 500 && got.until_ms == sent.until_ms);
    assert_true(slice_is(got.code, "busy") && slice_is(got.message, "Later."));
    assert_int_equal(bytes_prefixes_taken(decode_options, buf_slice(&frame)), 0);
    bytes_flip_all(decode_options, buf_slice(&frame));
    buf_clear(&frame);
    progress_encode(&frame, &half);
    assert_int_equal(progress_decode(&arena, buf_slice(&frame), &got_half, NULL), 0);
    assert_true(got_half.percent == 50 && slice_is(got_half.note, "half"));
    assert_int_equal(outcome_decode(&arena, slice_str("{\"status\":99}"), &got, NULL), -1);
    assert_int_equal(outcome_decode(&arena, slice_str("{}"), &got, NULL), -1);
    buf_release(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_comes_back_from_messagepack_and_from_json, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_prefix_is_taken_and_no_changed_byte_hurts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_malformed_command_has_its_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_that_begin_with_x_are_for_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_version_from_the_future_is_told_which_ones_are_spoken,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_bulk_commands_may_be_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_small_bomb_is_refused_without_asking_for_memory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_query_comes_back_and_needs_no_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reply_comes_back_from_messagepack_and_from_json, set_up,
                                        tear_down),
        cmocka_unit_test(every_code_has_one_number_and_a_sentence),
        cmocka_unit_test_setup_teardown(ready_options_come_back_within_their_bounds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(heartbeat_options_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results_and_progress_come_back, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
