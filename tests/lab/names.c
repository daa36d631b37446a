/* The names of this host as the private Sendmail of tests/lab/sendmail is to see them: it is mx.lab.example and nobody has
 * another name. Loaded by LD_PRELOAD, since Sendmail asks before it reads any configuration, and sleeps a minute if the
 * host's name has no dot; /etc/hosts is not ours to change, and no DNS may be asked. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define NAME "mx.lab.example"

int gethostname(char *name, size_t length)
{
    strncpy(name, NAME, length);
    return 0;
}

static struct hostent *find(const char *name, int family)
{
    static char address[4];
    static char *addresses[] = {address, NULL}, *aliases[] = {NULL};
    static struct hostent host = {(char *)NAME, aliases, AF_INET, sizeof address, addresses};
    if (!strcasecmp(name, NAME) || !strcasecmp(name, "localhost"))
        name = "127.0.0.1";
    if (family == AF_INET && inet_pton(AF_INET, name, address) == 1)
        return &host;
    h_errno = HOST_NOT_FOUND;
    return NULL;
}

struct hostent *gethostbyname2(const char *name, int family)
{
    return find(name, family);
}

struct hostent *gethostbyname(const char *name)
{
    return find(name, AF_INET);
}

struct hostent *gethostbyaddr(const void *address, socklen_t length, int family)
{
    (void)address, (void)length, (void)family;
    h_errno = HOST_NOT_FOUND;
    return NULL;
}
