/* httpd - the scripted server of tests/e2e/httpd.py as a child process, for unit tests.
 *
 * Orders are its JSON, written with single quotes for double ones. A test program runs from the top
 * of the tree. Everything here blocks; the server is another process. */
#ifndef TESTS_UNIT_HTTPD_H
#define TESTS_UNIT_HTTPD_H

#include <gio/gio.h>
#include <jansson.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

struct httpd {
    GSubprocess *process;
    GDataInputStream *answers;
    int port;
};

static inline json_t *httpd_read(struct httpd *httpd)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = g_data_input_stream_read_line(httpd->answers, NULL, NULL, &error);
    assert_non_null(line);
    json_t *answer = json_loads(line, 0, NULL);
    assert_non_null(answer);
    return answer;
}

static inline struct httpd *httpd_start_with(const char *const *options)
{
    struct httpd *httpd = g_new0(struct httpd, 1);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, (char *)(gintptr) "/usr/bin/python3");
    g_ptr_array_add(argv, (char *)(gintptr) "tests/e2e/httpd.py");
    for (; options && *options; options++)
        g_ptr_array_add(argv, (char *)(gintptr)*options);
    g_ptr_array_add(argv, NULL);
    g_autoptr(GError) error = NULL;
    httpd->process =
        g_subprocess_newv((const char *const *)argv->pdata,
                          G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
    assert_non_null(httpd->process);
    httpd->answers = g_data_input_stream_new(g_subprocess_get_stdout_pipe(httpd->process));
    json_t *hello = httpd_read(httpd);
    httpd->port = (int)json_integer_value(json_object_get(hello, "port"));
    json_decref(hello);
    assert_int_not_equal(httpd->port, 0);
    return httpd;
}

static inline struct httpd *httpd_start(void)
{
    return httpd_start_with(NULL);
}

static inline void httpd_stop(struct httpd *httpd)
{
    g_output_stream_close(g_subprocess_get_stdin_pipe(httpd->process), NULL, NULL);
    g_subprocess_wait(httpd->process, NULL, NULL);
    g_object_unref(httpd->answers);
    g_object_unref(httpd->process);
    g_free(httpd);
}

/* The answer; the caller owns it. */
G_GNUC_PRINTF(2, 3)
static inline json_t *httpd_ask(struct httpd *httpd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *order = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line = g_strconcat(g_strdelimit(order, "'", '"'), "\n", NULL);
    GOutputStream *out = g_subprocess_get_stdin_pipe(httpd->process);
    assert_true(g_output_stream_write_all(out, line, strlen(line), NULL, NULL, NULL));
    json_t *answer = httpd_read(httpd);
    if (json_object_get(answer, "error"))
        print_error("%s: %s", line, json_string_value(json_object_get(answer, "error")));
    assert_null(json_object_get(answer, "error"));
    return answer;
}

#define httpd_say(httpd, ...) json_decref(httpd_ask(httpd, __VA_ARGS__))

/* All requests for the path (NULL: every one), a list the caller owns. */
static inline json_t *httpd_requests(struct httpd *httpd, const char *path)
{
    return path ? httpd_ask(httpd, "{'requests': '%s'}", path)
                : httpd_ask(httpd, "{'requests': null}");
}

/* The value of the request's only header of that name, NULL where there is none or several. */
static inline const char *httpd_header(const json_t *request, const char *name)
{
    const char *found = NULL;
    size_t i, n = 0;
    json_t *pair;
    json_array_foreach(json_object_get(request, "headers"), i, pair)
    {
        if (g_ascii_strcasecmp(json_string_value(json_array_get(pair, 0)), name) != 0)
            continue;
        found = json_string_value(json_array_get(pair, 1));
        n++;
    }
    return n == 1 ? found : NULL;
}

#endif
