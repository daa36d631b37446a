/*
 * backstop.h - libbackstop stops backscatter: it signs envelope senders (BATV), verifies the recipients of returning
 * bounces, rewrites forwarded senders (SRS), makes and verifies marks inside messages, and decides by a policy what
 * becomes of it all. Licence: MIT OR Apache-2.0.
 *
 *     cc prog.c $(pkg-config --cflags --libs backstop)
 *
 * This file is the manual, in C99, C11 and C++. It is made from bindings/c; do not edit it. What holds for every
 * function but those of the last group, which Exim calls in its own manner:
 *
 * Results. A function that can fail returns int32_t: 0 (BACKSTOP_OK) is done; negative numbers (BACKSTOP_ERR_*) are
 * errors; positive ones (BACKSTOP_UNSIGNED_*) say why an address was left as it is, which is no error. What an address
 * is comes out as a value, the verdict; a forged tag is no error. backstop_strerror has a sentence for each number.
 * Numbers and signatures never change; what is new gets new ones.
 *
 * Texts. In: a pointer and a length in octets; no NUL is needed and none is looked for, but `path` ends in NUL. Out: a
 * buffer, its capacity in octets, and where the length goes. The text in a buffer does not end in NUL; print it with
 * "%.*s". If the buffer is too small, the result is BACKSTOP_ERR_TOO_SMALL, the length has what is needed, and nothing
 * else was written (backstop_sign_many, which puts many into one buffer, says what it wrote). Every address that is
 * made has at most BACKSTOP_ADDRESS_MAX octets; one that is left as it is needs its own length. No other text that is
 * made has a limit that a program could rely on: ask again with what is needed. Texts inside structures end in NUL.
 * Addresses are octets as SMTP has them, with or without <>; "" and "<>" are the null sender.
 *
 * Pointers. None may be NULL, also where a length or a capacity is 0 (as of an empty string_view): the result is
 * BACKSTOP_ERR_NULL. The _free functions pass over NULL, and a few others take it and say so. On an error nothing was
 * written but the length above. A buffer may be the input itself where its function says so; else what is written to
 * overlaps nothing.
 *
 * Ownership. Only handles are allocated, by _parse, _load, _open, _get, _ref, _new and backstop_inspect, and each is
 * for the _free function of its type. Names and sentences (const char *) are static. Paths and texts that go in are
 * copied.
 *
 * Time. `now` is unix seconds; -1 asks the system clock. Other negative numbers and times past the year 9999, such as
 * milliseconds, are BACKSTOP_ERR_TIME. Days in structures are days since 1970-01-01 (times 86400 gives unix seconds),
 * -1 for none. All days are UTC.
 *
 * Structures that are written to begin with their size, which the *_INIT macro sets. A structure grows at its end only,
 * and a program that was built with an older header gets what it knows. A size that was never published is
 * BACKSTOP_ERR_SIZE; so is a newer header's on an older library, so a program that may meet one compares
 * backstop_version_number with BACKSTOP_VERSION_NUMBER when it starts. Where a structure was filled once, it may be
 * used again as it is.
 *
 * Threads and processes. Nothing global changes: backstop_inspect makes its tables when it is first called, whatever it
 * is given, and keeps them to the end of the process (a leak checker calls them still reachable); the functions for
 * Exim keep something, each thread its own. Any number of threads may use one handle at a time, each with its own
 * buffers; only _free must be the last use of a reference. After a fork both processes may go on with all handles, each
 * with its own copy. No function waits for a lock, so none can hang in the child, with one exception: while one thread
 * makes that first call, backstop_inspect in others waits for it, so a program with threads that forks calls it once
 * before. None is made for signal handlers.
 *
 * Faults. No C++ exception or Rust panic leaves the library: a fault of its own is BACKSTOP_ERR_INTERNAL, with a line
 * on standard error. Where memory runs out the process is aborted; signing, verifying, stripping, rewriting and
 * deciding allocate nothing.
 *
 * Secrets. A key ring is wiped when its last reference is freed. No sentence of this library shows a secret.
 *
 * Every example between @code and @endcode is compiled and run by the tests; they need <stdio.h>, <stdlib.h> and
 * <string.h>.
 */
