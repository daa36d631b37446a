/* The JSON objects of messages are those of the command: objects FOLDER, which tests/objects wrote. Run it where the paths
 * in FOLDER/files hold. Each is asked for with no room, with one octet too few, and with as many as it has. */
#include "bounce.h"

static backstop_keyring *ring;
static backstop_policy *policy;

static char *text_of(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(1 << 20);
    CHECK(file != NULL && text != NULL);
    *len = fread(text, 1, (1 << 20) - 1, file);
    CHECK(feof(file) && fclose(file) == 0);
    text[*len] = '\0';
    return text;
}

/* A file of the folder. */
static char *part_of(const char *folder, const char *name, size_t *len)
{
    char path[4200];
    int octets = snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(octets > 0 && (size_t)octets < sizeof path);
    return text_of(path, len);
}

static void every_object_is_that_of_the_command(const char *folder)
{
    size_t len, count = 0;
    char *files = part_of(folder, "files", &len), *wanted = part_of(folder, "objects.jsonl", &len), *line = wanted;
    char *recipient = part_of(folder, "recipient", &len);
    backstop_text zone = {"dnsbl.example", 13};
    backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
    envelope.recipient.data = recipient;
    envelope.recipient.len = strcspn(recipient, "\n");
    for (char *name = strtok(files, "\n"); name != NULL; name = strtok(NULL, "\n"), count++) {
        char *message = text_of(name, &len), *buf;
        size_t end = strcspn(line, "\n"), needed;
        backstop_inspection *it;
        CHECK(backstop_inspect(policy, ring, message, len, &envelope, 1795305600, &it) == BACKSTOP_OK);
        CHECK(backstop_inspection_json(it, S(name), &zone, 1, &(char){0}, 0, &needed) == BACKSTOP_ERR_TOO_SMALL);
        CHECK(needed == end);
        buf = malloc(needed);
        CHECK(backstop_inspection_json(it, S(name), &zone, 1, buf, needed - 1, &needed) == BACKSTOP_ERR_TOO_SMALL);
        CHECK(backstop_inspection_json(it, S(name), &zone, 1, buf, needed, &needed) == BACKSTOP_OK && needed == end);
        if (memcmp(buf, line, end) != 0) {
            fprintf(stderr, "the command says\n%.*s\nand C\n%.*s\n", (int)end, line, (int)end, buf);
            exit(1);
        }
        line += end + 1;
        backstop_inspection_free(it);
        free(buf);
        free(message);
    }
    CHECK(count > 70 && *line == '\0');
    printf("%zu objects are those of the command\n", count);
    free(files);
    free(wanted);
    free(recipient);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    size_t len;
    char *text = part_of(argv[1], "policy.toml", &len);
    policy = policy_of(text);
    free(text);
    text = part_of(argv[1], "keys", &len);
    ring = ring_of(text);
    free(text);
    every_object_is_that_of_the_command(argv[1]);
    backstop_policy_free(policy);
    backstop_keyring_free(ring);
    return 0;
}
