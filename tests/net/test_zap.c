#include "net/heap.h"
#include "net/zap.h"

#include "wire/keyfile.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *user(const char *domain, const char *address, const char *mechanism,
                        struct slice credentials)
{
    static char out[ZAP_USER_ID_MAX + 1];

    out[0] = '\0';
    return zap_user_id(slice_str(domain), slice_str(address), slice_str(mechanism), credentials,
                       out) == 0
               ? out
               : "refused";
}

static void each_domain_has_its_rule(void **state)
{
    static const uint8_t key[CURVE_KEY_LEN] = {1, 2, 3};
    struct slice none = slice_of(NULL, 0);
    char z85[CURVE_Z85_LEN + 1];

    (void)state;
    curve_to_z85(key, z85);
    assert_string_equal(user(ZAP_DOMAIN_CURVE, "10.0.0.1", "CURVE", slice_of(key, 32)), z85);
    assert_string_equal(user(ZAP_DOMAIN_CURVE, "10.0.0.1", "CURVE", slice_of(key, 31)), "refused");
    assert_string_equal(user(ZAP_DOMAIN_CURVE, "127.0.0.1", "NULL", none), "refused");
    assert_string_equal(user(ZAP_DOMAIN_CURVE, "127.0.0.1", "PLAIN", none), "refused");
    assert_string_equal(user(ZAP_DOMAIN_PEER, "localhost:1000:100:4242", "NULL", none), "uid:1000");
    assert_string_equal(user(ZAP_DOMAIN_PEER, "localhost:1000", "NULL", none), "refused");
    assert_string_equal(user(ZAP_DOMAIN_PEER, "localhost::1:2", "NULL", none), "refused");
    assert_string_equal(user(ZAP_DOMAIN_PEER, "localhost:12345678901:1:2", "NULL", none),
                        "refused");
    assert_string_equal(user(ZAP_DOMAIN_PEER, "127.0.0.1", "NULL", none), "refused");
    assert_string_equal(user(ZAP_DOMAIN_PLAIN, "127.0.0.1", "NULL", none), "plain");
    assert_string_equal(user(ZAP_DOMAIN_PLAIN, "::1", "NULL", none), "plain");
    assert_string_equal(user(ZAP_DOMAIN_PLAIN, "::ffff:127.0.0.1", "NULL", none), "plain");
    assert_string_equal(user(ZAP_DOMAIN_PLAIN, "10.0.0.1", "NULL", none), "refused");
    assert_string_equal(user(ZAP_DOMAIN_PLAIN, "127.0.0.1", "CURVE", slice_of(key, 32)), "refused");
    assert_string_equal(user(ZAP_DOMAIN_OPEN, "localhost:7:7:7", "NULL", none), "uid:7");
    assert_string_equal(user(ZAP_DOMAIN_OPEN, "127.0.0.1", "NULL", none), "plain");
    assert_string_equal(user(ZAP_DOMAIN_OPEN, "192.0.2.1", "NULL", none), "refused");
    assert_string_equal(user("", "127.0.0.1", "NULL", none), "refused");
}

struct item {
    int order;
    ptrdiff_t place;
};

static bool is_smaller(const void *a, const void *b)
{
    return ((const struct item *)a)->order < ((const struct item *)b)->order;
}

static void moved(void *item, ptrdiff_t place)
{
    ((struct item *)item)->place = place;
}

static void a_heap_gives_the_first_whatever_was_taken_out_or_changed(void **state)
{
    struct heap heap = {.before = is_smaller, .moved = moved};
    struct item items[200];
    unsigned seed = 1;
    int last = -1;

    (void)state;
    for (int i = 0; i < 200; i++) {
        seed = seed * 1103515245u + 12345u;
        items[i].order = (int)(seed >> 16 & 1023);
        heap_add(&heap, &items[i]);
    }
    for (int i = 0; i < 200; i += 3)
        heap_remove(&heap, items[i].place);
    for (int i = 1; i < 200; i += 3) {
        items[i].order = (items[i].order * 7) & 1023;
        heap_changed(&heap, items[i].place);
    }
    assert_int_equal(heap.count, 133);
    for (struct item *first; (first = heap_first(&heap)) != NULL;) {
        assert_true(first->order >= last);
        last = first->order;
        heap_remove(&heap, first->place);
        assert_int_equal(first->place, HEAP_NOWHERE);
    }
    heap_release(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_domain_has_its_rule),
        cmocka_unit_test(a_heap_gives_the_first_whatever_was_taken_out_or_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
