#include "base/clock.h"

#include <time.h>

enum clock_kind { CLOCK_KIND_REAL, CLOCK_KIND_SCALED, CLOCK_KIND_VIRTUAL };

struct clock {
    enum clock_kind kind;
    double scale;
    int64_t wall_origin_ms; /* scaled: T0; virtual: the wall time now */
    int64_t boot_origin_ms; /* scaled: the boot time at T0; virtual: the boot time now */
};

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_real_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_real_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

struct clock *clock_new_real(void)
{
    struct clock *clock = g_new0(struct clock, 1);
    clock->kind = CLOCK_KIND_REAL;
    clock->scale = 1.0;
    return clock;
}

struct clock *clock_new_scaled(int64_t origin_s, double scale)
{
    struct clock *clock = g_new0(struct clock, 1);
    clock->kind = CLOCK_KIND_SCALED;
    clock->scale = scale;
    clock->wall_origin_ms = origin_s * 1000;
    clock->boot_origin_ms = clock_real_boot_ms();
    return clock;
}

void clock_set_origin(struct clock *clock, int64_t origin_s)
{
    g_return_if_fail(clock->kind == CLOCK_KIND_SCALED);
    clock->wall_origin_ms = origin_s * 1000;
}

struct clock *clock_new_virtual(int64_t start_s)
{
    struct clock *clock = g_new0(struct clock, 1);
    clock->kind = CLOCK_KIND_VIRTUAL;
    clock->scale = 1.0;
    clock->wall_origin_ms = start_s * 1000;
    return clock;
}

void clock_free(struct clock *clock)
{
    g_free(clock);
}

static int64_t scaled(const struct clock *clock, int64_t origin_ms, int64_t now_ms)
{
    return origin_ms + (int64_t)(clock->scale * (double)(now_ms - origin_ms));
}

int64_t clock_wall_s(const struct clock *clock)
{
    int64_t ms = clock->wall_origin_ms;
    if (clock->kind == CLOCK_KIND_REAL)
        ms = clock_real_wall_ms();
    else if (clock->kind == CLOCK_KIND_SCALED)
        ms = scaled(clock, clock->wall_origin_ms, clock_real_wall_ms());
    return ms / 1000;
}

int64_t clock_boot_ms(const struct clock *clock)
{
    if (clock->kind == CLOCK_KIND_REAL)
        return clock_real_boot_ms();
    if (clock->kind == CLOCK_KIND_SCALED)
        return scaled(clock, clock->boot_origin_ms, clock_real_boot_ms());
    return clock->boot_origin_ms;
}

double clock_scale(const struct clock *clock)
{
    return clock->scale;
}

int64_t clock_real_delay_ms(const struct clock *clock, int64_t virtual_ms)
{
    if (virtual_ms <= 0)
        return 0;
    int64_t real = (int64_t)((double)virtual_ms / clock->scale);
    return real < 1 ? 1 : real;
}

void clock_advance(struct clock *clock, int64_t ms)
{
    g_return_if_fail(clock->kind == CLOCK_KIND_VIRTUAL);
    clock->wall_origin_ms += ms;
    clock->boot_origin_ms += ms;
}
