/* Signing, verifying, stripping, rewriting and deciding allocate nothing, whatever the outcome. The functions below take the
 * place of those of the C library, also for libbackstop.so. And what many addresses in one call take of the stack. */
#include "test.h"

#include <errno.h>
#include <pthread.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static size_t count;

void *malloc(size_t size) { return count++, __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return count++, __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { return count++, __libc_realloc(old, size); }
void *aligned_alloc(size_t align, size_t size) { return count++, __libc_memalign(align, size); }
int posix_memalign(void **out, size_t align, size_t size)
{
    count++;
    *out = __libc_memalign(align, size);
    return *out == NULL ? ENOMEM : 0;
}

#define NOTHING(call)                                      \
    do {                                                   \
        size_t before = count;                             \
        int32_t code = (call);                             \
        CHECK(count == before && code >= BACKSTOP_ERR_IP); \
    } while (0)

enum { MANY = 5000, STACK = 1 << 20 };

static backstop_text senders[MANY], results[MANY];
static backstop_verdict verdicts[MANY] = {BACKSTOP_VERDICT_INIT};
static int32_t codes[MANY];
static char room[MANY * BACKSTOP_ADDRESS_MAX];

static void *sign_and_verify(void *ring)
{
    size_t len, done;
    CHECK(backstop_sign_many(ring, senders, MANY, NOW, room, sizeof room, &len, results, codes, &done) == BACKSTOP_OK);
    CHECK(backstop_verify_many(ring, results, MANY, NOW, verdicts, codes) == BACKSTOP_OK);
    return NULL;
}

/* On a stack that is full of a pattern; the lowest octet that lost it tells. Below are a page that nobody may touch and
 * what the thread's own start takes. */
static void many_take_as_much_stack_as_the_manual_says(backstop_keyring *ring)
{
    static _Alignas(4096) unsigned char stack[STACK];
    pthread_attr_t attr;
    pthread_t thread;
    size_t low = 0;
    memset(stack, 0x5a, sizeof stack);
    CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstack(&attr, stack, sizeof stack) == 0);
    CHECK(pthread_create(&thread, &attr, sign_and_verify, ring) == 0 && pthread_join(thread, NULL) == 0);
    while (stack[low] == 0x5a)
        low++;
    printf("many addresses: %zu octets of stack\n", sizeof stack - low);
    CHECK(sizeof stack - low > 4096 && sizeof stack - low < 64 * 1024);
}

int main(void)
{
    static const char *const addresses[] = {
        "user@example.com", "Mixed.Case@Example.COM", "\"a b\"@example.com", "user@[IPv6:2001:db8::1]", "", "<>", "nothing",
        "prvs=07853508f8=user@example.com", "prvs=07853508f9=user@example.com", "prvs=97853508f9=user@example.com",
        "prvs=nothing@example.com", "btv1==123456789ab==user@example.com", "postmaster", "a@bst1.example",
        "SRS0=PGkz=G3=example.com=alice@fwd.example.net", "SRS0=AAAA=G3=example.com=alice@fwd.example.net",
        "SRS1=AAAA=other.example==AAAA=G3=example.com=alice@fwd.example.net", "a@fwd.example.net",
        "a-local-part-of-more-than-forty-nine-octets-which-is-too-long@example.com",
    };
    backstop_keyring *ring = ring_of(RING);
    backstop_policy *policy = policy_of(POLICY);
    backstop_srs *srs = forwarder_of("fwd.example.net");
    CHECK(count > 0);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        for (int64_t now = -1; now < 1900000000; now += 100000000) {
            const char *it = addresses[i];
            size_t n = strlen(it), len;
            char out[400];
            int32_t number;
            backstop_verdict v = BACKSTOP_VERDICT_INIT;
            backstop_decision d = BACKSTOP_DECISION_INIT;
            backstop_text to = {"bob@example.org", 15};
            NOTHING(backstop_sign(ring, it, n, now, out, sizeof out, &len));
            NOTHING(backstop_sign(ring, it, n, now, out, 4, &len));
            NOTHING(backstop_sign_subaddress(ring, it, n, now, out, sizeof out, &len));
            NOTHING(backstop_verify(ring, it, n, now, &v));
            NOTHING(backstop_strip(it, n, out, sizeof out, &len, &number));
            NOTHING(backstop_srs_forward(ring, srs, it, n, now, out, sizeof out, &len));
            NOTHING(backstop_srs_reverse(ring, srs, it, n, now, &v));
            NOTHING(backstop_policy_outgoing(policy, ring, it, n, &to, 1, BACKSTOP_ORIGIN_SUBMITTED, now, out, sizeof out,
                                             &len, &number));
            NOTHING(backstop_policy_forward(policy, ring, it, n, "user@example.com", 16, now, out, sizeof out, &len, &number));
            NOTHING(backstop_policy_incoming(policy, ring, "", 0, it, n, BACKSTOP_CLIENT_OTHER, now, &d));
        }
    for (size_t i = 0; i < MANY; i++) {
        const char *it = addresses[i % 7 == 0 ? i / 7 % (sizeof addresses / sizeof *addresses) : 0];
        senders[i] = (backstop_text){it, strlen(it)};
    }
    size_t len, done;
    for (size_t number = 0; number < MANY; number = number * 3 + 1) {
        NOTHING(backstop_sign_many(ring, senders, number, NOW, room, sizeof room, &len, results, codes, &done));
        NOTHING(backstop_sign_many(ring, senders, number, NOW, room, 99, &len, results, codes, &done));
        NOTHING(backstop_verify_many(ring, senders, number, NOW, verdicts, codes));
    }
    many_take_as_much_stack_as_the_manual_says(ring);
    backstop_srs_free(srs);
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
    return 0;
}
