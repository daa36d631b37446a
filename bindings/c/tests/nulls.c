/* NULL in every position of every function gives BACKSTOP_ERR_NULL and writes nothing; _free passes over it. */
#include "calls.h"

#define NULLS(...) CHECK((__VA_ARGS__) == BACKSTOP_ERR_NULL)

int main(void)
{
    struct fixture f;
    set_up(&f, "nulls.keys");
    for (int i = 0; i < CALLS; i++)
        for (int missing = 1; missing <= calls[i].last; missing++)
            /* Also where there is no room: what is missing comes first. */
            for (size_t cap = 0; cap <= 512; cap += 512) {
                char buf[512];
                size_t len = 7777;
                memset(buf, 0x5a, sizeof buf);
                int32_t code = calls[i].call(&f, missing, OR_NULL(1, buf), cap, OR_NULL(2, &len));
                if (code != BACKSTOP_ERR_NULL)
                    fprintf(stderr, "%s, pointer %d\n", calls[i].name, missing);
                CHECK(code == BACKSTOP_ERR_NULL && len == 7777);
                for (size_t at = 0; at < sizeof buf; at++)
                    CHECK(buf[at] == 0x5a);
            }

    backstop_keyring *ring = NULL;
    NULLS(backstop_keyring_parse(NULL, 0, &ring));
    NULLS(backstop_keyring_parse(S(RING), NULL));
    NULLS(backstop_keyring_load(NULL, &ring));
    NULLS(backstop_keyring_load("nulls.keys", NULL));
    NULLS(backstop_keyring_ref(NULL, &ring));
    NULLS(backstop_keyring_ref(f.ring, NULL));
    backstop_keystore *store = NULL;
    NULLS(backstop_keystore_open(NULL, &store));
    NULLS(backstop_keystore_open("nulls.keys", NULL));
    NULLS(backstop_keystore_get(NULL, &ring));
    NULLS(backstop_keystore_get(f.store, NULL));
    NULLS(backstop_keystore_reload(NULL));
    backstop_srs *srs = NULL;
    backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
    NULLS(backstop_srs_new(NULL, 0, "", 0, &options, &srs));
    NULLS(backstop_srs_new(S("a.example"), NULL, 0, &options, &srs));
    NULLS(backstop_srs_new(S("a.example"), "", 0, NULL, &srs));
    NULLS(backstop_srs_new(S("a.example"), "", 0, &options, NULL));
    backstop_policy *policy = NULL;
    NULLS(backstop_policy_parse(NULL, 0, &policy));
    NULLS(backstop_policy_parse(S(POLICY), NULL));
    NULLS(backstop_policy_ref(NULL, &policy));
    NULLS(backstop_policy_ref(f.policy, NULL));
    int32_t number = 7777;
    NULLS(backstop_policy_origin(NULL, 0, "", 0, 0, &number));
    NULLS(backstop_policy_origin(f.policy, 0, NULL, 0, 0, &number));
    NULLS(backstop_policy_origin(f.policy, 0, "", 0, 0, NULL));
    NULLS(backstop_policy_client(NULL, 0, "", 0, 0, &number));
    NULLS(backstop_policy_client(f.policy, 0, NULL, 0, 0, &number));
    NULLS(backstop_policy_client(f.policy, 0, "", 0, 0, NULL));
    CHECK(ring == NULL && store == NULL && srs == NULL && policy == NULL && number == 7777);

    backstop_verdict v = BACKSTOP_VERDICT_INIT;
    const backstop_verdict before = v;
    NULLS(backstop_verify(NULL, S("a@b"), NOW, &v));
    NULLS(backstop_verify(f.ring, NULL, 0, NOW, &v));
    NULLS(backstop_verify(f.ring, S("a@b"), NOW, NULL));
    NULLS(backstop_srs_reverse(NULL, f.srs, S("a@b"), NOW, &v));
    NULLS(backstop_srs_reverse(f.ring, NULL, S("a@b"), NOW, &v));
    NULLS(backstop_srs_reverse(f.ring, f.srs, NULL, 0, NOW, &v));
    NULLS(backstop_srs_reverse(f.ring, f.srs, S("a@b"), NOW, NULL));
    NULLS(backstop_mark_verify_header(NULL, "", 0, S("a@b"), NOW, &v));
    NULLS(backstop_mark_verify_header(f.ring, NULL, 0, S("a@b"), NOW, &v));
    NULLS(backstop_mark_verify_header(f.ring, "", 0, NULL, 0, NOW, &v));
    NULLS(backstop_mark_verify_header(f.ring, "", 0, S("a@b"), NOW, NULL));
    NULLS(backstop_mark_verify_message_id(NULL, "", 0, S("a@b"), NOW, &v));
    NULLS(backstop_mark_verify_message_id(f.ring, NULL, 0, S("a@b"), NOW, &v));
    NULLS(backstop_mark_verify_message_id(f.ring, "", 0, NULL, 0, NOW, &v));
    NULLS(backstop_mark_verify_message_id(f.ring, "", 0, S("a@b"), NOW, NULL));
    CHECK(memcmp(&v, &before, sizeof v) == 0);

    backstop_decision d = BACKSTOP_DECISION_INIT;
    const backstop_decision clean = d;
    NULLS(backstop_policy_incoming(NULL, f.ring, "", 0, S("a@b"), BACKSTOP_CLIENT_OTHER, NOW, &d));
    NULLS(backstop_policy_incoming(f.policy, NULL, "", 0, S("a@b"), BACKSTOP_CLIENT_OTHER, NOW, &d));
    NULLS(backstop_policy_incoming(f.policy, f.ring, NULL, 0, S("a@b"), BACKSTOP_CLIENT_OTHER, NOW, &d));
    NULLS(backstop_policy_incoming(f.policy, f.ring, "", 0, NULL, 0, BACKSTOP_CLIENT_OTHER, NOW, &d));
    NULLS(backstop_policy_incoming(f.policy, f.ring, "", 0, S("a@b"), BACKSTOP_CLIENT_OTHER, NOW, NULL));
    CHECK(memcmp(&d, &clean, sizeof d) == 0);

    backstop_keyring_free(NULL);
    backstop_keystore_free(NULL);
    backstop_srs_free(NULL);
    backstop_policy_free(NULL);
    tear_down(&f, "nulls.keys");
    return 0;
}
