/* Eight threads on one ring and one store, and one more that changes the file and reloads the store under them. */
#include "test.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 8 };

static int rounds = 20000;

static backstop_keyring *ring;
static backstop_keystore *store;
static backstop_policy *policy;

static void *work(void *nothing)
{
    (void)nothing;
    for (int i = 0; i < rounds; i++) {
        char out[300];
        size_t len;
        backstop_keyring *mine, *more;
        backstop_verdict v = BACKSTOP_VERDICT_INIT;
        backstop_decision d = BACKSTOP_DECISION_INIT;
        CHECK(backstop_sign(ring, S("user@example.com"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
        CHECK(same(out, len, "prvs=07853508f8=user@example.com"));
        backstop_text texts[5] = {{"user@example.com", 16}, {"", 0}, {"user@example.com", 16}, {"?", 1}, {"user@example.com", 16}};
        backstop_verdict many[5] = {BACKSTOP_VERDICT_INIT};
        int32_t status[5];
        size_t done;
        CHECK(backstop_sign_many(ring, texts, 5, NOW, out, sizeof out, &len, texts, status, &done) == BACKSTOP_OK);
        CHECK(done == 5 && len == 96 && same(texts[4].data, texts[4].len, "prvs=07853508f8=user@example.com"));
        CHECK(backstop_verify_many(ring, texts, 5, NOW, many, status) == BACKSTOP_OK && many[4].verdict == BACKSTOP_GENUINE);
        CHECK(backstop_keystore_get(store, &mine) == BACKSTOP_OK && backstop_keyring_ref(mine, &more) == BACKSTOP_OK);
        backstop_keyring_free(mine);
        CHECK(backstop_sign(more, S("user@example.com"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
        CHECK(backstop_verify(more, out, len, NOW, &v) == BACKSTOP_OK && v.verdict == BACKSTOP_GENUINE);
        CHECK(backstop_policy_incoming(policy, more, "", 0, out, len, BACKSTOP_CLIENT_OTHER, NOW, &d) == BACKSTOP_OK);
        CHECK(d.action == BACKSTOP_ACTION_STRIP);
        CHECK(backstop_keystore_report(store, out, sizeof out, &len) == BACKSTOP_OK);
        backstop_keyring_free(more);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    if (argc == 2)
        rounds = atoi(argv[1]);
    write_file("threads.keys", RING);
    CHECK(chmod("threads.keys", 0600) == 0);
    CHECK(backstop_keystore_open("threads.keys", &store) == BACKSTOP_OK);
    ring = ring_of(RING);
    policy = policy_of(POLICY);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
    for (int i = 0; i < rounds / 100; i++) {
        write_file("threads.keys", i % 3 == 0 ? "version 1\nprvs 1 sha256 9 - - * text:other\n" : i % 3 == 1 ? "bad" : RING);
        CHECK(backstop_keystore_reload(store) == (i % 3 == 1 ? BACKSTOP_ERR_FILE : BACKSTOP_OK));
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
    backstop_keystore_free(store);
    CHECK(unlink("threads.keys") == 0);
    return 0;
}
