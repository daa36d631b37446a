/* Every function that writes a text, called with one buffer: for the tests of sizes and of NULL. The arguments that are
 * pointers are numbered; the one that is to be NULL is passed as NULL. */
#ifndef BACKSTOP_TEST_CALLS_H
#define BACKSTOP_TEST_CALLS_H

#include "bounce.h"
#include "test.h"

#include <sys/stat.h>

struct fixture {
    backstop_keyring *ring;
    backstop_policy *policy;
    backstop_srs *srs;
    backstop_keystore *store;
    backstop_inspection *inspection;
};

/* NULL if this is the argument that is to be missing. */
#define OR_NULL(number, pointer) (missing == (number) ? NULL : (pointer))

typedef int32_t call(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len);

#define ADDRESS "alice@example.com"
#define BAD_RING "version 1\nprvs x sha1 7 - - * text:s\n"
#define BAD_POLICY "[policy]\nmood = 1\n"

static const uint8_t nonce[BACKSTOP_NONCE_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};

static int32_t call_sign(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_sign(OR_NULL(3, f->ring), OR_NULL(4, ADDRESS), strlen(ADDRESS), NOW, buf, cap, len);
}

static int32_t call_unsigned(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_sign(OR_NULL(3, f->ring), OR_NULL(4, "prvs=0785000000=a@b.example"), 27, NOW, buf, cap, len);
}

static int32_t call_sign_subaddress(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_sign_subaddress(OR_NULL(3, f->ring), OR_NULL(4, ADDRESS), strlen(ADDRESS), NOW, buf, cap, len);
}

static int32_t call_sign_many(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    backstop_text in[2] = {{"no address", 10}, {OR_NULL(5, ADDRESS), strlen(ADDRESS)}}, out[2];
    int32_t status[2];
    size_t done;
    return backstop_sign_many(OR_NULL(3, f->ring), OR_NULL(4, in), 2, NOW, buf, cap, len, OR_NULL(6, out), OR_NULL(7, status),
                              OR_NULL(8, &done));
}

static int32_t call_strip(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    int32_t tag;
    (void)f;
    return backstop_strip(OR_NULL(3, "btv1==123456789ab==user@example.com"), 35, buf, cap, len, OR_NULL(4, &tag));
}

static int32_t call_explain(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_explain(OR_NULL(3, f->ring), OR_NULL(4, ADDRESS), strlen(ADDRESS), NOW, buf, cap, len);
}

static int32_t call_srs_forward(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_srs_forward(OR_NULL(3, f->ring), OR_NULL(4, f->srs), OR_NULL(5, ADDRESS), strlen(ADDRESS), NOW, buf, cap,
                                len);
}

static int32_t call_mark_address_of_from(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    (void)f;
    return backstop_mark_address_of_from(OR_NULL(3, "Alice <alice@example.com>"), 25, buf, cap, len);
}

static int32_t call_mark_header(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_mark_header(OR_NULL(3, f->ring), OR_NULL(4, ADDRESS), strlen(ADDRESS), OR_NULL(5, nonce), NOW, buf, cap,
                                len);
}

static int32_t call_mark_message_id(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_mark_message_id(OR_NULL(3, f->ring), OR_NULL(4, "1.2"), 3, OR_NULL(5, "example.com"), 11,
                                    OR_NULL(6, ADDRESS), strlen(ADDRESS), NOW, buf, cap, len);
}

static int32_t call_keyring_diagnose(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    size_t line;
    (void)f;
    return backstop_keyring_diagnose(OR_NULL(3, BAD_RING), strlen(BAD_RING), buf, cap, len, OR_NULL(4, &line));
}

static int32_t call_keyring_diagnose_file(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    (void)f;
    return backstop_keyring_diagnose_file(OR_NULL(3, "/nowhere/keys"), buf, cap, len);
}

static int32_t call_keyring_fingerprint(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_keyring_fingerprint(OR_NULL(3, f->ring), buf, cap, len);
}

static int32_t call_keystore_diagnose(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    (void)f;
    return backstop_keystore_diagnose(OR_NULL(3, "/nowhere/keys"), buf, cap, len);
}

static int32_t call_keystore_report(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_keystore_report(OR_NULL(3, f->store), buf, cap, len);
}

static int32_t call_policy_diagnose(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    size_t line;
    (void)f;
    return backstop_policy_diagnose(OR_NULL(3, BAD_POLICY), strlen(BAD_POLICY), buf, cap, len, OR_NULL(4, &line));
}

