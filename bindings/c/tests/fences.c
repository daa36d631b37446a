/* ThreadSanitizer does not know fences. The last drop of an `Arc` counts down with release, and if that was the last one
 * makes a fence with acquire; to ThreadSanitizer the counting has to do both. So it is told that every counting down with
 * release is one with acquire and release (`ld --wrap`), and nothing has to be suppressed: a free that races with a
 * reader is still a race. Only `Arc` counts down with release here; `swap.rs` does all in one order. */
#include <stdint.h>

enum { RELEASE = 3, ACQUIRE_RELEASE = 4 };

uint64_t __real___tsan_atomic64_fetch_sub(volatile uint64_t *at, uint64_t value, int order);
uint64_t __wrap___tsan_atomic64_fetch_sub(volatile uint64_t *at, uint64_t value, int order);

uint64_t __wrap___tsan_atomic64_fetch_sub(volatile uint64_t *at, uint64_t value, int order)
{
    return __real___tsan_atomic64_fetch_sub(at, value, order == RELEASE ? ACQUIRE_RELEASE : order);
}
