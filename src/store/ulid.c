#include "store/ulid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define TIME_MAX_MS ((UINT64_C(1) << 48) - 1)

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int digit_of(char c)
{
    const char *found = c ? strchr(alphabet, c) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

bool ulid_is_valid(const char *text)
{
    for (size_t i = 0; i < ULID_LENGTH; i++)
        if (digit_of(text[i]) < 0)
            return false;
    return text[0] <= '7';
}

/* The number is 130 bits of which the first two are zero: time 48, random 16 + 64. */
void ulid_source_init(struct ulid_source *source, const char *last)
{
    memset(source, 0, sizeof *source);
    if (!last || strlen(last) != ULID_LENGTH || !ulid_is_valid(last))
        return;
    unsigned __int128 value = 0;
    for (size_t i = 0; i < ULID_LENGTH; i++)
        value = value << 5 | (unsigned)digit_of(last[i]);
    source->time_ms = (uint64_t)(value >> 80);
    source->random_high = (uint64_t)(value >> 64) & 0xFFFF;
    source->random_low = (uint64_t)value;
}

static void count_up(struct ulid_source *source)
{
    if (++source->random_low != 0)
        return;
    if (++source->random_high <= 0xFFFF)
        return;
    source->random_high = 0;
    source->time_ms++;
}

static void draw(struct ulid_source *source)
{
    uint64_t random[2] = {0, 0};
    unsigned char *p = (unsigned char *)random;
    size_t left = sizeof random;
    while (left > 0) {
        ssize_t got = getrandom(p, left, 0);
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0) {
            p += got;
            left -= (size_t)got;
        }
    }
    source->random_high = random[0] & 0xFFFF;
    source->random_low = random[1];
}

void ulid_next(struct ulid_source *source, int64_t wall_ms, char ret_id[ULID_LENGTH + 1])
{
    uint64_t now_ms = wall_ms < 0 ? 0 : (uint64_t)wall_ms & TIME_MAX_MS;
    if (now_ms > source->time_ms) {
        source->time_ms = now_ms;
        draw(source);
    } else {
        count_up(source);
    }
    unsigned __int128 value = (unsigned __int128)source->time_ms << 80 |
                              (unsigned __int128)source->random_high << 64 | source->random_low;
    for (size_t i = ULID_LENGTH; i-- > 0; value >>= 5)
        ret_id[i] = alphabet[(unsigned)value & 31];
    ret_id[ULID_LENGTH] = '\0';
}
