#include "worker/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct seen {
    struct worker *worker;
    GString *order;
    guint64 cancel;
    bool free_worker;
};

static void on_done(struct feed_doc *doc, const GError *error, void *user)
{
    struct seen *seen = user;
    assert_true((doc != NULL) != (error != NULL));
    g_string_append_printf(seen->order, "%s;", doc ? doc->title : error->message);
    feed_doc_free(doc);
    if (seen->cancel)
        worker_cancel(seen->worker, seen->cancel);
    if (seen->free_worker)
        g_clear_pointer(&seen->worker, worker_free);
}

static guint64 submit(struct seen *seen, const char *title)
{
    g_autofree char *text =
        g_strdup_printf("<rss><channel><title>%s</title></channel></rss>", title);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    return worker_submit(seen->worker, body, NULL, on_done, seen);
}

static struct seen *seen_new(GMainContext *context)
{
    struct seen *seen = g_new0(struct seen, 1);
    seen->worker = worker_new(context);
    seen->order = g_string_new(NULL);
    return seen;
}

static void seen_free(struct seen *seen)
{
    worker_free(seen->worker);
    g_string_free(seen->order, TRUE);
    g_free(seen);
}

static void run(GMainContext *context)
{
    while (g_main_context_iteration(context, FALSE))
        ;
}

static void test_in_order_and_later(void **state)
{
    (void)state;
    g_autoptr(GMainContext) context = g_main_context_new();
    struct seen *seen = seen_new(context);
    submit(seen, "one");
    submit(seen, "two");
    assert_string_equal(seen->order->str, "");
    g_main_context_iteration(context, FALSE); /* one job a turn */
    assert_string_equal(seen->order->str, "one;");
    run(context);
    assert_string_equal(seen->order->str, "one;two;");
    submit(seen, "three");
    run(context);
    assert_string_equal(seen->order->str, "one;two;three;");
    seen_free(seen);
}

static gboolean on_other(gpointer user)
{
    g_string_append(((struct seen *)user)->order, "other;");
    return G_SOURCE_CONTINUE;
}

/* A document that comes alone is read before the rest of the loop; of many, one in each turn. */
static void test_turns(void **state)
{
    (void)state;
    g_autoptr(GMainContext) context = g_main_context_new();
    struct seen *seen = seen_new(context);
    g_autoptr(GSource) other = g_idle_source_new();
    g_source_set_priority(other, G_PRIORITY_DEFAULT);
    g_source_set_callback(other, on_other, seen, NULL);
    g_source_attach(other, context);
    submit(seen, "one");
    g_main_context_iteration(context, FALSE);
    g_main_context_iteration(context, FALSE);
    assert_string_equal(seen->order->str, "one;other;");
    g_string_truncate(seen->order, 0);
    submit(seen, "two");
    submit(seen, "three");
    submit(seen, "four");
    for (int i = 0; i < 3; i++)
        g_main_context_iteration(context, FALSE);
    assert_string_equal(seen->order->str, "two;other;three;other;four;");
    g_source_destroy(other);
    seen_free(seen);
}

static void test_error(void **state)
{
    (void)state;
    g_autoptr(GMainContext) context = g_main_context_new();
    struct seen *seen = seen_new(context);
    g_autoptr(GBytes) empty = g_bytes_new(NULL, 0);
    worker_submit(seen->worker, empty, NULL, on_done, seen);
    run(context);
    assert_string_equal(seen->order->str, "this is no feed: neither RSS, Atom nor JSON Feed;");
    seen_free(seen);
}

static void test_cancel(void **state)
{
    (void)state;
    g_autoptr(GMainContext) context = g_main_context_new();
    struct seen *seen = seen_new(context);
    guint64 first = submit(seen, "one");
    worker_cancel(seen->worker, first);
    worker_cancel(seen->worker, first);
    worker_cancel(seen->worker, 99);
    run(context);
    assert_string_equal(seen->order->str, "");
    /* From a callback, the next one. */
    submit(seen, "two");
    seen->cancel = submit(seen, "three");
    submit(seen, "four");
    run(context);
    assert_string_equal(seen->order->str, "two;four;");
    seen_free(seen);
}

static void test_freed(void **state)
{
    (void)state;
    g_autoptr(GMainContext) context = g_main_context_new();
    struct seen *seen = seen_new(context);
    submit(seen, "one");
    submit(seen, "two");
    seen->free_worker = true;
    run(context);
    assert_string_equal(seen->order->str, "one;");
    seen_free(seen);
    /* With jobs that never ran. */
    seen = seen_new(context);
    submit(seen, "one");
    g_clear_pointer(&seen->worker, worker_free);
    run(context);
    assert_string_equal(seen->order->str, "");
    seen_free(seen);
}

static void test_options_are_copied(void **state)
{
    (void)state;
    g_autoptr(GMainContext) context = g_main_context_new();
    struct seen *seen = seen_new(context);
    char type[] = "text/xml; charset=windows-1251";
    struct feed_options options = {.content_type = type};
    const char text[] = "<rss><channel><title>\xC3</title></channel></rss>";
    GBytes *body = g_bytes_new(text, strlen(text));
    worker_submit(seen->worker, body, &options, on_done, seen);
    g_bytes_unref(body);
    memset(type, 'x', sizeof type - 1);
    run(context);
    assert_string_equal(seen->order->str, "Г;");
    seen_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_and_later),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_freed),
        cmocka_unit_test(test_options_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
