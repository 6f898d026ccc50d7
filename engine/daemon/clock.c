#include "daemon/clock.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;

    check(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_boot_ms(void)
{
    return read_us(CLOCK_BOOTTIME) / 1000;
}

bool clock_boot_id(uint8_t out[BOOT_ID_LEN])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    uint8_t hash[HASH_LEN];
    char text[64];
    size_t len;

    if (file == NULL)
        return false;
    len = fread(text, 1, sizeof text, file);
    fclose(file);
    hash_bytes(slice_of(text, len), hash);
    memcpy(out, hash, BOOT_ID_LEN);
    return len > 0;
}

void clock_start(struct clock *clock, bool is_virtual, int64_t from_us)
{
    clock->is_virtual = is_virtual;
    clock->boot_us = read_us(CLOCK_BOOTTIME);
    clock->virtual_us = from_us > 0 ? from_us : read_us(CLOCK_REALTIME);
    clock->newest_us = from_us;
    clock->loose_us = 0;
}

int64_t clock_now_us(struct clock *clock)
{
    int64_t now = clock->is_virtual ? clock->virtual_us + (read_us(CLOCK_BOOTTIME) - clock->boot_us)
                                    : read_us(CLOCK_REALTIME);

    if (now > clock->newest_us)
        clock->newest_us = now;
    return clock->newest_us;
}

void clock_advance(struct clock *clock, int64_t us)
{
    check(clock->is_virtual && us >= 0);
    clock->virtual_us += us;
    clock->loose_us += us;
}

void clock_settle(struct clock *clock)
{
    clock->loose_us = 0;
}

void clock_undo(struct clock *clock)
{
    clock->virtual_us -= clock->loose_us;
    clock->newest_us -= clock->loose_us;
    clock->loose_us = 0;
}
