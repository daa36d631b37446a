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

#ifndef BACKSTOP_H
#define BACKSTOP_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header, such as "0.1.0". */
#define BACKSTOP_VERSION "0.1.0"
/** The version of this header: major * 1000000 + minor * 1000 + patch. */
#define BACKSTOP_VERSION_NUMBER (0 * 1000000 + 1 * 1000 + 0)

/*
 * ==== Result codes ====
 */

/** Done: signed, rewritten, stripped, read; or a verdict or decision was given. */
#define BACKSTOP_OK 0
/** Unsigned: the null sender of a bounce is never signed and never rewritten. */
#define BACKSTOP_UNSIGNED_NULL 1
/** Unsigned: the address carries a tag or is rewritten already. */
#define BACKSTOP_UNSIGNED_ALREADY 2
/** Unsigned: no key of the ring names this domain. */
#define BACKSTOP_UNSIGNED_NOT_OWN 3
/** Unsigned: keys name this domain, but none signs on this day. */
#define BACKSTOP_UNSIGNED_NO_KEY 4
/** Unsigned: the result would break the length limits of RFC 5321. */
#define BACKSTOP_UNSIGNED_TOO_LONG 5
/** Unsigned (SRS): the sender lies in the forwarder's own domain and needs no rewriting. */
#define BACKSTOP_UNSIGNED_OWN_DOMAIN 6
/** Unsigned: the parts of the address could not be told apart on the way back. */
#define BACKSTOP_UNSIGNED_SHAPE 7
/** A pointer is NULL. */
#define BACKSTOP_ERR_NULL (-1)
/** A fault of the library itself; nothing was done. Please report it. */
#define BACKSTOP_ERR_INTERNAL (-2)
/** The buffer is too small; the length needed was written, and nothing else. */
#define BACKSTOP_ERR_TOO_SMALL (-3)
/** The `size` of a structure is none that was ever published; use its INIT macro. */
#define BACKSTOP_ERR_SIZE (-4)
/** A length is more than half of what size_t holds. */
#define BACKSTOP_ERR_LENGTH (-5)
/** The time is neither -1 nor between 1970 and the year 9999; give seconds, not milliseconds. */
#define BACKSTOP_ERR_TIME (-6)
/** The text is no address that SMTP could carry. */
#define BACKSTOP_ERR_ADDRESS (-7)
/** The null path is no recipient. */
#define BACKSTOP_ERR_NULL_RECIPIENT (-8)
/** The text is no key ring; backstop_keyring_diagnose says why. */
#define BACKSTOP_ERR_KEYRING (-9)

/**
 * The key file cannot be read or trusted, or holds no key ring; backstop_keyring_diagnose_file says why, and
 * of a key store backstop_keystore_diagnose.
 */
#define BACKSTOP_ERR_FILE (-10)

/** The text is no policy; backstop_policy_diagnose says why. */
#define BACKSTOP_ERR_POLICY (-11)
/** The text is no domain, or no list of domains. */
#define BACKSTOP_ERR_DOMAIN (-12)
/** An option lies outside its range. */
#define BACKSTOP_ERR_OPTION (-13)
/** The left side of a Message-ID must be 1 to 700 letters, digits, dots and the like, without quotes. */
#define BACKSTOP_ERR_MESSAGE_ID (-14)
/** The text is no IP address. */
#define BACKSTOP_ERR_IP (-15)

/*
 * ==== Verdicts ====
 */

/** No verdict: nothing was judged (backstop_decision; backstop_verify_many where an address is none). */
#define BACKSTOP_NONE 0
/** The tag was made by a key of this ring and is in date. */
#define BACKSTOP_GENUINE 1
/** The tag was made by a key of this ring, but is too old or outside the key's window. */
#define BACKSTOP_EXPIRED 2
/** The tag was not made with the key that this ring has for it, or not for this address. */
#define BACKSTOP_FORGED 3
/** This ring has no key for the tag, its domain and its day. */
#define BACKSTOP_UNKNOWN_KEY 4
/** It begins like a tag and has not the shape of one. */
#define BACKSTOP_MALFORMED 5
/** A tag of another system, which only that system can verify. */
#define BACKSTOP_FOREIGN 6
/** The address carries no tag. */
#define BACKSTOP_UNTAGGED 7
/** The verdict has no reason besides itself. */
#define BACKSTOP_REASON_NONE 0
/** Expired: the tag or mark has outlived its days, or a bst1 tag or a mark is dated days ahead. */
#define BACKSTOP_REASON_LIFETIME 1
/** Expired: the key was not signing on the day that the tag implies. */
#define BACKSTOP_REASON_WINDOW 2
/** Malformed: not the shape that it begins like. */
#define BACKSTOP_REASON_SHAPE 3
/** Malformed: an SRS hash shorter than the least length, or longer than any. */
#define BACKSTOP_REASON_HASH_LENGTH 4
/** Malformed: an SRS stamp that is not two base32 characters. */
#define BACKSTOP_REASON_STAMP 5
/** Malformed: what is left without the tag is no address, or of SRS an SRS address of an own forwarder. */
#define BACKSTOP_REASON_MAILBOX 6
/** Foreign: a tag of Cisco ESA, Amazon or Citrix. */
#define BACKSTOP_REASON_PRVS_CISCO 7
/** Foreign: a tag of Exim before 4.68. */
#define BACKSTOP_REASON_PRVS_SLASH 8
/** Foreign: a tag of old qmail patches. */
#define BACKSTOP_REASON_PRVS_TRAILING 9
/** Foreign: a tag of Barracuda. */
#define BACKSTOP_REASON_BTV1 10
/** Foreign: a tag of SparkPost or Message Systems. */
#define BACKSTOP_REASON_MSPRVS1 11
/** Foreign: a SES signature of pysrs. */
#define BACKSTOP_REASON_SES 12
/** Foreign: an SRS address at a host that is no own forwarder. */
#define BACKSTOP_REASON_NOT_OWN 13
/** Foreign: a mark of another site. */
#define BACKSTOP_REASON_OTHER_SITE 14
/** No key is known to have made the tag. */
#define BACKSTOP_USE_NONE 0
/** A prvs key. */
#define BACKSTOP_USE_PRVS 1
/** A bst1 key. */
#define BACKSTOP_USE_BST1 2
/** An srs key. */
#define BACKSTOP_USE_SRS 3
/** A mark key. */
#define BACKSTOP_USE_MARK 4
/** backstop_strip found no tag. */
#define BACKSTOP_TAG_NONE 0
/** backstop_strip took off prvs, of whatever site. */
#define BACKSTOP_TAG_PRVS 1
/** backstop_strip took off bst1. */
#define BACKSTOP_TAG_BST1 2
/** backstop_strip took off the tag of Cisco ESA, Amazon or Citrix. */
#define BACKSTOP_TAG_PRVS_CISCO 3
/** backstop_strip took off the tag of Exim before 4.68. */
#define BACKSTOP_TAG_PRVS_SLASH 4
/** backstop_strip took off the tag of old qmail patches. */
#define BACKSTOP_TAG_PRVS_TRAILING 5
/** backstop_strip took off the tag of Barracuda. */
#define BACKSTOP_TAG_BTV1 6
/** backstop_strip took off the tag of SparkPost or Message Systems. */
#define BACKSTOP_TAG_MSPRVS1 7
/** backstop_strip took off a SES signature of pysrs. */
#define BACKSTOP_TAG_SES 8
/** The most octets of an address that this library makes. */
#define BACKSTOP_ADDRESS_MAX 254

/*
 * ==== Options of SRS ====
 */

/** SRS hashes are written with `+` and `/`: Mail::SRS, libsrs2, pysrs, postsrsd before 2.2.6. */
#define BACKSTOP_ALPHABET_CLASSIC 0
/** SRS hashes are written with `-` and `_`: postsrsd since 2.2.6. */
#define BACKSTOP_ALPHABET_URL 1
/** SRS hashes are written with `_` and `.`: libsrs_alt. */
#define BACKSTOP_ALPHABET_ALT 2
/** A result with more than 64 octets before the `@` is not made: BACKSTOP_UNSIGNED_TOO_LONG. */
#define BACKSTOP_OVER_LONG_LEAVE 0
/** Such a result is made all the same, up to 254 octets in all. */
#define BACKSTOP_OVER_LONG_EMIT 1
/** How many random octets backstop_mark_header takes. */
#define BACKSTOP_NONCE_SIZE 8

/**
 * The longest header value or Message-ID that is looked at, in octets: a longer header is BACKSTOP_MALFORMED, a longer
 * Message-ID BACKSTOP_UNTAGGED.
 */
#define BACKSTOP_MARK_MAX 998

/*
 * ==== What a policy is asked and answers ====
 */

