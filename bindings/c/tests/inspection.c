/* Returned messages: kind, verdict, proof, evidence and texts of real ones, every index, every number and its word, what
 * may be answered, structures of every size, NULL. */
#include "bounce.h"

static backstop_keyring *ring;
static backstop_policy *policy;

static backstop_findings findings_of(const backstop_inspection *it)
{
    backstop_findings findings = BACKSTOP_FINDINGS_INIT;
    CHECK(backstop_inspection_findings(it, &findings) == BACKSTOP_OK && findings.size == sizeof findings);
    return findings;
}

static int has_text(const backstop_inspection *it, int32_t which, const char *expected)
{
    char text[500];
    size_t len;
    CHECK(backstop_inspection_text(it, which, text, sizeof text, &len) == BACKSTOP_OK);
    return same(text, len, expected);
}

static void spam_that_came_back_is_backscatter_with_its_source(void)
{
    backstop_inspection *it = inspection_of(policy, ring, BOUNCE, USER);
    backstop_findings f = findings_of(it);
    CHECK(f.kind == BACKSTOP_KIND_DSN_FAILED && f.verdict == BACKSTOP_MESSAGE_BACKSCATTER && f.why == BACKSTOP_WHY_NONE);
    CHECK(f.advice == BACKSTOP_ADVICE_REFUSE && f.failure == BACKSTOP_FAILURE_BAD_ADDRESS);
    CHECK(f.proof == -1 && f.checks == 0 && f.evidence > 2 && f.score >= 50);
    CHECK(has_text(it, BACKSTOP_TEXT_MAILBOX, USER));
    CHECK(has_text(it, BACKSTOP_TEXT_REPORTING, "mx.reflector.example") && has_text(it, BACKSTOP_TEXT_INJECTOR, "198.51.100.17"));
    CHECK(has_text(it, BACKSTOP_TEXT_SUBJECT, "You won") && has_text(it, BACKSTOP_TEXT_RETURNED_FROM, USER));
    CHECK(has_text(it, BACKSTOP_TEXT_RETURNED_MESSAGE_ID, "1@zombie"));
    char text[500];
    size_t len;
    CHECK(backstop_inspection_text(it, BACKSTOP_TEXT_REPLY, text, sizeof text, &len) == 0 && memcmp(text, "550 5.7.1 ", 10) == 0);
    CHECK(backstop_inspection_text(it, BACKSTOP_TEXT_SENTENCE, text, sizeof text, &len) == 0 && text[len - 1] == '.');
    for (int32_t which = -3; which < 100; which++)
        CHECK(backstop_inspection_text(it, which, text, sizeof text, &len) ==
              (which >= BACKSTOP_TEXT_MAILBOX && which <= BACKSTOP_TEXT_RETURNED_MESSAGE_ID ? BACKSTOP_OK
                                                                                           : BACKSTOP_ERR_OPTION));
    backstop_inspection_free(it);
}

static void what_mode_enforce_would_do_is_told_beside_the_advice(void)
{
    backstop_policy *observing = policy_of("[policy]\nown-domains = [\"example.com\"]\nmarks-since = 2026-09-01\n");
    backstop_inspection *it = inspection_of(observing, ring, BOUNCE, USER);
    CHECK(findings_of(it).advice == BACKSTOP_ADVICE_FLAG && findings_of(it).would == BACKSTOP_ADVICE_REFUSE);
    backstop_inspection_free(it);
    backstop_policy_free(observing);
    it = inspection_of(policy, ring, BOUNCE, USER);
    CHECK(findings_of(it).advice == BACKSTOP_ADVICE_REFUSE && findings_of(it).would == BACKSTOP_ADVICE_REFUSE);
    backstop_inspection_free(it);
}

/* The message of a mark in what came back, which is written to `text`. */
static const char *marked(char *text, size_t size, const backstop_keyring *keys, int64_t now)
{
    char mark[1000];
    size_t len;
    CHECK(backstop_mark_header(keys, S(USER), (const uint8_t *)"12345678", now, mark, sizeof mark, &len) == BACKSTOP_OK);
    CHECK(snprintf(text, size, "From: <MAILER-DAEMON@mx.example.net>\r\nSubject: Undelivered Mail Returned to Sender\r\n"
                   "Content-Type: message/rfc822\r\n\r\nFrom: " USER "\r\n" BACKSTOP_MARK_HEADER ": %.*s\r\n\r\nhello\r\n",
                   (int)len, mark) < (int)size);
    return text;
}

