/* config/config: whole configurations, what is wrong with them and where. */
#include "config_help.h"

static void test_example(void **state)
{
    (void)state;
    static const char text[] = "[feedwatch]\n"
                               "state_dir  = /var/lib/feedwatch     ; the system's\n"
                               "\n"
                               "[defaults]   ; for every feed\n"
                               "initial    = last 5\n"
                               "[feed granma]\n"
                               "url      = https://en.granma.cu/feed\n"
                               "tags     = cuba, official\n"
                               "interval = 15m\n"
                               "[feed other]\n"
                               "url      = https://example.com/a;b#c ; what\n"
                               "initial = 24h\n"
                               "[list cuba]\n"
                               "any = Cuba, Cuban*, Havana,\n"
                               "   \"La Habana\", Гавана\n"
                               "[rule cuba]\n"
                               "match = @cuba\n"
                               "feeds = granma, tag:cuba\n";
    struct config *config = load_good(text);
    assert_string_equal(config->state_dir, "/var/lib/feedwatch");
    assert_int_equal(config->retention_s, 90 * 86400);
    assert_int_equal(config->max_connections, 32);
    assert_int_equal(config->feeds->len, 2);
    const struct config_feed *granma = config_find_feed(config, "granma");
    assert_string_equal(granma->url, "https://en.granma.cu/feed");
    assert_string_equal(granma->tags[1], "official");
    assert_int_equal(granma->interval_s, 900);
    assert_int_equal(granma->initial, CONFIG_INITIAL_LAST);
    assert_int_equal(granma->initial_value, 5);
    assert_int_equal(granma->timeout_ms, 60000);
    assert_int_equal(granma->max_size_bytes, 16 << 20);
    assert_true(granma->is_enabled);
    const struct config_feed *other = config_find_feed(config, "other");
    assert_string_equal(other->url, "https://example.com/a;b#c");
    assert_int_equal(other->initial, CONFIG_INITIAL_SINCE);
    assert_int_equal(other->initial_value, 86400);
    const struct rule_list_def *list = g_ptr_array_index(config->lists, 0);
    assert_string_equal(list->any, "Cuba, Cuban*, Havana, \"La Habana\", Гавана");
    const struct config_rule *rule = g_ptr_array_index(config->rules, 0);
    assert_string_equal(rule->alert[0], "desktop");
    assert_string_equal(rule->alert[1], "log");
    assert_string_equal(config_find_sink(config, "log")->path, "/var/lib/feedwatch/alerts.log");
    assert_int_equal(config_find_sink(config, "desktop")->type, CONFIG_SINK_DESKTOP);
    GString *out = g_string_new(NULL);
    config_print(config, out);
    assert_non_null(strstr(out->str, "\n[feed granma]\nurl = https://en.granma.cu/feed\n"
                                     "tags = cuba, official\ninterval = 15m\ninitial = last 5\n"));
    g_string_free(out, TRUE);
    config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
