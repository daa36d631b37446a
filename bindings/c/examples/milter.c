/* A milter for Postfix and Sendmail: signs the senders of mail that leaves, refuses bounces to mail that never left,
 * takes the tag off the recipients of genuine ones. KEYS is read again when it changes.
 *
 *     cc milter.c $(pkg-config --cflags --libs backstop) -lmilter -lpthread -o milter
 *     ./milter inet:8899@127.0.0.1 KEYS POLICY
 *
 * Postfix needs `smtpd_milters = inet:127.0.0.1:8899`, the same as `non_smtpd_milters`, or mail of sendmail(1) leaves
 * unsigned, and `internal_mail_filter_classes = bounce`, or its own bounces go to the tagged address. If it knows its
 * recipients, it looks them up before it asks a milter: `/^(prvs|bst1)=/ OK` in a regexp table of relay_recipient_maps
 * lets tags in, but also mail to unknown users under a wrong tag, which it then bounces. backstopd has a better map.
 * Limits: one sender for all recipients; no SRS; refuses at RCPT and tells if refuse-at differs; policy read once. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <backstop.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

/* Set before the threads start. Any number of threads may use both, and some may when main returns: never freed. */
static backstop_policy *policy;
static backstop_keystore *store;

/* A connection of the MTA, and the mail that is under way on it. libmilter runs one callback of it at a time. */
struct session {
    char ip[INET6_ADDRSTRLEN]; /* empty if unknown */
    uint16_t port;             /* 0 for the mail system itself; an unknown client is no such thing */
    int32_t user, client;      /* whether it authenticated, and its class */
    backstop_keyring *ring; /* one ring and one time for a mail, so that its end decides as its RCPTs did */
    int64_t now;
    char *sender;
    backstop_text *rcpt;
    size_t count;
};

/* The end of a mail, however it came about. */
static sfsistat on_abort(SMFICTX *ctx)
{
    struct session *s = smfi_getpriv(ctx);
    if (s == NULL)
        return SMFIS_CONTINUE;
    while (s->count > 0)
        free((char *)s->rcpt[--s->count].data);
    free(s->rcpt);
    free(s->sender);
    backstop_keyring_free(s->ring);
    s->rcpt = NULL, s->sender = NULL, s->ring = NULL;
    return SMFIS_CONTINUE;
}

/* A key file that went bad leaves the old ring in use. The log must tell, but not with every mail. */
static void report_keys(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static time_t said;
    char why[1024];
    size_t len;
    if (pthread_mutex_trylock(&lock) != 0)
        return;
    if (time(NULL) - said >= 60 && backstop_keystore_report(store, why, sizeof why, &len) == BACKSTOP_OK && len > 0) {
        said = time(NULL);
        syslog(LOG_ERR, "%.*s", (int)len, why);
    }
    pthread_mutex_unlock(&lock);
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    struct session *s = calloc(1, sizeof *s);
    (void)host;
    if (s == NULL)
        return SMFIS_TEMPFAIL;
    s->port = 1;
    smfi_setpriv(ctx, s);
    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, s->ip, sizeof s->ip);
        s->port = ntohs(v4->sin_port);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, s->ip, sizeof s->ip);
        s->port = ntohs(v6->sin6_port);
    }
    return SMFIS_CONTINUE;
}

/* argv[0] is the address with or without <>, and "<>" or "" for a bounce; the library takes all of these. */
static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
    struct session *s = smfi_getpriv(ctx);
    if (s == NULL)
        return SMFIS_TEMPFAIL;
    on_abort(ctx);
    s->now = time(NULL);
    s->sender = strdup(argv[0]);
    const char *login = smfi_getsymval(ctx, "{auth_authen}");
    s->user = login != NULL && *login;
    if (s->sender == NULL || backstop_keystore_get(store, &s->ring) != BACKSTOP_OK ||
        backstop_policy_client(policy, s->user, s->ip, strlen(s->ip), s->port, &s->client) != BACKSTOP_OK)
        return SMFIS_TEMPFAIL;
    report_keys();
    return SMFIS_CONTINUE;
}

static int32_t judge(const struct session *s, const char *rcpt, backstop_decision *d)
{
    return backstop_policy_incoming(policy, s->ring, s->sender, strlen(s->sender), rcpt, strlen(rcpt), s->client,
                                    s->now, d);
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
    struct session *s = smfi_getpriv(ctx);
    backstop_decision d = BACKSTOP_DECISION_INIT;
    char code[4], status[10];
    int text;
    if (judge(s, argv[0], &d) != BACKSTOP_OK)
        return SMFIS_TEMPFAIL;
    if (d.log)
        syslog(LOG_INFO, "client=%s from=%s to=%s: %s", s->ip, s->sender, argv[0], backstop_rule_name(d.rule));
    if (d.action == BACKSTOP_ACTION_REFUSE) {
        if (sscanf(d.reply, "%3s %9s %n", code, status, &text) == 2)
            smfi_setreply(ctx, code, status, d.reply + text);
        return SMFIS_REJECT; /* this recipient, not the mail */
    }
    backstop_text *more = realloc(s->rcpt, (s->count + 1) * sizeof *more);
    s->rcpt = more != NULL ? more : s->rcpt;
    if (more == NULL || (more[s->count].data = strdup(argv[0])) == NULL)
        return SMFIS_TEMPFAIL;
    more[s->count++].len = strlen(argv[0]);
    return SMFIS_CONTINUE;
}

