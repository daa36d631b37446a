/* The functions for Exim, called as Exim calls them: every function, wrong counts, NULL, options, files that are bad or
 * change, and a fork. Real Exim runs in bindings/exim/test. */
#include "test.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef int dlfunc(unsigned char **result, int argc, unsigned char **argv);

static char keys[4200], policy[4200], nowhere[4200];
/* What the last call answered; the buffer of the library itself, which lasts until the next call. */
static const char *answer;

/* Calls one with arguments that end in NULL, as copies in memory of their own, so that a byte too many is noticed. */
static int ask(dlfunc *f, const char *const *given)
{
    unsigned char *argv[16], *result = NULL;
    int argc = 0;
    for (; given[argc] != NULL; argc++) {
        argv[argc] = malloc(strlen(given[argc]) + 1);
        CHECK(argv[argc] != NULL);
        memcpy(argv[argc], given[argc], strlen(given[argc]) + 1);
    }
    argv[argc] = NULL;
    int status = f(&result, argc, argv);
    while (argc > 0)
        free(argv[--argc]);
    CHECK(result != NULL);
    answer = (const char *)result;
    return status;
}

#define ASK(f, ...) ask((f), (const char *const[]){__VA_ARGS__, NULL})
#define OK(f, expected, ...) says(ASK(f, __VA_ARGS__), BACKSTOP_EXIM_OK, (expected), 1, __LINE__)
#define HAS(f, status, part, ...) says(ASK(f, __VA_ARGS__), (status), (part), 0, __LINE__)

/* The whole answer, or a part of it. */
static void says(int status, int expected_status, const char *expected, int whole, int line)
{
    if (status != expected_status || (whole ? strcmp(answer, expected) != 0 : strstr(answer, expected) == NULL)) {
        fprintf(stderr, "exim.c:%d: status %d, answer \"%s\"\n", line, status, answer);
        exit(1);
    }
    CHECK(strstr(answer, "tops3cr3t") == NULL && strstr(answer, "text:") == NULL);
}

/* Others' vectors: secret, day 20778, address. */
#define SIGNED "prvs=07853508f8=user@example.com"
#define FORGED "prvs=0785000000=user@example.com"
#define SRS0 "SRS0=PGkz=G3=example.com=alice@fwd.example.net"
#define NOW_TEXT "now=1795280400"
#define LATER "now=1796144400" /* ten days later */
#define OLD_NOW "now=1700000000"

#define RULES "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nrefuse-at = \"rcpt\"\n" \
              "expired-grace = 0\nno-sign-recipients = [\"@ezmlm.example\"]\ninternal-hosts = [\"192.0.2.0/24\"]\n" \
              "exempt-clients = [\"198.51.100.7\"]\n[policy.srs]\ndomain = \"fwd.example.net\"\n"

static void path(char *to, size_t cap, const char *name)
{
    char here[4000];
    CHECK(getcwd(here, sizeof here) != NULL && (size_t)snprintf(to, cap, "%s/%s", here, name) < cap);
}

/* A new file in place of the old one. */
static void put(const char *to, const char *text)
{
    write_file("exim.new", text);
    CHECK(chmod("exim.new", 0600) == 0 && rename("exim.new", to) == 0);
}

static void wait_a_second(void)
{
    struct timespec time = {1, 50000000};
    nanosleep(&time, NULL);
}