/** Origin: from an authenticated client or the own network. Signed. */
#define BACKSTOP_ORIGIN_SUBMITTED 1
/** Origin: from the mail system itself or a program on its host. Signed. */
#define BACKSTOP_ORIGIN_INTERNAL 2
/** Origin: from anyone else. Never signed, or whoever forges an own sender through a forward would get a valid tag. */
#define BACKSTOP_ORIGIN_INBOUND 3
/** Origin: nobody knows. Never signed. */
#define BACKSTOP_ORIGIN_UNKNOWN 4
/** Client: the mail system itself. Never refused. */
#define BACKSTOP_CLIENT_INTERNAL 1
/** Client: listed as exempt. Never refused. */
#define BACKSTOP_CLIENT_EXEMPT 2
/** Client: anyone else. */
#define BACKSTOP_CLIENT_OTHER 3
/** Client: a user, authenticated or in the own network. Never refused. */
#define BACKSTOP_CLIENT_SUBMITTED 4
/** Mode: sign nothing, refuse nothing; genuine tags of former days are still taken off. */
#define BACKSTOP_MODE_OFF 1
/** Mode: sign, refuse nothing. */
#define BACKSTOP_MODE_SIGN 2
/** Mode: sign, and say what would be refused. */
#define BACKSTOP_MODE_OBSERVE 3
/** Mode: sign, and refuse. */
#define BACKSTOP_MODE_ENFORCE 4
/** Action: let the recipient pass as it is. */
#define BACKSTOP_ACTION_UNCHANGED 1
/** Action: deliver to `address`, the mailbox under the tag. */
#define BACKSTOP_ACTION_STRIP 2
/** Action: send on to `address`, to which the SRS address returns. */
#define BACKSTOP_ACTION_REVERSE 3
/** Action: refuse with `reply`. */
#define BACKSTOP_ACTION_REFUSE 4
/** Refuse at RCPT. */
#define BACKSTOP_REFUSE_AT_RCPT 1
/** Refuse at DATA, where sender call-outs are gone; a host that cannot refuses at RCPT. */
#define BACKSTOP_REFUSE_AT_DATA 2
/** Refuse after the message, which is judged as well (`by_message` of backstop_decision). */
#define BACKSTOP_REFUSE_AT_MESSAGE 3
/** Need: to refuse at all, since the mode is or will be enforce. */
#define BACKSTOP_NEED_REFUSE 1
/** Need: to wait with a refusal for DATA. */
#define BACKSTOP_NEED_REFUSE_AT_DATA 2
/** Need: to wait with a refusal for the end of the message. */
#define BACKSTOP_NEED_REFUSE_AT_MESSAGE 3
/** Need: to know the client of mail that comes in. */
#define BACKSTOP_NEED_CLIENT 4
/** Need: to know the sender of mail that comes in. */
#define BACKSTOP_NEED_SENDER 5
/** Need: to know the client of mail that leaves. */
#define BACKSTOP_NEED_OWN_NETWORK 6
/** Need: to know all recipients of a mail when its sender is decided. */
#define BACKSTOP_NEED_RECIPIENTS 7
/** Need: to know the recipient that forwards a mail. */
#define BACKSTOP_NEED_FORWARDER 8
/** Rule: the sender is own and the mail is vouched for: it gets a tag. */
#define BACKSTOP_RULE_SIGNED 1
/** Rule: the sender is foreign and the mail is forwarded: it is rewritten into the forwarder's domain. */
#define BACKSTOP_RULE_REWRITTEN 2
/** Rule: the null sender of a bounce is never signed and never rewritten. */
#define BACKSTOP_RULE_NULL 3
/** Rule: nobody vouches for this mail: it was neither submitted nor made by the mail system itself. */
#define BACKSTOP_RULE_NOT_VOUCHED 4
/** Rule: the policy is switched off for this domain. */
#define BACKSTOP_RULE_OFF 5
/** Rule: the sender is on the list no-sign. */
#define BACKSTOP_RULE_NO_SIGN 6
/** Rule: every recipient is on the list no-sign-recipients. */
#define BACKSTOP_RULE_NO_SIGN_RECIPIENTS 7
/** Rule: the address carries a tag or is rewritten already. */
#define BACKSTOP_RULE_ALREADY 8
/** Rule: no key of the ring signs for this domain on this day. */
#define BACKSTOP_RULE_NO_KEY 9
/** Rule: the new address would break the length limits of RFC 5321. */
#define BACKSTOP_RULE_TOO_LONG 10
/** Rule: the sender is own and needs no SRS. */
#define BACKSTOP_RULE_OWN_SENDER 11
/** Rule: the policy names no forwarder for this recipient's domain. */
#define BACKSTOP_RULE_NO_FORWARDER 12
/** Rule: the parts of the address could not be told apart on the way back. */
#define BACKSTOP_RULE_SHAPE 13
/** Rule: the domain is neither own nor an own forwarder's: its tags are for others to judge. */
#define BACKSTOP_RULE_NOT_OWN 14
/** Rule: it is no address. */
#define BACKSTOP_RULE_UNPARSABLE 15
/** Rule: the tag is genuine. */
#define BACKSTOP_RULE_GENUINE 16
/** Rule: the tag or mark has expired, but only within the days of expired-grace. */
#define BACKSTOP_RULE_EXPIRED_GRACE 17
/** Rule: the tag has expired. */
#define BACKSTOP_RULE_EXPIRED 18
/** Rule: the tag is forged. */
#define BACKSTOP_RULE_FORGED 19
/** Rule: the tag was made by no key of the ring, though the ring covers the day that it implies. */
#define BACKSTOP_RULE_UNKNOWN_KEY 20

/**
 * Rule: the tag names a key that the ring lacks for that day, the ring does not cover that day, and the tag may be in
 * date.
 */
#define BACKSTOP_RULE_NOT_COVERED 21

/** Rule: the tag is damaged. */
#define BACKSTOP_RULE_MALFORMED 22
/** Rule: the tag is of another system. */
#define BACKSTOP_RULE_FOREIGN 23
/** Rule: a bounce to a mailbox whose mail has long been signed carries no tag. */
#define BACKSTOP_RULE_UNTAGGED 24
/** Rule: a bounce without a tag, but mail from this mailbox has not been signed for long enough. */
#define BACKSTOP_RULE_TOO_EARLY 25
/** Rule: a bounce to an address that never sends mail. */
#define BACKSTOP_RULE_NEVER_SENDS 26
/** Rule: the sender is not null, so this is no bounce to judge. */
#define BACKSTOP_RULE_NOT_A_BOUNCE 27
/** Rule: the SRS address is genuine and returns to the first sender. */
#define BACKSTOP_RULE_SRS_GENUINE 28
/** Rule: the SRS address is genuine, but only bounces may use it. */
#define BACKSTOP_RULE_SRS_SENDER 29
/** Rule: the SRS address of an own forwarder is not genuine. */
#define BACKSTOP_RULE_SRS_BAD 30
/** Rule: the SRS address lies in a domain that is no own forwarder. */
#define BACKSTOP_RULE_SRS_ELSEWHERE 31
/** Rule: the recipient is exempt and never refused. */
#define BACKSTOP_RULE_EXEMPT_RECIPIENT 32
/** Rule: the sender is exempt and never refused. */
#define BACKSTOP_RULE_EXEMPT_SENDER 33
/** Rule: the client is exempt and never refused. */
#define BACKSTOP_RULE_EXEMPT_CLIENT 34
/** Rule: the mail system itself made this mail, which is never refused. */
#define BACKSTOP_RULE_INTERNAL_CLIENT 35
/** Rule: the client is a user of this site and never refused. */
#define BACKSTOP_RULE_SUBMITTED_CLIENT 36
/** Rule: a mark of ours came back inside the message. */
#define BACKSTOP_RULE_MARK_GENUINE 37
/** Rule: only marks came back that are out of date. */
#define BACKSTOP_RULE_MARK_EXPIRED 38
/** Rule: a mark came back that names a key of ours, and was not made with it for this address. */
#define BACKSTOP_RULE_MARK_FORGED 39
/** Rule: the headers of an own mail came back without the mark that all own mail has. */
#define BACKSTOP_RULE_BACKSCATTER 40

/*
 * ==== Returned messages: numbers ====
 */

/** Kind: a bounce: not delivered, and nothing more will be tried. */
#define BACKSTOP_KIND_DSN_FAILED 1
/** Kind: a warning: not delivered yet. */
#define BACKSTOP_KIND_DSN_DELAYED 2
/** Kind: a delivery report that somebody asked for. */
#define BACKSTOP_KIND_DSN_SUCCESS 3
/** Kind: a message disposition notification (RFC 8098): read, deleted. */
#define BACKSTOP_KIND_MDN 4
/** Kind: a feedback report (RFC 5965). */
#define BACKSTOP_KIND_FEEDBACK_REPORT 5
/** Kind: an answer of a program on behalf of a recipient, other than those below. */
#define BACKSTOP_KIND_AUTO_REPLY 6
/** Kind: an answer of somebody who is away. */
#define BACKSTOP_KIND_VACATION 7
/** Kind: a demand to prove that a human has sent a mail. */
#define BACKSTOP_KIND_CHALLENGE 8
/** Kind: a notice that a mail had a virus. */
#define BACKSTOP_KIND_VIRUS_NOTICE 9
/** Kind: a notice that a mail was taken for spam, or broke a rule on content. */
#define BACKSTOP_KIND_SPAM_NOTICE 10
/** Kind: a demand to confirm a subscription that somebody asked for in this name. */
#define BACKSTOP_KIND_SUBSCRIPTION_CONFIRMATION 11
/** Kind: another message of a program. */
#define BACKSTOP_KIND_OTHER_AUTOMATIC 12
/** Kind: ordinary mail. */
#define BACKSTOP_KIND_NOT_A_BOUNCE 13
/** Verdict: ordinary mail, whatever it carries. */
#define BACKSTOP_MESSAGE_NOT_A_BOUNCE 1
/** Verdict: it answers mail that left here, and a tag or mark proves it. */
#define BACKSTOP_MESSAGE_GENUINE 2
/** Verdict: a tag or mark of ours came back out of date. */
#define BACKSTOP_MESSAGE_EXPIRED 3
/** Verdict: it carries a tag or mark that names a key of ours and was not made with it for this address. */
#define BACKSTOP_MESSAGE_FORGED 4
/** Verdict: it may be either; BACKSTOP_WHY_* says why. */
#define BACKSTOP_MESSAGE_UNPROVEN 5
/** Verdict: it answers mail that did not leave here. */
#define BACKSTOP_MESSAGE_BACKSCATTER 6
/** The verdict is not unproven. */
#define BACKSTOP_WHY_NONE 0
/** Unproven: no headers came back. */
#define BACKSTOP_WHY_NOTHING_RETURNED 1
/** Unproven: headers came back, but not those among which a mark would show. */
#define BACKSTOP_WHY_TOO_LITTLE_RETURNED 2
/** Unproven: the From that came back is not own. */
#define BACKSTOP_WHY_FROM_NOT_OWN 3
/** Unproven: not all mail of that address has had a mark for long enough. */
#define BACKSTOP_WHY_MARKS_NOT_IN_FORCE 4
/** Unproven: it names a key that this ring lacks, for a day that it does not cover. */
#define BACKSTOP_WHY_NOT_COVERED 5
/** Unproven: not all marks were checked. */
#define BACKSTOP_WHY_UNCHECKED 6

