/* What a call through libbackstop.so costs over the same in the crate, and what many addresses in one call cost over as many
 * calls: one line NAME RATIO for each operation.
 *
 * Both sides are in this program: C calls the shared library, and one call into a static library of Rust (crate.rs) runs
 * the whole loop there. They take turns in short rounds at changing depths of the stack, so that a slow moment or an
 * unlucky place falls on both; the figure is the median of the ratios within a round. On standard error: nanoseconds.
 * The shared library's side has more to do: the time is turned into a day, and the answer is copied to the caller. */
#define _POSIX_C_SOURCE 200809L
#include <backstop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct crate_side crate_side;
typedef struct crate_list crate_list;
const crate_side *crate_side_new(const char *text, size_t len, int64_t now);
const crate_list *crate_list_new(const backstop_text *texts, size_t count);
size_t crate_side_sign(const crate_side *side, const char *address, size_t len, uint32_t times);
size_t crate_side_verify(const crate_side *side, const char *address, size_t len, uint32_t times);
size_t crate_side_sign_many(const crate_side *side, const crate_list *list);
size_t crate_side_verify_many(const crate_side *side, const crate_list *list);

enum { ROUNDS = 401, CALLS = 2000, DEPTHS = 67, ROOM = 300 };

#define NOW INT64_C(1795280400)

static const char ring_text[] = "version 1\nprvs 0 sha1 7 2026-11-01 - * text:bench prvs 0\n";
static const char plain[] = "firstname.lastname@a.mail.example.com";

static backstop_keyring *ring;
static const crate_side *side;

/* CALLS senders in a list, each in a place of its own, and what they are when they are signed. */
static char places[2][CALLS][ROOM];
static backstop_text senders[CALLS], recipients[CALLS];
static const crate_list *crate_senders, *crate_recipients;
static char room[CALLS * BACKSTOP_ADDRESS_MAX];
static backstop_text results[CALLS];
static backstop_verdict verdicts[CALLS] = {BACKSTOP_VERDICT_INIT};
static int32_t codes[CALLS];

/* One way to sign or verify `times` addresses, which are one or the list; gives a sum that all ways give. */
typedef size_t way(const char *address, size_t len, uint32_t times);

/* One operation: an address for the ways that take one; the figure is the first way's time over the second's. */
struct operation {
    const char *name, *address;
    way *ways[2];
    const char *words[2];
};

static size_t library_sign(const char *address, size_t len, uint32_t times)
{
    size_t sum = 0;
    while (times-- > 0) {
        char out[254];
        size_t out_len;
        if (backstop_sign(ring, address, len, NOW, out, sizeof out, &out_len) == BACKSTOP_OK)
            sum += out_len;
    }
    return sum;
}

static size_t library_verify(const char *address, size_t len, uint32_t times)
{
    size_t proved = 0;
    while (times-- > 0) {
        backstop_verdict v = BACKSTOP_VERDICT_INIT;
        if (backstop_verify(ring, address, len, NOW, &v) == BACKSTOP_OK)
            proved += v.verdict == BACKSTOP_GENUINE;
    }
    return proved;
}

static size_t crate_sign(const char *address, size_t len, uint32_t times)
{
    return crate_side_sign(side, address, len, times);
}

static size_t crate_verify(const char *address, size_t len, uint32_t times)
{
    return crate_side_verify(side, address, len, times);
}

static size_t library_sign_each(const char *address, size_t len, uint32_t times)
{
    size_t sum = 0;
    (void)address, (void)len;
    for (uint32_t i = 0; i < times; i++)
        sum += library_sign(senders[i].data, senders[i].len, 1);
    return sum;
}

static size_t library_verify_each(const char *address, size_t len, uint32_t times)
{
    size_t sum = 0;
    (void)address, (void)len;
    for (uint32_t i = 0; i < times; i++)
        sum += library_verify(recipients[i].data, recipients[i].len, 1);
    return sum;
}

