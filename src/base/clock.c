#include "base/clock.h"

#include <time.h>

enum clock_kind { CLOCK_KIND_REAL, CLOCK_KIND_SCALED, CLOCK_KIND_VIRTUAL };

struct clock {
    enum clock_kind kind;
    double scale;
    int64_t wall_birth_ms; /* real wall time at birth; virtual: the wall time now */
    int64_t boot_birth_ms; /* the same of the boot time */
    int64_t origin_ms;     /* scaled: T0, in wall time */
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

double clock_cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct clock *clock_new(enum clock_kind kind, double scale)
{
    struct clock *clock = g_new0(struct clock, 1);
    clock->kind = kind;
    clock->scale = scale;
    if (kind == CLOCK_KIND_VIRTUAL)
        return clock;
    clock->wall_birth_ms = clock_real_wall_ms();
    clock->boot_birth_ms = clock_real_boot_ms();
    clock->origin_ms = clock->wall_birth_ms;
    return clock;
}

struct clock *clock_new_real(void)
{
    return clock_new(CLOCK_KIND_REAL, 1.0);
}

struct clock *clock_new_scaled(int64_t origin_s, double scale)
{
    struct clock *clock = clock_new(CLOCK_KIND_SCALED, scale);
    clock_set_origin(clock, origin_s);
    return clock;
}

void clock_set_origin(struct clock *clock, int64_t origin_s)
{
    g_return_if_fail(clock->kind == CLOCK_KIND_SCALED);
    clock->origin_ms = origin_s * 1000;
}

struct clock *clock_new_virtual(int64_t start_s)
{
    struct clock *clock = clock_new(CLOCK_KIND_VIRTUAL, 1.0);
    clock->wall_birth_ms = start_s * 1000;
    return clock;
}

void clock_free(struct clock *clock)
{
    g_free(clock);
}

/* How much of its own time has passed since the clock's birth. */
static int64_t age_ms(const struct clock *clock)
{
    if (clock->kind == CLOCK_KIND_VIRTUAL)
        return 0;
    return (int64_t)(clock->scale * (double)(clock_real_boot_ms() - clock->boot_birth_ms));
}

int64_t clock_wall_s(const struct clock *clock)
{
    int64_t birth_ms = clock->wall_birth_ms;
    if (clock->kind == CLOCK_KIND_SCALED)
        birth_ms =
            clock->origin_ms + (int64_t)(clock->scale * (double)(birth_ms - clock->origin_ms));
    return (birth_ms + age_ms(clock)) / 1000;
}

int64_t clock_boot_ms(const struct clock *clock)
{
    return clock->boot_birth_ms + age_ms(clock);
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
    clock->wall_birth_ms += ms;
    clock->boot_birth_ms += ms;
}