/**
 * Unproven: a mark of ours came back that is for another own address, which the mail that came back names as its
 * sender.
 */
#define BACKSTOP_WHY_OTHER_ADDRESS 7

/** Unproven: a mark of ours is dated in the future. */
#define BACKSTOP_WHY_FUTURE 8

/**
 * Unproven: a mark came back that was changed on the way, or without the sender that it was made for, or that may be
 * another mail's.
 */
#define BACKSTOP_WHY_DAMAGED 9

/** Unproven: a feedback report, which goes to those who asked for reports. */
#define BACKSTOP_WHY_REPORTED 10
/** Advice: deliver it as any other mail. */
#define BACKSTOP_ADVICE_DELIVER 1
/** Advice: deliver it, and say in a header or by a folder what it is. */
#define BACKSTOP_ADVICE_FLAG 2
/** Advice: refuse it after the message. */
#define BACKSTOP_ADVICE_REFUSE 3
/** Place: the recipient of the envelope. */
#define BACKSTOP_PLACE_RECIPIENT 1
/** Place: a mark header that came back. */
#define BACKSTOP_PLACE_RETURNED_MARK 2
/** Place: the Message-ID that came back. */
#define BACKSTOP_PLACE_RETURNED_MESSAGE_ID 3
/** Place: In-Reply-To. */
#define BACKSTOP_PLACE_IN_REPLY_TO 4
/** Place: References. */
#define BACKSTOP_PLACE_REFERENCES 5
/** No failure is told. */
#define BACKSTOP_FAILURE_NONE 0
/** Failure: there is no such address. */
#define BACKSTOP_FAILURE_BAD_ADDRESS 1
/** Failure: the mailbox has no room. */
#define BACKSTOP_FAILURE_MAILBOX_FULL 2
/** Failure: the host could not be reached, or mail goes in circles. */
#define BACKSTOP_FAILURE_UNREACHABLE 3
/** Failure: not delivered yet; it will be tried again. */
#define BACKSTOP_FAILURE_DELAYED 4
/** Failure: refused for relaying, reputation, authentication or rules. */
#define BACKSTOP_FAILURE_POLICY 5
/** Failure: refused for what the mail is: spam, a virus, too large. */
#define BACKSTOP_FAILURE_CONTENT 6
/** It may be answered. */
#define BACKSTOP_RESTRAINT_NONE 0
/** Restraint: the sender is null, unknown or no address. */
#define BACKSTOP_RESTRAINT_NULL_SENDER 1
/** Restraint: nobody vouches for the sender. */
#define BACKSTOP_RESTRAINT_UNAUTHENTICATED 2
/** Restraint: the message is a report itself. */
#define BACKSTOP_RESTRAINT_REPORT 3
/** Restraint: a program wrote it. */
#define BACKSTOP_RESTRAINT_AUTO_SUBMITTED 4
/** Restraint: it came over a mailing list, or is bulk mail. */
#define BACKSTOP_RESTRAINT_LIST 5
/** Restraint: the sender is a program. */
#define BACKSTOP_RESTRAINT_ROBOT 6
/** Restraint: it asks for no automatic replies. */
#define BACKSTOP_RESTRAINT_SUPPRESSED 7
/** Restraint: none of the own addresses stands in To or Cc. */
#define BACKSTOP_RESTRAINT_NOT_ADDRESSED 8

/*
 * ==== Returned messages ====
 */

/**
 * Text: the recipient without its tag; none under a tag that neither it nor a mark proves, since what that says is
 * nobody's address, and with BACKSTOP_KIND_NOT_A_BOUNCE, where nobody looked at it.
 */
#define BACKSTOP_TEXT_MAILBOX 1

/** Text: one sentence on the verdict, for people. */
#define BACKSTOP_TEXT_SENTENCE 2
/** Text: the SMTP reply such as "550 5.7.1 ...", where a policy may refuse after the message. */
#define BACKSTOP_TEXT_REPLY 3
/** Text: the host that reports, a reflector if this is backscatter. */
#define BACKSTOP_TEXT_REPORTING 4
/** Text: the IP address that gave the returned mail to that host. */
#define BACKSTOP_TEXT_INJECTOR 5
/** Text: the subject of the returned mail. */
#define BACKSTOP_TEXT_SUBJECT 6
/** Text: the address in the From of the returned mail. */
#define BACKSTOP_TEXT_RETURNED_FROM 7
/** Text: the Message-ID of the returned mail, without brackets. */
#define BACKSTOP_TEXT_RETURNED_MESSAGE_ID 8

/*
 * ==== What the functions for Exim return ====
 */

/** To Exim: the answer is the result of the expansion. */
#define BACKSTOP_EXIM_OK 0
/** To Exim: a file cannot be used now; the expansion fails, and the mail waits. */
#define BACKSTOP_EXIM_DEFER 1
/** To Exim: the call is wrong: a missing argument, an unknown option; the expansion fails, and the mail waits. */
#define BACKSTOP_EXIM_ERROR 3

/** What is known of one message. It never changes, so any number of threads may use one at a time. */
typedef struct backstop_inspection backstop_inspection;

/** All keys of a site, ready for use. It never changes, so any number of threads may use one at a time. */
typedef struct backstop_keyring backstop_keyring;

/** A key file that is read again when it changes. Any number of threads may use one at a time. */
typedef struct backstop_keystore backstop_keystore;

/** What a site decides about its envelopes. It never changes, so any number of threads may use one at a time. */
typedef struct backstop_policy backstop_policy;

/**
 * A forwarder: the domain into which it rewrites, the own forwarders, and the options. It never changes, so any number
 * of threads may use one at a time.
 */
typedef struct backstop_srs backstop_srs;

/** What an address with or without a tag is. Begin with BACKSTOP_VERDICT_INIT, which sets the size. */
typedef struct backstop_verdict {
    /** The octets of this structure as the caller knows it: BACKSTOP_VERDICT_SIZE_1 or sizeof(backstop_verdict). */
    uint32_t size;
    /** BACKSTOP_GENUINE to BACKSTOP_UNTAGGED. */
    int32_t verdict;
    /** BACKSTOP_REASON_*. */
    int32_t reason;
    /** The day of signing, in days since 1970-01-01; -1 if unknown (not genuine or expired, or SRS1). */
    int32_t signed_day;
    /** The last day of validity, in days since 1970-01-01; -1 if unknown. */
    int32_t expires_day;
    /** The character of the key that the tag names; 0 if it names none. */
    int32_t key;
    /** The octets of `mailbox`, without its NUL. */
    uint32_t mailbox_len;
    /**
     * The address under the tag, ending in NUL. Genuine and expired: proved by the tag. Untagged: the mailbox as it
     * came, without brackets and route (for a mark: empty). Otherwise empty, since what an unproved tag says is
     * nobody's address.
     */
    char mailbox[321];
    /** Zero. */
    char reserved[3];
    /**
     * BACKSTOP_USE_* of the key that made the tag; BACKSTOP_USE_NONE unless genuine or expired. Behind
     * BACKSTOP_VERDICT_SIZE_1.
     */
    int32_t key_use;
    /**
     * With BACKSTOP_UNKNOWN_KEY: 1 if keys of the ring signed for this domain on that day, so that the tag is none of
     * ours, 0 if this ring may only be older than that of the host that signed. For prvs, whose day depends on the life
     * of the key that is not known: on each of the days that it may be. Else 0. Behind
     * BACKSTOP_VERDICT_SIZE_1.
     */
    int32_t covered;
} backstop_verdict;

/** The options in which sites differ. Begin with BACKSTOP_SRS_OPTIONS_INIT, which is what Mail::SRS does. */
typedef struct backstop_srs_options {
    /** The octets of this structure as the caller knows it. */
    uint32_t size;
    /** The character after SRS0 or SRS1: '=', '+' or '-'. All three are read. */
    int32_t separator;
    /** How many characters of hash are written, 1 to 27; 4 are usual. */
    uint32_t hash_length;
    /** How many characters of hash must be there, 1 to `hash_length`. */
    uint32_t hash_min;
    /** The greatest age in days, 1 to 500; 0 takes the `days` of the key. */
    uint32_t max_age;
    /** Not 0: senders in the forwarder's own domain are rewritten too. */
    int32_t always_rewrite;
    /** BACKSTOP_ALPHABET_* to write; all three are read. */
    int32_t alphabet;
    /** BACKSTOP_OVER_LONG_*. */
    int32_t over_long;
} backstop_srs_options;

/** A text: where it begins and how many octets it has. */
typedef struct backstop_text {
    /** Not NULL, also if the length is 0, but where a structure or function says that it may be. */
    const char *data;
    /** In octets. */
    size_t len;
} backstop_text;

/** The decision about one recipient. Begin with BACKSTOP_DECISION_INIT, which sets the size. */
typedef struct backstop_decision {
    /** The octets of this structure as the caller knows it. */
    uint32_t size;
    /** BACKSTOP_ACTION_*: what to do. */
    int32_t action;
    /** BACKSTOP_ACTION_*: what mode enforce would do; differs from `action` only where that is to refuse. */
    int32_t would;
    /** BACKSTOP_RULE_*: why `would` is what it is. */
    int32_t rule;
    /** BACKSTOP_GENUINE to BACKSTOP_UNTAGGED, or BACKSTOP_NONE if it is no address or not for this site to judge. */
    int32_t verdict;
    /** BACKSTOP_REASON_* of the verdict. */
    int32_t reason;
    /** BACKSTOP_MODE_* in force for the recipient's domain on this day. */
    int32_t mode;
    /** BACKSTOP_REFUSE_AT_*: when to refuse, if `action` is to refuse. */
    int32_t refuse_at;
    /** 1 if this deserves a line in the log, else 0. */
    int32_t log;
    /** The octets of `address`, without its NUL. */
    uint32_t address_len;
    /** The octets of `reply`, without its NUL. */
    uint32_t reply_len;
    /** The recipient in place of the given one, ending in NUL; empty unless `action` is to strip or reverse. */
    char address[321];
    /** The SMTP reply such as "550 5.7.1 ...", one line, ending in NUL; empty unless `action` is to refuse. */
    char reply[255];
    /**
     * 1 if the message is to be judged as well before this is final: wait for its end, give it to backstop_inspect,
     * and ask backstop_policy_incoming_message. Else 0. Only under refuse-at = "message". Behind
     * BACKSTOP_DECISION_SIZE_1.
     */
    int32_t by_message;
} backstop_decision;

