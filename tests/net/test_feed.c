/* The live feed: who hears what. */
#include "net/feed.h"
#include "stage.h"

#include <stdio.h>
#include <zmq.h>

static bool may_read(void *self, const char *user_id, struct slice topic)
{
    struct stage *stage = self;

    return strcmp(user_id, stage_person(stage, "amara")->user_id) == 0 ||
           slice_starts(topic, "public/");
}

static struct feed *open_feed(struct stage *stage)
{
    char at[128];
    struct feed_options options = {.context = stage->context,
                                   .endpoint = {at},
                                   .curve_secret = stage->engine_key.curve_secret,
                                   .self = stage,
                                   .may_read = may_read};
    struct feed *feed = NULL;
    struct error err = {ERROR_NONE, ""};

    snprintf(at, sizeof at, "ipc://%s/feed", stage->directory);
    if (feed_open(&options, &feed, &err) != 0)
        fail_msg("%s", err.text);
    broker_watch(stage->broker, feed_socket(feed));
    return feed;
}

static void *subscriber(struct stage *stage, struct feed *feed, const char *name)
{
    void *sub = zmq_socket(stage->context, ZMQ_SUB);
    const struct keyfile *key = &stage_person(stage, name)->key;
    int linger = 0;

    zmq_setsockopt(sub, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(sub, ZMQ_SNDHWM, &linger, sizeof linger); /* 0: no wish is dropped */
    zmq_setsockopt(sub, ZMQ_CURVE_SERVERKEY, stage->engine_key.curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(sub, ZMQ_CURVE_PUBLICKEY, key->curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(sub, ZMQ_CURVE_SECRETKEY, key->curve_secret, CURVE_KEY_LEN);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "_welcome", 8);
    assert_int_equal(zmq_connect(sub, feed_endpoint(feed, 0)), 0);
    return sub;
}

static void turns(struct stage *stage, struct feed *feed)
{
    for (int i = 0; i < 10; i++) {
        stage_turn(stage);
        feed_receive(feed);
    }
}

/* The next first frame, its other frames left unread in `rest`; empty if none comes. */
static const char *next_topic(struct stage *stage, struct feed *feed, void *sub, int *frames)
{
    static char topic[128];
    char other[256];
    int len = -1, more = 1;
    size_t size = sizeof more;

    for (int i = 0; i < 30 && len < 0; i++) {
        stage_turn(stage);
        feed_receive(feed);
        len = zmq_recv(sub, topic, sizeof topic - 1, ZMQ_DONTWAIT);
    }
    topic[len > 0 ? len : 0] = '\0';
    for (*frames = len >= 0; *frames > 0; (*frames)++) {
        zmq_getsockopt(sub, ZMQ_RCVMORE, &more, &size);
        if (more == 0)
            break;
        assert_true(zmq_recv(sub, other, sizeof other, ZMQ_DONTWAIT) >= 0);
    }
    return topic;
}

static void subscribers_hear_what_their_rights_allow(void **state)
{
    struct stage *stage = stage_new();
    struct feed *feed = open_feed(stage);
    void *amara = subscriber(stage, feed, "amara"), *bo = subscriber(stage, feed, "bo");
    int frames;

    (void)state;
    assert_int_equal(strncmp(next_topic(stage, feed, amara, &frames), "_welcome/{", 10), 0);
    assert_int_equal(strncmp(next_topic(stage, feed, bo, &frames), "_welcome/{", 10), 0);
    zmq_setsockopt(amara, ZMQ_SUBSCRIBE, "", 0);
    zmq_setsockopt(bo, ZMQ_SUBSCRIBE, "", 0);
    zmq_setsockopt(bo, ZMQ_SUBSCRIBE, "public/", 7);
    turns(stage, feed);
    feed_publish(feed, "secret/finding/FND-0007/open/", 11, slice_str("{}"));
    feed_publish(feed, "public/policy/SCP-0001/approve/", 12, slice_str("{}"));
    feed_release(feed);
    assert_string_equal(next_topic(stage, feed, amara, &frames), "secret/finding/FND-0007/open/");
    assert_int_equal(frames, 3);
    assert_string_equal(next_topic(stage, feed, amara, &frames), "public/policy/SCP-0001/approve/");
    assert_string_equal(next_topic(stage, feed, bo, &frames), "public/policy/SCP-0001/approve/");
    zmq_close(amara);
    zmq_close(bo);
    feed_close(&feed);
    stage_free(&stage);
}

/* A reader that goes without a goodbye (closed, killed, a line that is cut) takes its subscriptions with it, and those that
 * were refused were never any: who comes and goes for weeks is still let in. */
static void whoever_comes_and_goes_may_come_again(void **state)
{
    struct stage *stage = stage_new();
    struct feed *feed = open_feed(stage);
    void *sub;
    int frames;

    (void)state;
    for (int round = 0; round < 2 * FEED_SUBSCRIPTIONS_MAX / 100; round++) {
        sub = subscriber(stage, feed, "bo");
        for (int i = 0; i < 200; i++) {
            char topic[32];

            zmq_setsockopt(sub, ZMQ_SUBSCRIBE, topic,
                           (size_t)snprintf(topic, sizeof topic, "%s/%d/%d/",
                                            i % 2 == 0 ? "public" : "secret", i, round));
        }
        assert_int_equal(strncmp(next_topic(stage, feed, sub, &frames), "_welcome/{", 10), 0);
        turns(stage, feed);
        zmq_close(sub);
        turns(stage, feed);
    }
    sub = subscriber(stage, feed, "bo");
    assert_int_equal(strncmp(next_topic(stage, feed, sub, &frames), "_welcome/{", 10), 0);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "public/", 7);
    turns(stage, feed);
    feed_publish(feed, "public/a/b/c/", 1, slice_str("{}"));
    feed_release(feed);
    assert_string_equal(next_topic(stage, feed, sub, &frames), "public/a/b/c/");
    zmq_close(sub);
    feed_close(&feed);
    stage_free(&stage);
}

/* What was refused and is taken back frees no place for what is not. */
static void a_goodbye_to_what_was_refused_counts_nothing(void **state)
{
    struct stage *stage = stage_new();
    struct feed *feed = open_feed(stage);
    void *sub = subscriber(stage, feed, "bo");
    int frames;

    (void)state;
    next_topic(stage, feed, sub, &frames);
    for (int i = 0; i < FEED_SUBSCRIPTIONS_MAX; i++) { /* with _welcome one more than the bound */
        char topic[32];

        zmq_setsockopt(sub, ZMQ_SUBSCRIBE, topic,
                       (size_t)snprintf(topic, sizeof topic, "public/%d/", i));
        zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "secret/", 7);
        zmq_setsockopt(sub, ZMQ_UNSUBSCRIBE, "secret/", 7);
        if (i % 16 == 0)
            turns(stage, feed);
    }
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "public/last/", 12);
    for (int i = 0; i < 10; i++)
        turns(stage, feed);
    feed_publish(feed, "public/last/", 1, slice_str("{}"));
    feed_publish(feed, "public/5/", 2, slice_str("{}"));
    feed_release(feed);
    assert_string_equal(next_topic(stage, feed, sub, &frames), "public/5/");
    zmq_close(sub);
    feed_close(&feed);
    stage_free(&stage);
}

