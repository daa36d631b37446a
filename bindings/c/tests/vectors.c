/* The vectors of the whole project, tests/vectors, through the C functions:
 *     vectors FOLDER
 * Reads JSON lines as those files have them: flat objects, one a line. */
#include "test.h"

enum { LINE = 4096 };

/* The value behind "name": in a line, or NULL. */
static const char *value(const char *line, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(line, quoted);
    return at == NULL ? NULL : at + strlen(quoted) + strspn(at + strlen(quoted), " ");
}

/* Decodes a text value; 0 if there is none. */
static int text_of(const char *line, const char *name, char *out)
{
    const char *at = value(line, name);
    if (at == NULL || *at++ != '"')
        return 0;
    for (; *at != '"'; at++) {
        CHECK(*at != '\0');
        if (*at != '\\') {
            *out++ = *at;
            continue;
        }
        unsigned code = (unsigned char)*++at;
        if (code == 'u') {
            CHECK(sscanf(at + 1, "%4x", &code) == 1 && code < 0xd800);
            at += 4;
        } else if (code == 'n' || code == 't' || code == 'r')
            code = code == 'n' ? '\n' : code == 't' ? '\t' : '\r';
        if (code < 0x80)
            *out++ = (char)code;
        else if (code < 0x800) {
            *out++ = (char)(0xc0 | code >> 6);
            *out++ = (char)(0x80 | (code & 63));
        } else {
            *out++ = (char)(0xe0 | code >> 12);
            *out++ = (char)(0x80 | (code >> 6 & 63));
            *out++ = (char)(0x80 | (code & 63));
        }
    }
    *out = '\0';
    return 1;
}

static long long number_of(const char *line, const char *name)
{
    const char *at = value(line, name);
    CHECK(at != NULL);
    return strtoll(at, NULL, 10);
}

static int is(const char *line, const char *name, const char *expected)
{
    const char *at = value(line, name);
    return at != NULL && strncmp(at, expected, strlen(expected)) == 0;
}

static const char *hex(const char *text)
{
    static char out[LINE];
    for (size_t i = 0; text[i] != '\0'; i++)
        sprintf(out + 2 * i, "%02x", (unsigned char)text[i]);
    return out;
}

static backstop_keyring *key(const char *use, const char *id, const char *mac, long long days, const char *secret_hex)
{
    char text[LINE];
    snprintf(text, sizeof text, "version 1\n%s %s %s %lld - - * hex:%s\n", use, id, mac, days, secret_hex);
    return ring_of(text);
}

/* Signing gives these octets, unless they leave no room for one SRS hop, and they verify. */
static void signs(backstop_keyring *ring, const char *input, const char *output, int64_t now, const char *id)
{
    char out[LINE];
    size_t len;
    backstop_verdict v = BACKSTOP_VERDICT_INIT;
    int32_t code = backstop_sign(ring, S(input), now, out, sizeof out, &len);
    int no_room = strncmp(output, "bst1=", 5) == 0 && 23 + 14 + strlen(input) - 1 > 64;
    const char *expected = no_room ? input : output;
    if (code != (no_room ? BACKSTOP_UNSIGNED_TOO_LONG : BACKSTOP_OK) || !same(out, len, expected))
        fprintf(stderr, "%s: %s %.*s instead of %s\n", input, backstop_strerror(code), (int)len, out, expected);
    CHECK(code == (no_room ? BACKSTOP_UNSIGNED_TOO_LONG : BACKSTOP_OK) && same(out, len, expected));
    CHECK(backstop_verify(ring, S(output), now, &v) == BACKSTOP_OK && v.verdict == BACKSTOP_GENUINE);
    CHECK(v.signed_day == now / DAY && v.key == *id && strcmp(v.mailbox, input) == 0);
    backstop_keyring_free(ring);
}

static int exim(const char *line)
{
    char secret[LINE], id[8] = "0", input[LINE], output[LINE];
    if (!is(line, "kind", "\"sign\"") || !text_of(line, "output", output) || !text_of(line, "input", input))
        return 0;
    const char *at = strrchr(input, '@');
    if (strpbrk(input, "\" ") != NULL || at == NULL || at - input > 48 || strlen(input) > 238)
        return 0;
    /* Exim signs again what carries a tag of any system. */
    if (strncmp(input, "prvs=", 5) == 0 || strncmp(input, "SRS", 3) == 0 || strncmp(input, "btv1==", 6) == 0)
        return 0;
    text_of(line, "keynum", id);
    CHECK(text_of(line, "secret", secret));
    signs(key("prvs", id, "sha1", 7, hex(secret)), input, output, number_of(line, "unix_day") * DAY, id);
    return 1;
}

static int prvs_sha256(const char *line)
{
    char secret[LINE], id[8], input[LINE], output[LINE];
    CHECK(text_of(line, "secret_hex", secret) && text_of(line, "key", id));
    CHECK(text_of(line, "input", input) && text_of(line, "output", output));
    signs(key("prvs", id, "sha256", number_of(line, "days"), secret), input, output, number_of(line, "day") * DAY, id);
    return 1;
}

static int bst1(const char *line)
{
    char secret[LINE], id[8], input[LINE], output[LINE];
    CHECK(text_of(line, "secret_hex", secret) && text_of(line, "id", id));
    CHECK(text_of(line, "input", input) && text_of(line, "output", output));
    signs(key("bst1", id, "sha256", 10, secret), input, output, number_of(line, "day") * DAY, id);
    return 1;
}

