/* What reading feeds costs: the program behind tests/bench/feed.
 *
 *   feed_pass cpu SECONDS FILE...   MB of feeds a second of CPU time, from memory, whole passes
 *   feed_pass memory FILE           peak memory above idle for one feed, its body and its items, in
 * MB */
#include "base/file.h"
#include "feed/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_BYTES_MAX (64 << 20)

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static GBytes *read_or_exit(const char *path)
{
    g_autoptr(GError) error = NULL;
    size_t size = 0;
    char *bytes = file_read(path, FILE_BYTES_MAX, &size, &error);
    if (bytes)
        return g_bytes_new_take(bytes, size);
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static struct feed_doc *parse(GBytes *body)
{
    gsize size = 0;
    const char *bytes = g_bytes_get_data(body, &size);
    return feed_parse(bytes, size, NULL, NULL);
}

static size_t pass(GBytes *const *bodies, int n)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++) {
        feed_doc_free(parse(bodies[i]));
        bytes += g_bytes_get_size(bodies[i]);
    }
    return bytes;
}

static int measure_cpu(double seconds, char **paths, int n)
{
    GBytes **bodies = g_new0(GBytes *, (gsize)n);
    for (int i = 0; i < n; i++)
        bodies[i] = read_or_exit(paths[i]);
    double start_s = cpu_s(), used_s = 0;
    size_t bytes = 0;
    do {
        bytes += pass(bodies, n);
        used_s = cpu_s() - start_s;
    } while (used_s < seconds);
    printf("%.1f\n", (double)bytes / used_s / 1e6);
    return 0;
}

/* A line of /proc/self/status, in kB. */
static long status_kb(const char *key)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL))
        return 0;
    const char *line = strstr(text, key);
    return line ? strtol(line + strlen(key), NULL, 10) : 0;
}

static int measure_memory(const char *path)
{
    static const char small[] = "<rss><channel><item><title>a</title></item></channel></rss>";
    feed_doc_free(feed_parse(small, strlen(small), NULL, NULL));
    long idle_kb = status_kb("VmRSS:");
    FILE *peak = fopen("/proc/self/clear_refs", "w"); /* 5 resets VmHWM */
    if (peak) {
        fputs("5", peak);
        fclose(peak);
    }
    GBytes *body = read_or_exit(path);
    struct feed_doc *doc = parse(body);
    printf("%.2f\n", (double)(status_kb("VmHWM:") - idle_kb) / 1024);
    feed_doc_free(doc);
    g_bytes_unref(body);
    return doc ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "cpu") == 0)
        return measure_cpu(g_ascii_strtod(argv[2], NULL), argv + 3, argc - 3);
    if (argc == 3 && strcmp(argv[1], "memory") == 0)
        return measure_memory(argv[2]);
    fprintf(stderr, "usage: feed_pass cpu SECONDS FILE... | memory FILE\n");
    return 2;
}
