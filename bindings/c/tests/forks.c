/* After a fork, both processes go on with all handles, also when other threads were in the library at that moment. */
#include "test.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static backstop_keystore *store;
static volatile int stop;

static void *reload(void *nothing)
{
    (void)nothing;
    while (!stop)
        CHECK(backstop_keystore_reload(store) == BACKSTOP_OK);
    return NULL;
}

static void use(const backstop_keyring *ring)
{
    char out[300];
    size_t len;
    backstop_keyring *mine;
    backstop_verdict v = BACKSTOP_VERDICT_INIT;
    CHECK(backstop_keystore_reload(store) == BACKSTOP_OK && backstop_keystore_get(store, &mine) == BACKSTOP_OK);
    CHECK(backstop_sign(ring, S("user@example.com"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
    CHECK(backstop_verify(mine, out, len, NOW, &v) == BACKSTOP_OK && v.verdict == BACKSTOP_GENUINE);
    backstop_keyring_free(mine);
}

int main(void)
{
    pthread_t threads[2];
    write_file("forks.keys", RING);
    CHECK(chmod("forks.keys", 0600) == 0 && backstop_keystore_open("forks.keys", &store) == BACKSTOP_OK);
    backstop_keyring *ring = ring_of(RING);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, reload, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            /* A child that hangs is killed, and the test fails. */
            alarm(20);
            use(ring);
            backstop_keyring_free(ring);
            backstop_keystore_free(store);
            _exit(0);
        }
        use(ring);
        int status;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    stop = 1;
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    backstop_keyring_free(ring);
    backstop_keystore_free(store);
    CHECK(unlink("forks.keys") == 0);
    return 0;
}
