/* deliver.h - the service communication.deliver: one notice to one recipient.
 *
 * Input {person?, party?, name?, address?, channel?, subject, text, record?, event?, head?}; output
 * {id, at}: the id of the mail (or the key given to a webhook) and when. `text` may be a reference
 * to content, {content, size}: it is fetched. Channels: email (default), inbox (the same, and a
 * person without an address has a maildir), webhook (address is a URL that `webhooks` allows).
 * Others are refused: no program delivers a letter.
 */
#ifndef ROTA_COMMUNICATION_DELIVER_H
#define ROTA_COMMUNICATION_DELIVER_H

#include "post/courier.h"
#include "post/webhook.h"

struct delivery {
    const struct program *program;
    struct courier courier;
    struct webhook webhook;
};

int delivery_open(const struct program *program, struct delivery *out, struct error *err);
void delivery_release(struct delivery *delivery);

/* A rota_task_fn; `self` is a struct delivery. */
int delivery_run(void *self, struct rota_task *task);

/* The same without a task: fills `output`, gives the status. `key` is the task's. */
int delivery_make(struct delivery *delivery, const struct rota_value *input, const char *key,
                  struct rota_doc *output, struct post_report *report);

#endif
