/* Valgrind's client requests, which are macros of C, for main.rs. Outside valgrind they do nothing. */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>
#include <valgrind/memcheck.h>

/* Where in [in, in + size) these octets stand; NULL if nowhere or more than once. In C, since the memory of a Rust value
 * has padding, which Rust may not read. */
char *ct_find(char *in, size_t size, const char *octets, size_t length) {
    /* The padding is undefined, too. */
    VALGRIND_DISABLE_ERROR_REPORTING;
    char *found = memmem(in, size, octets, length);
    if (found != NULL && memmem(found + 1, size - (size_t)(found + 1 - in), octets, length) != NULL)
        found = NULL;
    VALGRIND_ENABLE_ERROR_REPORTING;
    return found;
}

void ct_secret(void *octets, size_t length) { (void)VALGRIND_MAKE_MEM_UNDEFINED(octets, length); }

void ct_public(void *octets, size_t length) { (void)VALGRIND_MAKE_MEM_DEFINED(octets, length); }

/* Whether valgrind holds some of these octets for undefined; asks without raising an error. */
int ct_is_secret(const char *octets, size_t length) {
    unsigned char bits;
    int secret = 0;
    for (size_t at = 0; at < length; at++)
        secret |= VALGRIND_GET_VBITS(octets + at, &bits, 1) == 1 && bits != 0;
    return secret;
}

unsigned ct_errors(void) { return VALGRIND_COUNT_ERRORS; }
unsigned ct_valgrind(void) { return RUNNING_ON_VALGRIND; }