/**
 * What the mail system knows of a message beside its octets. Begin with BACKSTOP_ENVELOPE_INIT, which sets the size
 * and that nothing is known.
 */
typedef struct backstop_envelope {
    /** The octets of this structure as the caller knows it. */
    uint32_t size;
    /**
     * Not 0 if someone vouches for the sender: SMTP authentication, the own network, SPF that passed. Only
     * backstop_may_bounce and backstop_may_autorespond ask.
     */
    int32_t authenticated;
    /**
     * MAIL, as it came; "" and "<>" are the null sender. Here data may be NULL: then Return-Path is read, by
     * backstop_may_bounce and backstop_may_autorespond only above the first Received.
     */
    backstop_text sender;
    /**
     * RCPT, as it came, tag and all. Here data may be NULL for a stored message: then X-Original-To, Envelope-To or
     * Delivered-To above the first Received is read, never To. Give it for one that is just being received: the fields
     * on top are then another host's, and without any nothing is proved.
     */
    backstop_text recipient;
} backstop_envelope;

/** What a message is, in numbers. Begin with BACKSTOP_FINDINGS_INIT, which sets the size. */
typedef struct backstop_findings {
    /** The octets of this structure as the caller knows it. */
    uint32_t size;
    /** BACKSTOP_KIND_*: what kind of message it is. */
    int32_t kind;
    /** BACKSTOP_MESSAGE_*: what it is to us. */
    int32_t verdict;
    /** BACKSTOP_WHY_*: why it is unproven; else BACKSTOP_WHY_NONE. */
    int32_t why;
    /**
     * BACKSTOP_ADVICE_*: what to do with it, in the mode of the recipient's domain. It knows no client: who receives
     * mail asks backstop_policy_incoming_message.
     */
    int32_t advice;
    /** BACKSTOP_FAILURE_*: why mail was not delivered, as far as a bounce tells. */
    int32_t failure;
    /** How much speaks for the kind; from 50 on it is one. */
    int32_t score;
    /** How much weak evidence says that the mail it answers was not ours (above 0) or was (below). It never decides. */
    int32_t lean;
    /** The index of the tag or mark that proves it, for backstop_inspection_check; -1 unless it is genuine. */
    int32_t proof;
    /** How many items of evidence there are. */
    uint32_t evidence;
    /** How many tags and marks were checked. */
    uint32_t checks;
    /** BACKSTOP_ADVICE_*: what mode enforce would do with it. Behind BACKSTOP_FINDINGS_SIZE_1. */
    int32_t would;
} backstop_findings;

/** One tag or mark that was checked. Begin with BACKSTOP_CHECK_INIT, which sets the size. */
typedef struct backstop_check {
    /** The octets of this structure as the caller knows it. */
    uint32_t size;
    /** BACKSTOP_PLACE_*: where it stood. */
    int32_t place;
    /**
     * BACKSTOP_GENUINE to BACKSTOP_FOREIGN. Three outcomes of a mark have no number here and are given as the nearest:
     * one for another own address is BACKSTOP_FORGED, one of days ahead BACKSTOP_EXPIRED, a damaged one
     * BACKSTOP_MALFORMED. The JSON object has the exact one as the id of its evidence ("returned-mark-future"), and
     * where it makes the message unproven, so has `why` of the findings.
     */
    int32_t verdict;
    /**
     * With BACKSTOP_UNKNOWN_KEY: 1 if keys of the ring signed on that day, for prvs on each day that it may be, so that
     * it is none of ours. Else 0.
     */
    int32_t covered;
    /** The character of the key that it names; 0 if it names none. */
    int32_t key;
    /** The day of signing, in days since 1970-01-01; -1 if unknown. */
    int32_t signed_day;
    /** The last day of validity, in days since 1970-01-01; -1 if unknown. */
    int32_t expires_day;
} backstop_check;

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/*
 * ==== Versions and result codes ====
 */

/** The version of the library that is running, such as "0.1.0". Static, never NULL. */
const char *backstop_version(void);

/** The version of the library that is running: major * 1000000 + minor * 1000 + patch, as BACKSTOP_VERSION_NUMBER. */
uint32_t backstop_version_number(void);

/** One sentence for a result code. Static, never NULL, for any number. */
const char *backstop_strerror(int32_t status);

/*
 * ==== Key rings ====
 */

/**
 * Reads the text of a key ring.
 *
 * On BACKSTOP_OK `*out` is a reference for backstop_keyring_free. BACKSTOP_ERR_KEYRING: the text is none;
 * backstop_keyring_diagnose says why. A text begins with the line `version 1`; then each key has a line, with blanks
 * between its columns; each line ends in LF or CRLF, the last one too:
 *
 *     use (prvs, bst1, srs, mark)  id  mac (sha1, sha256)  days  from  until  domains  secret
 *     prvs  4  sha256  10  2026-11-21  -  example.com,*.example.net  base32:MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U
 *
 * The command `backstop key new` makes one; DESIGN.md of the sources has all rules.
 *
 * @code
 * static int32_t ring_from_text(const char *text, backstop_keyring **ring)
 * {
 *     char why[512];
 *     size_t len, line;
 *     int32_t status = backstop_keyring_parse(text, strlen(text), ring);
 *     if (status != BACKSTOP_OK &&
 *         backstop_keyring_diagnose(text, strlen(text), why, sizeof why, &len, &line) == BACKSTOP_OK)
 *         fprintf(stderr, "%.*s\n", (int)len, why);
 *     return status;
 * }
 * @endcode
 */
int32_t backstop_keyring_parse(const char *text,
                               size_t len,
                               backstop_keyring **out);

/**
 * Reads the key ring in a file; `path` ends in NUL.
 *
 * The file must be a regular one to which others have no access and which its group does not write (mode 0600 or
 * 0640). BACKSTOP_ERR_FILE: it cannot be read, others have access, or it holds no key ring;
 * backstop_keyring_diagnose_file says which. On BACKSTOP_OK `*out` is a reference for backstop_keyring_free.
 */
int32_t backstop_keyring_load(const char *path,
                              backstop_keyring **out);

/** Takes one more reference to the same key ring, so that each holder frees its own; `*out` is `ring`. */
int32_t backstop_keyring_ref(const backstop_keyring *ring, backstop_keyring **out);

/** Gives a reference back; the last one wipes the secrets and frees the ring. NULL is passed over. */
void backstop_keyring_free(backstop_keyring *ring);

/**
 * Says in one sentence why a text is no key ring, and on which line (from 1).
 *
 * BACKSTOP_OK also if it is one: then the length and the line are 0. The sentence shows nothing of any secret.
 */
int32_t backstop_keyring_diagnose(const char *text,
                                  size_t len,
                                  char *buf,
                                  size_t cap,
                                  size_t *out_len,
                                  size_t *line);

/** Says in one sentence why backstop_keyring_load refuses a file; the length is 0 if it does not. */
int32_t backstop_keyring_diagnose_file(const char *path, char *buf, size_t cap, size_t *out_len);

/**
 * Eight characters by which two hosts can tell whether they hold the same keys in the same order. They tell nothing of
 * a secret that cannot be guessed.
 */
int32_t backstop_keyring_fingerprint(const backstop_keyring *ring,
                                     char *buf,
                                     size_t cap,
                                     size_t *out_len);

/*
 * ==== Key stores: a key file that changes while a host runs ====
 */

/**
 * Opens a key file as backstop_keyring_load does; fails with the same codes, and with BACKSTOP_ERR_FILE also where the
 * ring has no key; backstop_keystore_diagnose says which. `path` ends in NUL and is copied; a relative one means the
 * folder that is current now.
 *
 * @code
 * static int32_t sign_for_weeks(const backstop_keystore *store, const char *sender, char *out, size_t cap,
 *                               size_t *len)
 * {
 *     backstop_keyring *ring;
 *     int32_t status = backstop_keystore_get(store, &ring);
 *     if (status != BACKSTOP_OK)
 *         return status;
 *     status = backstop_sign(ring, sender, strlen(sender), -1, out, cap, len);
 *     backstop_keyring_free(ring);
 *     return status;
 * }
 * @endcode
 */
int32_t backstop_keystore_open(const char *path,
                               backstop_keystore **out);

/** Says in one sentence why backstop_keystore_open refuses a file; the length is 0 if it does not. */
int32_t backstop_keystore_diagnose(const char *path, char *buf, size_t cap, size_t *out_len);

/**
 * Gives the ring of the file as it is now; `*out` is a reference for backstop_keyring_free.
 *
 * Cheap enough for every mail: the file is looked at once a second at most (one stat), and read only if it changed or
 * could not be used. A file that went bad keeps the ring that is there, and this gives BACKSTOP_OK;
 * backstop_keystore_report says why.
 */
int32_t backstop_keystore_get(const backstop_keystore *store,
                              backstop_keyring **out);

/**
 * Reads the file again now, as on SIGHUP (but not in the signal handler). A bad file keeps the ring that is there and
 * gives the code that backstop_keystore_open would; backstop_keystore_report has the sentence.
 */
int32_t backstop_keystore_reload(const backstop_keystore *store);

/**
 * Says in one sentence why the file, when it was last looked at, could not be used, so that an older ring is given;
 * the length is 0 if it could. For the log: ask after backstop_keystore_get, once a minute or so.
 */
int32_t backstop_keystore_report(const backstop_keystore *store,
                                 char *buf,
                                 size_t cap,
                                 size_t *out_len);

/**
 * Frees a store; no other thread may be using it. Rings that it gave stay until they are freed. NULL is passed over.
 */
void backstop_keystore_free(backstop_keystore *store);

