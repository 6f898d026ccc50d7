/* client.h - a client inside: one request, sent until it is answered. */
#ifndef ROTA_SDK_CLIENT_H
#define ROTA_SDK_CLIENT_H

#include "sdk/inside.h"

struct rota_client {
    struct rota_options options; /* texts owned where kept */
    char *endpoint;              /* owned */
    struct link_keys keys;
    void *context, *socket; /* socket: NULL while there is none */
    int64_t try_ms;
    int tries;
    struct rota_doc *info; /* the engine's answer to `info`, asked once; owned */
};

/* Sends `body` to the service and waits, again and again under the same bytes; the reply map. Gives
 * the status, or -1. `id` is what the reply must name, or NULL. */
int client_ask(struct rota_client *client, const char *service, const struct buf *body,
               const char *id, struct rota_doc **reply, struct rota_error *err);

/* A fresh id: 32 hexadecimal digits. */
void client_new_id(char out[33]);

#endif