static int32_t call_policy_outgoing(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    int32_t rule;
    backstop_text to[2] = {{"b@example.org", 13}, {OR_NULL(7, "c@example.org"), 13}};
    return backstop_policy_outgoing(OR_NULL(3, f->policy), OR_NULL(4, f->ring), OR_NULL(5, ADDRESS), strlen(ADDRESS),
                                    OR_NULL(6, to), 2, BACKSTOP_ORIGIN_SUBMITTED, NOW, buf, cap, len, OR_NULL(8, &rule));
}

static int32_t call_policy_forward(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    int32_t rule;
    return backstop_policy_forward(OR_NULL(3, f->policy), OR_NULL(4, f->ring), OR_NULL(5, "bob@example.org"), 15,
                                   OR_NULL(6, ADDRESS), strlen(ADDRESS), NOW, buf, cap, len, OR_NULL(7, &rule));
}

static int32_t call_inspection_text(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_inspection_text(OR_NULL(3, f->inspection), BACKSTOP_TEXT_REPORTING, buf, cap, len);
}

static int32_t call_inspection_evidence(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    int32_t weight;
    return backstop_inspection_evidence(OR_NULL(3, f->inspection), 0, buf, cap, len, OR_NULL(4, &weight));
}

static int32_t call_inspection_why(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    return backstop_inspection_evidence_why(OR_NULL(3, f->inspection), 0, buf, cap, len);
}

static int32_t call_inspection_check(const struct fixture *f, int missing, char *buf, size_t cap, size_t *len)
{
    backstop_check check = BACKSTOP_CHECK_INIT;
    return backstop_inspection_check(OR_NULL(3, f->inspection), 0, buf, cap, len, OR_NULL(4, &check));
}

/* Each with the number of its last pointer; 1 and 2 are the buffer and its length. */
static const struct {
    call *call;
    const char *name;
    int32_t code;
    int last;
} calls[] = {
    {call_sign, "sign", BACKSTOP_OK, 4},
    {call_unsigned, "sign, unsigned", BACKSTOP_UNSIGNED_ALREADY, 4},
    {call_sign_subaddress, "sign_subaddress", BACKSTOP_OK, 4},
    {call_sign_many, "sign_many", BACKSTOP_OK, 8},
    {call_strip, "strip", BACKSTOP_OK, 4},
    {call_explain, "explain", BACKSTOP_OK, 4},
    {call_srs_forward, "srs_forward", BACKSTOP_OK, 5},
    {call_mark_address_of_from, "mark_address_of_from", BACKSTOP_OK, 3},
    {call_mark_header, "mark_header", BACKSTOP_OK, 5},
    {call_mark_message_id, "mark_message_id", BACKSTOP_OK, 6},
    {call_keyring_diagnose, "keyring_diagnose", BACKSTOP_OK, 4},
    {call_keyring_diagnose_file, "keyring_diagnose_file", BACKSTOP_OK, 3},
    {call_keyring_fingerprint, "keyring_fingerprint", BACKSTOP_OK, 3},
    {call_keystore_diagnose, "keystore_diagnose", BACKSTOP_OK, 3},
    {call_keystore_report, "keystore_report", BACKSTOP_OK, 3},
    {call_policy_diagnose, "policy_diagnose", BACKSTOP_OK, 4},
    {call_policy_outgoing, "policy_outgoing", BACKSTOP_OK, 8},
    {call_policy_forward, "policy_forward", BACKSTOP_OK, 7},
    {call_inspection_text, "inspection_text", BACKSTOP_OK, 3},
    {call_inspection_evidence, "inspection_evidence", BACKSTOP_OK, 4},
    {call_inspection_why, "inspection_evidence_why", BACKSTOP_OK, 3},
    {call_inspection_check, "inspection_check", BACKSTOP_OK, 4},
};
enum { CALLS = sizeof calls / sizeof *calls };

/* A store whose file has gone bad, so that there is a report. */
static inline void set_up(struct fixture *f, const char *path)
{
    f->ring = ring_of(RING);
    f->policy = policy_of(POLICY);
    f->srs = forwarder_of("fwd.example.net");
    f->inspection = inspection_of(f->policy, f->ring, BOUNCE, TAGGED);
    remove(path);
    write_file(path, RING);
    CHECK(chmod(path, 0600) == 0 && backstop_keystore_open(path, &f->store) == BACKSTOP_OK);
    write_file(path, BAD_RING);
    CHECK(backstop_keystore_reload(f->store) == BACKSTOP_ERR_FILE);
}

static inline void tear_down(struct fixture *f, const char *path)
{
    remove(path);
    backstop_keystore_free(f->store);
    backstop_inspection_free(f->inspection);
    backstop_srs_free(f->srs);
    backstop_policy_free(f->policy);
    backstop_keyring_free(f->ring);
}

#endif