static size_t library_sign_many(const char *address, size_t len, uint32_t times)
{
    size_t needed, done, sum = 0;
    (void)address, (void)len;
    if (backstop_sign_many(ring, senders, times, NOW, room, sizeof room, &needed, results, codes, &done) != BACKSTOP_OK)
        return 0;
    for (uint32_t i = 0; i < times; i++)
        sum += codes[i] == BACKSTOP_OK ? results[i].len : 0;
    return sum;
}

static size_t library_verify_many(const char *address, size_t len, uint32_t times)
{
    size_t proved = 0;
    (void)address, (void)len;
    if (backstop_verify_many(ring, recipients, times, NOW, verdicts, codes) != BACKSTOP_OK)
        return 0;
    for (uint32_t i = 0; i < times; i++)
        proved += verdicts[i].verdict == BACKSTOP_GENUINE;
    return proved;
}

static size_t crate_sign_many(const char *address, size_t len, uint32_t times)
{
    (void)address, (void)len, (void)times;
    return crate_side_sign_many(side, crate_senders);
}

static size_t crate_verify_many(const char *address, size_t len, uint32_t times)
{
    (void)address, (void)len, (void)times;
    return crate_side_verify_many(side, crate_recipients);
}

static int make_lists(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        int len = snprintf(places[0][i], ROOM, "first.last%04u@a.mail.example.com", (unsigned)i);
        senders[i] = (backstop_text){places[0][i], (size_t)len};
        recipients[i].data = places[1][i];
        if (backstop_sign(ring, senders[i].data, senders[i].len, NOW, places[1][i], ROOM, &recipients[i].len) != BACKSTOP_OK)
            return 0;
    }
    crate_senders = crate_list_new(senders, CALLS);
    crate_recipients = crate_list_new(recipients, CALLS);
    return 1;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

/* One round, at this depth of the stack in steps of at least 80 octets; the time of each way. */
static void run(int depth, int second_first, const struct operation *it, double took[2])
{
    volatile char steps[80] = {0};
    size_t len = strlen(it->address), answers[2];
    if (depth > 0) {
        run(depth - 1, second_first, it, took);
    } else {
        for (int turn = 0; turn < 2; turn++) {
            int way = turn ^ second_first;
            double begun = seconds();
            answers[way] = it->ways[way](it->address, len, CALLS);
            took[way] = seconds() - begun;
        }
        if (answers[0] != answers[1] || answers[0] == 0)
            exit(1);
    }
    (void)steps[0];
}

int main(void)
{
    char tagged[300];
    size_t len;
    side = crate_side_new(ring_text, strlen(ring_text), NOW);
    if (side == NULL || backstop_keyring_parse(ring_text, strlen(ring_text), &ring) != BACKSTOP_OK ||
        backstop_sign(ring, plain, strlen(plain), NOW, tagged, sizeof tagged - 1, &len) != BACKSTOP_OK)
        return 1;
    tagged[len] = '\0';
    if (!make_lists())
        return 1;
    const struct operation operations[] = {
        {"sign", plain, {library_sign, crate_sign}, {"through the library", "in the crate"}},
        {"verify-genuine", tagged, {library_verify, crate_verify}, {"through the library", "in the crate"}},
        {"sign-many", "", {library_sign_many, crate_sign_many}, {"through the library", "in the crate"}},
        {"verify-many", "", {library_verify_many, crate_verify_many}, {"through the library", "in the crate"}},
        {"sign-many-over-sign", "", {library_sign_many, library_sign_each}, {"an address of many", "one by one"}},
        {"verify-many-over-verify", "", {library_verify_many, library_verify_each}, {"an address of many", "one by one"}},
    };
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        static double ratios[ROUNDS], times[2][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            double took[2];
            run(round % DEPTHS, round % 2, &operations[i], took);
            ratios[round] = took[0] / took[1];
            times[0][round] = took[0] / CALLS * 1e9;
            times[1][round] = took[1] / CALLS * 1e9;
        }
        printf("%s %.2f\n", operations[i].name, median(ratios));
        fprintf(stderr, "%s: %.0f ns %s, %.0f ns %s\n", operations[i].name, median(times[0]), operations[i].words[0],
                median(times[1]), operations[i].words[1]);
    }
    backstop_keyring_free(ring);
    return 0;
}
