/* clock.h - the engine's time: the system's, or a virtual one that is moved by hand.
 *
 * Deadlines are on this clock; leases are on the boot clock, which no one can set. A virtual clock goes on by itself
 * and can be moved forward; the journal's first leaf and its name say that it was used.
 *
 * Nobody can take back an entry that is dated a year ahead, and a thousand reminders that were sent: so a system clock that
 * is set forward by more than an hour is not believed for five minutes. Time goes on as before meanwhile, which is long enough
 * to see the alarm and set it right. One that is behind the newest entry makes time stand still until it has caught up.
 */
#ifndef ROTA_DAEMON_CLOCK_H
#define ROTA_DAEMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { BOOT_ID_LEN = 8 };

enum clock_state { CLOCK_RIGHT, CLOCK_AHEAD /* and not believed yet */, CLOCK_BEHIND };

struct clock {
    bool is_virtual;
    int64_t virtual_us; /* at boot_us */
    int64_t boot_us;
    int64_t newest_us; /* given out last: time never goes back */
    int64_t real_us,
        real_boot_us;      /* the system clock when it was furthest, and the boot clock then */
    int64_t doubt_boot_us; /* since when it is not believed; 0: it is */
    int64_t off_us;        /* by how much it differed from what was given out */
    int64_t loose_us;      /* by how much it was moved and nobody was told yet */
};

/* `from_us`: of the last leaf, or what a virtual clock was moved to since. */
void clock_start(struct clock *clock, bool is_virtual, int64_t from_us);
int64_t clock_now_us(struct clock *clock); /* never less than before, nor than where it started */
/* The same with readings of the system clock and the boot clock, which tests make up. */
int64_t clock_take_us(struct clock *clock, int64_t real_us, int64_t boot_us);
/* By the last reading; `off_ms` gets by how much the system clock is ahead (positive) or behind, if it is not NULL. */
enum clock_state clock_state(const struct clock *clock, int64_t *off_ms);
int64_t clock_boot_ms(void);
/* Which boot of the machine the boot clock counts from: false if that cannot be told. */
bool clock_boot_id(uint8_t out[BOOT_ID_LEN]);
/* Virtual only. It stands once clock_settle() says that it could be written down; clock_undo() takes it back, with all that
 * was dated by it. */
void clock_advance(struct clock *clock, int64_t us);
void clock_settle(struct clock *clock);
void clock_undo(struct clock *clock);

#endif