/* Only here may a milter change the envelope of a mail. No header is touched. */
static sfsistat on_end(SMFICTX *ctx)
{
    struct session *s = smfi_getpriv(ctx);
    char out[4096], path[sizeof out + 3];
    size_t len, i;
    int32_t origin, rule;
    int done = backstop_policy_origin(policy, s->user, s->ip, strlen(s->ip), s->port, &origin) == BACKSTOP_OK &&
               backstop_policy_outgoing(policy, s->ring, s->sender, strlen(s->sender), s->rcpt, s->count, origin,
                                        s->now, out, sizeof out, &len, &rule) == BACKSTOP_OK;
    if (done && rule == BACKSTOP_RULE_SIGNED && snprintf(path, sizeof path, "<%.*s>", (int)len, out) > 0)
        done = smfi_chgfrom(ctx, path, NULL) == MI_SUCCESS;
    for (i = 0; done && i < s->count; i++) {
        backstop_decision d = BACKSTOP_DECISION_INIT;
        done = judge(s, s->rcpt[i].data, &d) == BACKSTOP_OK;
        if (d.action != BACKSTOP_ACTION_STRIP && d.action != BACKSTOP_ACTION_REVERSE)
            continue;
        snprintf(path, sizeof path, "<%s>", d.address);
        done = smfi_delrcpt(ctx, (char *)s->rcpt[i].data) == MI_SUCCESS && smfi_addrcpt(ctx, path) == MI_SUCCESS;
    }
    on_abort(ctx);
    return done ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

static sfsistat on_close(SMFICTX *ctx)
{
    on_abort(ctx);
    free(smfi_getpriv(ctx));
    smfi_setpriv(ctx, NULL);
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    struct smfiDesc filter = {.xxfi_name = "backstop", .xxfi_version = SMFI_VERSION,
                              .xxfi_flags = SMFIF_CHGFROM | SMFIF_ADDRCPT | SMFIF_DELRCPT,
                              .xxfi_connect = on_connect, .xxfi_envfrom = on_mail, .xxfi_envrcpt = on_rcpt,
                              .xxfi_eom = on_end, .xxfi_abort = on_abort, .xxfi_close = on_close};
    char text[65536], why[1024];
    size_t line;
    if (argc != 4)
        return fprintf(stderr, "usage: milter SOCKET KEYS POLICY\n"), 2;
    FILE *file = fopen(argv[3], "rb");
    size_t len = file == NULL ? 0 : fread(text, 1, sizeof text, file);
    if (file == NULL || ferror(file) || !feof(file) || fclose(file) != 0)
        return fprintf(stderr, "%s cannot be read, or has more than %zu octets\n", argv[3], sizeof text), 2;
    if (backstop_policy_parse(text, len, &policy) != BACKSTOP_OK &&
        backstop_policy_diagnose(text, len, why, sizeof why, &len, &line) == BACKSTOP_OK)
        fprintf(stderr, "%s, line %zu: %.*s\n", argv[3], line, (int)len, why);
    if (backstop_keystore_open(argv[2], &store) != BACKSTOP_OK &&
        backstop_keystore_diagnose(argv[2], why, sizeof why, &len) == BACKSTOP_OK)
        fprintf(stderr, "%.*s\n", (int)len, why);
    if (policy == NULL || store == NULL)
        return 2;
    int32_t needed, unmet[] = {BACKSTOP_NEED_REFUSE_AT_DATA, BACKSTOP_NEED_REFUSE_AT_MESSAGE, BACKSTOP_NEED_FORWARDER};
    for (len = 0; len < 3; len++)
        if (backstop_policy_needs(policy, unmet[len], &needed) == BACKSTOP_OK && needed)
            fprintf(stderr, "%s: this milter does not keep to %s\n", argv[3], backstop_need_name(unmet[len]));
    openlog("backstop-milter", LOG_PID | LOG_PERROR, LOG_MAIL);
    if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS || smfi_opensocket(1) != MI_SUCCESS)
        return fprintf(stderr, "%s is no socket that can be opened, such as inet:8899@127.0.0.1\n", argv[1]), 2;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
