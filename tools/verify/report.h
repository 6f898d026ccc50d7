/* report.h - what an audit found: facts, warnings, errors; for people or as JSON.
 *
 * An error means that the journal cannot be relied on. A warning says what was not or cannot be proven.
 * Codes are stable; texts are for people. Texts come from an untrusted file, so whatever could move a
 * terminal's cursor, and whatever is not UTF-8, is replaced by '?'.
 */
#ifndef ROTA_VERIFY_REPORT_H
#define ROTA_VERIFY_REPORT_H

#include "hash.h"

#include <stdio.h>

enum { REPORT_MAX_ERRORS = 50, REPORT_TEXT = 512, REPORT_NO_SEQ = -1 };

struct finding {
    const char *code; /* static */
    char *text;       /* owned */
    int64_t seq;      /* of the leaf, or REPORT_NO_SEQ */
};

struct findings {
    struct finding *at; /* owned */
    size_t count, cap;
    size_t not_shown; /* beyond the limit */
};

struct approvals;

enum report_clock { CLOCK_UNKNOWN, CLOCK_SYSTEM, CLOCK_VIRTUAL };

struct report {
    struct findings errors, warnings;
    char origin[REPORT_TEXT]; /* empty: unknown */
    char root[45];            /* base64; empty: no journal was read */
    char roots[65];           /* fingerprint of the root keys in hex; empty: there are none */
    enum report_clock clock;
    uint64_t entries, streams;
    uint64_t checkpoints, outside_checkpoints;
    int64_t newest_checkpoint; /* -1: none */
    uint64_t contents, contents_erased;
    uint64_t signatures;               /* of people, checked */
    uint64_t rows;                     /* of the fold */
    const struct approvals *approvals; /* borrowed; NULL: not asked for */
    bool is_replayed;                  /* the stored state was compared with the fold */
    bool has_witnesses;                /* the next two mean something */
    int64_t newest_witnessed, newest_witnessed_time; /* -1: none */
};

void report_init(struct report *report);
void report_release(struct report *report);

void report_error(struct report *report, const char *code, int64_t seq, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void report_warn(struct report *report, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline bool report_holds(const struct report *report)
{
    return report->errors.count == 0;
}

/* Is there an error, or a warning, of this code? */
bool report_has(const struct report *report, const char *code);

/* Copy text with what is not fit for a terminal replaced. */
void report_clean(char *out, size_t room, struct bytes text);

/* Print for people. is_quiet: errors and the last sentence only. */
void report_print(const struct report *report, FILE *out, bool in_colour, bool is_quiet);

/* Print one JSON object on one line. -1: it could not be written. */
int report_print_json(const struct report *report, FILE *out);

#endif
