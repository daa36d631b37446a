/* Every verdict and reason, explain, strip, and the decisions of a policy. */
#include "test.h"

static void verdicts(void)
{
    static const struct row {
        const char *address;
        int64_t days;
        int32_t verdict, reason, covered;
        const char *mailbox;
    } rows[] = {
        {"prvs=07853508f8=user@example.com", 0, BACKSTOP_GENUINE, 0, 0, "user@example.com"},
        {"<prvs=07853508f8=user@example.com>", 7, BACKSTOP_GENUINE, 0, 0, "user@example.com"},
        {"prvs=07853508f8=user@example.com", 8, BACKSTOP_EXPIRED, BACKSTOP_REASON_LIFETIME, 0, "user@example.com"},
        {"prvs=07853508f9=user@example.com", 0, BACKSTOP_FORGED, 0, 0, ""},
        {"prvs=97853508f9=user@example.com", 0, BACKSTOP_UNKNOWN_KEY, 0, 1, ""},
        {"bst1=caaajf5zdjwb54mdn=a@bst1.example", 0, BACKSTOP_UNKNOWN_KEY, 0, 0, ""},
        {"prvs=x@example.com", 0, BACKSTOP_MALFORMED, BACKSTOP_REASON_SHAPE, 0, ""},
        {"prvs=123abcdef=user@example.com", 0, BACKSTOP_FOREIGN, BACKSTOP_REASON_PRVS_CISCO, 0, ""},
        {"prvs=user/1234abcdef@example.com", 0, BACKSTOP_FOREIGN, BACKSTOP_REASON_PRVS_SLASH, 0, ""},
        {"prvs=user=1234abcdef@example.com", 0, BACKSTOP_FOREIGN, BACKSTOP_REASON_PRVS_TRAILING, 0, ""},
        {"btv1==123456789ab==user@example.com", 0, BACKSTOP_FOREIGN, BACKSTOP_REASON_BTV1, 0, ""},
        {"msprvs1=12345ABCdef-_=user@example.com", 0, BACKSTOP_FOREIGN, BACKSTOP_REASON_MSPRVS1, 0, ""},
        {"SES=ABCDEFGHIJKLMNOP=user@example.com", 0, BACKSTOP_FOREIGN, BACKSTOP_REASON_SES, 0, ""},
        {"user@example.com", 0, BACKSTOP_UNTAGGED, 0, 0, "user@example.com"},
        {"<@relay.example:user@example.com>", 0, BACKSTOP_UNTAGGED, 0, 0, "user@example.com"},
        {"<Postmaster>", 0, BACKSTOP_UNTAGGED, 0, 0, "Postmaster"},
    };
    backstop_keyring *ring = ring_of(RING);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        backstop_verdict v = BACKSTOP_VERDICT_INIT;
        CHECK(backstop_verify(ring, S(rows[i].address), NOW + rows[i].days * DAY, &v) == BACKSTOP_OK);
        if (v.verdict != rows[i].verdict || v.reason != rows[i].reason || v.covered != rows[i].covered)
            fprintf(stderr, "%s: %d %d %d\n", rows[i].address, v.verdict, v.reason, v.covered);
        CHECK(v.verdict == rows[i].verdict && v.reason == rows[i].reason && v.covered == rows[i].covered);
        CHECK(strcmp(v.mailbox, rows[i].mailbox) == 0 && v.mailbox_len == strlen(rows[i].mailbox));
        int proved = v.verdict == BACKSTOP_GENUINE || v.verdict == BACKSTOP_EXPIRED;
        CHECK(proved ? v.expires_day == v.signed_day + 7 : v.signed_day == -1 && v.expires_day == -1);
        CHECK((v.key_use == BACKSTOP_USE_PRVS) == proved);
    }
    backstop_keyring *dated = ring_of("version 1\nprvs 0 sha1 7 2026-11-25 - * text:secret\n");
    backstop_verdict v = BACKSTOP_VERDICT_INIT;
    CHECK(backstop_verify(dated, S("prvs=07853508f8=user@example.com"), NOW, &v) == BACKSTOP_OK);
    CHECK(v.verdict == BACKSTOP_EXPIRED && v.reason == BACKSTOP_REASON_WINDOW);
    backstop_keyring_free(dated);
    backstop_keyring_free(ring);
}

