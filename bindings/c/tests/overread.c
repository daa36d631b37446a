/* Breaks the manual: gives a length of one octet more than there is. AddressSanitizer must see the read inside the library;
 * else the library is not looked at. */
#include "test.h"

int main(void)
{
    backstop_keyring *ring = ring_of(RING);
    size_t len = strlen("user@example.com");
    char *address = malloc(len);
    backstop_verdict v = BACKSTOP_VERDICT_INIT;
    CHECK(address != NULL);
    memcpy(address, "user@example.com", len);
    printf("%d\n", (int)backstop_verify(ring, address, len + 1, NOW, &v));
    free(address);
    backstop_keyring_free(ring);
    return 0;
}
