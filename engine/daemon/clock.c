#include "daemon/clock.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)

static const int64_t STEP_MOST_US = 3600 * SECOND_US, DOUBT_US = 300 * SECOND_US,
                     BEHIND_MOST_US = 60 * SECOND_US;

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
    clock->real_us = read_us(CLOCK_REALTIME);
    if (clock->real_us < from_us)
        clock->real_us = from_us;
    clock->real_boot_us = clock->boot_us;
    clock->doubt_boot_us = 0;
    clock->off_us = 0;
}

/* The system clock's word, as far as it is believed: what it said when it was furthest and what has passed since by the boot
 * clock, which counts while the machine sleeps, is what it should say. One that was set back and is set right again has
 * therefore made no step forward. */
static int64_t believed_us(struct clock *clock, int64_t real_us, int64_t boot_us)
{
    int64_t expected_us = clock->real_us + (boot_us - clock->real_boot_us);

    if (real_us - expected_us > STEP_MOST_US) {
        if (clock->doubt_boot_us == 0)
            clock->doubt_boot_us = boot_us;
        if (boot_us - clock->doubt_boot_us < DOUBT_US)
            return expected_us;
    }
    clock->doubt_boot_us = 0;
    if (real_us >= expected_us) {
        clock->real_us = real_us;
        clock->real_boot_us = boot_us;
    }
    return real_us;
}

int64_t clock_take_us(struct clock *clock, int64_t real_us, int64_t boot_us)
{
    int64_t now_us = clock->is_virtual ? clock->virtual_us + (boot_us - clock->boot_us)
                                       : believed_us(clock, real_us, boot_us);

    if (now_us > clock->newest_us)
        clock->newest_us = now_us;
    clock->off_us = clock->is_virtual ? 0 : real_us - clock->newest_us;
    return clock->newest_us;
}

int64_t clock_now_us(struct clock *clock)
{
    return clock_take_us(clock, clock->is_virtual ? 0 : read_us(CLOCK_REALTIME),
                         read_us(CLOCK_BOOTTIME));
}

enum clock_state clock_state(const struct clock *clock, int64_t *off_ms)
{
    if (off_ms != NULL)
        *off_ms = clock->off_us / 1000;
    return clock->doubt_boot_us != 0         ? CLOCK_AHEAD
           : clock->off_us < -BEHIND_MOST_US ? CLOCK_BEHIND
                                             : CLOCK_RIGHT;
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