/*
 * ==== Verdicts in words ====
 */

/** The word of a verdict for logs and metrics, such as "unknown-key". Static, never NULL, for any number. */
const char *backstop_verdict_name(int32_t verdict);

/** The word of a BACKSTOP_REASON_*, such as "lifetime". Static, never NULL, for any number. */
const char *backstop_reason_name(int32_t reason);

/** The word of a BACKSTOP_TAG_*, such as "btv1". Static, never NULL, for any number. */
const char *backstop_tag_name(int32_t tag);

/** The word of a BACKSTOP_USE_*, such as "prvs". Static, never NULL, for any number. */
const char *backstop_use_name(int32_t usage);

/*
 * ==== Tags: sign, verify, strip, explain ====
 */

/**
 * Marks an envelope sender, with bst1 where the ring has such a key and there is room, else with prvs. A bst1 key signs
 * up to 2059-09-18, which is all that the tag can hold.
 *
 * BACKSTOP_OK: `out` has the signed sender, of at most 254 octets. BACKSTOP_UNSIGNED_* (NULL, ALREADY, NOT_OWN,
 * NO_KEY, TOO_LONG, SHAPE): the address is to stay as it is and was copied to `out`, with brackets if it came in some;
 * a signed one has none. So whatever is not negative can go on with `out`. `out` may be the address itself. Whether
 * the mail is the host's own to sign is for the caller, or a policy, to know. Nothing is allocated.
 *
 * @code
 * static int32_t next_hop_sender(const backstop_keyring *ring, const char *sender, char *out, size_t cap, size_t *len)
 * {
 *     int32_t status = backstop_sign(ring, sender, strlen(sender), -1, out, cap, len);
 *     if (status > 0)
 *         fprintf(stderr, "left as it is: %s\n", backstop_strerror(status));
 *     return status < 0 ? status : BACKSTOP_OK;
 * }
 * @endcode
 */
int32_t backstop_sign(const backstop_keyring *ring,
                      const char *address,
                      size_t len,
                      int64_t now,
                      char *out,
                      size_t cap,
                      size_t *out_len);

/**
 * As backstop_sign, but the tag stands behind: local+prvs=TAG@example.com, for hosts that route by sub-address. It is
 * always a prvs tag: where only bst1 keys serve the domain, the result is BACKSTOP_UNSIGNED_NOT_OWN.
 */
int32_t backstop_sign_subaddress(const backstop_keyring *ring,
                                 const char *address,
                                 size_t len,
                                 int64_t now,
                                 char *out,
                                 size_t cap,
                                 size_t *out_len);

/**
 * Tells what the recipient of a bounce is, exactly as RCPT gave it (a sha1 tag covers the case of the address).
 *
 * BACKSTOP_OK: `out` has the verdict; on an error it has what it had before. BACKSTOP_ERR_ADDRESS and
 * BACKSTOP_ERR_NULL_RECIPIENT: it is no recipient at all. Nothing is allocated. A forged tag costs the time of a
 * genuine one.
 *
 * @code
 * static int accept_bounce(const backstop_keyring *ring, const char *rcpt, char *mailbox, size_t cap)
 * {
 *     backstop_verdict v = BACKSTOP_VERDICT_INIT;
 *     if (backstop_verify(ring, rcpt, strlen(rcpt), -1, &v) != BACKSTOP_OK || v.verdict != BACKSTOP_GENUINE)
 *         return 0;
 *     snprintf(mailbox, cap, "%s", v.mailbox);
 *     return 1;
 * }
 * @endcode
 */
int32_t backstop_verify(const backstop_keyring *ring,
                        const char *address,
                        size_t len,
                        int64_t now,
                        backstop_verdict *out);

/**
 * Takes a tag of any known system off, without verifying anything; `*tag` is a BACKSTOP_TAG_*.
 *
 * For keys of greylisting, reputation and allow-lists, which must stay the same from day to day. Never deliver by the
 * result. Without a tag (BACKSTOP_TAG_NONE) `out` has the address without brackets and route, `<>` as it came;
 * VERP, SRS and ordinary addresses with `=` have none. `out` may be the address itself. Nothing is allocated.
 *
 * @code
 * static int32_t greylist_key(const char *sender, char *out, size_t cap, size_t *len)
 * {
 *     int32_t tag;
 *     return backstop_strip(sender, strlen(sender), out, cap, len, &tag);
 * }
 * @endcode
 */
int32_t backstop_strip(const char *address,
                       size_t len,
                       char *out,
                       size_t cap,
                       size_t *out_len,
                       int32_t *tag);

/**
 * Tells people in words what an address is: its parts, its tag, the days, the verdict and what to do; some lines, each
 * ending in a line feed. What could steer a terminal is escaped. For logs that are looked into, not for programs.
 */
int32_t backstop_explain(const backstop_keyring *ring,
                         const char *address,
                         size_t len,
                         int64_t now,
                         char *out,
                         size_t cap,
                         size_t *out_len);

/*
 * ==== SRS: senders of forwarded mail ====
 */

/**
 * Describes a forwarder.
 *
 * `domain` is the one domain into which senders are rewritten. `own` lists further domains whose SRS addresses are
 * taken back, such as "fwd2.example,*.fwd.example"; it may be empty. BACKSTOP_ERR_DOMAIN, BACKSTOP_ERR_OPTION: one of
 * them cannot be used. On BACKSTOP_OK `*out` is for backstop_srs_free.
 *
 * @code
 * static int32_t forwarder(const char *domain, backstop_srs **srs)
 * {
 *     backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
 *     return backstop_srs_new(domain, strlen(domain), "", 0, &options, srs);
 * }
 *
 * static int32_t forward(const backstop_keyring *ring, const backstop_srs *srs, const char *sender,
 *                        char *out, size_t cap, size_t *len)
 * {
 *     int32_t status = backstop_srs_forward(ring, srs, sender, strlen(sender), -1, out, cap, len);
 *     return status < 0 ? status : BACKSTOP_OK;
 * }
 * @endcode
 */
int32_t backstop_srs_new(const char *domain,
                         size_t domain_len,
                         const char *own,
                         size_t own_len,
                         const backstop_srs_options *options,
                         backstop_srs **out);

/** Frees a forwarder; no other thread may be using it. NULL is passed over. */
void backstop_srs_free(backstop_srs *srs);

/**
 * Rewrites the envelope sender of forwarded mail into the forwarder's domain: SRS0, or SRS1 if it is SRS already.
 *
 * BACKSTOP_OK: `out` has the new sender, of at most 254 octets. BACKSTOP_UNSIGNED_*: the address is to stay as it is
 * and was copied to `out`, as with backstop_sign. Whether the mail is forwarded at all is for the caller to know.
 * Nothing is allocated.
 */
int32_t backstop_srs_forward(const backstop_keyring *ring,
                             const backstop_srs *srs,
                             const char *address,
                             size_t len,
                             int64_t now,
                             char *out,
                             size_t cap,
                             size_t *out_len);

/**
 * Tells what the recipient of a bounce to a forwarder is; if genuine, `mailbox` is the sender to whom it returns.
 *
 * An address without SRS is BACKSTOP_UNTAGGED, one at a host that is no own forwarder BACKSTOP_FOREIGN. A result in an
 * own domain is a recipient to verify in its turn. Let only bounces in by it, from the null sender, or it is an open
 * relay for those who saw it. Nothing is allocated.
 */
int32_t backstop_srs_reverse(const backstop_keyring *ring,
                             const backstop_srs *srs,
                             const char *address,
                             size_t len,
                             int64_t now,
                             backstop_verdict *out);

/*
 * ==== Marks inside messages ====
 */

/**
 * Writes the bare address for which a message with this From field is to have a mark, if the field has exactly one.
 *
 * `field` is what stands behind `From:`, folded or not; give it only if the message has one such field.
 * BACKSTOP_UNSIGNED_SHAPE: a list, a group, a route, a name with another address outside quotes, or more than 8192
 * octets; the length is 0. What a bounce answers there is a guess, and no bounce is called backscatter for want of it.
 *
 * Mark own mail alone, which the rule of backstop_policy_outgoing tells: BACKSTOP_RULE_SIGNED, or one that leaves own
 * mail unsigned, whose bounces only the mark tells from forged ones (BACKSTOP_RULE_NO_SIGN, NO_SIGN_RECIPIENTS,
 * NO_KEY, TOO_LONG, SHAPE).
 */
int32_t backstop_mark_address_of_from(const char *field,
                                      size_t len,
                                      char *out,
                                      size_t cap,
                                      size_t *out_len);

/**
 * Makes the value of the header BACKSTOP_MARK_HEADER for a message whose From has this bare address
 * (backstop_mark_address_of_from).
 *
 * `nonce` points to BACKSTOP_NONCE_SIZE random octets, others for each message. BACKSTOP_UNSIGNED_*: there is no mark
 * to put into the message, and the length is 0.
 *
 * @code
 * static int32_t mark_value(const backstop_keyring *ring, const char *from, char *out, size_t cap, size_t *len)
 * {
 *     unsigned char nonce[BACKSTOP_NONCE_SIZE];
 *     FILE *random = fopen("/dev/urandom", "rb");
 *     size_t got = random == NULL ? 0 : fread(nonce, 1, sizeof nonce, random);
 *     if (random != NULL)
 *         fclose(random);
 *     if (got != sizeof nonce)
 *         return BACKSTOP_ERR_INTERNAL;
 *     return backstop_mark_header(ring, from, strlen(from), nonce, -1, out, cap, len);
 * }
 * @endcode
 */
int32_t backstop_mark_header(const backstop_keyring *ring,
                             const char *from,
                             size_t from_len,
                             const uint8_t *nonce,
                             int64_t now,
                             char *out,
                             size_t cap,
                             size_t *out_len);

