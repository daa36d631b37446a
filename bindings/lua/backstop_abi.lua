-- backstop_abi.lua: what the binding uses of include/backstop.h: its declarations, for ffi.cdef, and its numbers.
--
-- LuaJIT reads C declarations but no #define, so both stand here once more. bindings/lua/tests/abi.lua holds them
-- against the header: each declaration word for word, each number by its name. It fails as well for a function of the
-- header that is not here, but for the two _ref functions, since in Lua a second holder of a handle needs no second
-- reference, those that only Exim calls, and the _many ones, since a table of Lua is no array of C. A change here begins in the header.
local declarations = [[
typedef struct backstop_keyring backstop_keyring;
typedef struct backstop_keystore backstop_keystore;
typedef struct backstop_policy backstop_policy;
typedef struct backstop_srs backstop_srs;
typedef struct backstop_inspection backstop_inspection;
typedef struct backstop_verdict {
    uint32_t size;
    int32_t verdict;
    int32_t reason;
    int32_t signed_day;
    int32_t expires_day;
    int32_t key;
    uint32_t mailbox_len;
    char mailbox[321];
    char reserved[3];
    int32_t key_use;
    int32_t covered;
} backstop_verdict;
typedef struct backstop_srs_options {
    uint32_t size;
    int32_t separator;
    uint32_t hash_length;
    uint32_t hash_min;
    uint32_t max_age;
    int32_t always_rewrite;
    int32_t alphabet;
    int32_t over_long;
} backstop_srs_options;
typedef struct backstop_text {
    const char *data;
    size_t len;
} backstop_text;
typedef struct backstop_decision {
    uint32_t size;
    int32_t action;
    int32_t would;
    int32_t rule;
    int32_t verdict;
    int32_t reason;
    int32_t mode;
    int32_t refuse_at;
    int32_t log;
    uint32_t address_len;
    uint32_t reply_len;
    char address[321];
    char reply[255];
    int32_t by_message;
} backstop_decision;
typedef struct backstop_envelope {
    uint32_t size;
    int32_t authenticated;
    backstop_text sender;
    backstop_text recipient;
} backstop_envelope;
typedef struct backstop_findings {
    uint32_t size;
    int32_t kind;
    int32_t verdict;
    int32_t why;
    int32_t advice;
    int32_t failure;
    int32_t score;
    int32_t lean;
    int32_t proof;
    uint32_t evidence;
    uint32_t checks;
    int32_t would;
} backstop_findings;
typedef struct backstop_check {
    uint32_t size;
    int32_t place;
    int32_t verdict;
    int32_t covered;
    int32_t key;
    int32_t signed_day;
    int32_t expires_day;
} backstop_check;
const char *backstop_version(void);
uint32_t backstop_version_number(void);
const char *backstop_strerror(int32_t status);
int32_t backstop_keyring_parse(const char *text, size_t len, backstop_keyring **out);
int32_t backstop_keyring_load(const char *path, backstop_keyring **out);
void backstop_keyring_free(backstop_keyring *ring);
int32_t backstop_keyring_diagnose(const char *text, size_t len, char *buf, size_t cap, size_t *out_len, size_t *line);
int32_t backstop_keyring_diagnose_file(const char *path, char *buf, size_t cap, size_t *out_len);
int32_t backstop_keyring_fingerprint(const backstop_keyring *ring, char *buf, size_t cap, size_t *out_len);
int32_t backstop_keystore_open(const char *path, backstop_keystore **out);
int32_t backstop_keystore_diagnose(const char *path, char *buf, size_t cap, size_t *out_len);
int32_t backstop_keystore_get(const backstop_keystore *store, backstop_keyring **out);
int32_t backstop_keystore_reload(const backstop_keystore *store);
int32_t backstop_keystore_report(const backstop_keystore *store, char *buf, size_t cap, size_t *out_len);
void backstop_keystore_free(backstop_keystore *store);
const char *backstop_verdict_name(int32_t verdict);
const char *backstop_reason_name(int32_t reason);
const char *backstop_tag_name(int32_t tag);
const char *backstop_use_name(int32_t usage);
int32_t backstop_sign(const backstop_keyring *ring, const char *address, size_t len, int64_t now, char *out,
    size_t cap, size_t *out_len);
int32_t backstop_sign_subaddress(const backstop_keyring *ring, const char *address, size_t len, int64_t now,
    char *out, size_t cap, size_t *out_len);
int32_t backstop_verify(const backstop_keyring *ring, const char *address, size_t len, int64_t now,
    backstop_verdict *out);
int32_t backstop_strip(const char *address, size_t len, char *out, size_t cap, size_t *out_len, int32_t *tag);
int32_t backstop_explain(const backstop_keyring *ring, const char *address, size_t len, int64_t now, char *out,
    size_t cap, size_t *out_len);
int32_t backstop_srs_new(const char *domain, size_t domain_len, const char *own, size_t own_len,
    const backstop_srs_options *options, backstop_srs **out);
void backstop_srs_free(backstop_srs *srs);
int32_t backstop_srs_forward(const backstop_keyring *ring, const backstop_srs *srs, const char *address, size_t len,
    int64_t now, char *out, size_t cap, size_t *out_len);
int32_t backstop_srs_reverse(const backstop_keyring *ring, const backstop_srs *srs, const char *address, size_t len,
    int64_t now, backstop_verdict *out);
int32_t backstop_mark_address_of_from(const char *field, size_t len, char *out, size_t cap, size_t *out_len);
int32_t backstop_mark_header(const backstop_keyring *ring, const char *from, size_t from_len, const uint8_t *nonce,
    int64_t now, char *out, size_t cap, size_t *out_len);
int32_t backstop_mark_message_id(const backstop_keyring *ring, const char *left, size_t left_len, const char *domain,
    size_t domain_len, const char *from, size_t from_len, int64_t now, char *out, size_t cap, size_t *out_len);
int32_t backstop_mark_verify_header(const backstop_keyring *ring, const char *value, size_t value_len,
    const char *recipient, size_t recipient_len, int64_t now, backstop_verdict *out);
int32_t backstop_mark_verify_message_id(const backstop_keyring *ring, const char *id, size_t id_len,
    const char *recipient, size_t recipient_len, int64_t now, backstop_verdict *out);
int32_t backstop_policy_parse(const char *text, size_t len, backstop_policy **out);
int32_t backstop_policy_diagnose(const char *text, size_t len, char *buf, size_t cap, size_t *out_len, size_t *line);
void backstop_policy_free(backstop_policy *policy);
int32_t backstop_policy_needs(const backstop_policy *policy, int32_t need, int32_t *needed);
int32_t backstop_policy_origin(const backstop_policy *policy, int32_t authenticated, const char *ip, size_t ip_len,
    uint16_t port, int32_t *origin);
int32_t backstop_policy_client(const backstop_policy *policy, int32_t authenticated, const char *ip, size_t ip_len,
    uint16_t port, int32_t *client);
int32_t backstop_policy_outgoing(const backstop_policy *policy, const backstop_keyring *ring, const char *sender,
    size_t sender_len, const backstop_text *recipients, size_t count, int32_t origin, int64_t now, char *out,
    size_t cap, size_t *out_len, int32_t *rule);
int32_t backstop_policy_forward(const backstop_policy *policy, const backstop_keyring *ring, const char *sender,
    size_t sender_len, const char *recipient, size_t recipient_len, int64_t now, char *out, size_t cap,
    size_t *out_len, int32_t *rule);
int32_t backstop_policy_incoming(const backstop_policy *policy, const backstop_keyring *ring, const char *sender,
    size_t sender_len, const char *recipient, size_t recipient_len, int32_t client, int64_t now,
    backstop_decision *out);
int32_t backstop_policy_incoming_message(const backstop_policy *policy, const backstop_keyring *ring,
    const char *sender, size_t sender_len, const char *recipient, size_t recipient_len, int32_t client,
    const backstop_inspection *inspection, int64_t now, backstop_decision *out);
const char *backstop_origin_name(int32_t origin);
const char *backstop_client_name(int32_t client);
const char *backstop_mode_name(int32_t mode);
const char *backstop_action_name(int32_t action);
const char *backstop_refuse_at_name(int32_t refuse_at);
const char *backstop_need_name(int32_t need);
const char *backstop_rule_name(int32_t rule);
const char *backstop_rule_text(int32_t rule);
const char *backstop_kind_name(int32_t kind);
const char *backstop_message_name(int32_t verdict);
const char *backstop_why_name(int32_t why);
const char *backstop_advice_name(int32_t advice);
const char *backstop_place_name(int32_t place);
const char *backstop_failure_name(int32_t failure);
const char *backstop_restraint_name(int32_t restraint);
const char *backstop_restraint_text(int32_t restraint);
int32_t backstop_inspect(const backstop_policy *policy, const backstop_keyring *ring, const char *message,
    size_t message_len, const backstop_envelope *envelope, int64_t now, backstop_inspection **out);
void backstop_inspection_free(backstop_inspection *inspection);
int32_t backstop_inspection_findings(const backstop_inspection *inspection, backstop_findings *out);
int32_t backstop_inspection_text(const backstop_inspection *inspection, int32_t which, char *buf, size_t cap,
    size_t *out_len);
int32_t backstop_inspection_evidence(const backstop_inspection *inspection, uint32_t index, char *buf, size_t
    cap, size_t *out_len, int32_t *weight);
int32_t backstop_inspection_evidence_why(const backstop_inspection *inspection, uint32_t index, char *buf,
    size_t cap, size_t *out_len);
int32_t backstop_inspection_check(const backstop_inspection *inspection, uint32_t index, char *buf, size_t cap,
    size_t *out_len, backstop_check *out);
int32_t backstop_inspection_json(const backstop_inspection *inspection, const char *file, size_t file_len, const
    backstop_text *zones, size_t count, char *buf, size_t cap, size_t *out_len);
int32_t backstop_may_bounce(const char *message, size_t message_len, const backstop_envelope *envelope, int32_t
    *restraint);
int32_t backstop_may_autorespond(const char *message, size_t message_len, const backstop_envelope *envelope,
    const backstop_text *own, size_t count, int32_t *restraint);
]]

