/* chance.h - numbers that look drawn and are not: each is derived from the scenario's seed and from what it is for, so that
 * the same scenario gives the same years, and a change in one place does not shuffle every other.
 */
#ifndef ROTA_SIMULATE_CHANCE_H
#define ROTA_SIMULATE_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

/* What is drawn is named: "vote SCP-0001@1.0 round 1 henrik". */
struct chance chance_of(uint64_t seed, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

uint64_t chance_next(struct chance *chance);
uint32_t chance_below(struct chance *chance, uint32_t limit); /* 0 .. limit - 1; limit > 0 */
bool chance_happens(struct chance *chance, int percent);
int64_t chance_between(struct chance *chance, int64_t low, int64_t high); /* both may come out */

/* 32 bytes: the seed of somebody's signing key. */
void chance_key(uint64_t seed, const char *name, uint8_t out[32]);

#endif
