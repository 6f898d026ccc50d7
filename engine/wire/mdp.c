#include "wire/mdp.h"

#include "base/check.h"

/* The code of each verb on the wire, by protocol; 0 where the protocol has none. */
static const uint8_t CODES_W01[] = {
    [MDP_READY] = 1, [MDP_REQUEST] = 2,   [MDP_PARTIAL] = 0,
    [MDP_FINAL] = 3, [MDP_HEARTBEAT] = 4, [MDP_DISCONNECT] = 5,
};
static const uint8_t CODES_W02[] = {
    [MDP_READY] = 1, [MDP_REQUEST] = 2,   [MDP_PARTIAL] = 3,
    [MDP_FINAL] = 4, [MDP_HEARTBEAT] = 5, [MDP_DISCONNECT] = 6,
};
static const uint8_t CODES_C02[] = {
    [MDP_READY] = 0, [MDP_REQUEST] = 1,   [MDP_PARTIAL] = 2,
    [MDP_FINAL] = 3, [MDP_HEARTBEAT] = 0, [MDP_DISCONNECT] = 0,
};

enum { VERB_COUNT = MDP_DISCONNECT + 1 };

/* The codes of a peer's protocol, NULL for MDPC01, which has none. */
static const uint8_t *codes_of(enum mdp_party party, enum mdp_dialect dialect)
{
    if (party == MDP_CLIENT)
        return dialect == MDP_01 ? NULL : CODES_C02;
    return dialect == MDP_01 ? CODES_W01 : CODES_W02;
}

/* ---- reading ---- */

/* Which protocol the header frame names, and whether a delimiter stood before it. */
static bool read_header(struct slice name, bool delimited, struct mdp_message *out)
{
    if (slice_is(name, "MDPW01") || slice_is(name, "MDPC01")) {
        out->dialect = MDP_01;
        out->party = name.at[3] == 'W' ? MDP_WORKER : MDP_CLIENT;
        return delimited;
    }
    if (slice_is(name, "MDPW02") || slice_is(name, "MDPC02")) {
        out->dialect = delimited ? MDP_02B : MDP_02A;
        out->party = name.at[3] == 'W' ? MDP_WORKER : MDP_CLIENT;
        return true;
    }
    return false;
}

static bool read_verb(struct slice code, const uint8_t *codes, enum mdp_verb *out)
{
    if (code.len != 1 || code.at[0] == 0)
        return false;
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        if (codes[verb] == code.at[0]) {
            *out = (enum mdp_verb)verb;
            return true;
        }
    }
    return false;
}

static int no(const char **why, const char *sentence)
{
    *why = sentence;
    return -1;
}

static int read_service(const struct slice *frames, int count, struct mdp_message *out,
                        const char **why)
{
    if (count < 1)
        return no(why, "the service is missing");
    out->service = frames[0];
    if (out->party == MDP_CLIENT) {
        out->body = frames + 1;
        out->body_count = count - 1;
        return 0;
    }
    out->has_options = count > 1;
    if (out->has_options)
        out->options = frames[1];
    return 0;
}

static int read_addressed(const struct slice *frames, int count, struct mdp_message *out,
                          const char **why)
{
    int skip = 1;

    if (count < 1)
        return no(why, out->dialect != MDP_01 && out->verb == MDP_FINAL
                           ? "a bare 0x04 under MDPW02: the codes of MDP 0.1"
                           : "the address is missing");
    out->address = frames[0];
    if (count > 1 && frames[1].len == 0)
        skip = 2;
    out->body = frames + skip;
    out->body_count = count - skip;
    return 0;
}

int mdp_parse(const struct slice *frames, int count, struct mdp_message *out, const char **why)
{
    int at = count > 0 && frames[0].len == 0 ? 1 : 0;
    const uint8_t *codes;

    *out = (struct mdp_message){0};
    if (count > MDP_FRAMES_MAX)
        return no(why, "more than 16 frames");
    if (count <= at)
        return no(why, "no frames");
    if (!read_header(frames[at], at == 1, out))
        return no(why, out->dialect == MDP_01 ? "MDP 0.1 without its leading empty frame"
                                              : "not a Majordomo message");
    at++;
    out->verb = MDP_REQUEST;
    codes = codes_of(out->party, out->dialect);
    if (codes != NULL) {
        if (at >= count || !read_verb(frames[at], codes, &out->verb))
            return no(why, "an unknown command code");
        at++;
    }
    if (out->party == MDP_CLIENT)
        return read_service(frames + at, count - at, out, why);
    switch (out->verb) {
    case MDP_READY:
        return read_service(frames + at, count - at, out, why);
    case MDP_REQUEST:
    case MDP_PARTIAL:
    case MDP_FINAL:
        return read_addressed(frames + at, count - at, out, why);
    case MDP_HEARTBEAT:
        out->has_options = count > at;
        if (out->has_options)
            out->options = frames[at];
        return 0;
    case MDP_DISCONNECT:
        return 0;
    }
    return no(why, "an unknown command code");
}

/* ---- writing ---- */

static struct slice header_of(enum mdp_party party, enum mdp_dialect dialect)
{
    if (party == MDP_WORKER)
        return slice_str(dialect == MDP_01 ? "MDPW01" : "MDPW02");
    return slice_str(dialect == MDP_01 ? "MDPC01" : "MDPC02");
}

static int add_addressed(const struct mdp_message *message, struct slice *frames)
{
    frames[0] = message->address;
    frames[1] = slice_of("", 0);
    return 2;
}

int mdp_build(const struct mdp_message *message, struct slice frames[MDP_FRAMES_MAX])
{
    const uint8_t *codes = codes_of(message->party, message->dialect);
    bool has_body = message->party == MDP_CLIENT;
    int count = 0;

    check(message->dialect != MDP_NONE && message->party != MDP_NOBODY);
    check(message->body_count >= 0 && message->body_count <= MDP_BODY_MAX);
    if (message->dialect != MDP_02A)
        frames[count++] = slice_of("", 0);
    frames[count++] = header_of(message->party, message->dialect);
    if (codes != NULL) {
        check(codes[message->verb] != 0);
        frames[count++] = slice_of(&codes[message->verb], 1);
    }
    if (message->party == MDP_CLIENT || message->verb == MDP_READY)
        frames[count++] = message->service;
    if (message->party == MDP_WORKER &&
        (message->verb == MDP_REQUEST || message->verb == MDP_PARTIAL ||
         message->verb == MDP_FINAL)) {
        count += add_addressed(message, frames + count);
        has_body = true;
    }
    if (message->has_options && !has_body)
        frames[count++] = message->options;
    for (int i = 0; has_body && i < message->body_count; i++)
        frames[count++] = message->body[i];
    check(count <= MDP_FRAMES_MAX);
    return count;
}

const char *mdp_dialect_name(enum mdp_dialect dialect)
{
    switch (dialect) {
    case MDP_01:
        return "0.1";
    case MDP_02A:
        return "0.2";
    case MDP_02B:
        return "0.2b";
    case MDP_NONE:
        break;
    }
    return "none";
}
