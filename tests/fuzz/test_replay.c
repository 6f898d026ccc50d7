/* Each fuzz target over its corpus, over every prefix of it and over mutations: what a fuzzer would do,
 * shortly and always the same. */
#include "targets.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { INPUT_MAX = 65536, PREFIX_MAX = 512, MUTATIONS = 500 };

typedef int target_fn(const uint8_t *at, size_t len);

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

/* An exact copy, so that a sanitizer sees one byte too many. */
static void run(target_fn *target, const uint8_t *at, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    memcpy(exact, at, len);
    assert_int_equal(target(exact, len), 0);
    free(exact);
}

static size_t mutate(uint8_t *at, size_t len)
{
    for (uint32_t times = 1 + chance(4); times > 0 && len > 0; times--) {
        size_t place = chance((uint32_t)len);

        switch (chance(4)) {
        case 0:
            at[place] = (uint8_t)chance(256);
            break;
        case 1:
            at[place] ^= (uint8_t)(1u << chance(8));
            break;
        case 2:
            len = place;
            break;
        default:
            memmove(at + place, at + place + 1, len - place - 1);
            len--;
            break;
        }
    }
    return len;
}

static void replay_file(target_fn *target, const char *path)
{
    static uint8_t bytes[INPUT_MAX], changed[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    size_t len;

    assert_non_null(file);
    len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    run(target, bytes, len);
    for (size_t cut = 0; cut < len && cut < PREFIX_MAX; cut++)
        run(target, bytes, cut);
    for (int i = 0; i < MUTATIONS; i++) {
        memcpy(changed, bytes, len);
        run(target, changed, mutate(changed, len));
    }
}

/* The corpus stands beside this file. */
static void replay(target_fn *target, const char *name)
{
    char folder[1024], path[2048];
    struct dirent *entry;
    int count = 0;
    DIR *open_folder;

    snprintf(folder, sizeof folder, "%.*s/corpus/%s", (int)(strrchr(__FILE__, '/') - __FILE__),
             __FILE__, name);
    open_folder = opendir(folder);
    assert_non_null(open_folder);
    seed = 0x9e3779b97f4a7c15u;
    while ((entry = readdir(open_folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay_file(target, path);
        count++;
    }
    closedir(open_folder);
    assert_true(count > 0);
}

static void bodies_of_any_bytes_hurt_nobody(void **state)
{
    (void)state;
    replay(fuzz_mp, "mp");
}

static void commands_of_any_bytes_hurt_nobody(void **state)
{
    (void)state;
    replay(fuzz_command, "command");
}

static void frames_of_any_bytes_hurt_nobody(void **state)
{
    (void)state;
    replay(fuzz_mdp, "mdp");
}

static void conditions_of_any_bytes_hurt_nobody(void **state)
{
    (void)state;
    replay(fuzz_condition, "condition");
}

static void packs_of_any_bytes_hurt_nobody(void **state)
{
    (void)state;
    replay(fuzz_pack, "pack");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_any_bytes_hurt_nobody),
        cmocka_unit_test(commands_of_any_bytes_hurt_nobody),
        cmocka_unit_test(frames_of_any_bytes_hurt_nobody),
        cmocka_unit_test(conditions_of_any_bytes_hurt_nobody),
        cmocka_unit_test(packs_of_any_bytes_hurt_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
