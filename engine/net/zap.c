#include "net/zap.h"

#include "base/check.h"
#include "wire/keyfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum {
    ZAP_FRAMES_MAX = 12,
    ZAP_FRAME_BYTES = 256,
    /* The places of a request, RFC 27; before them the routing id and a delimiter. */
    ZAP_ROUTE = 0,
    ZAP_DELIMITER,
    ZAP_VERSION,
    ZAP_REQUEST,
    ZAP_DOMAIN,
    ZAP_ADDRESS,
    ZAP_IDENTITY,
    ZAP_MECHANISM,
    ZAP_CREDENTIALS
};

struct zap {
    void *socket; /* ROUTER */
    zap_principal_fn *principal;
    void *self;
    int64_t accepted, refused;
};

struct question {
    uint8_t bytes[ZAP_FRAMES_MAX][ZAP_FRAME_BYTES];
    struct slice frames[ZAP_FRAMES_MAX];
    int count; /* more than ZAP_FRAMES_MAX if it had more */
};

int zap_open(void *context, zap_principal_fn *principal, void *self, struct zap **out,
             struct error *err)
{
    struct zap *zap = calloc(1, sizeof *zap);
    int linger = 0;

    check(zap != NULL);
    zap->principal = principal;
    zap->self = self;
    zap->socket = zmq_socket(context, ZMQ_ROUTER);
    if (zap->socket == NULL) {
        free(zap);
        return error_set(err, ERROR_IO, "no socket for ZAP: %s", zmq_strerror(errno));
    }
    zmq_setsockopt(zap->socket, ZMQ_LINGER, &linger, sizeof linger);
    if (zmq_bind(zap->socket, "inproc://zeromq.zap.01") != 0) {
        error_set(err, ERROR_IO, "cannot bind the ZAP handler: %s", zmq_strerror(errno));
        zap_close(&zap);
        return -1;
    }
    *out = zap;
    return 0;
}

void zap_close(struct zap **zap)
{
    if (*zap == NULL)
        return;
    zmq_close((*zap)->socket);
    free(*zap);
    *zap = NULL;
}

void *zap_socket(struct zap *zap)
{
    return zap->socket;
}

int64_t zap_accepted(const struct zap *zap)
{
    return zap->accepted;
}

int64_t zap_refused(const struct zap *zap)
{
    return zap->refused;
}

/* ---- the rule ---- */

/* Over ipc libzmq gives the kernel's word: localhost:UID:GID:PID. */
static int user_of_peer(struct slice address, char *out)
{
    size_t at = 10, digits = 0;

    if (!slice_starts(address, "localhost:"))
        return -1;
    while (at + digits < address.len && address.at[at + digits] >= '0' &&
           address.at[at + digits] <= '9')
        digits++;
    if (digits == 0 || digits > 10 || at + digits >= address.len || address.at[at + digits] != ':')
        return -1;
    snprintf(out, ZAP_USER_ID_MAX + 1, "uid:%.*s", (int)digits, (const char *)address.at + at);
    return 0;
}

static bool is_loopback(struct slice address)
{
    return slice_starts(address, "127.") || slice_is(address, "::1") ||
           slice_starts(address, "::ffff:127.") || slice_starts(address, "localhost:");
}

static int user_plain(struct slice address, char *out)
{
    if (!is_loopback(address))
        return -1;
    snprintf(out, ZAP_USER_ID_MAX + 1, "plain");
    return 0;
}

int zap_user_id(struct slice domain, struct slice address, struct slice mechanism,
                struct slice credentials, char out[ZAP_USER_ID_MAX + 1])
{
    if (slice_is(domain, ZAP_DOMAIN_CURVE)) {
        if (!slice_is(mechanism, "CURVE") || credentials.len != CURVE_KEY_LEN)
            return -1;
        curve_to_z85(credentials.at, out);
        return 0;
    }
    if (!slice_is(mechanism, "NULL"))
        return -1;
    if (slice_is(domain, ZAP_DOMAIN_PEER))
        return user_of_peer(address, out);
    if (slice_is(domain, ZAP_DOMAIN_PLAIN))
        return user_plain(address, out);
    if (slice_is(domain, ZAP_DOMAIN_OPEN))
        return user_of_peer(address, out) == 0 ? 0 : user_plain(address, out);
    return -1;
}

/* ---- question and answer ---- */

/* Reads one whole message; a frame that is too long is cut, which makes the question unanswerable.
 */
static bool read_question(struct zap *zap, struct question *question)
{
    int more = 1;
    size_t size = sizeof more;

    for (question->count = 0; more != 0; question->count++) {
        uint8_t spill[ZAP_FRAME_BYTES];
        bool fits = question->count < ZAP_FRAMES_MAX;
        uint8_t *at = fits ? question->bytes[question->count] : spill;
        int len = zmq_recv(zap->socket, at, ZAP_FRAME_BYTES, ZMQ_DONTWAIT);

        if (len < 0)
            return false;
        if (fits)
            question->frames[question->count] =
                slice_of(at, len <= ZAP_FRAME_BYTES ? (size_t)len : 0);
        if (zmq_getsockopt(zap->socket, ZMQ_RCVMORE, &more, &size) != 0)
            return false;
    }
    return true;
}

static bool is_known(struct zap *zap, const struct question *question, char *user_id)
{
    struct slice credentials = slice_of(NULL, 0);

    if (question->count < ZAP_CREDENTIALS || question->count > ZAP_CREDENTIALS + 1 ||
        !slice_is(question->frames[ZAP_VERSION], "1.0"))
        return false;
    if (question->count > ZAP_CREDENTIALS)
        credentials = question->frames[ZAP_CREDENTIALS];
    return zap_user_id(question->frames[ZAP_DOMAIN], question->frames[ZAP_ADDRESS],
                       question->frames[ZAP_MECHANISM], credentials, user_id) == 0 &&
           zap->principal(zap->self, user_id) != NULL;
}

static void answer(struct zap *zap, const struct question *question)
{
    char user_id[ZAP_USER_ID_MAX + 1] = "";
    bool known = is_known(zap, question, user_id);
    struct slice frames[8] = {
        question->frames[ZAP_ROUTE],
        slice_of("", 0),
        slice_str("1.0"),
        question->frames[ZAP_REQUEST],
        slice_str(known ? "200" : "400"),
        slice_str(known ? "OK" : "No access"),
        slice_str(known ? user_id : ""),
        slice_of("", 0),
    };

    if (known)
        zap->accepted++;
    else
        zap->refused++;
    for (int i = 0; i < 8; i++) {
        if (zmq_send(zap->socket, frames[i].at, frames[i].len,
                     ZMQ_DONTWAIT | (i < 7 ? ZMQ_SNDMORE : 0)) < 0)
            return;
    }
}

void zap_receive(struct zap *zap)
{
    struct question question;

    while (read_question(zap, &question)) {
        if (question.count > ZAP_REQUEST)
            answer(zap, &question);
    }
}
