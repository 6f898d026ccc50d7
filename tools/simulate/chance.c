/* chance.c - drawn from a hash of the seed and the purpose; continued by SplitMix64 (Steele, Lea, Flood 2014). */
#include "simulate/chance.h"

#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>

enum { PURPOSE_MAX = 512 };

struct chance chance_of(uint64_t seed, const char *format, ...)
{
    char text[PURPOSE_MAX];
    uint8_t hash[HASH_LEN];
    struct chance chance = {0};
    int len = snprintf(text, sizeof text, "rota.simulate/1 %llu ", (unsigned long long)seed);
    va_list args;

    va_start(args, format);
    vsnprintf(text + len, sizeof text - (size_t)len, format, args);
    va_end(args);
    hash_bytes(slice_str(text), hash);
    for (int i = 0; i < 8; i++)
        chance.state = chance.state << 8 | hash[i];
    return chance;
}

uint64_t chance_next(struct chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t chance_below(struct chance *chance, uint32_t limit)
{
    return (uint32_t)((chance_next(chance) >> 11) % limit);
}

bool chance_happens(struct chance *chance, int percent)
{
    return (int)chance_below(chance, 100) < percent;
}

int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
    uint64_t width = high > low ? (uint64_t)(high - low) + 1 : 1;

    return low + (int64_t)((chance_next(chance) >> 1) % width);
}

void chance_key(uint64_t seed, const char *name, uint8_t out[32])
{
    char text[PURPOSE_MAX];

    snprintf(text, sizeof text, "rota.simulate/1 %llu key of %s", (unsigned long long)seed, name);
    hash_bytes(slice_str(text), out);
}
