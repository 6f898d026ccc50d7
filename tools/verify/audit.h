/* audit.h - the audit of one journal file: every leaf once, in order, and then what follows from them.
 *
 *   1. Every leaf hash and root is computed from the stored bytes; no derived table is believed.
 *   2. The file is not changed, nor anything beside it.
 *   3. What is not proven is said: in a warning, or in the facts.
 */
#ifndef ROTA_VERIFY_AUDIT_H
#define ROTA_VERIFY_AUDIT_H

#include "actor.h"
#include "approvals.h"
#include "note.h"
#include "report.h"

#include <signal.h>

struct audit_options {
    const char *path;
    struct note_policy policy;   /* at least one log key */
    const struct bytes *trusted; /* notes of checkpoints kept outside */
    size_t trusted_count;
    const struct actor_keys *keys; /* NULL: persons' keys come from the journal */
    const uint8_t *roots; /* fingerprint of the root keys, HASH_LEN bytes; NULL: not known */
    struct approvals
        *approvals;      /* {0}: gets what is or was in force, if the journal holds; or NULL */
    FILE *keys_out;      /* the people's keys are written here; or NULL */
    int64_t fresh_after; /* POSIX time; negative: any */
    bool no_replay, no_integrity_check;
    void (*progress)(uint64_t done, uint64_t of); /* may be NULL; called now and then */
    const volatile sig_atomic_t *stop;            /* may be NULL; not 0: give up */
};

/* 0: the audit was made and report says what it found (the caller releases it). -1: the file cannot be read,
 * or the audit was stopped, and why is filled.
 */
int audit_run(const struct audit_options *options, struct report *report, char why[REPORT_TEXT]);

#endif