/* As the message of a bounce from the null sender to `recipient` is judged, from what the envelope said. */
static backstop_decision judged(const backstop_policy *by, const char *recipient, int32_t client, const char *message)
{
    backstop_decision d = BACKSTOP_DECISION_INIT;
    backstop_inspection *it = inspection_of(by, ring, message, recipient);
    CHECK(backstop_policy_incoming_message(by, ring, S("<>"), S(recipient), client, it, NOW, &d) == BACKSTOP_OK);
    backstop_inspection_free(it);
    return d;
}

static void a_message_has_the_last_word_where_the_policy_says_so(void)
{
    backstop_policy *waiting = policy_of(BOUNCE_POLICY "refuse-at = \"message\"\nexempt-clients = [\"192.0.2.1\"]\n");
    backstop_keyring *other = ring_of("version 1\nmark m sha256 14 - - * text:the mark key of another\n");
    backstop_decision d = BACKSTOP_DECISION_INIT;
    char genuine[2000], forged[2000];
    marked(genuine, sizeof genuine, ring, NOW);
    marked(forged, sizeof forged, other, NOW);
    CHECK(backstop_policy_incoming(waiting, ring, S("<>"), S(USER), BACKSTOP_CLIENT_OTHER, NOW, &d) == BACKSTOP_OK);
    CHECK(d.action == BACKSTOP_ACTION_REFUSE && d.by_message == 1 && d.refuse_at == BACKSTOP_REFUSE_AT_MESSAGE);
    d = judged(waiting, USER, BACKSTOP_CLIENT_OTHER, genuine);
    CHECK(d.action == BACKSTOP_ACTION_UNCHANGED && d.rule == BACKSTOP_RULE_MARK_GENUINE && d.by_message == 1);
    d = judged(waiting, USER, BACKSTOP_CLIENT_OTHER, forged);
    CHECK(d.action == BACKSTOP_ACTION_REFUSE && d.rule == BACKSTOP_RULE_MARK_FORGED && d.reply_len > 10);
    d = judged(waiting, USER, BACKSTOP_CLIENT_OTHER, BOUNCE);
    CHECK(d.action == BACKSTOP_ACTION_REFUSE && d.rule == BACKSTOP_RULE_BACKSCATTER && d.reply_len > 10);

    /* Backscatter that nobody refuses: by advice it would be. */
    static const int32_t clients[] = {BACKSTOP_CLIENT_INTERNAL, BACKSTOP_CLIENT_EXEMPT, BACKSTOP_CLIENT_SUBMITTED};
    for (int i = 0; i < 3; i++) {
        CHECK(backstop_policy_incoming(waiting, ring, S("<>"), S(USER), clients[i], NOW, &d) == BACKSTOP_OK);
        CHECK(d.action == BACKSTOP_ACTION_UNCHANGED && d.by_message == 0);
        d = judged(waiting, USER, clients[i], BOUNCE);
        CHECK(d.action == BACKSTOP_ACTION_UNCHANGED && d.by_message == 0);
    }

    /* Under any other refuse-at the message has no say. */
    CHECK(backstop_policy_incoming(policy, ring, S("<>"), S(USER), BACKSTOP_CLIENT_OTHER, NOW, &d) == BACKSTOP_OK);
    CHECK(d.action == BACKSTOP_ACTION_REFUSE && d.by_message == 0);
    d = judged(policy, USER, BACKSTOP_CLIENT_OTHER, genuine);
    CHECK(d.action == BACKSTOP_ACTION_REFUSE && d.rule == BACKSTOP_RULE_UNTAGGED && d.by_message == 0);

    backstop_inspection *it = inspection_of(waiting, ring, genuine, USER);
    const backstop_decision before = d;
#define ASKED(by, keys, from, to, client, seen, now, out) \
    backstop_policy_incoming_message(by, keys, from, 2, to, 16, client, seen, now, out)
    CHECK(ASKED(NULL, ring, "<>", USER, BACKSTOP_CLIENT_OTHER, it, NOW, &d) == BACKSTOP_ERR_NULL);
    CHECK(ASKED(waiting, NULL, "<>", USER, BACKSTOP_CLIENT_OTHER, it, NOW, &d) == BACKSTOP_ERR_NULL);
    CHECK(ASKED(waiting, ring, NULL, USER, BACKSTOP_CLIENT_OTHER, it, NOW, &d) == BACKSTOP_ERR_NULL);
    CHECK(ASKED(waiting, ring, "<>", NULL, BACKSTOP_CLIENT_OTHER, it, NOW, &d) == BACKSTOP_ERR_NULL);
    CHECK(ASKED(waiting, ring, "<>", USER, BACKSTOP_CLIENT_OTHER, NULL, NOW, &d) == BACKSTOP_ERR_NULL);
    CHECK(ASKED(waiting, ring, "<>", USER, BACKSTOP_CLIENT_OTHER, it, NOW, NULL) == BACKSTOP_ERR_NULL);
    CHECK(ASKED(waiting, ring, "<>", USER, 0, it, NOW, &d) == BACKSTOP_ERR_OPTION);
    CHECK(ASKED(waiting, ring, "<>", USER, BACKSTOP_CLIENT_OTHER, it, -2, &d) == BACKSTOP_ERR_TIME);
    CHECK(memcmp(&d, &before, sizeof d) == 0);
    backstop_inspection_free(it);
    backstop_keyring_free(other);
    backstop_policy_free(waiting);
}

