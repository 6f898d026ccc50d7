#include "wire/mdp.h"
#include "wire/service_name.h"
#include "wire/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int parse(struct mdp_message *out, const char **why, ...)
{
    static struct slice frames[32];
    const char *frame;
    int count = 0;
    va_list args;

    va_start(args, why);
    while ((frame = va_arg(args, const char *)) != NULL)
        frames[count++] = slice_str(frame);
    va_end(args);
    return mdp_parse(frames, count, out, why);
}

static void same(const struct mdp_message *a, const struct mdp_message *b)
{
    assert_int_equal(a->dialect, b->dialect);
    assert_int_equal(a->party, b->party);
    assert_int_equal(a->verb, b->verb);
    assert_true(slice_equal(a->service, b->service) && slice_equal(a->address, b->address));
    assert_int_equal(a->has_options, b->has_options);
    assert_true(slice_equal(a->options, b->options));
    assert_int_equal(a->body_count, b->body_count);
    for (int i = 0; i < a->body_count; i++)
        assert_true(slice_equal(a->body[i], b->body[i]));
}

static bool is_addressed(enum mdp_verb verb)
{
    return verb == MDP_REQUEST || verb == MDP_PARTIAL || verb == MDP_FINAL;
}

static void every_worker_message_comes_back_in_every_dialect(void **state)
{
    struct slice body[3] = {slice_str("one"), slice_str(""), slice_str("three")};

    (void)state;
    for (int dialect = MDP_01; dialect <= MDP_02B; dialect++) {
        for (int verb = MDP_READY; verb <= MDP_DISCONNECT; verb++) {
            struct mdp_message sent = {.dialect = (enum mdp_dialect)dialect,
                                       .party = MDP_WORKER,
                                       .verb = (enum mdp_verb)verb};
            struct mdp_message got;
            struct slice frames[MDP_FRAMES_MAX];
            const char *why = "";

            if (dialect == MDP_01 && verb == MDP_PARTIAL)
                continue;
            if (verb == MDP_READY)
                sent.service = slice_str("work.echo");
            if (is_addressed(sent.verb)) {
                sent.address = slice_str("T1.1.1.0123456789abcdef");
                sent.body = body;
                sent.body_count = 3;
            }
            if (verb == MDP_READY || verb == MDP_HEARTBEAT) {
                sent.has_options = true;
                sent.options = slice_str("{}");
            }
            assert_int_equal(mdp_parse(frames, mdp_build(&sent, frames), &got, &why), 0);
            same(&sent, &got);
        }
    }
}

static void every_client_message_comes_back_in_every_dialect(void **state)
{
    struct slice body[1] = {slice_str("body")};

    (void)state;
    for (int dialect = MDP_01; dialect <= MDP_02B; dialect++) {
        for (int verb = MDP_REQUEST; verb <= MDP_FINAL; verb++) {
            struct mdp_message sent = {.dialect = (enum mdp_dialect)dialect,
                                       .party = MDP_CLIENT,
                                       .verb = (enum mdp_verb)verb,
                                       .service = slice_str("rota.query.v1"),
                                       .body = body,
                                       .body_count = 1};
            struct mdp_message got;
            struct slice frames[MDP_FRAMES_MAX];
            const char *why = "";

            if (dialect == MDP_01 && verb != MDP_REQUEST)
                continue;
            assert_int_equal(mdp_parse(frames, mdp_build(&sent, frames), &got, &why), 0);
            same(&sent, &got);
        }
    }
}

static void real_workers_oddities_are_tolerated(void **state)
{
    struct mdp_message got;
    const char *why;

    (void)state;
    assert_int_equal(parse(&got, &why, "", "MDPW01", "\3", "token", "body", NULL), 0);
    assert_true(got.body_count == 1 && slice_is(got.body[0], "body"));
    assert_int_equal(parse(&got, &why, "", "MDPW01", "\3", "", "", "body", NULL), 0);
    assert_true(got.address.len == 0 && got.body_count == 1);
    assert_int_equal(parse(&got, &why, "", "MDPW01", "\3", "token", NULL), 0);
    assert_int_equal(got.body_count, 0);
    assert_int_equal(parse(&got, &why, "", "MDPW01", "\3", "token", "", "", NULL), 0);
    assert_true(got.body_count == 1 && got.body[0].len == 0);
}

