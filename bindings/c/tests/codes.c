/* Every result code is reached, has a sentence of its own and keeps its number; the versions agree. */
#include "test.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every number that was ever published. Only BACKSTOP_ERR_INTERNAL cannot be reached from here: tests/gate.rs does. */
static const struct code {
    int32_t code, number;
} codes[] = {
    {BACKSTOP_OK, 0}, {BACKSTOP_UNSIGNED_NULL, 1}, {BACKSTOP_UNSIGNED_ALREADY, 2}, {BACKSTOP_UNSIGNED_NOT_OWN, 3},
    {BACKSTOP_UNSIGNED_NO_KEY, 4}, {BACKSTOP_UNSIGNED_TOO_LONG, 5}, {BACKSTOP_UNSIGNED_OWN_DOMAIN, 6},
    {BACKSTOP_UNSIGNED_SHAPE, 7}, {BACKSTOP_ERR_NULL, -1}, {BACKSTOP_ERR_INTERNAL, -2}, {BACKSTOP_ERR_TOO_SMALL, -3},
    {BACKSTOP_ERR_SIZE, -4}, {BACKSTOP_ERR_LENGTH, -5}, {BACKSTOP_ERR_TIME, -6}, {BACKSTOP_ERR_ADDRESS, -7},
    {BACKSTOP_ERR_NULL_RECIPIENT, -8}, {BACKSTOP_ERR_KEYRING, -9}, {BACKSTOP_ERR_FILE, -10}, {BACKSTOP_ERR_POLICY, -11},
    {BACKSTOP_ERR_DOMAIN, -12}, {BACKSTOP_ERR_OPTION, -13}, {BACKSTOP_ERR_MESSAGE_ID, -14}, {BACKSTOP_ERR_IP, -15},
};
enum { CODES = sizeof codes / sizeof *codes, FIRST = -15, LAST = 7 };

static unsigned char reached[LAST - FIRST + 1];

static int32_t see(int32_t code)
{
    CHECK(code >= FIRST && code <= LAST);
    reached[code - FIRST] = 1;
    return code;
}

static void versions_agree(void)
{
    char text[32];
    CHECK(strcmp(backstop_version(), BACKSTOP_VERSION) == 0);
    CHECK(backstop_version_number() == BACKSTOP_VERSION_NUMBER);
    snprintf(text, sizeof text, "%d.%d.%d", BACKSTOP_VERSION_NUMBER / 1000000, BACKSTOP_VERSION_NUMBER / 1000 % 1000,
             BACKSTOP_VERSION_NUMBER % 1000);
    CHECK(strcmp(text, BACKSTOP_VERSION) == 0);
}

static void every_code_has_a_sentence_of_its_own(void)
{
    const char *unknown = backstop_strerror(INT32_MAX);
    for (int i = 0; i < CODES; i++) {
        CHECK(codes[i].code == codes[i].number);
        const char *sentence = backstop_strerror(codes[i].code);
        CHECK(strlen(sentence) > 4 && sentence[strlen(sentence) - 1] == '.' && strcmp(sentence, unknown) != 0);
        for (int j = 0; j < i; j++)
            CHECK(strcmp(sentence, backstop_strerror(codes[j].code)) != 0);
    }
    for (int32_t number = -3000; number < 3000; number++) {
        CHECK(strlen(backstop_strerror(number)) > 0 && strlen(backstop_verdict_name(number)) > 0);
        CHECK(strlen(backstop_reason_name(number)) > 0 && strlen(backstop_tag_name(number)) > 0);
        CHECK(strlen(backstop_rule_name(number)) > 0 && strlen(backstop_rule_text(number)) > 0);
        if (number < FIRST || number > LAST)
            CHECK(strcmp(backstop_strerror(number), unknown) == 0);
    }
    CHECK(backstop_strerror(INT32_MIN) != NULL && backstop_rule_text(INT32_MIN) != NULL);
}