static void every_function(void)
{
    OK(backstop_exim_sign, SIGNED, keys, "user@example.com", NOW_TEXT);
    OK(backstop_exim_sign, "user+prvs=07853508f8@example.com", keys, "user@example.com", "form=subaddress", NOW_TEXT);
    OK(backstop_exim_sign, SIGNED, keys, "user@example.com", "form=", NOW_TEXT);
    /* What stays as it is: the null sender, a signed one, SRS, a long one, and what is no address. */
    OK(backstop_exim_sign, "", keys, "", NOW_TEXT);
    OK(backstop_exim_sign, SIGNED, keys, SIGNED, NOW_TEXT);
    OK(backstop_exim_sign, SRS0, keys, SRS0, NOW_TEXT);
    OK(backstop_exim_sign, "no address", keys, "no address", NOW_TEXT);
    OK(backstop_exim_sign, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com", keys,
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com", NOW_TEXT);

    OK(backstop_exim_verify, "verdict=genuine mailbox=user@example.com key=0 signed=2026-11-21 expires=2026-11-28",
       keys, SIGNED,
       NOW_TEXT);
    OK(backstop_exim_verify,
       "verdict=expired reason=lifetime mailbox=user@example.com key=0 signed=2026-11-21 expires=2026-11-28", keys,
       SIGNED, LATER);
    OK(backstop_exim_verify, "verdict=forged key=0", keys, FORGED, NOW_TEXT);
    OK(backstop_exim_verify, "verdict=untagged mailbox=user@example.com", keys, "<user@example.com>", NOW_TEXT);
    OK(backstop_exim_verify, "verdict=untagged mailbox=Postmaster", keys, "<Postmaster>", NOW_TEXT);
    OK(backstop_exim_verify, "verdict=untagged mailbox=\"\\\"a \\\\\\\"b\\\"@example.com\"", keys,
       "\"a \\\"b\"@example.com",
       NOW_TEXT);
    OK(backstop_exim_verify, "verdict=malformed reason=unparsable", keys, "", NOW_TEXT);
    OK(backstop_exim_verify, "verdict=malformed reason=unparsable", keys, "no address", NOW_TEXT);

    OK(backstop_exim_strip, "user@example.com", FORGED);
    OK(backstop_exim_strip, "user@example.com", "btv1==123456789ab==user@example.com");
    OK(backstop_exim_strip, "a=b=c@example.com", "a=b=c@example.com");
    OK(backstop_exim_strip, "", "");
    OK(backstop_exim_strip, "no address", "no address");

    OK(backstop_exim_srs_forward, SRS0, keys, "alice@example.com", "fwd.example.net", OLD_NOW);
    OK(backstop_exim_srs_forward, "", keys, "", "fwd.example.net", OLD_NOW);
    OK(backstop_exim_srs_forward, "bob@fwd.example.net", keys, "bob@fwd.example.net", "fwd.example.net", OLD_NOW);
    OK(backstop_exim_srs_forward, SRS0, keys, SRS0, "fwd2.example.net", "own=fwd.example.net", OLD_NOW);
    OK(backstop_exim_srs_reverse,
       "verdict=genuine mailbox=alice@example.com key=0 signed=2023-11-14 expires=2023-12-05", keys, SRS0,
       "fwd.example.net", OLD_NOW);
    OK(backstop_exim_srs_reverse,
       "verdict=genuine mailbox=alice@example.com key=0 signed=2023-11-14 expires=2023-12-05", keys, SRS0,
       "fwd2.example.net", "own=a.example,fwd.example.net", OLD_NOW);
    OK(backstop_exim_srs_reverse, "verdict=foreign reason=not-own", keys, SRS0, "fwd2.example.net", OLD_NOW);
    OK(backstop_exim_srs_reverse, "verdict=untagged mailbox=user@fwd.example.net", keys, "user@fwd.example.net",
       "fwd.example.net", OLD_NOW);
}

static void by_policy(void)
{
    dlfunc *out = backstop_exim_policy_outgoing, *in = backstop_exim_policy_incoming;
    /* Local programs, the own network and whoever authenticated are signed, and no one else. */
    OK(out, SIGNED, keys, policy, "user@example.com", "", "0", NOW_TEXT);
    OK(out, SIGNED, keys, policy, "user@example.com", "", "", NOW_TEXT);
    OK(out, SIGNED, keys, policy, "user@example.com", "192.0.2.9", "40000", "authenticated=", NOW_TEXT);
    OK(out, SIGNED, keys, policy, "user@example.com", "203.0.113.1", "40000", "authenticated=plain", NOW_TEXT);
    OK(out, "user@example.com", keys, policy, "user@example.com", "203.0.113.1", "40000", NOW_TEXT);
    OK(out, "user@example.com", keys, policy, "user@example.com", "2001:db8::1", "40000", NOW_TEXT);
    OK(out, "user@example.com", keys, policy, "user@example.com", "203.0.113.1", "0", NOW_TEXT);
    OK(out, "user@example.org", keys, policy, "user@example.org", "", "0", NOW_TEXT);
    OK(out, "user@example.com", keys, policy, "user@example.com", "", "0", "recipient=list@ezmlm.example", NOW_TEXT);
    OK(out, SIGNED, keys, policy, "user@example.com", "", "0", "recipient=bob@example.org", NOW_TEXT);
    OK(out, "", keys, policy, "", "", "0", NOW_TEXT);
    HAS(out, BACKSTOP_EXIM_ERROR, "IP address", keys, policy, "user@example.com", "localhost", "0");
    HAS(out, BACKSTOP_EXIM_ERROR, "port", keys, policy, "user@example.com", "127.0.0.1", "");
    HAS(out, BACKSTOP_EXIM_ERROR, "port", keys, policy, "user@example.com", "", "65536");
    /* What is no text is not empty: it is no program of this host, which would be signed and never refused. */
    HAS(out, BACKSTOP_EXIM_ERROR, "IP address", keys, policy, "user@example.com", "\xff", "\xff", NOW_TEXT);
    HAS(out, BACKSTOP_EXIM_ERROR, "IP address", keys, policy, "user@example.com", "\xff", "0", NOW_TEXT);
    HAS(out, BACKSTOP_EXIM_ERROR, "port", keys, policy, "user@example.com", "", "\xff", NOW_TEXT);
    HAS(in, BACKSTOP_EXIM_ERROR, "IP address", keys, policy, "", "user@example.com", "\xff", "\xff", NOW_TEXT);

    /* Of a foreign sender, and of an own one, which needs none. */
    char srs[300];
    HAS(backstop_exim_policy_forward, BACKSTOP_EXIM_OK, "SRS0=", keys, policy, "alice@example.org", "user@example.com",
        NOW_TEXT);
    CHECK(memcmp(answer, "SRS0=", 5) == 0 && (size_t)snprintf(srs, sizeof srs, "%s", answer) < sizeof srs);
    OK(backstop_exim_policy_forward, SIGNED, keys, policy, SIGNED, "user@example.com", NOW_TEXT);
    OK(backstop_exim_policy_forward, "", keys, policy, "", "user@example.com", NOW_TEXT);

    OK(in, "action=reverse would=reverse rule=srs-genuine verdict=genuine mode=enforce refuse_at=rcpt log=no "
           "address=alice@example.org", keys, policy, "", srs, "203.0.113.1", "25", NOW_TEXT);
    OK(in, "action=refuse would=refuse rule=srs-sender verdict=genuine mode=enforce refuse_at=rcpt log=yes "
           "reply=\"550 5.7.1 This address takes bounces only, from the null sender\"",
       keys, policy, "bob@example.org", srs, "203.0.113.1", "25", NOW_TEXT);
    OK(in,
       "action=strip would=strip rule=genuine verdict=genuine mode=enforce refuse_at=rcpt log=no address=user@example.com",
       keys, policy, "<>", SIGNED, "203.0.113.1", "25", NOW_TEXT);
    OK(in, "action=refuse would=refuse rule=forged verdict=forged mode=enforce refuse_at=rcpt log=yes "
           "reply=\"550 5.7.1 The signature of this return address is forged; we did not send that mail\"",
       keys, policy, "", FORGED, "203.0.113.1", "25", NOW_TEXT);
    OK(in, "action=unchanged would=unchanged rule=exempt-client verdict=forged mode=enforce refuse_at=rcpt log=yes",
       keys, policy, "", FORGED, "198.51.100.7", "25", NOW_TEXT);
    HAS(in, BACKSTOP_EXIM_OK, "rule=internal-client", keys, policy, "", "user@example.com", "", "0", NOW_TEXT);
    HAS(in, BACKSTOP_EXIM_OK, "action=refuse would=refuse rule=untagged", keys, policy, "", "user@example.com",
        "203.0.113.1", "25", "authenticated=", NOW_TEXT);
    HAS(in, BACKSTOP_EXIM_OK, "action=unchanged would=unchanged rule=submitted-client", keys, policy, "",
        "user@example.com", "203.0.113.1", "25", "authenticated=plain", NOW_TEXT);
    HAS(in, BACKSTOP_EXIM_OK, "rule=expired verdict=expired reason=lifetime", keys, policy, "", SIGNED, "203.0.113.1",
        "25", LATER);
    OK(in, "action=unchanged would=unchanged rule=unparsable mode=enforce refuse_at=rcpt log=no", keys, policy, "",
       "no address",
       "203.0.113.1", "25", NOW_TEXT);
    HAS(in, BACKSTOP_EXIM_ERROR, "IP address", keys, policy, "", SIGNED, "203.0.113", "25");
}

/* Every function, with the counts of its arguments and of the files among them. */
static const struct {
    dlfunc *f;
    const char *name;
    int wanted, files;
} functions[] = {
    {backstop_exim_sign, "backstop_exim_sign", 2, 1},
    {backstop_exim_verify, "backstop_exim_verify", 2, 1},
    {backstop_exim_strip, "backstop_exim_strip", 1, 0},
    {backstop_exim_srs_forward, "backstop_exim_srs_forward", 3, 1},
    {backstop_exim_srs_reverse, "backstop_exim_srs_reverse", 3, 1},
    {backstop_exim_policy_outgoing, "backstop_exim_policy_outgoing", 5, 2},
    {backstop_exim_policy_forward, "backstop_exim_policy_forward", 4, 2},
    {backstop_exim_policy_incoming, "backstop_exim_policy_incoming", 6, 2},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static void wrong_calls(void)
{
    for (int i = 0; i < FUNCTIONS; i++) {
        dlfunc *f = functions[i].f;
        const char *name = functions[i].name;
        int wanted = functions[i].wanted, files = functions[i].files;
        unsigned char *argv[8], *result, empty[] = "", domain[] = "a.example";
        unsigned char odd[] = "nwo=1", bare[] = "tops3cr3t", now[] = "now=", ms[] = "now=1795280400000";
        unsigned char base64[] = "VG9wczNjcjN0IGluIGJhc2U2NA==";
        for (int at = 0; at < 8; at++)
            argv[at] = empty;
        argv[0] = files > 0 ? (unsigned char *)keys : empty;
        argv[1] = files > 1 ? (unsigned char *)policy : empty;
        argv[2] = domain;
        for (int argc = 0; argc < wanted; argc++) {
            CHECK(f(&result, argc, argv) == BACKSTOP_EXIM_ERROR);
            answer = (const char *)result;
            says(BACKSTOP_EXIM_ERROR, BACKSTOP_EXIM_ERROR, name, 0, __LINE__);
        }
        CHECK(f(&result, -1, argv) == BACKSTOP_EXIM_ERROR && strstr((char *)result, "number of arguments") != NULL);
        CHECK(f(NULL, wanted, argv) == BACKSTOP_EXIM_ERROR);
        CHECK(f(NULL, 0, NULL) == BACKSTOP_EXIM_ERROR);
        CHECK(f(&result, wanted, NULL) == BACKSTOP_EXIM_ERROR && strstr((char *)result, "NULL") != NULL);
        CHECK(f(&result, 0, NULL) == BACKSTOP_EXIM_ERROR && strstr((char *)result, name) != NULL);
        for (int missing = 0; missing < wanted; missing++) {
            unsigned char *kept = argv[missing];
            argv[missing] = NULL;
            CHECK(f(&result, wanted, argv) == BACKSTOP_EXIM_ERROR && strstr((char *)result, "is NULL") != NULL);
            argv[missing] = kept;
        }
        argv[wanted] = odd;
        CHECK(f(&result, wanted + 1, argv) == BACKSTOP_EXIM_ERROR && strstr((char *)result, "`nwo=`") != NULL);
        CHECK(files == 0 || strstr((char *)result, "now=") != NULL);
        argv[wanted] = base64;
        CHECK(f(&result, wanted + 1, argv) == BACKSTOP_EXIM_ERROR && strstr((char *)result, "VG9") == NULL &&
              strstr((char *)result, "an unknown option") != NULL);
        argv[wanted] = bare;
        CHECK(f(&result, wanted + 1, argv) == BACKSTOP_EXIM_ERROR && strstr((char *)result, "tops3cr3t") == NULL);
        if (files > 0) {
            argv[wanted] = argv[wanted + 1] = now;
            CHECK(f(&result, wanted + 2, argv) == BACKSTOP_EXIM_ERROR && strstr((char *)result, "twice") != NULL);
            argv[wanted] = ms;
            CHECK(f(&result, wanted + 1, argv) == BACKSTOP_EXIM_ERROR &&
                  strstr((char *)result, "milliseconds") != NULL);
            argv[wanted] = empty;
        }
    }
    HAS(backstop_exim_sign, BACKSTOP_EXIM_ERROR, "form=", keys, "user@example.com", "form=behind");
    HAS(backstop_exim_sign, BACKSTOP_EXIM_ERROR, "seconds", keys, "user@example.com", "now=today");
    HAS(backstop_exim_srs_forward, BACKSTOP_EXIM_ERROR, "one domain", keys, "user@example.com", "a.example,b.example");
    HAS(backstop_exim_srs_reverse, BACKSTOP_EXIM_ERROR, "pattern", keys, "user@example.com", "a..example");
}

/* As Exim 4.96 gives eight arguments: no NULL behind them, and a count that ends at the first NULL somewhere. */
static void full_list(void)
{
    unsigned char *argv[9], *result, empty[] = "", client[] = "203.0.113.1", port[] = "25", name[] = "authenticated=";
    unsigned char recipient[] = SIGNED, sender[] = "user@example.com", other[] = "recipient=bob@example.org";
    unsigned char now[] = NOW_TEXT;
    argv[0] = (unsigned char *)keys;
    argv[1] = (unsigned char *)policy;
    argv[8] = (unsigned char *)1;
    for (int count = 8; count < 1 << 20; count *= 3) {
        argv[2] = empty, argv[3] = recipient, argv[4] = client, argv[5] = port, argv[6] = name, argv[7] = now;
        CHECK(backstop_exim_policy_incoming(&result, count, argv) == BACKSTOP_EXIM_OK);
        CHECK(strstr((char *)result, "action=strip ") != NULL);
        argv[2] = sender, argv[3] = empty, argv[4] = empty, argv[5] = name, argv[6] = other, argv[7] = now;
        CHECK(backstop_exim_policy_outgoing(&result, count, argv) == BACKSTOP_EXIM_OK);
        CHECK(strcmp((char *)result, SIGNED) == 0);
    }
}

static void bad_files(void)
{
    HAS(backstop_exim_sign, BACKSTOP_EXIM_ERROR, "from the root", "exim.keys", "user@example.com");
    HAS(backstop_exim_sign, BACKSTOP_EXIM_DEFER, "is not there", nowhere, "user@example.com");
    HAS(backstop_exim_policy_forward, BACKSTOP_EXIM_DEFER, "exim.none", keys, nowhere, "a@b", "c@d");
    HAS(backstop_exim_policy_forward, BACKSTOP_EXIM_DEFER, "exim.none", nowhere, policy, "a@b", "c@d");
    put("exim.none", "version 1\nprvs x sha1 7 - - * text:tops3cr3t\n");
    HAS(backstop_exim_verify, BACKSTOP_EXIM_DEFER, "line 2", nowhere, SIGNED);
    /* A file that was bad at first is tried again at once. */
    put("exim.none", RING);
    CHECK(chmod("exim.none", 0644) == 0);
    HAS(backstop_exim_verify, BACKSTOP_EXIM_DEFER, "exim.none", nowhere, SIGNED);
    CHECK(chmod("exim.none", 0600) == 0);
    OK(backstop_exim_sign, SIGNED, nowhere, "user@example.com", NOW_TEXT);
    put("exim.none", "[policy]\nmood = 1\n");
    HAS(backstop_exim_policy_forward, BACKSTOP_EXIM_DEFER, "exim.none: line 2 of the policy", keys, nowhere, "a@b",
        "c@d");
    put("exim.none", "[policy]\n\"a\xff\" = 1\n");
    HAS(backstop_exim_policy_forward, BACKSTOP_EXIM_DEFER, "UTF-8", keys, nowhere, "a@b", "c@d");
    CHECK(unlink("exim.none") == 0);
}

#define OTHER "version 1\nprvs 1 sha1 7 - - * text:secret\n"

static void files_that_change(void)
{
    dlfunc *out = backstop_exim_policy_outgoing;
    OK(backstop_exim_sign, SIGNED, keys, "user@example.com", NOW_TEXT);
    put("exim.keys", OTHER);
    wait_a_second();
    HAS(backstop_exim_sign, BACKSTOP_EXIM_OK, "prvs=1", keys, "user@example.com", NOW_TEXT);
    /* One that goes bad keeps the keys that are there. */
    put("exim.keys", "nothing");
    wait_a_second();
    HAS(backstop_exim_sign, BACKSTOP_EXIM_OK, "prvs=1", keys, "user@example.com", NOW_TEXT);
    put("exim.keys", RING);
    wait_a_second();
    OK(backstop_exim_sign, SIGNED, keys, "user@example.com", NOW_TEXT);

    OK(out, SIGNED, keys, policy, "user@example.com", "", "0", NOW_TEXT);
    put("exim.toml", "[policy]\nown-domains = [\"other.example\"]\n");
    OK(out, "user@example.com", keys, policy, "user@example.com", "", "0", NOW_TEXT);
    put("exim.toml", "nothing");
    OK(out, "user@example.com", keys, policy, "user@example.com", "", "0", NOW_TEXT);
    put("exim.toml", RULES);
    OK(out, SIGNED, keys, policy, "user@example.com", "", "0", NOW_TEXT);
    /* One that could not be read for a while is read as soon as it can. */
    struct rlimit limit, none;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    put("exim.toml", "[policy]\nown-domains = [\"other.example\"]\n");
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    OK(out, SIGNED, keys, policy, "user@example.com", "", "0", NOW_TEXT);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    OK(out, "user@example.com", keys, policy, "user@example.com", "", "0", NOW_TEXT);
    put("exim.toml", RULES);
    OK(out, SIGNED, keys, policy, "user@example.com", "", "0", NOW_TEXT);

    /* More files than are kept, twice round. */
    for (int i = 0; i < 40; i++) {
        char name[40], full[4200];
        snprintf(name, sizeof name, "exim.keys.%d", i % 20);
        path(full, sizeof full, name);
        if (i < 20)
            put(name, i % 2 == 0 ? RING : OTHER);
        HAS(backstop_exim_sign, BACKSTOP_EXIM_OK, i % 2 == 0 ? "prvs=0" : "prvs=1", full, "user@example.com", NOW_TEXT);
        CHECK(i < 20 || unlink(name) == 0);
    }
    OK(backstop_exim_sign, SIGNED, keys, "user@example.com", NOW_TEXT);
}

/* Exim reads its configuration in the daemon and serves in children of children. */
static void forks(void)
{
    OK(backstop_exim_sign, SIGNED, keys, "user@example.com", NOW_TEXT);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(60);
            OK(backstop_exim_sign, SIGNED, keys, "user@example.com", NOW_TEXT);
            HAS(backstop_exim_policy_incoming, BACKSTOP_EXIM_OK, "action=strip", keys, policy, "", SIGNED,
                "203.0.113.1", "25", NOW_TEXT);
            /* As Exim ends, not _exit: so what the thread keeps is given back. */
            exit(0);
        }
        int status;
        OK(backstop_exim_verify, "verdict=forged key=0", keys, FORGED, NOW_TEXT);
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int main(void)
{
    path(keys, sizeof keys, "exim.keys");
    path(policy, sizeof policy, "exim.toml");
    path(nowhere, sizeof nowhere, "exim.none");
    put("exim.keys", RING);
    put("exim.toml", RULES);
    every_function();
    by_policy();
    wrong_calls();
    full_list();
    bad_files();
    files_that_change();
    forks();
    CHECK(unlink("exim.keys") == 0 && unlink("exim.toml") == 0);
    return 0;
}
