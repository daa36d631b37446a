/* After a fork, both processes go on with all handles, also when other threads were in the library at that moment. */
#include "bounce.h"

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

static volatile int begun;

static void *inspect(void *policy)
{
    backstop_keyring *ring = ring_of(RING);
    begun = 1;
    backstop_inspection_free(inspection_of(policy, ring, BOUNCE, USER));
    backstop_keyring_free(ring);
    return NULL;
}

/* A process of its own, since what is made once is made then: it inspects some mail, and forks again and again while
 * another thread inspects its first bounce. */
static void process_that_inspects(backstop_policy *policy, const backstop_keyring *ring)
{
    enum { CHILDREN = 6 };
    pthread_t thread;
    pid_t children[CHILDREN];
    int status;
    backstop_inspection_free(inspection_of(policy, ring, "Subject: lunch\n\nAt noon?\n", USER));
    CHECK(pthread_create(&thread, NULL, inspect, policy) == 0);
    while (!begun)
        ;
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        CHECK(children[i] >= 0);
        if (children[i] == 0) {
            alarm(20);
            backstop_inspection_free(inspection_of(policy, ring, BOUNCE, USER));
            _exit(0);
        }
    }
    for (int i = 0; i < CHILDREN; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Once backstop_inspect was called, no matter with what, nothing is left that a child would have to wait for. */
static void inspecting(int rounds)
{
    backstop_policy *policy = policy_of(BOUNCE_POLICY);
    backstop_keyring *ring = ring_of(RING);
    int status;
    for (int i = 0; i < rounds; i++) {
        pid_t process = fork();
        CHECK(process >= 0);
        if (process == 0) {
            process_that_inspects(policy, ring);
            _exit(0);
        }
        CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
}

int main(int argc, char **argv)
{
    inspecting(argc > 1 ? atoi(argv[1]) : 250);
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