static void every_name_is_the_slug(void)
{
    static const char *verdicts[] = {"none", "genuine", "expired", "forged", "unknown-key", "malformed", "foreign",
                                     "untagged", "unknown"};
    static const char *reasons[] = {"none", "lifetime", "window", "shape", "hash-length", "stamp", "mailbox", "prvs-cisco",
                                    "prvs-slash", "prvs-trailing", "btv1", "msprvs1", "ses", "not-own", "other-site",
                                    "unknown"};
    static const char *tags[] = {"none", "prvs", "bst1", "prvs-cisco", "prvs-slash", "prvs-trailing", "btv1", "msprvs1",
                                 "ses", "unknown"};
    for (int i = 0; i < 9; i++)
        CHECK(strcmp(backstop_verdict_name(i), verdicts[i]) == 0);
    for (int i = 0; i < 16; i++)
        CHECK(strcmp(backstop_reason_name(i), reasons[i]) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(strcmp(backstop_tag_name(i), tags[i]) == 0);
    /* Numbers of these begin with 1; the last one is none. */
    static const char *uses[] = {"prvs", "bst1", "srs", "mark", "unknown"};
    static const char *origins[] = {"submitted", "internal", "inbound", "unknown", "unknown"};
    static const char *clients[] = {"internal", "exempt", "other", "submitted", "unknown"};
    static const char *modes[] = {"off", "sign", "observe", "enforce", "unknown"};
    static const char *actions[] = {"unchanged", "strip", "reverse", "refuse", "unknown"};
    static const char *refuse_at[] = {"rcpt", "data", "message", "unknown", "unknown"};
    for (int i = 0; i < 5; i++) {
        CHECK(strcmp(backstop_use_name(i + 1), uses[i]) == 0 && strcmp(backstop_origin_name(i + 1), origins[i]) == 0);
        CHECK(strcmp(backstop_client_name(i + 1), clients[i]) == 0 && strcmp(backstop_mode_name(i + 1), modes[i]) == 0);
        CHECK(strcmp(backstop_action_name(i + 1), actions[i]) == 0);
        CHECK(strcmp(backstop_refuse_at_name(i + 1), refuse_at[i]) == 0);
    }
    CHECK(strcmp(backstop_use_name(BACKSTOP_USE_NONE), "none") == 0 && strcmp(backstop_use_name(-1), "unknown") == 0);
    CHECK(strcmp(backstop_origin_name(0), "unknown") == 0 && strcmp(backstop_client_name(0), "unknown") == 0);
    CHECK(strcmp(backstop_mode_name(0), "unknown") == 0 && strcmp(backstop_action_name(0), "unknown") == 0);
    CHECK(strcmp(backstop_refuse_at_name(0), "unknown") == 0 && strcmp(backstop_need_name(0), "unknown") == 0);
    CHECK(strcmp(backstop_rule_name(BACKSTOP_RULE_SIGNED), "signed") == 0);
    CHECK(strcmp(backstop_rule_name(BACKSTOP_RULE_INTERNAL_CLIENT), "internal-client") == 0);
    CHECK(BACKSTOP_RULE_SIGNED == 1 && BACKSTOP_RULE_INTERNAL_CLIENT == 35);
    CHECK(strcmp(backstop_rule_name(BACKSTOP_RULE_SUBMITTED_CLIENT), "submitted-client") == 0);
    for (int i = 1; i <= 41; i++)
        CHECK((strcmp(backstop_rule_name(i), "unknown") == 0) == (i == 41));
}

/* Each policy has the one need that its key names. */
static void every_need_is_told_with_its_key(void)
{
    static const struct row {
        int32_t need;
        const char *name, *key;
    } rows[] = {
        {BACKSTOP_NEED_REFUSE, "mode = \"enforce\"", "mode = \"enforce\"\n"},
        {BACKSTOP_NEED_REFUSE_AT_DATA, "refuse-at = \"data\"", "refuse-at = \"data\"\n"},
        {BACKSTOP_NEED_REFUSE_AT_MESSAGE, "refuse-at = \"message\"", "refuse-at = \"message\"\n"},
        {BACKSTOP_NEED_CLIENT, "exempt-clients", "exempt-clients = [\"192.0.2.1\"]\n"},
        {BACKSTOP_NEED_SENDER, "exempt-senders", "exempt-senders = [\"a@example.org\"]\n"},
        {BACKSTOP_NEED_OWN_NETWORK, "internal-hosts", "internal-hosts = [\"192.0.2.0/24\"]\n"},
        {BACKSTOP_NEED_RECIPIENTS, "no-sign-recipients", "no-sign-recipients = [\"@example.org\"]\n"},
        {BACKSTOP_NEED_FORWARDER, "srs.domains",
         "[policy.srs]\ndomain = \"fwd.example\"\n[policy.srs.domains]\n\"a.example\" = \"fwd2.example\"\n"},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    for (int i = 0; i < ROWS; i++) {
        char text[300];
        int32_t needed = 7777;
        int late = strncmp(rows[i].key, "refuse-at", 9) == 0;
        snprintf(text, sizeof text, "[policy]\nown-domains = [\"example.com\"]\n%s%s", late ? "" : "refuse-at = \"rcpt\"\n",
                 rows[i].key);
        backstop_policy *policy = policy_of(text);
        for (int j = 0; j < ROWS; j++) {
            CHECK(backstop_policy_needs(policy, rows[j].need, &needed) == BACKSTOP_OK);
            if (needed != (i == j))
                fprintf(stderr, "%s: %s is %d\n", rows[i].name, rows[j].name, needed);
            CHECK(needed == (i == j));
        }
        CHECK(strcmp(backstop_need_name(rows[i].need), rows[i].name) == 0);
        needed = 7777;
        CHECK(backstop_policy_needs(policy, 0, &needed) == BACKSTOP_ERR_OPTION);
        CHECK(backstop_policy_needs(policy, BACKSTOP_NEED_FORWARDER + 1, &needed) == BACKSTOP_ERR_OPTION);
        CHECK(backstop_policy_needs(NULL, rows[i].need, &needed) == BACKSTOP_ERR_NULL && needed == 7777);
        CHECK(backstop_policy_needs(policy, rows[i].need, NULL) == BACKSTOP_ERR_NULL);
        backstop_policy_free(policy);
    }
    CHECK(strcmp(backstop_need_name(BACKSTOP_NEED_FORWARDER + 1), "unknown") == 0);
}

static void signing_reaches_every_reason(void)
{
    backstop_keyring *ring = ring_of("version 1\nprvs 0 sha1 7 2026-01-01 - example.com text:secret\n"
                                     "srs 0 sha1 21 - - fwd.example text:tops3cr3t\n");
    char out[600], address[400];
    size_t len;
    static const struct row {
        const char *address;
        int64_t now;
        int32_t code;
    } rows[] = {
        {"alice@example.com", NOW, BACKSTOP_OK}, {"alice@example.com", -1, BACKSTOP_OK},
        {"", NOW, BACKSTOP_UNSIGNED_NULL}, {"<>", NOW, BACKSTOP_UNSIGNED_NULL},
        {"prvs=07853508f8=alice@example.com", NOW, BACKSTOP_UNSIGNED_ALREADY},
        {"SRS0=a=b=c=d@example.com", NOW, BACKSTOP_UNSIGNED_ALREADY},
        {"alice@example.org", NOW, BACKSTOP_UNSIGNED_NOT_OWN}, {"postmaster", NOW, BACKSTOP_UNSIGNED_NOT_OWN},
        {"alice@example.com", 0, BACKSTOP_UNSIGNED_NO_KEY}, {"\"\"@example.com", NOW, BACKSTOP_UNSIGNED_SHAPE},
        {"a-local-part-of-forty-nine-octets-which-is-too-lon@example.com", NOW, BACKSTOP_UNSIGNED_TOO_LONG},
        {"alice", NOW, BACKSTOP_ERR_ADDRESS}, {"alice@example.com", -2, BACKSTOP_ERR_TIME},
        {"alice@example.com", INT64_MIN, BACKSTOP_ERR_TIME}, {"alice@example.com", INT64_MAX, BACKSTOP_ERR_TIME},
        {"alice@example.com", NOW * 1000, BACKSTOP_ERR_TIME}, {"alice@example.com", 253402300799, BACKSTOP_OK},
        {"alice@example.com", 253402300800, BACKSTOP_ERR_TIME},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t code = see(backstop_sign(ring, S(rows[i].address), rows[i].now, out, sizeof out, &len));
        if (code != rows[i].code)
            fprintf(stderr, "%s at %lld: %d\n", rows[i].address, (long long)rows[i].now, code);
        CHECK(code == rows[i].code);
        if (code > 0)
            CHECK(same(out, len, rows[i].address));
    }
    CHECK(see(backstop_sign(ring, "a@b", SIZE_MAX, NOW, out, sizeof out, &len)) == BACKSTOP_ERR_LENGTH);
    CHECK(see(backstop_sign(ring, S("alice@example.com"), NOW, out, 3, &len)) == BACKSTOP_ERR_TOO_SMALL);
    CHECK(see(backstop_sign(NULL, S("alice@example.com"), NOW, out, 3, &len)) == BACKSTOP_ERR_NULL);

    /* The result may go where the address was. */
    strcpy(address, "alice@example.com");
    CHECK(backstop_sign(ring, S(address), NOW, address, sizeof address, &len) == BACKSTOP_OK);
    CHECK(memcmp(address, "prvs=0785", 9) == 0);
    CHECK(backstop_sign(ring, address, len, NOW, address + 1, sizeof address - 1, &len) == BACKSTOP_UNSIGNED_ALREADY);
    CHECK(memcmp(address, "pprvs=0785", 10) == 0);
    CHECK(backstop_sign_subaddress(ring, S("alice@example.com"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
    CHECK(memcmp(out, "alice+prvs=0785", 15) == 0);

    backstop_srs *srs = forwarder_of("fwd.example");
    CHECK(see(backstop_srs_forward(ring, srs, S("a@fwd.example"), NOW, out, sizeof out, &len)) ==
          BACKSTOP_UNSIGNED_OWN_DOMAIN);
    CHECK(same(out, len, "a@fwd.example"));
    backstop_srs_free(srs);
    backstop_keyring_free(ring);
}

static void other_functions_reach_the_rest(void)
{
    backstop_keyring *ring = ring_of(RING), *none = NULL;
    backstop_policy *policy = policy_of(POLICY), *bad = NULL;
    backstop_keystore *store = NULL;
    backstop_verdict verdict = BACKSTOP_VERDICT_INIT;
    backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
    backstop_srs *srs = NULL;
    char text[2000];
    size_t len, line;
    int32_t number;
    CHECK(see(backstop_verify(ring, S("<>"), NOW, &verdict)) == BACKSTOP_ERR_NULL_RECIPIENT);
    verdict.size = 7;
    CHECK(see(backstop_verify(ring, S("a@b"), NOW, &verdict)) == BACKSTOP_ERR_SIZE);

    CHECK(see(backstop_keyring_parse(S("version 1\nprvs x sha1 7 - - * text:s\n"), &none)) == BACKSTOP_ERR_KEYRING);
    CHECK(none == NULL);
    CHECK(backstop_keyring_diagnose(S("version 1\nprvs x sha1 7 - - * text:s\n"), text, sizeof text, &len, &line) == 0);
    CHECK(line == 2 && same(text, len, "line 2 of the key ring: column 2 (id) must be a digit for prvs"));
    CHECK(backstop_keyring_diagnose(S(RING), text, sizeof text, &len, &line) == 0 && len == 0 && line == 0);

    CHECK(see(backstop_keyring_load("/nowhere/keys", &none)) == BACKSTOP_ERR_FILE);
    CHECK(see(backstop_keystore_open("/nowhere/keys", &store)) == BACKSTOP_ERR_FILE && store == NULL);
    CHECK(backstop_keyring_diagnose_file("/nowhere/keys", text, sizeof text, &len) == BACKSTOP_OK);
    CHECK(same(text, len, "/nowhere/keys: is not there; `backstop key new` makes a key ring"));
    write_file("codes.keys", RING);
    CHECK(chmod("codes.keys", 0644) == 0 && backstop_keyring_load("codes.keys", &none) == BACKSTOP_ERR_FILE);
    CHECK(chmod("codes.keys", 0600) == 0 && backstop_keyring_load("codes.keys", &none) == BACKSTOP_OK);
    CHECK(backstop_keyring_diagnose_file("codes.keys", text, sizeof text, &len) == BACKSTOP_OK && len == 0);
    CHECK(backstop_keyring_fingerprint(ring, text, sizeof text, &len) == BACKSTOP_OK && len == 8);
    CHECK(backstop_keyring_fingerprint(none, text + 8, 8, &len) == BACKSTOP_OK && memcmp(text, text + 8, 8) == 0);
    /* A ring without a key is one, but no store opens it. */
    CHECK(backstop_keystore_diagnose("codes.keys", text, sizeof text, &len) == BACKSTOP_OK && len == 0);
    write_file("codes.keys", "version 1\n");
    CHECK(see(backstop_keystore_open("codes.keys", &store)) == BACKSTOP_ERR_FILE && store == NULL);
    CHECK(backstop_keyring_diagnose_file("codes.keys", text, sizeof text, &len) == BACKSTOP_OK && len == 0);
    CHECK(backstop_keystore_diagnose("codes.keys", text, sizeof text - 1, &len) == BACKSTOP_OK);
    text[len] = '\0';
    CHECK(strstr(text, "codes.keys: has no key; ") != NULL);
    CHECK(unlink("codes.keys") == 0);

    CHECK(see(backstop_policy_parse(S("[policy]\nmood = 1\n"), &bad)) == BACKSTOP_ERR_POLICY && bad == NULL);
    CHECK(backstop_policy_parse("\n\xff", 2, &bad) == BACKSTOP_ERR_POLICY);
    CHECK(backstop_policy_diagnose("\n\xff", 2, text, sizeof text, &len, &line) == BACKSTOP_OK && line == 2);
    CHECK(backstop_policy_diagnose(S("[policy]\nown-domains = [\"a.example\"]\nmood = 1\n"), text, sizeof text, &len, &line) == BACKSTOP_OK);
    CHECK(line == 3 && len > 22 && memcmp(text, "line 3 of the policy: ", 22) == 0);
    CHECK(backstop_policy_diagnose(S(POLICY), text, sizeof text, &len, &line) == BACKSTOP_OK && len == 0 && line == 0);
    CHECK(see(backstop_policy_client(policy, 0, S("mail.example"), 25, &number)) == BACKSTOP_ERR_IP);

    CHECK(see(backstop_srs_new(S("a..b"), "", 0, &options, &srs)) == BACKSTOP_ERR_DOMAIN);
    CHECK(backstop_srs_new(S("*"), "", 0, &options, &srs) == BACKSTOP_ERR_DOMAIN);
    CHECK(backstop_srs_new(S("a.example"), S("b c"), &options, &srs) == BACKSTOP_ERR_DOMAIN);
    static const struct option {
        int32_t separator;
        uint32_t length, min, age;
        int32_t alphabet, over_long;
    } wrong[] = {{'/', 4, 4, 0, 0, 0}, {-1, 4, 4, 0, 0, 0}, {'=', 0, 0, 0, 0, 0},  {'=', 28, 4, 0, 0, 0},
                 {'=', 4, 5, 0, 0, 0}, {'=', 4, 4, 501, 0, 0}, {'=', 4, 4, 70000, 0, 0}, {'=', 4, 4, 0, 3, 0},
                 {'=', 4, 4, 0, 0, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        options.separator = wrong[i].separator;
        options.hash_length = wrong[i].length;
        options.hash_min = wrong[i].min;
        options.max_age = wrong[i].age;
        options.alphabet = wrong[i].alphabet;
        options.over_long = wrong[i].over_long;
        CHECK(see(backstop_srs_new(S("a.example"), "", 0, &options, &srs)) == BACKSTOP_ERR_OPTION && srs == NULL);
    }
    backstop_decision decision = BACKSTOP_DECISION_INIT;
    CHECK(backstop_policy_incoming(policy, ring, "", 0, S("a@b"), 0, NOW, &decision) == BACKSTOP_ERR_OPTION);
    CHECK(backstop_policy_incoming(policy, ring, "", 0, S("a@b"), 5, NOW, &decision) == BACKSTOP_ERR_OPTION);
    backstop_text to = {"b@c", 3};
    CHECK(backstop_policy_outgoing(policy, ring, S("a@b"), &to, 1, 5, NOW, text, 9, &len, &number) == BACKSTOP_ERR_OPTION);
    CHECK(backstop_policy_outgoing(policy, ring, S("a@b"), &to, SIZE_MAX / 4, 1, NOW, text, 9, &len, &number) ==
          BACKSTOP_ERR_LENGTH);
    CHECK(backstop_mark_address_of_from(S("\"A, a@b\"\n <a@example.com>"), text, sizeof text, &len) == BACKSTOP_OK);
    CHECK(len == 13 && memcmp(text, "a@example.com", 13) == 0);
    CHECK(see(backstop_mark_address_of_from(S("a@b.example, b@b.example"), text, sizeof text, &len)) == BACKSTOP_UNSIGNED_SHAPE);
    CHECK(len == 0);
    CHECK(see(backstop_mark_message_id(ring, S("a b"), S("example.com"), S("a@b"), NOW, text, sizeof text, &len)) ==
          BACKSTOP_ERR_MESSAGE_ID);
    CHECK(backstop_mark_message_id(ring, "\xff", 1, S("b"), S("a@b"), NOW, text, 9, &len) == BACKSTOP_ERR_MESSAGE_ID);
    CHECK(backstop_mark_message_id(ring, S("a"), "\xff", 1, S("a@b"), NOW, text, 9, &len) == BACKSTOP_ERR_DOMAIN);
    CHECK(backstop_mark_message_id(ring, S("a"), S("b"), S("<>"), NOW, text, sizeof text, &len) == BACKSTOP_UNSIGNED_NULL);
    CHECK(len == 0);
    backstop_keyring_free(none);
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
}

int main(void)
{
    versions_agree();
    every_code_has_a_sentence_of_its_own();
    every_name_is_the_slug();
    every_need_is_told_with_its_key();
    signing_reaches_every_reason();
    other_functions_reach_the_rest();
    for (int i = 0; i < CODES; i++)
        if (codes[i].code != BACKSTOP_ERR_INTERNAL && !reached[codes[i].code - FIRST]) {
            fprintf(stderr, "code %d was not reached: %s\n", codes[i].code, backstop_strerror(codes[i].code));
            return 1;
        }
    return 0;
}
