/* Signs an envelope sender with the keys in a file and verifies it as the bounce's recipient:
 *     cc sign_verify.c $(pkg-config --cflags --libs backstop) -o sign_verify
 *     ./sign_verify KEYS alice@example.com */
#include <backstop.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    backstop_keyring *ring;
    backstop_verdict verdict = BACKSTOP_VERDICT_INIT;
    char text[512];
    size_t len;
    if (argc != 3)
        return fprintf(stderr, "usage: sign_verify KEYS ADDRESS\n"), 2;
    int32_t status = backstop_keyring_load(argv[1], &ring);
    if (status != BACKSTOP_OK) {
        if (backstop_keyring_diagnose_file(argv[1], text, sizeof text, &len) == BACKSTOP_OK)
            fprintf(stderr, "%.*s\n", (int)len, text);
        return 2;
    }
    status = backstop_sign(ring, argv[2], strlen(argv[2]), -1, text, sizeof text, &len);
    printf("%.*s: %s\n", status < 0 ? 0 : (int)len, text, backstop_strerror(status));
    if (status >= 0 && backstop_verify(ring, text, len, -1, &verdict) == BACKSTOP_OK)
        printf("%s %s\n", backstop_verdict_name(verdict.verdict), verdict.mailbox);
    backstop_keyring_free(ring);
    return status == BACKSTOP_OK ? 0 : 1;
}
