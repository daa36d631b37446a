/* What all C tests of libbackstop share: a check that tells where it failed, and a ring with a key of every use. */
#ifndef BACKSTOP_TEST_H
#define BACKSTOP_TEST_H

#include <backstop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* 2026-11-21T17:00:00Z, day 20778. */
#define NOW INT64_C(1795280400)
#define DAY INT64_C(86400)

/* A text with its length. */
#define S(text) (text), strlen(text)

#define RING                                                  \
    "version 1\n"                                             \
    "prvs 0 sha1 7 - - * text:secret\n"                       \
    "bst1 k sha256 10 2026-11-01 - bst1.example text:bst1\n"  \
    "srs 0 sha1 21 - - * text:tops3cr3t\n"                    \
    "mark m sha256 14 - - * text:mark\n"

#define POLICY "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nexempt-clients = [\"192.0.2.9\"]\n" \
               "[policy.srs]\ndomain = \"fwd.example.net\"\n"

static inline backstop_keyring *ring_of(const char *text)
{
    backstop_keyring *ring = NULL;
    CHECK(backstop_keyring_parse(S(text), &ring) == BACKSTOP_OK && ring != NULL);
    return ring;
}

static inline backstop_policy *policy_of(const char *text)
{
    backstop_policy *policy = NULL;
    CHECK(backstop_policy_parse(S(text), &policy) == BACKSTOP_OK && policy != NULL);
    return policy;
}

static inline backstop_srs *forwarder_of(const char *domain)
{
    backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
    backstop_srs *srs = NULL;
    CHECK(backstop_srs_new(S(domain), "", 0, &options, &srs) == BACKSTOP_OK && srs != NULL);
    return srs;
}

/* Whether a text with a length is this one. */
static inline int same(const char *text, size_t len, const char *expected)
{
    return len == strlen(expected) && memcmp(text, expected, len) == 0;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

#endif
