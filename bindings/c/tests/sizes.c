/* Structures that grow: published sizes work and get what they know, all others are errors and are not touched. */
#include "test.h"

#define SIGNED "prvs=07853508f8=user@example.com"

static void every_size_of_a_verdict(const backstop_keyring *ring)
{
    backstop_verdict full = BACKSTOP_VERDICT_INIT;
    CHECK(sizeof full == 360 && BACKSTOP_VERDICT_SIZE_1 == 352 && offsetof(backstop_verdict, key_use) == 352);
    CHECK(backstop_verify(ring, S(SIGNED), NOW, &full) == BACKSTOP_OK && full.verdict == BACKSTOP_GENUINE);
    CHECK(full.size == sizeof full && full.reason == BACKSTOP_REASON_NONE && full.key == '0' && full.covered == 0);
    CHECK(full.key_use == BACKSTOP_USE_PRVS && full.signed_day == NOW / DAY && full.expires_day == NOW / DAY + 7);
    CHECK(strcmp(full.mailbox, "user@example.com") == 0 && full.mailbox_len == 16);
    for (uint32_t size = 0; size < 1000; size++) {
        union {
            backstop_verdict verdict;
            unsigned char octets[1200];
        } it;
        memset(&it, 0x5a, sizeof it);
        it.verdict.size = size;
        int32_t code = backstop_verify(ring, S(SIGNED), NOW, &it.verdict);
        size_t written = sizeof size;
        if (size == BACKSTOP_VERDICT_SIZE_1 || size == sizeof full) {
            CHECK(code == BACKSTOP_OK && it.verdict.size == size);
            CHECK(memcmp(it.octets + sizeof size, (unsigned char *)&full + sizeof size, size - sizeof size) == 0);
            written = size;
        } else
            CHECK(code == BACKSTOP_ERR_SIZE && it.verdict.size == size);
        for (size_t at = written; at < sizeof it; at++)
            CHECK(it.octets[at] == 0x5a);
    }
}

/* The structure as a program has it that was built with the first header. */
struct first_verdict {
    uint32_t size;
    int32_t verdict, reason, signed_day, expires_day, key;
    uint32_t mailbox_len;
    char mailbox[321], reserved[3];
};

static void an_older_program_still_works(const backstop_keyring *ring, const backstop_srs *srs)
{
    struct {
        struct first_verdict verdict;
        char beyond[64];
    } it;
    memset(&it, 0, sizeof it);
    memset(it.beyond, 0x5a, sizeof it.beyond);
    it.verdict.size = sizeof it.verdict;
    CHECK(sizeof it.verdict == BACKSTOP_VERDICT_SIZE_1);
    void *place = &it.verdict;
    CHECK(backstop_verify(ring, S(SIGNED), NOW, (backstop_verdict *)place) == BACKSTOP_OK);
    CHECK(it.verdict.verdict == BACKSTOP_GENUINE && strcmp(it.verdict.mailbox, "user@example.com") == 0);
    CHECK(backstop_srs_reverse(ring, srs, S("a@fwd.example.net"), NOW, (backstop_verdict *)place) == BACKSTOP_OK);
    CHECK(it.verdict.verdict == BACKSTOP_UNTAGGED && strcmp(it.verdict.mailbox, "a@fwd.example.net") == 0);
    for (size_t at = 0; at < sizeof it.beyond; at++)
        CHECK(it.beyond[at] == 0x5a);
}

static void every_size_of_a_decision(const backstop_policy *policy, const backstop_keyring *ring)
{
    CHECK(sizeof(backstop_decision) == 624 && offsetof(backstop_decision, by_message) == BACKSTOP_DECISION_SIZE_1);
    for (uint32_t size = 0; size < 1000; size++) {
        union {
            backstop_decision decision;
            unsigned char octets[1200];
        } it;
        memset(&it, 0x5a, sizeof it);
        it.decision.size = size;
        int32_t code =
            backstop_policy_incoming(policy, ring, "", 0, S(SIGNED), BACKSTOP_CLIENT_OTHER, NOW, &it.decision);
        int known = size == BACKSTOP_DECISION_SIZE_1 || size == sizeof it.decision;
        CHECK(code == (known ? BACKSTOP_OK : BACKSTOP_ERR_SIZE) && it.decision.size == size);
        CHECK(!known || (it.decision.action == BACKSTOP_ACTION_STRIP && it.decision.reply[254] == '\0'));
        for (size_t at = code == BACKSTOP_OK ? size : sizeof size; at < sizeof it; at++)
            CHECK(it.octets[at] == 0x5a);
    }
}

static void every_size_of_options(void)
{
    for (uint32_t size = 0; size < 100; size++) {
        backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
        backstop_srs *srs = NULL;
        options.size = size;
        int32_t code = backstop_srs_new(S("a.example"), "", 0, &options, &srs);
        CHECK(code == (size == sizeof options ? BACKSTOP_OK : BACKSTOP_ERR_SIZE) && (srs != NULL) == (code == 0));
        backstop_srs_free(srs);
    }
}

int main(void)
{
    backstop_keyring *ring = ring_of(RING);
    backstop_policy *policy = policy_of("[policy]\nown-domains = [\"example.com\"]\n");
    backstop_srs *srs = forwarder_of("fwd.example.net");
    every_size_of_a_verdict(ring);
    an_older_program_still_works(ring, srs);
    every_size_of_a_decision(policy, ring);
    every_size_of_options();
    backstop_srs_free(srs);
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
    return 0;
}
