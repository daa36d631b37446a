/* Every buffer size from 0 to more than enough: too small ones give the length needed and are not touched. */
#include "calls.h"

int main(void)
{
    struct fixture f;
    set_up(&f, "buffers.keys");
    for (int i = 0; i < CALLS; i++) {
        char full[2048], buf[2048];
        size_t needed = 0, len;
        CHECK(calls[i].call(&f, 0, full, sizeof full, &needed) == calls[i].code && needed > 0 && needed + 8 < sizeof buf);
        for (size_t cap = 0; cap < needed + 8; cap++) {
            memset(buf, 0x5a, sizeof buf);
            len = 7777;
            int32_t code = calls[i].call(&f, 0, buf, cap, &len);
            CHECK(len == needed);
            CHECK(code == (cap < needed ? BACKSTOP_ERR_TOO_SMALL : calls[i].code));
            size_t written = cap < needed ? 0 : needed;
            CHECK(memcmp(buf, full, written) == 0);
            for (size_t at = written; at < sizeof buf; at++)
                CHECK(buf[at] == 0x5a);
        }
        CHECK(calls[i].call(&f, 0, buf, SIZE_MAX, &len) == calls[i].code && len == needed);
    }
    tear_down(&f, "buffers.keys");
    return 0;
}
