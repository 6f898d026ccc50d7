/* chart.h - the years as a picture: what each person did in each month, and what was overdue on each day. SVG 1.1, alone in
 * its file, without scripts or fonts of its own; every mark says what it is when pointed at.
 */
#ifndef ROTA_SIMULATE_CHART_H
#define ROTA_SIMULATE_CHART_H

#include "base/buf.h"
#include "simulate/tally.h"

void chart_svg(const struct tally *tally, struct buf *out);

#endif
