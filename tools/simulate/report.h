/* report.h - what came of the years, for people and for programs. */
#ifndef ROTA_SIMULATE_REPORT_H
#define ROTA_SIMULATE_REPORT_H

#include "base/buf.h"
#include "simulate/tally.h"

void report_text(const struct tally *tally, struct buf *out);
struct value report_value(const struct tally *tally, struct arena *arena); /* a map */

#endif