static int srs(const char *line)
{
    char secret[LINE], input[LINE], output[LINE], domain[LINE], separator[8], out[LINE];
    size_t len;
    backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
    backstop_srs *forwarder;
    const char *secrets = value(line, "secrets");
    if (!is(line, "reference_status", "\"ok\"") || !is(line, "peers_differ", "{}") || secrets == NULL)
        return 0;
    CHECK(text_of(line, "input", input) && text_of(line, "reference_output", output));
    CHECK(text_of(line, "separator", separator) && sscanf(secrets, "[\"%4095[^\"]\"", secret) == 1);
    int forward = is(line, "op", "\"forward\"");
    if (forward)
        CHECK(text_of(line, "alias", domain));
    else if (strrchr(input, '@') != NULL)
        strcpy(domain, strrchr(input, '@') + 1);
    else
        return 0;
    options.separator = separator[0];
    options.hash_length = (uint32_t)number_of(line, "hashlength");
    options.hash_min = (uint32_t)number_of(line, "hashmin");
    options.max_age = (uint32_t)number_of(line, "maxage");
    options.always_rewrite = is(line, "alwaysrewrite", "true");
    CHECK(backstop_srs_new(S(domain), "", 0, &options, &forwarder) == BACKSTOP_OK);
    backstop_keyring *ring = key("srs", "0", "sha1", 21, hex(secret));
    int64_t now = number_of(line, "time");
    int counts;
    if (forward) {
        int32_t code = backstop_srs_forward(ring, forwarder, S(input), now, out, sizeof out, &len);
        /* What is no address, or makes none, is left alone here and rewritten there. */
        counts = code == BACKSTOP_OK;
        if (counts && !same(out, len, output))
            fprintf(stderr, "%s became %.*s instead of %s\n", input, (int)len, out, output);
        CHECK(!counts || same(out, len, output));
    } else {
        backstop_verdict v = BACKSTOP_VERDICT_INIT;
        counts = backstop_srs_reverse(ring, forwarder, S(input), now, &v) == BACKSTOP_OK && v.verdict == BACKSTOP_GENUINE;
        CHECK(!counts || (strcmp(v.mailbox, output) == 0 && v.key_use == BACKSTOP_USE_SRS));
    }
    backstop_keyring_free(ring);
    backstop_srs_free(forwarder);
    return counts;
}

static int mark(const char *line)
{
    char secret[LINE], id[8], from[LINE], output[LINE], left[LINE], domain[LINE], nonce[LINE], out[LINE];
    size_t len;
    backstop_verdict v = BACKSTOP_VERDICT_INIT;
    CHECK(text_of(line, "secret_hex", secret) && text_of(line, "id", id));
    CHECK(text_of(line, "from", from) && text_of(line, "output", output));
    int64_t now = number_of(line, "day") * DAY;
    backstop_keyring *ring = key("mark", id, "sha256", 14, secret);
    if (is(line, "form", "\"header\"")) {
        CHECK(backstop_mark_verify_header(ring, S(output), S(from), now, &v) == BACKSTOP_OK);
        CHECK(text_of(line, "nonce", nonce) && strlen(nonce) == 13);
        /* The octets of the nonce: 13 characters of 5 bits, of which the last bit stands for nothing. */
        uint8_t octets[9] = {0};
        for (int i = 0; i < 13; i++) {
            int five = nonce[i] >= 'a' ? nonce[i] - 'a' : nonce[i] - '2' + 26;
            for (int bit = 0; bit < 5; bit++)
                if (five >> (4 - bit) & 1)
                    octets[(i * 5 + bit) / 8] |= (uint8_t)(0x80 >> (i * 5 + bit) % 8);
        }
        CHECK(backstop_mark_header(ring, S(from), octets, now, out, sizeof out, &len) == BACKSTOP_OK);
        CHECK(octets[8] != 0 || same(out, len, output));
    } else {
        CHECK(backstop_mark_verify_message_id(ring, S(output), S(from), now, &v) == BACKSTOP_OK);
        CHECK(text_of(line, "left", left) && text_of(line, "domain", domain));
        CHECK(backstop_mark_message_id(ring, S(left), S(domain), S(from), now, out, sizeof out, &len) == BACKSTOP_OK);
        CHECK(same(out, len, output));
    }
    CHECK(v.verdict == BACKSTOP_GENUINE && v.signed_day == now / DAY && v.key_use == BACKSTOP_USE_MARK);
    backstop_keyring_free(ring);
    return 1;
}

static void each(const char *folder, const char *name, int (*row)(const char *), int least)
{
    char path[1024], line[LINE];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL)
        count += row(line);
    fclose(file);
    printf("%s: %d rows agree\n", name, count);
    CHECK(count >= least);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    each(argv[1], "exim_prvs.jsonl", exim, 70);
    each(argv[1], "prvs_sha256.jsonl", prvs_sha256, 5);
    each(argv[1], "bst1.jsonl", bst1, 5);
    each(argv[1], "srs_classic.jsonl", srs, 20);
    each(argv[1], "mark.jsonl", mark, 5);
    return 0;
}
