/* libbackstop.a and another Rust static library in one program. */
#include "../test.h"

uint64_t second_sum(const uint8_t *text, size_t len);

int main(void)
{
    char out[300];
    size_t len;
    backstop_keyring *ring = ring_of(RING);
    CHECK(backstop_sign(ring, S("user@example.com"), NOW, out, sizeof out, &len) == BACKSTOP_OK);
    CHECK(same(out, len, "prvs=07853508f8=user@example.com"));
    CHECK(second_sum((const uint8_t *)"abc", 3) == 'a' + 'b' + 'c');
    backstop_keyring_free(ring);
    return 0;
}
