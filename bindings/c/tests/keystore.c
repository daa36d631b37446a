/* The key store: a changed file is taken, a bad one keeps the old ring and is reported, one stat a second. Counts the calls
 * of statx, through which Rust asks for the state of a file. */
#define _GNU_SOURCE
#include "test.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int stats;

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict out)
{
    /* Of a path; that of an open file is part of reading it. */
    stats += *path != '\0';
    return (int)syscall(SYS_statx, folder, path, flags, mask, out);
}

#define OLD "version 1\nprvs 0 sha1 7 - - * text:secret\n"
#define NEW "version 1\nprvs 1 sha1 7 - - * text:secret\n"

static char first_digit(const backstop_keystore *store)
{
    char out[300];
    size_t len;
    backstop_keyring *ring;
    CHECK(backstop_keystore_get(store, &ring) == BACKSTOP_OK);
    CHECK(backstop_sign(ring, S("a@b"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
    backstop_keyring_free(ring);
    return out[5];
}

static size_t report(const backstop_keystore *store, char *text)
{
    size_t len;
    CHECK(backstop_keystore_report(store, text, 511, &len) == BACKSTOP_OK);
    text[len] = '\0';
    return len;
}

static void put(const char *text)
{
    write_file("keystore.new", text);
    CHECK(chmod("keystore.new", 0600) == 0 && rename("keystore.new", "keystore.keys") == 0);
}

static void wait_a_second(void)
{
    struct timespec time = {1, 50000000};
    nanosleep(&time, NULL);
}

int main(void)
{
    backstop_keystore *store;
    backstop_keyring *kept;
    char text[512];
    put(OLD);
    CHECK(backstop_keystore_open("keystore.keys", &store) == BACKSTOP_OK);
    CHECK(backstop_keystore_get(store, &kept) == BACKSTOP_OK);

    put(NEW);
    stats = 0;
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    int calls = 0;
    do {
        for (int i = 0; i < 100; i++, calls++)
            first_digit(store);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begun.tv_sec < 3);
    /* Four looks at most in three seconds and a bit; one of them finds the new file, whose reading looks once more. */
    printf("keystore: %d calls in 3 s, %d stats\n", calls, stats);
    CHECK(calls > 1000 && stats >= 2 && stats <= 5);
    CHECK(first_digit(store) == '1' && report(store, text) == 0);

    put("version 2\n");
    wait_a_second();
    CHECK(first_digit(store) == '1' && report(store, text) > 0 && strstr(text, "keystore.keys: ") != NULL);
    CHECK(backstop_keystore_reload(store) == BACKSTOP_ERR_FILE && first_digit(store) == '1');
    CHECK(unlink("keystore.keys") == 0 && backstop_keystore_reload(store) == BACKSTOP_ERR_FILE);
    CHECK(first_digit(store) == '1' && report(store, text) > 0 && strstr(text, "is not there") != NULL);
    put(OLD);
    CHECK(chmod("keystore.keys", 0644) == 0 && backstop_keystore_reload(store) == BACKSTOP_ERR_FILE);
    CHECK(first_digit(store) == '1');
    CHECK(chmod("keystore.keys", 0600) == 0);
    wait_a_second();
    CHECK(first_digit(store) == '0' && report(store, text) == 0);
    put(NEW);
    CHECK(backstop_keystore_reload(store) == BACKSTOP_OK && first_digit(store) == '1');

    /* A file that could not be read for a while is read as soon as it can, though it did not change. */
    struct rlimit limit, none;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    put(OLD);
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    wait_a_second();
    CHECK(first_digit(store) == '1' && report(store, text) > 0 && strstr(text, "Too many open files") != NULL);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    wait_a_second();
    CHECK(first_digit(store) == '0' && report(store, text) == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0 && backstop_keystore_reload(store) == BACKSTOP_ERR_FILE);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    wait_a_second();
    CHECK(first_digit(store) == '0' && report(store, text) == 0);

    backstop_keystore_free(store);
    size_t len;
    CHECK(backstop_sign(kept, S("a@b"), NOW, text, sizeof text, &len) == BACKSTOP_OK && text[5] == '0');
    backstop_keyring_free(kept);
    CHECK(unlink("keystore.keys") == 0);
    return 0;
}