/**
 * Makes a Message-ID with its brackets, for a message that has none; replace none without being told to.
 *
 * `left` is what would stand before the `@` without a mark, unique at `domain`: 1 to 700 letters, digits, dots and the
 * like, else BACKSTOP_ERR_MESSAGE_ID. What is no domain is BACKSTOP_ERR_ADDRESS, or BACKSTOP_ERR_DOMAIN where it is not
 * UTF-8. `from` is the bare address of the From. A mark key must serve the From's domain and `domain`, else the result
 * is BACKSTOP_UNSIGNED_NOT_OWN. It holds days up to 2059-09-18.
 * BACKSTOP_UNSIGNED_*: there is no mark, and the length is 0.
 */
int32_t backstop_mark_message_id(const backstop_keyring *ring,
                                 const char *left,
                                 size_t left_len,
                                 const char *domain,
                                 size_t domain_len,
                                 const char *from,
                                 size_t from_len,
                                 int64_t now,
                                 char *out,
                                 size_t cap,
                                 size_t *out_len);

/**
 * Checks the value of a header Backstop-Mark that came back in a bounce to this recipient, whose own tag is off.
 *
 * Genuine only for the address for which it was made. A mark of another site is BACKSTOP_FOREIGN.
 */
int32_t backstop_mark_verify_header(const backstop_keyring *ring,
                                    const char *value,
                                    size_t value_len,
                                    const char *recipient,
                                    size_t recipient_len,
                                    int64_t now,
                                    backstop_verdict *out);

/**
 * Checks one Message-ID, as Message-ID, In-Reply-To or References hold it, that came back to this recipient. A list of
 * several is UNTAGGED: give each by itself.
 *
 * Without a mark it is BACKSTOP_UNTAGGED; the rest is as with backstop_mark_verify_header.
 */
int32_t backstop_mark_verify_message_id(const backstop_keyring *ring,
                                        const char *id,
                                        size_t id_len,
                                        const char *recipient,
                                        size_t recipient_len,
                                        int64_t now,
                                        backstop_verdict *out);

/*
 * ==== Policy: the decisions ====
 */

/**
 * Reads the table `[policy]` of a TOML text (UTF-8); other tables are left alone.
 *
 * share/doc/backstop/policy.toml, installed beside the library, explains every key. BACKSTOP_ERR_POLICY:
 * backstop_policy_diagnose says why. On BACKSTOP_OK `*out` is a reference for backstop_policy_free.
 *
 * @code
 * static int refuse(const backstop_policy *policy, const backstop_keyring *ring, const char *from, const char *rcpt,
 *                   int user, const char *ip, uint16_t port, char *reply, size_t cap)
 * {
 *     backstop_decision d = BACKSTOP_DECISION_INIT;
 *     int32_t client;
 *     if (backstop_policy_client(policy, user, ip, strlen(ip), port, &client) != BACKSTOP_OK ||
 *         backstop_policy_incoming(policy, ring, from, strlen(from), rcpt, strlen(rcpt), client, -1, &d) !=
 *             BACKSTOP_OK)
 *         return 0;
 *     snprintf(reply, cap, "%s", d.reply);
 *     return d.action == BACKSTOP_ACTION_REFUSE;
 * }
 * @endcode
 */
int32_t backstop_policy_parse(const char *text,
                              size_t len,
                              backstop_policy **out);

/**
 * Says in one sentence why a text is no policy, and on which line (from 1).
 *
 * BACKSTOP_OK also if it is one: then the length and the line are 0.
 */
int32_t backstop_policy_diagnose(const char *text,
                                 size_t len,
                                 char *buf,
                                 size_t cap,
                                 size_t *out_len,
                                 size_t *line);

/** Takes one more reference to the same policy, so that each holder frees its own; `*out` is `policy`. */
int32_t backstop_policy_ref(const backstop_policy *policy, backstop_policy **out);

/** Gives a reference back; the last one frees the policy. NULL is passed over. */
void backstop_policy_free(backstop_policy *policy);

/**
 * Tells whether a policy needs something of the program that asks it, BACKSTOP_NEED_*: `*needed` is 1 or 0.
 *
 * Nothing in a decision tells that a rule cannot be kept to: a program that sees no client never finds one exempt. So
 * look for what the program cannot do when a policy is read, and refuse the policy or say so; backstop_need_name is
 * the key to name. BACKSTOP_ERR_OPTION: `need` is no BACKSTOP_NEED_*.
 *
 * @code
 * static void warn_of_needs(const backstop_policy *policy, const int32_t *unmet, size_t count)
 * {
 *     int32_t needed;
 *     while (count-- > 0)
 *         if (backstop_policy_needs(policy, unmet[count], &needed) == BACKSTOP_OK && needed)
 *             fprintf(stderr, "this program does not keep to %s\n", backstop_need_name(unmet[count]));
 * }
 * @endcode
 */
int32_t backstop_policy_needs(const backstop_policy *policy,
                              int32_t need,
                              int32_t *needed);

/**
 * Tells the origin of a mail: whether its client authenticated (not 0), its IP address as text (empty if unknown) and
 * its port; `*origin` is a BACKSTOP_ORIGIN_*.
 *
 * Port 0 with no address or one of the loopback is the mail system itself, whose mail is signed: give port 0 only
 * where the host says so, and any other for a client of which nothing is known, which is then BACKSTOP_ORIGIN_UNKNOWN.
 * BACKSTOP_ERR_IP: the text is no IP address.
 */
int32_t backstop_policy_origin(const backstop_policy *policy,
                               int32_t authenticated,
                               const char *ip,
                               size_t ip_len,
                               uint16_t port,
                               int32_t *origin);

/**
 * Tells the class of a client for backstop_policy_incoming, from the same as backstop_policy_origin; `*client` is a
 * BACKSTOP_CLIENT_*. The mail system itself and an exempt client stay what they are when they authenticate.
 */
int32_t backstop_policy_client(const backstop_policy *policy,
                               int32_t authenticated,
                               const char *ip,
                               size_t ip_len,
                               uint16_t port,
                               int32_t *client);

/**
 * Decides about the sender of a mail that leaves, from its recipients (`count` of them) and its BACKSTOP_ORIGIN_*.
 *
 * BACKSTOP_OK: `out` has the sender with which it is to leave, and `*rule` says why: BACKSTOP_RULE_SIGNED if it got a
 * tag, another if it stays as it is. `out` may be the sender itself. BACKSTOP_ERR_OPTION: `origin` is no
 * BACKSTOP_ORIGIN_*. Nothing is allocated.
 */
int32_t backstop_policy_outgoing(const backstop_policy *policy,
                                 const backstop_keyring *ring,
                                 const char *sender,
                                 size_t sender_len,
                                 const backstop_text *recipients,
                                 size_t count,
                                 int32_t origin,
                                 int64_t now,
                                 char *out,
                                 size_t cap,
                                 size_t *out_len,
                                 int32_t *rule);

/**
 * Decides about the sender of a mail that is forwarded; `recipient` is the address here that forwards it.
 *
 * As backstop_policy_outgoing, with BACKSTOP_RULE_REWRITTEN. That the mail leaves this site again is for the caller to
 * know.
 */
int32_t backstop_policy_forward(const backstop_policy *policy,
                                const backstop_keyring *ring,
                                const char *sender,
                                size_t sender_len,
                                const char *recipient,
                                size_t recipient_len,
                                int64_t now,
                                char *out,
                                size_t cap,
                                size_t *out_len,
                                int32_t *rule);

/**
 * Decides about one recipient of a mail from `sender`, both exactly as MAIL and RCPT gave them, and a
 * BACKSTOP_CLIENT_*.
 *
 * BACKSTOP_OK: `out` has the decision; with `by_message` it is not the last word. BACKSTOP_ERR_OPTION: `client` is no
 * BACKSTOP_CLIENT_*. What is no address passes unchanged, for the host to refuse. Nothing is allocated.
 */
int32_t backstop_policy_incoming(const backstop_policy *policy,
                                 const backstop_keyring *ring,
                                 const char *sender,
                                 size_t sender_len,
                                 const char *recipient,
                                 size_t recipient_len,
                                 int32_t client,
                                 int64_t now,
                                 backstop_decision *out);

/**
 * Decides about the recipient once more when the message is there: a signed mark inside it can save a bounce without a
 * tag, and it can show a bounce to be backscatter that the envelope could not.
 *
 * For a decision of backstop_policy_incoming that has `by_message`; for any other it gives the same once more. Policy,
 * ring, sender, recipient, client and `now` are those of before: with -1 for the clock, midnight may come between the
 * two, and a key store may have a new ring. `inspection` is that of the message for this very recipient: each has its
 * own. The advice of an inspection is no substitute, since it knows no client: exempt ones and users are never refused.
 *
 * BACKSTOP_OK: `out` has the decision, with `refuse_at` and `by_message` as before. BACKSTOP_ERR_OPTION: `client` is
 * no BACKSTOP_CLIENT_*. A message that is not there as a whole proves only what it proves: if some was cut off, which
 * may have held the mark, take this decision only with BACKSTOP_RULE_MARK_GENUINE, else keep that of
 * backstop_policy_incoming. The first MiB is enough for nearly all.
 *
 * @code
 * static int32_t judge_with_message(const backstop_policy *policy, const backstop_keyring *ring, const char *from,
 *                                   const char *rcpt, int32_t client, const char *message, size_t len, int64_t now,
 *                                   backstop_decision *d)
 * {
 *     backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
 *     backstop_inspection *seen;
 *     int32_t status = backstop_policy_incoming(policy, ring, from, strlen(from), rcpt, strlen(rcpt), client, now, d);
 *     if (status != BACKSTOP_OK || !d->by_message)
 *         return status;
 *     envelope.sender.data = from;
 *     envelope.sender.len = strlen(from);
 *     envelope.recipient.data = rcpt;
 *     envelope.recipient.len = strlen(rcpt);
 *     status = backstop_inspect(policy, ring, message, len, &envelope, now, &seen);
 *     if (status != BACKSTOP_OK)
 *         return status;
 *     status = backstop_policy_incoming_message(policy, ring, from, strlen(from), rcpt, strlen(rcpt), client, seen,
 *                                               now, d);
 *     backstop_inspection_free(seen);
 *     return status;
 * }
 * @endcode
 */
