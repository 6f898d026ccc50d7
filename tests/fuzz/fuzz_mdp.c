/* Frames: each with its length before it in one byte. What is taken must come back the same after
 * it was built; the first frame is also tried as a token, a service name and a key file. */
#include "base/check.h"
#include "wire/keyfile.h"
#include "wire/mdp.h"
#include "wire/service_name.h"
#include "wire/token.h"

#include <stdio.h>

#include "targets.h"

static void try_frames(const struct slice *frames, int count)
{
    struct mdp_message message, again;
    struct slice built[MDP_FRAMES_MAX];
    const char *why = NULL;
    int built_count;

    if (mdp_parse(frames, count, &message, &why) != 0) {
        check(why != NULL);
        return;
    }
    if (message.body_count > MDP_BODY_MAX)
        return;
    built_count = mdp_build(&message, built);
    check(mdp_parse(built, built_count, &again, &why) == 0);
    check(message.verb == again.verb && message.dialect == again.dialect);
    check(slice_equal(message.address, again.address));
    check(slice_equal(message.service, again.service));
    check(message.body_count == again.body_count);
}

static void try_token(struct slice text)
{
    int64_t task;
    int attempt;
    char start[64];

    if (token_parse(text, &task, &attempt) != 0)
        return;
    snprintf(start, sizeof start, "T1.%lld.%d.", (long long)task, attempt);
    check(slice_starts(text, start));
}

int FUZZ_NAME(fuzz_mdp)(const uint8_t *at, size_t len)
{
    struct slice frames[MDP_FRAMES_MAX + 1];
    struct keyfile key;
    size_t used = 0;
    int count = 0;

    while (used < len && count <= MDP_FRAMES_MAX) {
        size_t size = at[used] < len - used - 1 ? at[used] : len - used - 1;

        frames[count++] = slice_of(at + used + 1, size);
        used += 1 + size;
    }
    try_frames(frames, count);
    if (count > 0) {
        try_token(frames[0]);
        if (service_name_is_valid(frames[0]))
            check(frames[0].len <= SERVICE_NAME_MAX);
    }
    keyfile_parse(slice_of(at, len), &key, NULL);
    return 0;
}