static void a_tag_proves_and_tells_its_days(void)
{
    backstop_inspection *it = inspection_of(policy, ring, BOUNCE, TAGGED);
    backstop_findings f = findings_of(it);
    CHECK(f.verdict == BACKSTOP_MESSAGE_GENUINE && f.advice == BACKSTOP_ADVICE_DELIVER && f.proof == 0 && f.checks == 1);
    backstop_check check = BACKSTOP_CHECK_INIT;
    char token[500];
    size_t len;
    CHECK(backstop_inspection_check(it, 0, token, sizeof token, &len, &check) == BACKSTOP_OK && len > 0);
    CHECK(check.place == BACKSTOP_PLACE_RECIPIENT && check.verdict == BACKSTOP_GENUINE && check.covered == 0);
    CHECK(check.key == '0' && check.signed_day == NOW / DAY && check.expires_day == NOW / DAY + 7);
    CHECK(backstop_inspection_check(it, 1, token, sizeof token, &len, &check) == BACKSTOP_ERR_OPTION);
    CHECK(backstop_inspection_check(it, UINT32_MAX, token, sizeof token, &len, &check) == BACKSTOP_ERR_OPTION);
    CHECK(has_text(it, BACKSTOP_TEXT_MAILBOX, USER));
    CHECK(has_text(it, BACKSTOP_TEXT_REPLY, ""));
    backstop_inspection_free(it);

    it = inspection_of(policy, ring, BOUNCE, "prvs=0785000000=user@example.com");
    CHECK(findings_of(it).verdict == BACKSTOP_MESSAGE_FORGED && findings_of(it).proof == -1 && findings_of(it).checks == 1);
    CHECK(backstop_inspection_check(it, 0, token, sizeof token, &len, &check) == BACKSTOP_OK);
    CHECK(check.verdict == BACKSTOP_FORGED && check.signed_day == -1 && check.expires_day == -1);
    CHECK(has_text(it, BACKSTOP_TEXT_MAILBOX, ""));
    backstop_inspection_free(it);
}

