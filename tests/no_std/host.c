/* Loads the shared object named in the first argument and prints what it signs. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *sender = "user@example.com";
    char out[254];
    void *object = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (object == NULL) {
        fprintf(stderr, "host: %s\n", argc == 2 ? dlerror() : "name the shared object");
        return 2;
    }
    long (*round_trip)(const char *, size_t, char *, size_t);
    *(void **)&round_trip = dlsym(object, "round_trip");
    if (round_trip == NULL) {
        fprintf(stderr, "host: %s\n", dlerror());
        return 2;
    }
    for (int time = 0; time < 10; time++) {
        long length = round_trip(sender, strlen(sender), out, sizeof out);
        if (length < 0) {
            fprintf(stderr, "host: round_trip gives %ld\n", length);
            return 1;
        }
        if (time == 9)
            printf("%.*s\n", (int)length, out);
    }
    return 0;
}
