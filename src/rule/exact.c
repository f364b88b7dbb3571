#include "rule/exact.h"

#include "text/fold.h"
#include "text/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

char *exact_normalise(const char *text, size_t size)
{
    utf8proc_uint8_t *composed = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size,
                                      &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    char *result = n < 0 ? NULL : g_strndup((const char *)composed, (size_t)n);
    free(composed);
    return result;
}

static bool equal(const char *wanted, size_t wanted_size, const char *text, size_t size)
{
    if (wanted_size == size && memcmp(wanted, text, size) == 0)
        return true;
    g_autofree char *composed = exact_normalise(text, size);
    return composed && strlen(composed) == wanted_size &&
           memcmp(composed, wanted, wanted_size) == 0;
}

/* The beginning of the character that ends before pos. */
static size_t previous(const char *text, size_t pos)
{
    size_t at = pos - 1;
    while (at > 0 && pos - at < 4 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

enum touch { TOUCH_NO, TOUCH_YES, TOUCH_LOOK_ON };

static enum touch touch_of(uint32_t c)
{
    if (c == UTF8_INVALID)
        return TOUCH_NO;
    if (FOLD_CLASS(fold_entry(fold_table(), c)) == FOLD_IGNORED)
        return TOUCH_LOOK_ON;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return TOUCH_YES;
    default:
        return TOUCH_NO;
    }
}

static bool touched_before(const char *text, size_t start)
{
    while (start > 0) {
        size_t at = previous(text, start), pos = at;
        enum touch touch = touch_of(utf8_next(text, start, &pos));
        if (touch != TOUCH_LOOK_ON)
            return touch == TOUCH_YES;
        start = at;
    }
    return false;
}

static bool touched_after(const char *text, size_t size, size_t end)
{
    while (end < size) {
        enum touch touch = touch_of(utf8_next(text, size, &end));
        if (touch != TOUCH_LOOK_ON)
            return touch == TOUCH_YES;
    }
    return false;
}

bool exact_matches(const struct exact *exact, const char *pool, const char *text, size_t size,
                   size_t start, size_t end)
{
    const char *wanted = pool + exact->text;
    size_t before = start, after = exact->size - exact->core_end;
    for (uint32_t i = 0; i < exact->before; i++) {
        if (before == 0)
            return false;
        before = previous(text, before);
    }
    if (after > size - end)
        return false;
    return equal(wanted + exact->core_start, exact->core_end - exact->core_start, text + start,
                 end - start) &&
           equal(wanted, exact->core_start, text + before, start - before) &&
           memcmp(wanted + exact->core_end, text + end, after) == 0 &&
           !touched_before(text, before) && !touched_after(text, size, end + after);
}
