/* zap.h - who may connect: our own ZAP handler (ZeroMQ RFC 27).
 *
 * libzmq asks it in the middle of every handshake, on inproc://zeromq.zap.01 of its context. It
 * runs in the engine's thread: whoever waits for sockets must also wait for zap_socket() and call
 * zap_receive().
 *
 * Promises:
 *   1. What it accepts has a User-Id that it made itself: the Z85 text of a CURVE key, `uid:N` of a
 *      peer that the kernel vouches for, or `plain`.
 *   2. What it does not understand it refuses.
 * It must be open before the first socket binds, and be closed after the last one.
 */
#ifndef ROTA_NET_ZAP_H
#define ROTA_NET_ZAP_H

#include "base/error.h"
#include "base/slice.h"

/* The ZAP domain of a socket says which rule holds for it. */
#define ZAP_DOMAIN_CURVE "rota.curve" /* mechanism CURVE, a key that has a principal */
#define ZAP_DOMAIN_PEER "rota.peer"   /* NULL over ipc: the kernel's peer credentials */
#define ZAP_DOMAIN_PLAIN "rota.plain" /* NULL from this machine: the principal `plain` */
#define ZAP_DOMAIN_OPEN "rota.open"   /* development: as peer over ipc, as plain over tcp */

enum { ZAP_USER_ID_MAX = 40 };

struct zap;

/* The principal behind a User-Id, or NULL: then the connection is refused. */
typedef const char *zap_principal_fn(void *self, const char *user_id);

int zap_open(void *context, zap_principal_fn *principal, void *self, struct zap **out,
             struct error *err);
void zap_close(struct zap **zap);
void *zap_socket(struct zap *zap);
void zap_receive(struct zap *zap); /* answers every question that waits; never blocks */

int64_t zap_accepted(const struct zap *zap); /* since it was opened */
int64_t zap_refused(const struct zap *zap);

/* The rule by itself, for tests: writes the User-Id and gives 0, or -1. */
int zap_user_id(struct slice domain, struct slice address, struct slice mechanism,
                struct slice credentials, char out[ZAP_USER_ID_MAX + 1]);

#endif
