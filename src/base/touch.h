/* base/touch - waiting for memory once, for many places at a time.
 *
 * Read in a loop before the work on them begins, places that are in no cache come in side by side;
 * read one by one as the work gets to them, each is waited for. A prefetch does not do: where
 * tables are larger than what the processor remembers of pages it is dropped, and in a virtual
 * machine that is soon the case. (Where the work is short, so that reads would only wait earlier,
 * it does.) */
#ifndef BASE_TOUCH_H
#define BASE_TOUCH_H

static inline void touch(const void *place)
{
    (void)*(const volatile char *)place;
}

#endif