static void the_score_is_the_sum_of_evidence_with_its_sentences(void)
{
    backstop_inspection *it = inspection_of(policy, ring, BOUNCE, USER);
    backstop_findings f = findings_of(it);
    int null_sender = 0;
    char id[200], why[500];
    size_t id_len, why_len;
    int32_t weight;
    for (uint32_t i = 0; i < f.evidence; i++) {
        CHECK(backstop_inspection_evidence(it, i, id, sizeof id, &id_len, &weight) == BACKSTOP_OK && id_len > 2);
        CHECK(backstop_inspection_evidence_why(it, i, why, sizeof why, &why_len) == BACKSTOP_OK && why_len > 5);
        null_sender += same(id, id_len, "null-sender") && weight > 0;
    }
    CHECK(null_sender == 1);
    CHECK(backstop_inspection_evidence(it, f.evidence, id, sizeof id, &id_len, &weight) == BACKSTOP_ERR_OPTION);
    CHECK(backstop_inspection_evidence_why(it, f.evidence, why, sizeof why, &why_len) == BACKSTOP_ERR_OPTION);
    backstop_inspection_free(it);
}

static int begins(const char *text, const char *start)
{
    return memcmp(text, start, strlen(start)) == 0;
}

static void the_json_object_has_file_and_zones_and_no_control_character(void)
{
    backstop_inspection *it = inspection_of(policy, ring, BOUNCE, TAGGED);
    char json[8000];
    size_t len = 7777, shorter;
    backstop_text zones[2] = {{"zen.example", 11}, {"\xff", 1}};
    CHECK(backstop_inspection_json(it, NULL, 0, NULL, 0, json, sizeof json, &len) == BACKSTOP_OK && len < sizeof json);
    CHECK(begins(json, "{\"file\":null,\"kind\":\"dsn-failed\",\"verdict\":\"genuine\",\"proof\":\"recipient-tag\","));
    CHECK(json[len - 1] == '}' && memchr(json, '\n', len) == NULL);
    shorter = len;
    CHECK(backstop_inspection_json(it, "a\"\x1b", 3, zones, 1, json, sizeof json, &len) == BACKSTOP_OK && len > shorter);
    CHECK(begins(json, "{\"file\":\"a\\\"\\u001b\","));
    json[len] = '\0';
    CHECK(strstr(json, "\"dnsbl\":[\"17.100.51.198.zen.example\"]},\"mailbox\":") != NULL);
    CHECK(backstop_inspection_json(it, "", 0, NULL, 0, json, sizeof json, &len) == BACKSTOP_OK && begins(json, "{\"file\":\"\""));
    len = 7777;
    json[0] = 'x';
    CHECK(backstop_inspection_json(it, NULL, 0, zones, 2, json, sizeof json, &len) == BACKSTOP_ERR_DOMAIN);
    CHECK(backstop_inspection_json(it, NULL, 0, NULL, 1, json, sizeof json, &len) == BACKSTOP_ERR_NULL);
    CHECK(backstop_inspection_json(it, "", SIZE_MAX, NULL, 0, json, sizeof json, &len) == BACKSTOP_ERR_LENGTH);
    CHECK(backstop_inspection_json(NULL, NULL, 0, NULL, 0, json, sizeof json, &len) == BACKSTOP_ERR_NULL);
    CHECK(backstop_inspection_json(it, NULL, 0, NULL, 0, NULL, 0, &len) == BACKSTOP_ERR_NULL);
    CHECK(backstop_inspection_json(it, NULL, 0, NULL, 0, json, sizeof json, NULL) == BACKSTOP_ERR_NULL);
    CHECK(len == 7777 && json[0] == 'x');
    backstop_inspection_free(it);
}

