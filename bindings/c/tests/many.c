/* Many addresses in one call are what they are one by one, for every count, in every buffer; what the manual says of
 * backstop_sign_many and backstop_verify_many beyond that. */
#include "test.h"

enum { MOST = 700, ROOM = 330 };

/* What a list may hold; each stands alone on the heap, so that one octet too many is seen. */
static const char *const kinds[] = {
    "user@example.com", "firstname.lastname@a.mail.example.com", "prvs=07853508f8=user@example.com",
    "prvs=07853508f9=user@example.com", "prvs=97853508f9=user@example.com", "no address",
    "<>", "", "<user@example.com>", "<@route.example:user@example.com>", "Mixed.Case@Example.COM", "\"a b\"@example.com",
    "user@[IPv6:2001:db8::1]", "postmaster", "a@bst1.example", "user+prvs=07853508f8@example.com", "prvs=nothing@example.com",
    "btv1==123456789ab==user@example.com", "a-local-part-of-more-than-forty-nine-octets-which-is-too-long@example.com",
    "user@example.com\n", "\xff@example.com", "SRS0=PGkz=G3=example.com=alice@fwd.example.net", "a@b@c",
    "old@example.com",
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static backstop_text texts[MOST];

static void make_texts(const backstop_keyring *ring)
{
    for (size_t i = 0; i < MOST; i++) {
        const char *it = kinds[(i * 7 + i / KINDS) % KINDS];
        char tagged[ROOM], *octets;
        size_t len = strlen(it);
        /* Every other plain one is another address. */
        if (i % 2 == 0 && strcmp(it, kinds[0]) == 0) {
            len = (size_t)snprintf(tagged, sizeof tagged, "user%u@host-%u.example", (unsigned)i, (unsigned)i);
            it = tagged;
        }
        if (strcmp(it, "old@example.com") == 0) {
            CHECK(backstop_sign(ring, it, len, NOW - 30 * DAY, tagged, sizeof tagged, &len) == BACKSTOP_OK);
            it = tagged;
        }
        octets = malloc(len > 0 ? len : 1);
        CHECK(octets != NULL);
        memcpy(octets, it, len);
        texts[i].data = octets;
        texts[i].len = len;
    }
}

/* What backstop_sign says of each, one by one. */
struct alone {
    int32_t status;
    size_t len;
    char text[ROOM];
};
static struct alone alone[MOST];

static int same_text(backstop_text it, const char *text, size_t len)
{
    return it.len == len && memcmp(it.data, text, len) == 0;
}

/* Octets on the heap, all 0x5a, so many and no more. */
static void *filled(size_t size)
{
    void *octets = malloc(size > 0 ? size : 1);
    CHECK(octets != NULL);
    memset(octets, 0x5a, size > 0 ? size : 1);
    return octets;
}

static int untouched(const void *octets, size_t size)
{
    const unsigned char *at = octets;
    while (size-- > 0)
        if (*at++ != 0x5a)
            return 0;
    return 1;
}

/* The first `done` are what they are alone, stand in `buf` in order, and nothing else was written. */
static void right(size_t first, size_t count, size_t done, const backstop_text *out, const int32_t *status, const char *buf,
                  size_t cap)
{
    size_t at = 0;
    for (size_t i = 0; i < done; i++) {
        const struct alone *it = &alone[first + i];
        CHECK(status[i] == it->status);
        if (it->status == BACKSTOP_OK) {
            CHECK(out[i].data == buf + at && same_text(out[i], it->text, it->len));
            at += it->len;
        } else
            CHECK(out[i].data == texts[first + i].data && out[i].len == texts[first + i].len);
    }
    CHECK(untouched(buf + at, cap - at));
    CHECK(untouched(out + done, (count - done) * sizeof *out) && untouched(status + done, (count - done) * sizeof *status));
}

static size_t octets_signed(size_t first, size_t count)
{
    size_t sum = 0;
    for (size_t i = first; i < first + count; i++)
        sum += alone[i].status == BACKSTOP_OK ? alone[i].len : 0;
    return sum;
}

static void every_count_signs_as_alone(const backstop_keyring *ring)
{
    for (size_t count = 0; count <= MOST; count += count < 70 || (count > 250 && count < 262) ? 1 : 29) {
        size_t needed = octets_signed(0, count), len = 7777, done = 7777;
        char *buf = filled(needed);
        backstop_text *out = filled(count * sizeof *out);
        int32_t *status = filled(count * sizeof *status);
        CHECK(backstop_sign_many(ring, texts, count, NOW, buf, needed, &len, out, status, &done) == BACKSTOP_OK);
        CHECK(done == count && len == needed);
        right(0, count, done, out, status, buf, needed);
        free(buf), free(out), free(status);
    }
}

static void every_capacity_does_what_it_has_room_for_and_tells_the_rest(const backstop_keyring *ring)
{
    enum { COUNT = 300 };
    size_t needed = octets_signed(0, COUNT);
    for (size_t cap = 0; cap <= needed + 20; cap += cap < 300 || cap + 300 > needed ? 1 : 29) {
        size_t len = 7777, done = 7777, fitting = 0;
        char *buf = filled(cap);
        backstop_text *out = filled(COUNT * sizeof *out);
        int32_t *status = filled(COUNT * sizeof *status);
        while (fitting < COUNT && octets_signed(0, fitting + 1) <= cap)
            fitting++;
        int32_t code = backstop_sign_many(ring, texts, COUNT, NOW, buf, cap, &len, out, status, &done);
        CHECK(code == (cap < needed ? BACKSTOP_ERR_TOO_SMALL : BACKSTOP_OK));
        CHECK(len == needed && done == fitting && (code == BACKSTOP_OK) == (done == COUNT));
        right(0, COUNT, done, out, status, buf, cap);
        free(buf), free(out), free(status);
    }
}

static void a_small_buffer_goes_on_where_it_was_full(const backstop_keyring *ring)
{
    for (size_t cap = BACKSTOP_ADDRESS_MAX; cap < 3000; cap += 211) {
        size_t calls = 0;
        for (size_t first = 0, done; first < MOST; first += done, calls++) {
            size_t len;
            char *buf = filled(cap);
            backstop_text *out = filled((MOST - first) * sizeof *out);
            int32_t *status = filled((MOST - first) * sizeof *status);
            int32_t code = backstop_sign_many(ring, texts + first, MOST - first, NOW, buf, cap, &len, out, status, &done);
            CHECK(done > 0 && len == octets_signed(first, MOST - first));
            CHECK(code == (first + done < MOST ? BACKSTOP_ERR_TOO_SMALL : BACKSTOP_OK));
            right(first, MOST - first, done, out, status, buf, cap);
            free(buf), free(out), free(status);
        }
        CHECK(calls > 1);
    }
}

/* The longest results that there are take no more room than the manual says. */
static void address_max_for_each_is_always_enough(const backstop_keyring *ring)
{
    enum { COUNT = 70 };
    char longest[BACKSTOP_ADDRESS_MAX - 16], *buf = filled(COUNT * BACKSTOP_ADDRESS_MAX);
    backstop_text in[COUNT], out[COUNT];
    int32_t status[COUNT];
    size_t len, done;
    memset(longest, 'a', sizeof longest);
    longest[40] = '@';
    for (size_t at = 90; at < sizeof longest; at += 50)
        longest[at] = '.';
    for (size_t i = 0; i < COUNT; i++)
        in[i] = (backstop_text){longest, sizeof longest};
    CHECK(backstop_sign_many(ring, in, COUNT, NOW, buf, COUNT * BACKSTOP_ADDRESS_MAX, &len, out, status, &done) == BACKSTOP_OK);
    CHECK(done == COUNT && len == COUNT * BACKSTOP_ADDRESS_MAX && out[COUNT - 1].len == BACKSTOP_ADDRESS_MAX);
    CHECK(backstop_sign_many(ring, in, COUNT, NOW, buf, len - 1, &len, out, status, &done) == BACKSTOP_ERR_TOO_SMALL);
    CHECK(done == COUNT - 1 && len == COUNT * BACKSTOP_ADDRESS_MAX);
    free(buf);
}

static void results_may_take_the_place_of_the_addresses(const backstop_keyring *ring)
{
    for (size_t cap = 500; cap <= MOST * BACKSTOP_ADDRESS_MAX; cap *= 7) {
        backstop_text *both = filled(sizeof texts);
        int32_t *status = filled(MOST * sizeof *status);
        char *buf = filled(cap);
        size_t len, done;
        memcpy(both, texts, sizeof texts);
        backstop_sign_many(ring, both, MOST, NOW, buf, cap, &len, both, status, &done);
        CHECK(done > 0 && len == octets_signed(0, MOST));
        CHECK(memcmp(both + done, texts + done, (MOST - done) * sizeof *both) == 0);
        /* What `right` wants to see behind what was done. */
        memset(both + done, 0x5a, (MOST - done) * sizeof *both);
        right(0, MOST, done, both, status, buf, cap);
        free(both), free(status), free(buf);
    }
}

/* The other way that the manual has, to begin again, would read addresses from the buffer that is written to. */
static void where_results_take_the_place_a_small_buffer_goes_on(const backstop_keyring *ring)
{
    enum { CAP = 500 };
    backstop_text both[MOST];
    int32_t status[MOST];
    char *bufs[MOST];
    size_t calls = 0, len, done;
    memcpy(both, texts, sizeof texts);
    for (size_t first = 0; first < MOST; first += done) {
        bufs[calls] = filled(CAP);
        backstop_sign_many(ring, both + first, MOST - first, NOW, bufs[calls++], CAP, &len, both + first, status + first, &done);
        CHECK(done > 0 && len == octets_signed(first, MOST - first));
    }
    for (size_t i = 0; i < MOST; i++) {
        CHECK(status[i] == alone[i].status);
        if (status[i] == BACKSTOP_OK)
            CHECK(same_text(both[i], alone[i].text, alone[i].len));
        else
            CHECK(both[i].data == texts[i].data && both[i].len == texts[i].len);
    }
    CHECK(calls > 10);
    while (calls > 0)
        free(bufs[--calls]);
}

static void every_count_verifies_as_alone(const backstop_keyring *ring)
{
    static backstop_verdict expected[MOST];
    static int32_t codes[MOST];
    for (uint32_t size = BACKSTOP_VERDICT_SIZE_1; size <= sizeof *expected; size += sizeof *expected - BACKSTOP_VERDICT_SIZE_1) {
        for (size_t i = 0; i < MOST; i++) {
            memset(&expected[i], 0, sizeof *expected);
            expected[i].size = size;
            expected[i].signed_day = expected[i].expires_day = -1;
            codes[i] = backstop_verify(ring, texts[i].data, texts[i].len, NOW, &expected[i]);
        }
        for (size_t count = 0; count <= MOST; count += count < 70 || (count > 250 && count < 262) ? 1 : 29) {
            unsigned char *out = filled(count > 0 ? count * size : size);
            int32_t *status = filled(count * sizeof *status);
            memcpy(out, &size, sizeof size);
            CHECK(backstop_verify_many(ring, texts, count, NOW, (backstop_verdict *)(void *)out, status) == BACKSTOP_OK);
            for (size_t i = 0; i < count; i++)
                CHECK(status[i] == codes[i] && memcmp(out + i * size, &expected[i], size) == 0);
            CHECK(count > 0 || untouched(out + sizeof size, size - sizeof size));
            free(out), free(status);
        }
    }
    size_t seen[BACKSTOP_UNTAGGED + 1] = {0};
    for (size_t i = 0; i < MOST; i++)
        seen[expected[i].verdict]++;
    for (int32_t verdict = BACKSTOP_NONE; verdict <= BACKSTOP_UNTAGGED; verdict++)
        CHECK(seen[verdict] > 0);
}

/* A call that must write nothing. */
#define REFUSED(code, ...)                                                                                      \
    do {                                                                                                        \
        CHECK((__VA_ARGS__) == (code));                                                                         \
        CHECK(len == 7777 && done == 7777 && untouched(buf, sizeof buf) && untouched(out, sizeof out));         \
        CHECK(untouched(status, sizeof status) && memcmp(v, before, sizeof v) == 0);                            \
    } while (0)

static void a_wrong_call_writes_nothing(const backstop_keyring *ring)
{
    enum { COUNT = 9 };
    char buf[COUNT * ROOM];
    backstop_text in[COUNT], out[COUNT];
    backstop_verdict v[COUNT] = {BACKSTOP_VERDICT_INIT}, before[COUNT];
    int32_t status[COUNT];
    size_t len = 7777, done = 7777, cap = sizeof buf;
    memset(buf, 0x5a, sizeof buf), memset(out, 0x5a, sizeof out), memset(status, 0x5a, sizeof status);
    memcpy(before, v, sizeof v);
    memcpy(in, texts, sizeof in);
    for (size_t n = 0; n <= COUNT; n += COUNT) {
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(NULL, in, n, NOW, buf, cap, &len, out, status, &done));
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, NULL, n, NOW, buf, cap, &len, out, status, &done));
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, in, n, NOW, NULL, cap, &len, out, status, &done));
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, in, n, NOW, buf, cap, NULL, out, status, &done));
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, in, n, NOW, buf, cap, &len, NULL, status, &done));
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, in, n, NOW, buf, cap, &len, out, NULL, &done));
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, in, n, NOW, buf, cap, &len, out, status, NULL));
        REFUSED(BACKSTOP_ERR_NULL, backstop_verify_many(NULL, in, n, NOW, v, status));
        REFUSED(BACKSTOP_ERR_NULL, backstop_verify_many(ring, NULL, n, NOW, v, status));
        REFUSED(BACKSTOP_ERR_NULL, backstop_verify_many(ring, in, n, NOW, NULL, status));
        REFUSED(BACKSTOP_ERR_NULL, backstop_verify_many(ring, in, n, NOW, v, NULL));
        REFUSED(BACKSTOP_ERR_TIME, backstop_sign_many(ring, in, n, NOW * 1000, buf, cap, &len, out, status, &done));
        REFUSED(BACKSTOP_ERR_TIME, backstop_verify_many(ring, in, n, -2, v, status));
    }
    for (size_t bad = 0; bad < COUNT; bad++) {
        backstop_text good = in[bad];
        in[bad].data = NULL;
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, in, COUNT, NOW, buf, cap, &len, out, status, &done));
        REFUSED(BACKSTOP_ERR_NULL, backstop_verify_many(ring, in, COUNT, NOW, v, status));
        in[bad].len = 0;
        REFUSED(BACKSTOP_ERR_NULL, backstop_sign_many(ring, in, COUNT, NOW, buf, cap, &len, out, status, &done));
        in[bad] = (backstop_text){good.data, SIZE_MAX / 2 + 1};
        REFUSED(BACKSTOP_ERR_LENGTH, backstop_sign_many(ring, in, COUNT, NOW, buf, cap, &len, out, status, &done));
        REFUSED(BACKSTOP_ERR_LENGTH, backstop_verify_many(ring, in, COUNT, NOW, v, status));
        in[bad] = good;
    }
    /* So many that no array can have them. */
    for (size_t n = SIZE_MAX; n > SIZE_MAX / 2 / sizeof(backstop_text); n /= 2) {
        REFUSED(BACKSTOP_ERR_LENGTH, backstop_sign_many(ring, in, n, NOW, buf, cap, &len, out, status, &done));
        REFUSED(BACKSTOP_ERR_LENGTH, backstop_verify_many(ring, in, n, NOW, v, status));
    }
    REFUSED(BACKSTOP_ERR_LENGTH, backstop_verify_many(ring, in, SIZE_MAX / 2 / sizeof *v + 1, NOW, v, status));
    for (v[0].size = 0; v[0].size < 1000; v[0].size++)
        if (v[0].size != BACKSTOP_VERDICT_SIZE_1 && v[0].size != sizeof *v)
            CHECK(backstop_verify_many(ring, in, COUNT, NOW, v, status) == BACKSTOP_ERR_SIZE);
    v[0].size = sizeof *v;
    REFUSED(BACKSTOP_ERR_TIME, backstop_verify_many(ring, in, COUNT, INT64_MAX, v, status));
}

int main(void)
{
    backstop_keyring *ring = ring_of(RING);
    size_t seen[3] = {0};
    make_texts(ring);
    for (size_t i = 0; i < MOST; i++) {
        struct alone *it = &alone[i];
        it->status = backstop_sign(ring, texts[i].data, texts[i].len, NOW, it->text, sizeof it->text, &it->len);
        seen[it->status < 0 ? 0 : it->status > 0 ? 1 : 2]++;
    }
    CHECK(seen[0] > 50 && seen[1] > 50 && seen[2] > 50);
    every_count_signs_as_alone(ring);
    every_capacity_does_what_it_has_room_for_and_tells_the_rest(ring);
    a_small_buffer_goes_on_where_it_was_full(ring);
    address_max_for_each_is_always_enough(ring);
    results_may_take_the_place_of_the_addresses(ring);
    where_results_take_the_place_a_small_buffer_goes_on(ring);
    every_count_verifies_as_alone(ring);
    a_wrong_call_writes_nothing(ring);
    for (size_t i = 0; i < MOST; i++)
        free((void *)(uintptr_t)texts[i].data);
    backstop_keyring_free(ring);
    return 0;
}
