/* What a call through libbackstop.so costs over the same in the crate: one line NAME RATIO for each operation.
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
const crate_side *crate_side_new(const char *text, size_t len, int64_t now);
size_t crate_side_sign(const crate_side *side, const char *address, size_t len, uint32_t times);
size_t crate_side_verify(const crate_side *side, const char *address, size_t len, uint32_t times);

enum { ROUNDS = 401, CALLS = 2000, DEPTHS = 67 };

#define NOW INT64_C(1795280400)

static const char ring_text[] = "version 1\nprvs 0 sha1 7 2026-11-01 - * text:bench prvs 0\n";
static const char plain[] = "firstname.lastname@a.mail.example.com";

static backstop_keyring *ring;
static const crate_side *side;

/* One operation: an address, and what each side makes of it CALLS times; both answer the same number. */
struct operation {
    const char *name, *address;
    size_t (*library)(const char *address, size_t len, uint32_t times);
    size_t (*crate)(const crate_side *side, const char *address, size_t len, uint32_t times);
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

/* One round, at this depth of the stack in steps of at least 80 octets; the library's time and the crate's. */
static void run(int depth, int crate_first, const struct operation *it, double took[2])
{
    volatile char room[80] = {0};
    size_t len = strlen(it->address), answers[2];
    if (depth > 0) {
        run(depth - 1, crate_first, it, took);
    } else {
        for (int turn = 0; turn < 2; turn++) {
            int crate = turn ^ crate_first;
            double begun = seconds();
            answers[crate] = crate ? it->crate(side, it->address, len, CALLS) : it->library(it->address, len, CALLS);
            took[crate] = seconds() - begun;
        }
        if (answers[0] != answers[1] || answers[0] == 0)
            exit(1);
    }
    (void)room[0];
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
    const struct operation operations[] = {
        {"sign", plain, library_sign, crate_side_sign},
        {"verify-genuine", tagged, library_verify, crate_side_verify},
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
        fprintf(stderr, "%s: %.0f ns through the library, %.0f ns in the crate\n", operations[i].name, median(times[0]),
                median(times[1]));
    }
    backstop_keyring_free(ring);
    return 0;
}
