/* options.h - what a worker of ours and the engine say to each other beyond MDP: one extra frame at
 * the end of READY and HEARTBEAT, and frame 0 of a result. MessagePack or JSON, the engine's as the
 * worker's READY was; unknown keys are skipped.
 *
 *   READY                {v, name, version, credit, envelope, lease_ms}
 *   HEARTBEAT, worker    {v, running: [token...], credit}
 *   HEARTBEAT, engine    {v, ack: [token...], cancel: [token...], drain}
 *   result, frame 0      {v, status, code?, message?, retry_ms?, until?}
 *   PARTIAL              {v, progress: 0..100, note}
 */
#ifndef ROTA_WIRE_OPTIONS_H
#define ROTA_WIRE_OPTIONS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

enum { CREDIT_MAX = 64, OPTIONS_NAME_MAX = 64 };

struct ready_options {
    struct slice name, version; /* of the program; at most OPTIONS_NAME_MAX bytes, else empty */
    int credit;                 /* 1..CREDIT_MAX; tasks at the same time; default 1 */
    bool envelope;              /* tasks come with a header frame, results go with one */
    int64_t lease_ms;           /* 0: as the engine likes */
    bool is_json;               /* read: the frame was JSON; the answers are then too */
};

struct beat_options {
    struct slice running[CREDIT_MAX]; /* tokens whose leases are renewed */
    int running_count;
    int credit;                   /* -1: not said */
    struct slice ack[CREDIT_MAX]; /* results that are durable */
    int ack_count;
    struct slice cancel[CREDIT_MAX]; /* tasks nobody wants any more */
    int cancel_count;
    bool drain;   /* no new tasks will come */
    bool is_json; /* how it came, or is to be written */
};

struct outcome {
    int status; /* 200, 202, 4xx, 429, 5xx */
    struct slice code, message;
    int64_t retry_ms; /* -1: not said */
    int64_t until_ms; /* of a 202: wait until then; 0: not said */
};

struct progress {
    int percent; /* 0..100 */
    struct slice note;
};

/* Readers: 0, or -1 if the frame is no map of the right kind; numbers out of range are brought into
 * it. */
int ready_options_decode(struct arena *arena, struct slice frame, struct ready_options *out,
                         struct error *err);
int beat_options_decode(struct arena *arena, struct slice frame, struct beat_options *out,
                        struct error *err);
int outcome_decode(struct arena *arena, struct slice frame, struct outcome *out, struct error *err);
int progress_decode(struct arena *arena, struct slice frame, struct progress *out,
                    struct error *err);

void ready_options_encode(struct buf *out, const struct ready_options *options);
void beat_options_encode(struct buf *out, const struct beat_options *options);
void outcome_encode(struct buf *out, const struct outcome *outcome);
void progress_encode(struct buf *out, const struct progress *progress);

#endif
