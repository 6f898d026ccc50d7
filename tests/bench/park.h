/* park.h - what it costs that a journal is full of records at rest: the same load beside a few and beside very many.
 *
 * Two journals, one with PARK_FEW records and one with `records`, all of them opened and nothing more. In each round both are
 * started after a clean stop and after kill -9 and driven alike, one directly after the other.
 */
#ifndef ROTA_BENCH_PARK_H
#define ROTA_BENCH_PARK_H

#include "report.h"

enum { PARK_FEW = 1000 };

/* Measures and prints. Takes minutes for a million. */
void park_measure(const struct place *place, int64_t records, int rounds, double seconds);

#endif