local constants = {
    OK = 0,
    UNSIGNED_NULL = 1, UNSIGNED_ALREADY = 2, UNSIGNED_NOT_OWN = 3, UNSIGNED_NO_KEY = 4, UNSIGNED_TOO_LONG = 5,
    UNSIGNED_OWN_DOMAIN = 6, UNSIGNED_SHAPE = 7,
    ERR_NULL = -1, ERR_INTERNAL = -2, ERR_TOO_SMALL = -3, ERR_SIZE = -4, ERR_LENGTH = -5, ERR_TIME = -6,
    ERR_ADDRESS = -7, ERR_NULL_RECIPIENT = -8, ERR_KEYRING = -9, ERR_FILE = -10, ERR_POLICY = -11, ERR_DOMAIN = -12,
    ERR_OPTION = -13, ERR_MESSAGE_ID = -14, ERR_IP = -15,
    NONE = 0, REASON_NONE = 0, TAG_NONE = 0, USE_NONE = 0,
    ALPHABET_CLASSIC = 0, ALPHABET_URL = 1, ALPHABET_ALT = 2,
    OVER_LONG_LEAVE = 0, OVER_LONG_EMIT = 1,
    NONCE_SIZE = 8,
    ORIGIN_SUBMITTED = 1, ORIGIN_INTERNAL = 2, ORIGIN_INBOUND = 3, ORIGIN_UNKNOWN = 4,
    CLIENT_INTERNAL = 1, CLIENT_EXEMPT = 2, CLIENT_OTHER = 3, CLIENT_SUBMITTED = 4,
    NEED_REFUSE = 1, NEED_REFUSE_AT_DATA = 2, NEED_REFUSE_AT_MESSAGE = 3, NEED_CLIENT = 4, NEED_SENDER = 5,
    NEED_OWN_NETWORK = 6, NEED_RECIPIENTS = 7, NEED_FORWARDER = 8,
    WHY_NONE = 0, FAILURE_NONE = 0, RESTRAINT_NONE = 0,
    TEXT_MAILBOX = 1, TEXT_SENTENCE = 2, TEXT_REPLY = 3, TEXT_REPORTING = 4, TEXT_INJECTOR = 5, TEXT_SUBJECT = 6,
    TEXT_RETURNED_FROM = 7, TEXT_RETURNED_MESSAGE_ID = 8,
}

return { declarations = declarations, constants = constants }
