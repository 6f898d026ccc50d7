/* start.h - how long the engine takes to be there again, what it holds while nothing happens, how fast its journal is
 * verified. */
#ifndef ROTA_BENCH_START_H
#define ROTA_BENCH_START_H

#include "report.h"

void start_measure(const struct place *place, int64_t records, struct start_figures *out);

#endif