static void other_dialects_are_refused_and_can_be_answered(void **state)
{
    struct mdp_message got;
    const char *why;

    (void)state;
    assert_int_equal(parse(&got, &why, "MDPW02", "\4", NULL), -1);
    assert_true(got.dialect == MDP_02A && got.party == MDP_WORKER);
    assert_string_equal(why, "a bare 0x04 under MDPW02: the codes of MDP 0.1");
    assert_int_equal(parse(&got, &why, "", "MDPW02", "\4", NULL), -1);
    assert_int_equal(got.dialect, MDP_02B);
    assert_int_equal(parse(&got, &why, "MDPW01", "\1", "work.echo", NULL), -1);
    assert_true(got.dialect == MDP_01 && got.party == MDP_WORKER);
    assert_int_equal(parse(&got, &why, "", "MDPW01", "\6", NULL), -1);
    assert_int_equal(parse(&got, &why, "", "MDPW01", "\1\1", "work.echo", NULL), -1);
    assert_int_equal(parse(&got, &why, "", "MDPW01", "", "work.echo", NULL), -1);
    assert_int_equal(parse(&got, &why, "", "MDPW01", NULL), -1);
    assert_int_equal(parse(&got, &why, "", "MDPW01", "\1", NULL), -1);
    assert_int_equal(parse(&got, &why, "", "MDPC01", NULL), -1);
    assert_int_equal(got.party, MDP_CLIENT);
    assert_int_equal(parse(&got, &why, "MDPC02", "\7", "x", "y", NULL), -1);
    assert_int_equal(parse(&got, &why, "MDPX01", "a", NULL), -1);
    assert_int_equal(got.party, MDP_NOBODY);
    assert_int_equal(parse(&got, &why, "", "", NULL), -1);
    assert_int_equal(parse(&got, &why, "", NULL), -1);
    assert_int_equal(mdp_parse(NULL, 0, &got, &why), -1);
}

static void seventeen_frames_are_too_many(void **state)
{
    struct slice frames[17];
    struct mdp_message got;
    const char *why;

    (void)state;
    for (int i = 0; i < 17; i++)
        frames[i] = slice_str(i == 1 ? "MDPC01" : i == 2 ? "rota.query.v1" : "");
    assert_int_equal(mdp_parse(frames, 16, &got, &why), 0);
    assert_int_equal(got.body_count, 13);
    assert_int_equal(mdp_parse(frames, 17, &got, &why), -1);
}

static void service_names_have_one_shape(void **state)
{
    static const char *const good[] = {"a", "a.b", "work-1.v2", "rota.command.v1", "a.1"};
    static const char *const bad[] = {"",   ".",  "a.",  ".a",  "a..b", "A",
                                      "1a", "-a", "a b", "a_b", "a/b",  "\303\251"};
    char longest[66];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(service_name_is_valid(slice_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(service_name_is_valid(slice_str(bad[i])));
    memset(longest, 'a', sizeof longest);
    assert_true(service_name_is_valid(slice_of(longest, 64)));
    assert_false(service_name_is_valid(slice_of(longest, 65)));
    assert_true(service_name_is_reserved(slice_str("mmi.service")));
    assert_true(service_name_is_reserved(slice_str("titanic.request")));
    assert_false(service_name_is_reserved(slice_str("rotary.club")));
}

static void a_token_names_its_task_and_attempt(void **state)
{
    static const char *const bad[] = {"",
                                      "T1",
                                      "T1.",
                                      "T1.7",
                                      "T1.7.2",
                                      "T1.7.2.",
                                      "T2.7.2.0123456789abcdef",
                                      "T1.07.2.0123456789abcdef",
                                      "T1.7.0.0123456789abcdef",
                                      "T1.7.1000000.0123456789abcdef",
                                      "T1.9223372036854775808.1.0123456789abcdef",
                                      "T1.7.2.0123456789abcde",
                                      "T1.7.2.0123456789abcdef0",
                                      "T1.7.2.0123456789ABCDEF",
                                      "T1.-7.2.0123456789abcdef",
                                      "T1..2.0123456789abcdef"};
    static const uint8_t nonce[TOKEN_NONCE_LEN] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    char token[TOKEN_MAX + 1];
    int64_t task = -1;
    int attempt = -1;

    (void)state;
    token_format(token, 7, 2, nonce);
    assert_string_equal(token, "T1.7.2.0123456789abcdef");
    assert_int_equal(token_parse(slice_str(token), &task, &attempt), 0);
    assert_true(task == 7 && attempt == 2);
    token_format(token, INT64_MAX, TOKEN_ATTEMPT_MAX, nonce);
    assert_true(strlen(token) <= TOKEN_MAX);
    assert_int_equal(token_parse(slice_str(token), &task, &attempt), 0);
    assert_true(task == INT64_MAX && attempt == TOKEN_ATTEMPT_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (token_parse(slice_str(bad[i]), NULL, NULL) == 0)
            fail_msg("taken: %s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_worker_message_comes_back_in_every_dialect),
        cmocka_unit_test(every_client_message_comes_back_in_every_dialect),
        cmocka_unit_test(real_workers_oddities_are_tolerated),
        cmocka_unit_test(other_dialects_are_refused_and_can_be_answered),
        cmocka_unit_test(seventeen_frames_are_too_many),
        cmocka_unit_test(service_names_have_one_shape),
        cmocka_unit_test(a_token_names_its_task_and_attempt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