int32_t backstop_policy_incoming_message(const backstop_policy *policy,
                                         const backstop_keyring *ring,
                                         const char *sender,
                                         size_t sender_len,
                                         const char *recipient,
                                         size_t recipient_len,
                                         int32_t client,
                                         const backstop_inspection *inspection,
                                         int64_t now,
                                         backstop_decision *out);

/*
 * ==== Words of a policy ====
 */

/** The word of a BACKSTOP_ORIGIN_*, such as "submitted". Static, never NULL, for any number. */
const char *backstop_origin_name(int32_t origin);

/** The word of a BACKSTOP_CLIENT_*, such as "exempt". Static, never NULL, for any number. */
const char *backstop_client_name(int32_t client);

/** The word of a BACKSTOP_MODE_*, such as "observe". Static, never NULL, for any number. */
const char *backstop_mode_name(int32_t mode);

/** The word of a BACKSTOP_ACTION_*, such as "strip". Static, never NULL, for any number. */
const char *backstop_action_name(int32_t action);

/** The word of a BACKSTOP_REFUSE_AT_*, such as "data". Static, never NULL, for any number. */
const char *backstop_refuse_at_name(int32_t refuse_at);

/**
 * The key of a policy that a BACKSTOP_NEED_* comes from, such as "exempt-clients", or "refuse-at = \"data\"" where
 * only that value has the need. Static, never NULL, for any number.
 */
const char *backstop_need_name(int32_t need);

/** The word of a BACKSTOP_RULE_* for logs and metrics, such as "too-early". Static, never NULL, for any number. */
const char *backstop_rule_name(int32_t rule);

/** One sentence for a BACKSTOP_RULE_*. Static, never NULL, for any number. */
const char *backstop_rule_text(int32_t rule);

/*
 * ==== Many addresses in one call ====
 */

/**
 * Marks many envelope senders, each as backstop_sign would: where there are sixteen or more of them, for a fraction of
 * the time, by processor. For bulk mail with a sender each, for lists, for logs. There is no such function for the
 * sub-address form.
 *
 * `status[i]` is what backstop_sign would return for `addresses[i]`, and `out[i]` what to go on with: if that is
 * BACKSTOP_OK the signed sender, which stands in `buf`; else (BACKSTOP_UNSIGNED_*, or BACKSTOP_ERR_ADDRESS: no address
 * at all) `addresses[i]` as it was given, pointer and length, nothing copied. One bad address is no fault of the
 * others. The texts stand in `buf` one behind the other without NUL; `*len` is how much of it they take. `out` and
 * `status` have `count` elements, as many as `addresses`; `out` may be `addresses` itself.
 *
 * BACKSTOP_OK: all were done, and `*done` is `count`. A `buf` of `count` * BACKSTOP_ADDRESS_MAX octets is always large
 * enough. BACKSTOP_ERR_TOO_SMALL: the first `*done` were done, as above, nothing was written for the others, and
 * `*len` has what all `count` take. Go on with the address of that number once `out` was used, or, unless `out` is
 * `addresses`, begin again with more room: there the first would be read from the `buf` that is written to. With room
 * for BACKSTOP_ADDRESS_MAX octets at least one is done. On any other error nothing was written; it is one of the call,
 * of which any of the texts having NULL (BACKSTOP_ERR_NULL) or an impossible length (BACKSTOP_ERR_LENGTH) is one.
 *
 * `count` has no limit. Nothing is allocated; the stack that this and backstop_verify_many take is below 64 KiB,
 * whatever `count` is.
 *
 * @code
 * static int32_t sign_all(const backstop_keyring *ring, const backstop_text *senders, size_t count,
 *                         void (*hand_on)(const backstop_text *sender))
 * {
 *     size_t first, next, len, done;
 *     for (first = 0; first < count; first += done) {
 *         char buf[64 * BACKSTOP_ADDRESS_MAX];
 *         backstop_text out[64];
 *         int32_t status[64], result;
 *         size_t some = count - first < 64 ? count - first : 64;
 *         result = backstop_sign_many(ring, senders + first, some, -1, buf, sizeof buf, &len, out, status, &done);
 *         if (result != BACKSTOP_OK)
 *             return result;
 *         for (next = 0; next < done; next++)
 *             if (status[next] >= 0)
 *                 hand_on(&out[next]);
 *     }
 *     return BACKSTOP_OK;
 * }
 * @endcode
 */
int32_t backstop_sign_many(const backstop_keyring *ring,
                           const backstop_text *addresses,
                           size_t count,
                           int64_t now,
                           char *buf,
                           size_t cap,
                           size_t *len,
                           backstop_text *out,
                           int32_t *status,
                           size_t *done);

/**
 * Tells what many recipients of bounces are, each as backstop_verify would.
 *
 * `status[i]` is what backstop_verify would return for `addresses[i]`, and `out[i]` its verdict; where `status[i]` is
 * an error (BACKSTOP_ERR_ADDRESS, BACKSTOP_ERR_NULL_RECIPIENT), a verdict BACKSTOP_NONE without anything. `out` and
 * `status` have `count` elements. The size of the first verdict says how far they stand apart and is given to all, so
 * `backstop_verdict out[1000] = {BACKSTOP_VERDICT_INIT};` is enough (with `count` 0 one is there all the same).
 *
 * BACKSTOP_OK: all were done. On any other result nothing was written; it is an error of the call, of which any of the
 * texts having NULL (BACKSTOP_ERR_NULL) or an impossible length (BACKSTOP_ERR_LENGTH) is one. Nothing is allocated.
 *
 * @code
 * static size_t count_genuine(const backstop_keyring *ring, const backstop_text *rcpts, size_t count)
 * {
 *     size_t first, next, genuine = 0;
 *     for (first = 0; first < count; first += 64) {
 *         backstop_verdict v[64] = {BACKSTOP_VERDICT_INIT};
 *         int32_t status[64];
 *         size_t some = count - first < 64 ? count - first : 64;
 *         if (backstop_verify_many(ring, rcpts + first, some, -1, v, status) != BACKSTOP_OK)
 *             return 0;
 *         for (next = 0; next < some; next++)
 *             genuine += v[next].verdict == BACKSTOP_GENUINE;
 *     }
 *     return genuine;
 * }
 * @endcode
 */
int32_t backstop_verify_many(const backstop_keyring *ring,
                             const backstop_text *addresses,
                             size_t count,
                             int64_t now,
                             backstop_verdict *out,
                             int32_t *status);

/** The word of a BACKSTOP_KIND_*, such as "dsn-failed". Static, never NULL, for any number. */
const char *backstop_kind_name(int32_t kind);

/** The word of a BACKSTOP_MESSAGE_*, such as "backscatter". Static, never NULL, for any number. */
const char *backstop_message_name(int32_t verdict);

/** The word of a BACKSTOP_WHY_*, such as "nothing-returned". Static, never NULL, for any number. */
const char *backstop_why_name(int32_t why);

/** The word of a BACKSTOP_ADVICE_*, such as "refuse". Static, never NULL, for any number. */
const char *backstop_advice_name(int32_t advice);

/** The word of a BACKSTOP_PLACE_*, such as "recipient-tag". Static, never NULL, for any number. */
const char *backstop_place_name(int32_t place);

/** The word of a BACKSTOP_FAILURE_*, such as "mailbox-full". Static, never NULL, for any number. */
const char *backstop_failure_name(int32_t failure);

/** The word of a BACKSTOP_RESTRAINT_*, such as "list". Static, never NULL, for any number. */
const char *backstop_restraint_name(int32_t restraint);

/** One sentence for a BACKSTOP_RESTRAINT_*. Static, never NULL, for any number. */
const char *backstop_restraint_text(int32_t restraint);

/**
 * Judges one message for one recipient: what kind it is, whether it answers mail that left here, and where it came
 * from.
 *
 * `message` is the whole message, its lines ending in CR LF or LF. What a message is is no error: `*out` can be asked
 * for all, and is for backstop_inspection_free. Nothing is looked up. It needs 256 KiB of stack at most.
 *
 * @code
 * static int is_backscatter(const backstop_policy *policy, const backstop_keyring *ring, const char *message,
 *                           size_t len, const char *recipient, int64_t now, char *host, size_t cap, size_t *host_len)
 * {
 *     backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
 *     backstop_findings findings = BACKSTOP_FINDINGS_INIT;
 *     backstop_inspection *it;
 *     int32_t status;
 *     envelope.recipient.data = recipient;
 *     envelope.recipient.len = strlen(recipient);
 *     status = backstop_inspect(policy, ring, message, len, &envelope, now, &it);
 *     if (status != BACKSTOP_OK)
 *         return status;
 *     status = backstop_inspection_findings(it, &findings);
 *     if (status == BACKSTOP_OK)
 *         status = backstop_inspection_text(it, BACKSTOP_TEXT_REPORTING, host, cap, host_len);
 *     backstop_inspection_free(it);
 *     return status == BACKSTOP_OK ? findings.verdict == BACKSTOP_MESSAGE_BACKSCATTER : status;
 * }
 * @endcode
 */
int32_t backstop_inspect(const backstop_policy *policy,
                         const backstop_keyring *ring,
                         const char *message,
                         size_t message_len,
                         const backstop_envelope *envelope,
                         int64_t now,
                         backstop_inspection **out);

/** Frees it. NULL is passed over. */
void backstop_inspection_free(backstop_inspection *inspection);

/** Gives all that are numbers. Nothing is allocated. */
int32_t backstop_inspection_findings(const backstop_inspection *inspection,
                                     backstop_findings *out);

/**
 * Gives one of the texts, BACKSTOP_TEXT_*; the length is 0 if there is none. What came out of a message is as its
 * sender wrote it, without control characters being looked for. BACKSTOP_ERR_OPTION: no such text.
 */
int32_t backstop_inspection_text(const backstop_inspection *inspection,
                                 int32_t which,
                                 char *buf,
                                 size_t cap,
                                 size_t *out_len);

/**
 * Gives the word that stands for an item of evidence, such as "null-sender", and its weight. Indices begin with 0;
 * BACKSTOP_ERR_OPTION: there are not so many.
 */