static void what_is_not_given_is_read_from_the_message(void)
{
    backstop_envelope nothing = BACKSTOP_ENVELOPE_INIT;
    backstop_inspection *it;
    CHECK(backstop_inspect(policy, ring, S("Return-Path: <>\r\nDelivered-To: " TAGGED "\r\n" BOUNCE), &nothing, NOW, &it) == 0);
    CHECK(findings_of(it).verdict == BACKSTOP_MESSAGE_GENUINE);
    backstop_inspection_free(it);
    CHECK(backstop_inspect(policy, ring, S("Return-Path: <>\r\nTo: " TAGGED "\r\n" BOUNCE), &nothing, NOW, &it) == 0);
    CHECK(findings_of(it).verdict == BACKSTOP_MESSAGE_UNPROVEN && findings_of(it).why == BACKSTOP_WHY_UNCHECKED);
    backstop_inspection_free(it);
    backstop_envelope bob = BACKSTOP_ENVELOPE_INIT;
    bob.sender.data = "bob@example.org";
    bob.sender.len = 15;
    bob.recipient.data = TAGGED;
    bob.recipient.len = strlen(TAGGED);
    CHECK(backstop_inspect(policy, ring, S("From: bob@example.org\r\nSubject: lunch\r\n\r\nAt noon?\r\n"), &bob, NOW, &it) == 0);
    CHECK(findings_of(it).kind == BACKSTOP_KIND_NOT_A_BOUNCE && findings_of(it).verdict == BACKSTOP_MESSAGE_NOT_A_BOUNCE);
    CHECK(has_text(it, BACKSTOP_TEXT_MAILBOX, ""));
    backstop_inspection_free(it);
    it = inspection_of(policy, ring, "From: <MAILER-DAEMON@a.example>\nSubject: Undelivered Mail Returned to Sender\n\nno such user\n",
                       USER);
    CHECK(findings_of(it).verdict == BACKSTOP_MESSAGE_UNPROVEN && findings_of(it).why == BACKSTOP_WHY_NOTHING_RETURNED);
    backstop_inspection_free(it);
    CHECK(backstop_inspect(policy, ring, "", 0, &nothing, NOW, &it) == BACKSTOP_OK);
    CHECK(findings_of(it).kind == BACKSTOP_KIND_NOT_A_BOUNCE && has_text(it, BACKSTOP_TEXT_MAILBOX, ""));
    backstop_inspection_free(it);
}

static int32_t answered(const char *sender, int32_t authenticated, const char *message, const char *own)
{
    backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
    int32_t restraint = 7777;
    backstop_text mine = {own, own == NULL ? 0 : strlen(own)};
    envelope.sender.data = sender;
    envelope.sender.len = strlen(sender);
    envelope.authenticated = authenticated;
    if (own == NULL)
        CHECK(backstop_may_bounce(S(message), &envelope, &restraint) == BACKSTOP_OK);
    else
        CHECK(backstop_may_autorespond(S(message), &envelope, &mine, 1, &restraint) == BACKSTOP_OK);
    return restraint;
}

static void who_may_be_answered(void)
{
    const char *mail = "From: bob@example.org\r\nTo: " USER "\r\n\r\nhello\r\n";
    const char *list = "From: bob@example.org\r\nTo: " USER "\r\nList-Id: <a.example>\r\n\r\nhello\r\n";
    const char *robot = "From: bob@example.org\r\nAuto-Submitted: auto-replied\r\nTo: " USER "\r\n\r\nhello\r\n";
    CHECK(answered("bob@example.org", 1, mail, NULL) == BACKSTOP_RESTRAINT_NONE);
    CHECK(answered("bob@example.org", 0, mail, NULL) == BACKSTOP_RESTRAINT_UNAUTHENTICATED);
    CHECK(answered("<>", 1, mail, NULL) == BACKSTOP_RESTRAINT_NULL_SENDER);
    CHECK(answered("bob@example.org", 1, BOUNCE, NULL) == BACKSTOP_RESTRAINT_REPORT);
    CHECK(answered("bob@example.org", 1, mail, USER) == BACKSTOP_RESTRAINT_NONE);
    CHECK(answered("bob@example.org", 1, mail, "carol@example.com") == BACKSTOP_RESTRAINT_NOT_ADDRESSED);
    CHECK(answered("bob@example.org", 1, list, USER) == BACKSTOP_RESTRAINT_LIST);
    CHECK(answered("bob@example.org", 1, robot, USER) == BACKSTOP_RESTRAINT_AUTO_SUBMITTED);
    CHECK(answered("list-request@example.org", 1, mail, USER) == BACKSTOP_RESTRAINT_ROBOT);
    backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
    backstop_text bad[2] = {{USER, 16}, {"\xff@example.com", 13}};
    int32_t restraint = 7777;
    envelope.authenticated = 1;
    CHECK(backstop_may_autorespond(S(mail), &envelope, bad, 2, &restraint) == BACKSTOP_ERR_ADDRESS && restraint == 7777);
    bad[1].data = NULL;
    CHECK(backstop_may_autorespond(S(mail), &envelope, bad, 2, &restraint) == BACKSTOP_ERR_NULL && restraint == 7777);
    CHECK(backstop_may_autorespond(S(mail), &envelope, bad, 0, &restraint) == BACKSTOP_OK);
}