static void nothing_is_published_before_the_release(void **state)
{
    struct stage *stage = stage_new();
    struct feed *feed = open_feed(stage);
    void *sub = subscriber(stage, feed, "amara");
    int frames;

    (void)state;
    next_topic(stage, feed, sub, &frames);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
    turns(stage, feed);
    feed_publish(feed, "a/b/c/d/", 1, slice_str("{}"));
    assert_string_equal(next_topic(stage, feed, sub, &frames), "");
    feed_discard(feed);
    feed_release(feed);
    feed_head(feed, slice_str("{}"));
    feed_release(feed);
    assert_string_equal(next_topic(stage, feed, sub, &frames), "_head/");
    assert_int_equal(frames, 2);
    zmq_close(sub);
    feed_close(&feed);
    stage_free(&stage);
}

static void what_is_unsubscribed_is_heard_no_more(void **state)
{
    struct stage *stage = stage_new();
    struct feed *feed = open_feed(stage);
    void *sub = subscriber(stage, feed, "amara");
    int frames;

    (void)state;
    next_topic(stage, feed, sub, &frames);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "a/", 2);
    turns(stage, feed);
    feed_publish(feed, "a/b/c/d/", 1, slice_str("{}"));
    feed_release(feed);
    assert_string_equal(next_topic(stage, feed, sub, &frames), "a/b/c/d/");
    zmq_setsockopt(sub, ZMQ_UNSUBSCRIBE, "a/", 2);
    turns(stage, feed);
    feed_publish(feed, "a/b/c/d/", 2, slice_str("{}"));
    feed_release(feed);
    assert_string_equal(next_topic(stage, feed, sub, &frames), "");
    zmq_close(sub);
    turns(stage, feed);
    feed_close(&feed);
    stage_free(&stage);
}

static void a_stranger_hears_nothing(void **state)
{
    struct stage *stage = stage_new();
    struct feed *feed = open_feed(stage);
    int frames;
    void *sub;

    (void)state;
    stage_add_person(stage, "mallory", false);
    sub = subscriber(stage, feed, "mallory");
    assert_string_equal(next_topic(stage, feed, sub, &frames), "");
    zmq_close(sub);
    feed_close(&feed);
    stage_free(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscribers_hear_what_their_rights_allow),
        cmocka_unit_test(whoever_comes_and_goes_may_come_again),
        cmocka_unit_test(a_goodbye_to_what_was_refused_counts_nothing),
        cmocka_unit_test(nothing_is_published_before_the_release),
        cmocka_unit_test(what_is_unsubscribed_is_heard_no_more),
        cmocka_unit_test(a_stranger_hears_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
