/* The examples of the header, which bindings/c/test takes out of it, do what they say. */
#include "bounce.h"

#include <sys/stat.h>
#include <unistd.h>

#include "examples.h"

static size_t handed_on;

static void hand_on(const backstop_text *sender)
{
    handed_on += sender->len == 32;
}

int main(void)
{
    backstop_keyring *ring = NULL;
    backstop_keystore *store;
    backstop_srs *srs;
    char out[400], mailbox[400];
    size_t len;
    CHECK(ring_from_text("nothing", &ring) == BACKSTOP_ERR_KEYRING && ring == NULL);
    CHECK(ring_from_text(RING, &ring) == BACKSTOP_OK);
    CHECK(next_hop_sender(ring, "user@example.com", out, sizeof out - 1, &len) == BACKSTOP_OK);
    out[len] = '\0';
    CHECK(accept_bounce(ring, out, mailbox, sizeof mailbox) && strcmp(mailbox, "user@example.com") == 0);
    CHECK(!accept_bounce(ring, "user@example.com", mailbox, sizeof mailbox));
    CHECK(next_hop_sender(ring, "<>", out, sizeof out, &len) == BACKSTOP_OK && same(out, len, "<>"));
    CHECK(greylist_key("prvs=07853508f8=user@example.com", out, sizeof out, &len) == BACKSTOP_OK);
    CHECK(same(out, len, "user@example.com"));

    backstop_text senders[100];
    for (int i = 0; i < 100; i++)
        senders[i] = i == 50 ? (backstop_text){"no address", 10} : (backstop_text){"user@example.com", 16};
    CHECK(sign_all(ring, senders, 100, hand_on) == BACKSTOP_OK && handed_on == 99);
    CHECK(count_genuine(ring, senders, 100) == 0);
    CHECK(backstop_sign(ring, S("user@example.com"), -1, out, sizeof out, &len) == BACKSTOP_OK);
    for (int i = 0; i < 100; i++)
        senders[i] = i % 2 == 0 ? (backstop_text){out, len} : (backstop_text){"user@example.com", 16};
    CHECK(count_genuine(ring, senders, 100) == 50);

    write_file("manual.keys", RING);
    CHECK(chmod("manual.keys", 0600) == 0 && backstop_keystore_open("manual.keys", &store) == BACKSTOP_OK);
    CHECK(sign_for_weeks(store, "user@example.com", out, sizeof out, &len) == BACKSTOP_OK && len == 32);
    backstop_keystore_free(store);
    unsigned char keys[4200], sender[] = "user@example.com", *answer;
    CHECK(getcwd(out, sizeof out) != NULL && snprintf((char *)keys, sizeof keys, "%s/manual.keys", out) > 0);
    CHECK(as_exim_would(keys, sender, &answer) == BACKSTOP_EXIM_OK && memcmp(answer, "prvs=0", 6) == 0);
    CHECK(remove("manual.keys") == 0);

    CHECK(forwarder("fwd.example.net", &srs) == BACKSTOP_OK);
    CHECK(forward(ring, srs, "alice@example.org", out, sizeof out, &len) == BACKSTOP_OK && memcmp(out, "SRS0=", 5) == 0);
    backstop_srs_free(srs);
    CHECK(mark_value(ring, "user@example.com", out, sizeof out, &len) == BACKSTOP_OK && memcmp(out, "v=1; i=", 7) == 0);
    backstop_policy *policy = policy_of(POLICY);
    CHECK(refuse(policy, ring, "<>", "user@example.com", 0, "192.0.2.1", 25, out, sizeof out) && memcmp(out, "550 ", 4) == 0);
    CHECK(!refuse(policy, ring, "<>", "user@example.com", 0, "127.0.0.1", 0, out, sizeof out));
    /* What it prints is left to the eye; that the policy needs these is checked in codes.c. */
    warn_of_needs(policy, (const int32_t[]){BACKSTOP_NEED_REFUSE_AT_MESSAGE}, 1);
    backstop_policy_free(policy);
    policy = policy_of(BOUNCE_POLICY);
    CHECK(is_backscatter(policy, ring, S(BOUNCE), USER, NOW, out, sizeof out, &len) == 1);
    CHECK(same(out, len, "mx.reflector.example"));
    CHECK(is_backscatter(policy, ring, S(BOUNCE), TAGGED, NOW, out, sizeof out, &len) == 0);
    backstop_policy *waiting = policy_of(BOUNCE_POLICY "refuse-at = \"message\"\n");
    backstop_decision d = BACKSTOP_DECISION_INIT;
    CHECK(judge_with_message(waiting, ring, "<>", USER, BACKSTOP_CLIENT_OTHER, S(BOUNCE), NOW, &d) == BACKSTOP_OK);
    CHECK(d.action == BACKSTOP_ACTION_REFUSE && d.rule == BACKSTOP_RULE_BACKSCATTER && d.by_message == 1);
    CHECK(judge_with_message(waiting, ring, "<>", USER, BACKSTOP_CLIENT_EXEMPT, S(BOUNCE), NOW, &d) == BACKSTOP_OK);
    CHECK(d.action == BACKSTOP_ACTION_UNCHANGED && d.by_message == 0);
    backstop_policy_free(waiting);
    backstop_inspection *it = inspection_of(policy, ring, BOUNCE, USER);
    char *json = json_of(it, &len);
    CHECK(json != NULL && len > 500 && memcmp(json, "{\"file\":null,", 13) == 0 && json[len - 1] == '}');
    free(json);
    backstop_inspection_free(it);
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
    return 0;
}