static void srs_and_marks(void)
{
    backstop_keyring *ring = ring_of(RING);
    backstop_srs *srs = forwarder_of("fwd.example.net");
    static const struct row {
        const char *address;
        int32_t verdict, reason;
    } rows[] = {
        {"SRS0=PGkz=G3=example.com=alice@fwd.example.net", BACKSTOP_GENUINE, 0},
        {"SRS0=PGkz=G3=example.com=alice@other.example", BACKSTOP_FOREIGN, BACKSTOP_REASON_NOT_OWN},
        {"SRS0=PGk=G3=example.com=alice@fwd.example.net", BACKSTOP_MALFORMED, BACKSTOP_REASON_HASH_LENGTH},
        {"SRS0=PGkz=G=example.com=alice@fwd.example.net", BACKSTOP_MALFORMED, BACKSTOP_REASON_STAMP},
        {"SRS0=PGkz=G3=a..b=alice@fwd.example.net", BACKSTOP_MALFORMED, BACKSTOP_REASON_MAILBOX},
        {"SRS0=AAAA=G3=example.com=alice@fwd.example.net", BACKSTOP_FORGED, 0},
        {"alice@fwd.example.net", BACKSTOP_UNTAGGED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        backstop_verdict v = BACKSTOP_VERDICT_INIT;
        CHECK(backstop_srs_reverse(ring, srs, S(rows[i].address), 1700000000, &v) == BACKSTOP_OK);
        CHECK(v.verdict == rows[i].verdict && v.reason == rows[i].reason);
        CHECK(v.verdict != BACKSTOP_GENUINE || strcmp(v.mailbox, "alice@example.com") == 0);
    }
    backstop_srs *two;
    backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
    backstop_verdict v = BACKSTOP_VERDICT_INIT;
    CHECK(backstop_srs_new(S("new.example"), S("fwd.example.net,*.old.example"), &options, &two) == BACKSTOP_OK);
    CHECK(backstop_srs_reverse(ring, two, S(rows[0].address), 1700000000, &v) == BACKSTOP_OK);
    CHECK(v.verdict == BACKSTOP_GENUINE);
    backstop_srs_free(two);

    backstop_keyring *other = ring_of("version 1\nmark m sha256 14 - - example.org text:mark\n");
    static const char value[] = "v=1; i=example.com; k=m; d=20778; n=abcdefghijklm; t=gzbl5ejricpuewpb";
    CHECK(backstop_mark_verify_header(other, S(value), S("a@example.com"), NOW, &v) == BACKSTOP_OK);
    CHECK(v.verdict == BACKSTOP_FOREIGN && v.reason == BACKSTOP_REASON_OTHER_SITE);
    CHECK(backstop_mark_verify_message_id(ring, S("<1@b>"), S("a@b"), NOW, &v) == BACKSTOP_OK);
    CHECK(v.verdict == BACKSTOP_UNTAGGED && v.mailbox_len == 0);
    backstop_keyring_free(other);
    backstop_srs_free(srs);
    backstop_keyring_free(ring);
}

static void strip_and_explain(void)
{
    static const struct row {
        const char *address, *result;
        int32_t tag;
    } rows[] = {
        {"prvs=1234abcdef=user@example.com", "user@example.com", BACKSTOP_TAG_PRVS},
        {"user+prvs=1234abcdef@example.com", "user@example.com", BACKSTOP_TAG_PRVS},
        {"bst1=kujk3cbbs7rtk2ddl=user@example.com", "user@example.com", BACKSTOP_TAG_BST1},
        {"prvs=123abcdef=user@example.com", "user@example.com", BACKSTOP_TAG_PRVS_CISCO},
        {"prvs=user/1234abcdef@example.com", "user@example.com", BACKSTOP_TAG_PRVS_SLASH},
        {"prvs=user=1234abcdef@example.com", "user@example.com", BACKSTOP_TAG_PRVS_TRAILING},
        {"btv1==123456789ab==user@example.com", "user@example.com", BACKSTOP_TAG_BTV1},
        {"msprvs1=12345ABCdef-_=user@example.com", "user@example.com", BACKSTOP_TAG_MSPRVS1},
        {"SES=ABCDEFGHIJKLMNOP=user@example.com", "user@example.com", BACKSTOP_TAG_SES},
        {"list-owner+a=b.example@example.org", "list-owner+a=b.example@example.org", BACKSTOP_TAG_NONE},
        {"<>", "<>", BACKSTOP_TAG_NONE},
    };
    char out[2048];
    size_t len;
    int32_t tag;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(backstop_strip(S(rows[i].address), out, sizeof out, &len, &tag) == BACKSTOP_OK);
        CHECK(same(out, len, rows[i].result) && tag == rows[i].tag);
        strcpy(out, rows[i].address);
        CHECK(backstop_strip(S(out), out, sizeof out, &len, &tag) == BACKSTOP_OK && same(out, len, rows[i].result));
    }
    backstop_keyring *ring = ring_of(RING);
    CHECK(backstop_explain(ring, S("prvs=07853508f8=user@example.com"), NOW, out, sizeof out - 1, &len) == BACKSTOP_OK);
    out[len] = '\0';
    CHECK(strstr(out, "verdict     genuine") != NULL && out[len - 1] == '\n');
    CHECK(backstop_explain(ring, S("nothing"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
    backstop_keyring_free(ring);
}

static void decisions(void)
{
    backstop_keyring *ring = ring_of(RING);
    backstop_policy *policy = policy_of(POLICY), *again = NULL;
    CHECK(backstop_policy_ref(policy, &again) == BACKSTOP_OK && again == policy);
    backstop_policy_free(policy);
    char out[400];
    size_t len;
    int32_t rule, number;
    static const struct row {
        const char *sender;
        int32_t origin, rule;
        const char *out;
    } rows[] = {
        {"user@example.com", BACKSTOP_ORIGIN_SUBMITTED, BACKSTOP_RULE_SIGNED, "prvs=07853508f8=user@example.com"},
        {"user@example.com", BACKSTOP_ORIGIN_INTERNAL, BACKSTOP_RULE_SIGNED, "prvs=07853508f8=user@example.com"},
        {"user@example.com", BACKSTOP_ORIGIN_INBOUND, BACKSTOP_RULE_NOT_VOUCHED, "user@example.com"},
        {"user@example.com", BACKSTOP_ORIGIN_UNKNOWN, BACKSTOP_RULE_NOT_VOUCHED, "user@example.com"},
        {"<>", BACKSTOP_ORIGIN_SUBMITTED, BACKSTOP_RULE_NULL, "<>"},
        {"a b", BACKSTOP_ORIGIN_SUBMITTED, BACKSTOP_RULE_UNPARSABLE, "a b"},
        {"a@other.example", BACKSTOP_ORIGIN_SUBMITTED, BACKSTOP_RULE_NOT_OWN, "a@other.example"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        backstop_text to = {S("bob@example.org")};
        CHECK(backstop_policy_outgoing(again, ring, S(rows[i].sender), &to, 1, rows[i].origin, NOW, out, sizeof out, &len,
                                       &rule) == BACKSTOP_OK);
        CHECK(rule == rows[i].rule && same(out, len, rows[i].out));
        CHECK(backstop_policy_outgoing(again, ring, S(rows[i].sender), &to, 0, rows[i].origin, NOW, out, sizeof out, &len,
                                       &rule) == BACKSTOP_OK && rule == rows[i].rule);
    }
    CHECK(backstop_policy_forward(again, ring, S("alice@example.org"), S("user@example.com"), 1700000000, out, sizeof out,
                                  &len, &rule) == BACKSTOP_OK);
    CHECK(rule == BACKSTOP_RULE_REWRITTEN && strstr(out, "=G3=example.org=alice@fwd.example.net") != NULL);

    backstop_decision d = BACKSTOP_DECISION_INIT;
    CHECK(backstop_policy_incoming(again, ring, "", 0, S("prvs=07853508f8=user@example.com"), BACKSTOP_CLIENT_OTHER, NOW,
                                   &d) == BACKSTOP_OK);
    CHECK(d.action == BACKSTOP_ACTION_STRIP && d.rule == BACKSTOP_RULE_GENUINE && d.verdict == BACKSTOP_GENUINE);
    CHECK(strcmp(d.address, "user@example.com") == 0 && d.address_len == 16 && d.reply_len == 0 && d.log == 0);
    CHECK(d.mode == BACKSTOP_MODE_ENFORCE && d.refuse_at == BACKSTOP_REFUSE_AT_DATA);
    CHECK(backstop_policy_incoming(again, ring, S("<>"), S("user@example.com"), BACKSTOP_CLIENT_OTHER, NOW, &d) == 0);
    CHECK(d.action == BACKSTOP_ACTION_REFUSE && d.would == d.action && d.rule == BACKSTOP_RULE_UNTAGGED && d.log == 1);
    CHECK(strncmp(d.reply, "550 5.7.1 ", 10) == 0 && d.reply_len == strlen(d.reply) && d.address_len == 0);
    CHECK(backstop_policy_incoming(again, ring, S("<>"), S("user@example.com"), BACKSTOP_CLIENT_INTERNAL, NOW, &d) == 0);
    CHECK(d.action == BACKSTOP_ACTION_UNCHANGED && d.rule == BACKSTOP_RULE_INTERNAL_CLIENT && d.reply_len == 0);
    CHECK(backstop_policy_incoming(again, ring, S("<>"), S("user@example.com"), BACKSTOP_CLIENT_SUBMITTED, NOW, &d) == 0);
    CHECK(d.action == BACKSTOP_ACTION_UNCHANGED && d.rule == BACKSTOP_RULE_SUBMITTED_CLIENT);
    CHECK(backstop_policy_incoming(again, ring, S("<>"), S("SRS0=PGkz=G3=example.com=alice@fwd.example.net"),
                                   BACKSTOP_CLIENT_OTHER, 1700000000, &d) == 0);
    CHECK(d.rule == BACKSTOP_RULE_UNTAGGED && d.action == BACKSTOP_ACTION_REFUSE);
    CHECK(backstop_policy_incoming(again, ring, S("<>"), S("nothing"), BACKSTOP_CLIENT_OTHER, NOW, &d) == BACKSTOP_OK);
    CHECK(d.verdict == BACKSTOP_NONE && d.rule == BACKSTOP_RULE_UNPARSABLE && d.action == BACKSTOP_ACTION_UNCHANGED);

    const struct {
        const char *ip;
        uint16_t port;
        int32_t stranger, user;
    } clients[] = {
        {"192.0.2.1", 25, BACKSTOP_CLIENT_OTHER, BACKSTOP_CLIENT_SUBMITTED},
        {"192.0.2.9", 25, BACKSTOP_CLIENT_EXEMPT, BACKSTOP_CLIENT_EXEMPT},
        {"::1", 0, BACKSTOP_CLIENT_INTERNAL, BACKSTOP_CLIENT_INTERNAL},
    };
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        CHECK(backstop_policy_client(again, 0, S(clients[i].ip), clients[i].port, &number) == BACKSTOP_OK);
        CHECK(number == clients[i].stranger);
        CHECK(backstop_policy_client(again, 1, S(clients[i].ip), clients[i].port, &number) == BACKSTOP_OK);
        CHECK(number == clients[i].user);
    }
    CHECK(backstop_policy_origin(again, 1, S("192.0.2.1"), 25, &number) == 0 && number == BACKSTOP_ORIGIN_SUBMITTED);
    CHECK(backstop_policy_origin(again, 0, S("192.0.2.1"), 25, &number) == 0 && number == BACKSTOP_ORIGIN_INBOUND);
    CHECK(backstop_policy_origin(again, 0, "", 0, 0, &number) == 0 && number == BACKSTOP_ORIGIN_INTERNAL);
    CHECK(backstop_policy_origin(again, 0, "", 0, 25, &number) == 0 && number == BACKSTOP_ORIGIN_UNKNOWN);
    backstop_policy_free(again);
    backstop_keyring_free(ring);
}

int main(void)
{
    verdicts();
    srs_and_marks();
    strip_and_explain();
    decisions();
    return 0;
}