int32_t backstop_inspection_evidence(const backstop_inspection *inspection,
                                     uint32_t index,
                                     char *buf,
                                     size_t cap,
                                     size_t *out_len,
                                     int32_t *weight);

/** Gives the sentence of an item of evidence, as backstop_inspection_evidence gives its word. */
int32_t backstop_inspection_evidence_why(const backstop_inspection *inspection,
                                         uint32_t index,
                                         char *buf,
                                         size_t cap,
                                         size_t *out_len);

/**
 * Gives a tag or mark that was checked, good or bad: the text of it, so that its uses can be counted, and what it is.
 * Indices begin with 0; BACKSTOP_ERR_OPTION: there are not so many.
 */
int32_t backstop_inspection_check(const backstop_inspection *inspection,
                                  uint32_t index,
                                  char *buf,
                                  size_t cap,
                                  size_t *out_len,
                                  backstop_check *out);

/**
 * Gives all that is known as one JSON object on one line, the same that `backstop inspect --json` prints:
 * {"file","kind","verdict","proof","reason","score","evidence":[...],"returned":{...},"source":{...},
 * "mailbox","advice","would"}.
 *
 * `file` says where the message stands; data NULL: null. `zones` are names of DNS lists in UTF-8, `count` of them
 * (NULL with 0): what to ask them about the host that injected the mail stands in "dnsbl". Nothing is asked. The text
 * is UTF-8 without control characters, which are escaped, also in what came out of a message; octets that are not
 * UTF-8 become U+FFFD. Call it with capacity 0 for the length. BACKSTOP_ERR_DOMAIN: a zone is not UTF-8.
 *
 * @code
 * static char *json_of(const backstop_inspection *it, size_t *len)
 * {
 *     char none, *buf;
 *     if (backstop_inspection_json(it, NULL, 0, NULL, 0, &none, 0, len) != BACKSTOP_ERR_TOO_SMALL)
 *         return NULL;
 *     buf = malloc(*len);
 *     if (buf != NULL && backstop_inspection_json(it, NULL, 0, NULL, 0, buf, *len, len) == BACKSTOP_OK)
 *         return buf;
 *     free(buf);
 *     return NULL;
 * }
 * @endcode
 */
int32_t backstop_inspection_json(const backstop_inspection *inspection,
                                 const char *file,
                                 size_t file_len,
                                 const backstop_text *zones,
                                 size_t count,
                                 char *buf,
                                 size_t cap,
                                 size_t *out_len);

/**
 * Tells whether a bounce may be sent for a message that was taken in, so that this host is no reflector: `*restraint`
 * is BACKSTOP_RESTRAINT_NONE, or why not. `envelope.authenticated` says whether someone vouches for the sender.
 */
int32_t backstop_may_bounce(const char *message,
                            size_t message_len,
                            const backstop_envelope *envelope,
                            int32_t *restraint);

/**
 * Tells whether an automatic reply (vacation, receipt) may be sent in the name of these own addresses, `count` of
 * them, in UTF-8 and without tags (RFC 3834). How often one sender is answered is for the caller to keep.
 *
 * As backstop_may_bounce. BACKSTOP_ERR_ADDRESS: an own address is not UTF-8.
 */
int32_t backstop_may_autorespond(const char *message,
                                 size_t message_len,
                                 const backstop_envelope *envelope,
                                 const backstop_text *own,
                                 size_t count,
                                 int32_t *restraint);

/*
 * ==== Exim: functions for ${dlfunc} ====
 */

/**
 * For a transport's return_path: {key file}{sender}, options form=prefix or subaddress, now=.
 *
 * All functions of this group are called by Exim, not by C: they have the type that ${dlfunc} wants and need nothing
 * of Exim. The arguments stand in braces in their order, options behind them as {name=value}; an option with an empty
 * value counts as not given, an unknown one is an error. now= takes unix seconds in place of the system clock. Paths
 * begin with a slash. bindings/exim of the sources has a whole configuration.
 *
 * @code
 * static int as_exim_would(unsigned char *keys, unsigned char *sender, unsigned char **answer)
 * {
 *     unsigned char *argv[] = {keys, sender};
 *     return backstop_exim_sign(answer, 2, argv);
 * }
 * @endcode
 *
 * BACKSTOP_EXIM_OK: `*result` has the answer. Any other result: `*result` has a sentence for Exim's log, which shows
 * no secret. It ends in NUL and lasts until the next of these calls in this thread. FAIL and FAIL_FORCED are never
 * given. Files are read when first named, and kept by the thread (the last eight of a kind); a changed one is read
 * again, a key file after a second at most, and one that went bad keeps what was there until the process ends.
 *
 * This one answers the signed sender, or the sender as it is where backstop_sign would leave it; so it may stand in
 * return_path as it is, and signs nothing twice. It signs for whoever sends; backstop_exim_policy_outgoing does not.
 */
int backstop_exim_sign(unsigned char **result,
                       int argc,
                       unsigned char **argv);

/**
 * What a recipient is, as backstop_verify tells it: {key file}{recipient}, option now=.
 *
 * Answers words for ${extract{name}{...}}: verdict, reason, mailbox, key, signed, expires, with the words of the
 * command `verify`; what is not known is left out. mailbox is the address under a tag with a right MAC, also if it
 * expired, or the address itself if it has no tag. What is no address is verdict=malformed reason=unparsable.
 */
int backstop_exim_verify(unsigned char **result,
                         int argc,
                         unsigned char **argv);

/**
 * The address without a tag of any known system, as backstop_strip, or the address as it is: {address}.
 *
 * For the keys of greylisting and of lists. Nothing is verified: never deliver by it.
 */
int backstop_exim_strip(unsigned char **result, int argc, unsigned char **argv);

/**
 * For the return_path of forwarded mail: {key file}{sender}{domain}, options own=, now=.
 *
 * Answers the sender rewritten into the domain, or as it is where backstop_srs_forward would leave it. own= lists
 * further forwarder domains, with commas. All other options of SRS stand in a policy: backstop_exim_policy_forward.
 */
int backstop_exim_srs_forward(unsigned char **result,
                              int argc,
                              unsigned char **argv);

/**
 * What the recipient of a bounce to a forwarder is: {key file}{recipient}{domain}, options own=, now=.
 *
 * Answers words as backstop_exim_verify; mailbox is the sender to whom it returns. Let only the null sender use it.
 */
int backstop_exim_srs_reverse(unsigned char **result,
                              int argc,
                              unsigned char **argv);

/**
 * For a transport's return_path by policy: {key file}{policy file}{sender}{client}{port}, options authenticated=,
 * recipient=, now=.
 *
 * Answers the signed sender, or the sender as it is, as backstop_policy_outgoing. client and port are
 * $sender_host_address and $sender_host_port (empty and 0 for local programs), authenticated= is
 * $sender_host_authenticated (empty if not). recipient= matters only for no-sign-recipients, and only where the
 * transport has max_rcpt = 1.
 */
int backstop_exim_policy_outgoing(unsigned char **result,
                                  int argc,
                                  unsigned char **argv);

/**
 * For the return_path of forwarded mail by policy: {key file}{policy file}{sender}{recipient}, option now=.
 *
 * Answers the rewritten sender, or the sender as it is, as backstop_policy_forward. recipient is the address here that
 * forwards, $original_local_part@$original_domain; the transport wants max_rcpt = 1.
 */
int backstop_exim_policy_forward(unsigned char **result,
                                 int argc,
                                 unsigned char **argv);

/**
 * What becomes of a recipient by policy: {key file}{policy file}{sender}{recipient}{client}{port}, options
 * authenticated= and now=.
 *
 * Answers words for ${extract{name}{...}}, as the command `decide`: action, would, rule, verdict, reason, mode,
 * refuse_at, log (yes or no), address (with action=strip and action=reverse: deliver there) and reply (with
 * action=refuse: the SMTP reply). Sender and recipient should stand as SMTP gave them, since a sha1 tag covers their
 * case; client, port and authenticated as for backstop_exim_policy_outgoing.
 */
int backstop_exim_policy_incoming(unsigned char **result,
                                  int argc,
                                  unsigned char **argv);

/** The name of the header that carries a mark. */
#define BACKSTOP_MARK_HEADER "Backstop-Mark"
/** The size of backstop_verdict as it was first published, up to `reserved`; callers that want no more may set it. */
#define BACKSTOP_VERDICT_SIZE_1 352
/** backstop_verdict v = BACKSTOP_VERDICT_INIT; */
#define BACKSTOP_VERDICT_INIT {sizeof(backstop_verdict), 0, 0, -1, -1, 0, 0, {0}, {0}, 0, 0}
/** backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT; then change what is to be other. */
#define BACKSTOP_SRS_OPTIONS_INIT \
    {sizeof(backstop_srs_options), '=', 4, 4, 0, 0, BACKSTOP_ALPHABET_CLASSIC, BACKSTOP_OVER_LONG_LEAVE}
/** backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT; then set what is known. */
#define BACKSTOP_ENVELOPE_INIT {sizeof(backstop_envelope), 0, {NULL, 0}, {NULL, 0}}
/** The size of backstop_findings as it was first published, up to `checks`; callers that want no more may set it. */
#define BACKSTOP_FINDINGS_SIZE_1 44
/** backstop_findings findings = BACKSTOP_FINDINGS_INIT; */
#define BACKSTOP_FINDINGS_INIT {sizeof(backstop_findings), 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0}
/** backstop_check check = BACKSTOP_CHECK_INIT; */
#define BACKSTOP_CHECK_INIT {sizeof(backstop_check), 0, 0, 0, 0, -1, -1}
/** The size of backstop_decision as it was first published, up to `reply`; callers that want no more may set it. */
#define BACKSTOP_DECISION_SIZE_1 620
/** backstop_decision d = BACKSTOP_DECISION_INIT; */
#define BACKSTOP_DECISION_INIT {sizeof(backstop_decision), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}, 0}

#ifdef __cplusplus
}  // extern "C"
#endif /* __cplusplus */

#endif  /* BACKSTOP_H */
