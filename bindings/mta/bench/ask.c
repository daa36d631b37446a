/* Both ends of a lookup over TCP, request by request: a client for every server that is compared, and the barest server.
 *
 *     ask serve PORT REPLY             answers REPLY to whatever one read brings
 *     ask ask PORT COUNT REQUEST PID   prints requests a second, the nanoseconds of processor time that one costs both ends
 *                                      (the client, and process PID with all threads and children), and the last answer,
 *                                      which must be that of the first
 *     ask log PATH                     a syslog: takes datagrams at a Unix socket and throws them away
 *
 * On a core of their own both figures say the same; under other load only the second says something. It is the
 * scheduler's (/proc/PID/task/TID/schedstat). REQUEST and REPLY know \n. Limits: a request is one read, an answer at most
 * 4096 octets; Linux only. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static size_t unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++)
        if (from[0] == '\\' && from[1] == 'n')
            *to++ = '\n', from++;
        else
            *to++ = *from;
    *to = 0;
    return (size_t)(to - text);
}

/* An answer is whole when it ends as its protocol says: a tcp_table's with LF, a netstring with its comma. */
static size_t answer(int fd, char *buffer, size_t cap, char end)
{
    size_t len = 0;
    do {
        ssize_t got = read(fd, buffer + len, cap - len);
        if (got <= 0)
            die("read");
        len += (size_t)got;
    } while (buffer[len - 1] != end && len < cap);
    return len;
}

/* Of all threads, and of the children, which some servers have one of for each connection. */
static double spent(long pid)
{
    char path[300], children[4096];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        die(path);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        unsigned long long ran;
        FILE *file;
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%s/schedstat", pid, task->d_name);
        if ((file = fopen(path, "r")) == NULL || fscanf(file, "%llu", &ran) != 1)
            die(path);
        fclose(file);
        sum += (double)ran;
        snprintf(path, sizeof path, "/proc/%ld/task/%s/children", pid, task->d_name);
        if ((file = fopen(path, "r")) == NULL)
            die(path);
        if (fgets(children, sizeof children, file) != NULL)
            for (char *child = strtok(children, " "); child != NULL; child = strtok(NULL, " "))
                sum += spent(atol(child));
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

static void swallow(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char buffer[4096];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die(path);
    while (read(fd, buffer, sizeof buffer) >= 0)
        ;
    die("read");
}

int main(int argc, char **argv)
{
    int one = 1;
    if (argc == 3 && strcmp(argv[1], "log") == 0)
        swallow(argv[2]);
    if (argc < 4)
        return fprintf(stderr, "usage: ask serve PORT REPLY | ask ask PORT COUNT REQUEST PID | ask log PATH\n"), 2;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (strcmp(argv[1], "serve") == 0) {
        char buffer[4096];
        size_t len = unescape(argv[3]);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 9) != 0)
            die("listen");
        for (;;) {
            int peer = accept(fd, NULL, NULL);
            setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            while (read(peer, buffer, sizeof buffer) > 0)
                if (write(peer, argv[3], len) != (ssize_t)len)
                    die("write");
            close(peer);
        }
    }
    if (argc < 6)
        return 2;
    char first[4096], buffer[4096];
    long count = atol(argv[3]), server = atol(argv[5]);
    double before = 0;
    size_t len = unescape(argv[4]), expected = 0;
    char end = argv[4][len - 1] == '\n' ? '\n' : ',';
    struct timespec from, to;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (long i = -1000; i < count; i++) {
        if (i == 0) {
            before = spent(server) + spent(getpid());
            clock_gettime(CLOCK_MONOTONIC, &from);
        }
        if (write(fd, argv[4], len) != (ssize_t)len)
            die("write");
        size_t got = answer(fd, buffer, sizeof buffer, end);
        if (i == -1000)
            memcpy(first, buffer, expected = got);
        else if (got != expected || memcmp(first, buffer, got) != 0)
            return fprintf(stderr, "another answer: %.*s\n", (int)got, buffer), 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double cost = (spent(server) + spent(getpid()) - before) / (double)count;
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    if (buffer[expected - 1] == '\n')
        expected--;
    printf("%.0f %.0f %.*s\n", (double)count / seconds, cost, (int)expected, buffer);
    return 0;
}