typedef const char *name(int32_t number);

static void every_number_has_its_word(void)
{
    static const char *kinds[] = {"dsn-failed", "dsn-delayed", "dsn-success", "mdn", "feedback-report", "auto-reply",
                                  "vacation", "challenge", "virus-notice", "spam-notice", "subscription-confirmation",
                                  "other-automatic", "not-a-bounce", "unknown"};
    static const char *messages[] = {"not-a-bounce", "genuine", "expired", "forged", "unproven", "backscatter", "unknown"};
    static const char *whys[] = {"nothing-returned", "too-little-returned", "from-not-own", "marks-not-in-force",
                                 "not-covered", "unchecked", "other-address", "future", "damaged", "reported", "unknown"};
    static const char *advices[] = {"deliver", "flag", "refuse", "unknown"};
    static const char *places[] = {"recipient-tag", "returned-mark", "returned-message-id", "in-reply-to", "references",
                                   "unknown"};
    static const char *failures[] = {"bad-address", "mailbox-full", "unreachable", "delayed", "policy", "content", "unknown"};
    static const char *restraints[] = {"null-sender", "unauthenticated", "report", "auto-submitted", "list", "robot",
                                       "suppressed", "not-addressed", "unknown"};
    static const struct {
        name *of;
        const char **words, *zero;
        int32_t count;
    } tables[] = {
        {backstop_kind_name, kinds, "unknown", 14}, {backstop_message_name, messages, "unknown", 7},
        {backstop_why_name, whys, "none", 11}, {backstop_advice_name, advices, "unknown", 4},
        {backstop_place_name, places, "unknown", 6}, {backstop_failure_name, failures, "none", 7},
        {backstop_restraint_name, restraints, "none", 9},
    };
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++) {
        CHECK(strcmp(tables[table].of(0), tables[table].zero) == 0);
        CHECK(strcmp(tables[table].of(-1), "unknown") == 0 && strcmp(tables[table].of(INT32_MIN), "unknown") == 0);
        for (int32_t i = 0; i < tables[table].count; i++)
            CHECK(strcmp(tables[table].of(i + 1), tables[table].words[i]) == 0);
    }
    for (int32_t i = 0; i < 9; i++)
        for (int32_t j = 0; j < i; j++)
            CHECK(strcmp(backstop_restraint_text(i), backstop_restraint_text(j)) != 0);
    CHECK(strstr(backstop_restraint_text(9), "no restraint") != NULL);
}

static void every_size_of_a_structure(void)
{
    backstop_inspection *it = inspection_of(policy, ring, BOUNCE, TAGGED), *none = NULL;
    CHECK(sizeof(backstop_findings) == 48 && offsetof(backstop_findings, would) == BACKSTOP_FINDINGS_SIZE_1);
    for (uint32_t size = 0; size < 200; size++) {
        union {
            backstop_findings findings;
            backstop_check check;
            unsigned char octets[300];
        } at;
        char token[100];
        size_t len = 7777;
        memset(&at, 0x5a, sizeof at);
        at.findings.size = size;
        int32_t code = backstop_inspection_findings(it, &at.findings);
        int known = size == BACKSTOP_FINDINGS_SIZE_1 || size == sizeof at.findings;
        CHECK(code == (known ? BACKSTOP_OK : BACKSTOP_ERR_SIZE) && at.findings.size == size);
        CHECK(!known || (at.findings.proof == 0 && at.findings.checks == 1));
        for (size_t i = code == BACKSTOP_OK ? size : sizeof size; i < sizeof at; i++)
            CHECK(at.octets[i] == 0x5a);
        memset(&at, 0x5a, sizeof at);
        at.check.size = size;
        code = backstop_inspection_check(it, 0, token, sizeof token, &len, &at.check);
        CHECK(code == (size == sizeof at.check ? BACKSTOP_OK : BACKSTOP_ERR_SIZE) && at.check.size == size);
        CHECK((len == 7777) == (code != BACKSTOP_OK));
        for (size_t i = code == BACKSTOP_OK ? size : sizeof size; i < sizeof at; i++)
            CHECK(at.octets[i] == 0x5a);
        backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
        int32_t restraint = 7777;
        envelope.size = size;
        code = size == sizeof envelope ? BACKSTOP_OK : BACKSTOP_ERR_SIZE;
        CHECK(backstop_inspect(policy, ring, S(BOUNCE), &envelope, NOW, &none) == code && (none != NULL) == (code == 0));
        CHECK(backstop_may_bounce(S(BOUNCE), &envelope, &restraint) == code && (restraint == 7777) == (code != 0));
        backstop_inspection_free(none);
        none = NULL;
    }
    backstop_inspection_free(it);
}

