/* Any bytes as a command, a query, a reply and the options of a worker. What is taken as a command
 * is taken again after it was written; what is refused is refused with a status and a code. */
#include "base/check.h"
#include "wire/command.h"
#include "wire/options.h"

#include "targets.h"

static void try_command(struct arena *arena, struct slice bytes)
{
    struct command command, again;
    struct reply no;
    struct buf out = BUF_EMPTY;
    bool is_json;

    if (command_decode(arena, bytes, &command, &is_json, &no) != 0) {
        check(no.status >= 400 && no.code.len > 0);
        return;
    }
    command_encode(&out, &command, false);
    if (out.len <= COMMAND_BYTES_MAX) {
        check(command_decode(arena, buf_slice(&out), &again, NULL, &no) == 0);
        check(slice_equal(command.id, again.id) && value_equal(&command.args, &again.args));
    }
    buf_release(&out);
}

int FUZZ_NAME(fuzz_command)(const uint8_t *at, size_t len)
{
    struct arena arena = ARENA_EMPTY;
    struct slice bytes = slice_of(at, len);
    struct query query;
    struct reply reply;
    struct ready_options ready;
    struct beat_options beat;
    struct outcome outcome;
    struct progress progress;

    try_command(&arena, bytes);
    query_decode(&arena, bytes, &query, NULL, &reply);
    reply_decode(&arena, bytes, &reply, NULL);
    if (ready_options_decode(&arena, bytes, &ready, NULL) == 0)
        check(ready.credit >= 1 && ready.credit <= CREDIT_MAX);
    if (beat_options_decode(&arena, bytes, &beat, NULL) == 0)
        check(beat.running_count <= CREDIT_MAX && beat.credit <= CREDIT_MAX);
    if (outcome_decode(&arena, bytes, &outcome, NULL) == 0)
        check(outcome.status >= 200 && outcome.status <= 599);
    if (progress_decode(&arena, bytes, &progress, NULL) == 0)
        check(progress.percent >= 0 && progress.percent <= 100);
    arena_release(&arena);
    return 0;
}
