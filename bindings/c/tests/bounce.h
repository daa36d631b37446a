/* A bounce of spam that was sent in the name of user@example.com, and a policy under which it is backscatter. */
#ifndef BACKSTOP_TEST_BOUNCE_H
#define BACKSTOP_TEST_BOUNCE_H

#include "test.h"

#define BOUNCE_POLICY "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nmarks-since = 2026-09-01\n"
#define USER "user@example.com"
#define TAGGED "prvs=07853508f8=user@example.com"

#define BOUNCE                                                                                              \
    "From: Mail Delivery System <MAILER-DAEMON@mx.reflector.example>\r\n"                                   \
    "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"                                 \
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n"            \
    "user unknown\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"                                  \
    "Reporting-MTA: dns; mx.reflector.example\r\n\r\nFinal-Recipient: rfc822; x@reflector.example\r\n"      \
    "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"               \
    "Received: from zombie.isp.example ([198.51.100.17]) by mx.reflector.example with SMTP;\r\n"            \
    "\tFri, 20 Nov 2026 10:11:12 +0000\r\nFrom: Cheap Pills <user@example.com>\r\n"                         \
    "To: x@reflector.example\r\nSubject: You won\r\nDate: Fri, 20 Nov 2026 10:11:10 +0000\r\n"              \
    "Message-ID: <1@zombie>\r\n\r\n--b--\r\n"

static inline backstop_inspection *inspection_of(const backstop_policy *policy, const backstop_keyring *ring,
                                                 const char *message, const char *recipient)
{
    backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
    backstop_inspection *it = NULL;
    envelope.sender.data = "";
    envelope.recipient.data = recipient;
    envelope.recipient.len = recipient == NULL ? 0 : strlen(recipient);
    CHECK(backstop_inspect(policy, ring, S(message), &envelope, NOW, &it) == BACKSTOP_OK && it != NULL);
    return it;
}

#endif