#define NULLS(...) CHECK((__VA_ARGS__) == BACKSTOP_ERR_NULL)

static void null_is_an_error_everywhere(void)
{
    backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
    backstop_inspection *none = NULL;
    backstop_findings findings = BACKSTOP_FINDINGS_INIT;
    int32_t restraint = 7777;
    backstop_text own = {USER, 16};
    NULLS(backstop_inspect(NULL, ring, "", 0, &envelope, NOW, &none));
    NULLS(backstop_inspect(policy, NULL, "", 0, &envelope, NOW, &none));
    NULLS(backstop_inspect(policy, ring, NULL, 0, &envelope, NOW, &none));
    NULLS(backstop_inspect(policy, ring, "", 0, NULL, NOW, &none));
    NULLS(backstop_inspect(policy, ring, "", 0, &envelope, NOW, NULL));
    NULLS(backstop_inspection_findings(NULL, &findings));
    backstop_inspection *it = inspection_of(policy, ring, BOUNCE, USER);
    NULLS(backstop_inspection_findings(it, NULL));
    backstop_inspection_free(it);
    NULLS(backstop_may_bounce(NULL, 0, &envelope, &restraint));
    NULLS(backstop_may_bounce("", 0, NULL, &restraint));
    NULLS(backstop_may_bounce("", 0, &envelope, NULL));
    NULLS(backstop_may_autorespond(NULL, 0, &envelope, &own, 1, &restraint));
    NULLS(backstop_may_autorespond("", 0, NULL, &own, 1, &restraint));
    NULLS(backstop_may_autorespond("", 0, &envelope, NULL, 0, &restraint));
    NULLS(backstop_may_autorespond("", 0, &envelope, &own, 1, NULL));
    CHECK(none == NULL && restraint == 7777);
    backstop_inspection_free(NULL);
    CHECK(backstop_inspect(policy, ring, "", SIZE_MAX, &envelope, NOW, &none) == BACKSTOP_ERR_LENGTH);
    CHECK(backstop_inspect(policy, ring, "", 0, &envelope, -2, &none) == BACKSTOP_ERR_TIME && none == NULL);
    envelope.recipient.data = "";
    envelope.recipient.len = SIZE_MAX;
    CHECK(backstop_inspect(policy, ring, "", 0, &envelope, NOW, &none) == BACKSTOP_ERR_LENGTH && none == NULL);
}

int main(void)
{
    ring = ring_of(RING);
    policy = policy_of(BOUNCE_POLICY);
    spam_that_came_back_is_backscatter_with_its_source();
    what_mode_enforce_would_do_is_told_beside_the_advice();
    a_message_has_the_last_word_where_the_policy_says_so();
    a_tag_proves_and_tells_its_days();
    the_score_is_the_sum_of_evidence_with_its_sentences();
    the_json_object_has_file_and_zones_and_no_control_character();
    what_is_not_given_is_read_from_the_message();
    who_may_be_answered();
    every_number_has_its_word();
    every_size_of_a_structure();
    null_is_an_error_everywhere();
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
    return 0;
}
