/* ask.h - the service approval.request: one letter to one person who is asked to decide.
 *
 * Input {person, name?, address?, subject?, record, version?, kind?, title, round?, event?, digest,
 * meaning, statement, by_ms?, reminder_ms?, text?, against?, changes?: [{field, before, after}], changes_more?, link?, head?}. A person's
 * decision is no lease: the answer is 202, and the decision comes as a command: by `rota approve`,
 * or as a letter (answers.h).
 */
#ifndef ROTA_APPROVAL_ASK_H
#define ROTA_APPROVAL_ASK_H

#include "post/courier.h"

struct asking {
    const struct program *program;
    struct courier courier;
};

int asking_open(const struct program *program, struct asking *out, struct error *err);
void asking_release(struct asking *asking);

int asking_run(void *self, struct rota_task *task); /* a rota_task_fn; `self` is a struct asking */

/* The text of the letter, without its footer. */
void asking_write(struct buf *out, const struct rota_value *input);

#endif
