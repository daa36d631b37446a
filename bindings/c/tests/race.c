/* Breaks the manual: frees a ring that another thread has just signed with, and waits for that thread in no way that
 * orders memory. ThreadSanitizer must say so, with the signing inside the library; else it looks at nothing. */
#include "test.h"

#include <pthread.h>

static backstop_keyring *ring;
static int done;

static void *work(void *nothing)
{
    char out[300];
    size_t len;
    CHECK(backstop_sign(ring, S("user@example.com"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
    __atomic_store_n(&done, 1, __ATOMIC_RELAXED);
    return nothing;
}

int main(void)
{
    pthread_t thread;
    ring = ring_of(RING);
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
        ;
    backstop_keyring_free(ring);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}
