/* base/clock - the only source of time.
 *
 * Wall time is int64_t seconds since 1970-01-01 UTC (`_s`); durations run on CLOCK_BOOTTIME in
 * milliseconds
 * (`_ms`), which counts suspend and ignores steps of the wall clock. A clock's wall time is read
 * once, at its birth; from then on it is what CLOCK_BOOTTIME adds, so that a step of the wall clock
 * neither stalls nor hurries what is due. Three kinds: real; scaled, where virtual now = T0 + N *
 * (now - T0), for tests in which hours must pass; virtual, which moves only by clock_advance(), for
 * simulations. Timestamps in the log and time-outs of transfers are never scaled: they use
 * clock_real_wall_ms() and clock_real_boot_ms(). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <glib.h>
#include <stdint.h>

struct clock;

struct clock *clock_new_real(void);
/* origin_s: T0 in wall seconds; scale: N >= 1. */
struct clock *clock_new_scaled(int64_t origin_s, double scale);
/* Scaled clocks only: another T0. */
void clock_set_origin(struct clock *clock, int64_t origin_s);
struct clock *clock_new_virtual(int64_t start_s);
void clock_free(struct clock *clock);

int64_t clock_wall_s(const struct clock *clock);
int64_t clock_boot_ms(const struct clock *clock);
double clock_scale(const struct clock *clock);
/* How long a real sleep must be for this much of the clock's own time to pass; at least 1 for
 * positive input. */
int64_t clock_real_delay_ms(const struct clock *clock, int64_t virtual_ms);
/* Virtual clocks only. */
void clock_advance(struct clock *clock, int64_t ms);

int64_t clock_real_wall_ms(void);
int64_t clock_real_boot_ms(void);
/* CPU time of this process so far, in seconds. */
double clock_cpu_s(void);

#endif
