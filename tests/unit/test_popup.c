#include "alert/popup.h"

#include <setjmp.h>
#include <string.h>
#include <stdarg.h>
#include <cmocka.h>

#define TEXT(literal) (char *)(gsize)(literal)

static const struct store_alert base = {.id = TEXT("01A"),
                                        .rule = TEXT("russia-cuba"),
                                        .urgency = TEXT("normal"),
                                        .feed = TEXT("granma"),
                                        .feed_title = TEXT("Granma"),
                                        .title = TEXT("Minister received in Havana"),
                                        .link = TEXT("https://example.org/1"),
                                        .matched_text = TEXT("russia: Moscow; cuba: Havana"),
                                        .summary = TEXT("The minister arrived on Monday."),
                                        .time_ms = 5000,
                                        .item = 7};

static struct popup *one(struct store_alert alert)
{
    g_autoptr(GPtrArray) alerts = g_ptr_array_new();
    g_ptr_array_add(alerts, &alert);
    return popup_new(alerts, 0, 1);
}

static void test_one_alert(void **state)
{
    (void)state;
    struct popup *popup = one(base);
    assert_string_equal(popup->summary, "Minister received in Havana");
    assert_string_equal(popup->body, "Granma · russia-cuba\nrussia: Moscow; cuba: Havana\n"
                                     "The minister arrived on Monday.");
    assert_string_equal(popup->link, "https://example.org/1");
    assert_string_equal(popup->ids[0], "01A");
    assert_null(popup->ids[1]);
    assert_int_equal(popup->urgency, POPUP_NORMAL);
    popup_free(popup);
}

static GPtrArray *list_of(struct store_alert *alerts, guint n)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(list, &alerts[i]);
    return list;
}

static void test_one_item_names_all_its_rules(void **state)
{
    (void)state;
    struct store_alert alerts[] = {base, base, base, base};
    alerts[1].id = TEXT("01B");
    alerts[1].rule = TEXT("cuba");
    alerts[1].urgency = TEXT("critical");
    alerts[1].matched_text = TEXT("cuba: Havana");
    alerts[2].id = TEXT("01C");
    alerts[2].rule = TEXT("havana");
    alerts[2].matched_text = TEXT("cuba: Havana");
    alerts[3].item = 8;
    g_autoptr(GPtrArray) list = list_of(alerts, 4);
    assert_int_equal(popup_group(list, 0), 3);
    assert_int_equal(popup_group(list, 3), 1);
    struct popup *popup = popup_new(list, 0, 3);
    assert_non_null(strstr(popup->body, "Granma · russia-cuba, cuba, havana\n"
                                        "russia: Moscow; cuba: Havana; cuba: Havana\n"));
    assert_int_equal(popup->urgency, POPUP_CRITICAL);
    assert_int_equal(g_strv_length(popup->ids), 3);
    popup_free(popup);
}

static void test_alerts_without_an_item_stand_alone(void **state)
{
    (void)state;
    struct store_alert alerts[] = {base, base};
    alerts[0].item = alerts[1].item = 0;
    g_autoptr(GPtrArray) list = list_of(alerts, 2);
    assert_int_equal(popup_group(list, 0), 1);
}

/* S13-S16: what a feed says stays text, whatever it says. */
static void test_hostile_texts(void **state)
{
    (void)state;
    struct store_alert alert = base;
    alert.title = TEXT("<b>bold</b> &amp;lt; \033]8;;x\007 \xe2\x80\xaegnp.exe\nforged");
    alert.summary = TEXT("<img src=http://evil/> a\r\nb \xff");
    struct popup *popup = one(alert);
    assert_string_equal(popup->summary, "<b>bold</b> &amp;lt; ]8;;x gnp.exe forged");
    assert_non_null(strstr(popup->body, "\n<img src=http://evil/> a b \xef\xbf\xbd"));
    g_autofree char *plain = popup_body(popup, false);
    assert_string_equal(plain, popup->body);
    g_autofree char *escaped = popup_body(popup, true);
    assert_null(strchr(escaped, '<'));
    assert_non_null(strstr(escaped, "\n&lt;img src=http://evil/&gt; a b"));
    popup_free(popup);
}

static void test_lengths(void **state)
{
    (void)state;
    static const char *const pieces[] = {"word ", "длинно ", "\xf0\x9f\x98\x80", "e\xcc\x81"};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        while (text->len < 40000)
            g_string_append(text, pieces[i]);
        struct store_alert alert = base;
        alert.title = alert.summary = alert.matched_text = alert.feed_title = text->str;
        struct popup *popup = one(alert);
        glong n = g_utf8_strlen(popup->body, -1);
        assert_true(g_utf8_validate(popup->body, -1, NULL));
        assert_in_range(n, POPUP_BODY_CHARS_MAX / 2, POPUP_BODY_CHARS_MAX);
        assert_in_range(g_utf8_strlen(popup->summary, -1), 50, POPUP_SUMMARY_CHARS_MAX);
        struct digest *digest = digest_new();
        for (int k = 0; k < 10; k++)
            digest_add(digest, popup);
        struct popup *many = digest_popup(digest);
        assert_in_range(g_utf8_strlen(many->body, -1), 50, POPUP_BODY_CHARS_MAX);
        assert_in_range(g_utf8_strlen(many->summary, -1), 50, POPUP_SUMMARY_CHARS_MAX);
        popup_free(many);
        digest_free(digest);
        popup_free(popup);
    }
}

static void test_what_is_missing(void **state)
{
    (void)state;
    struct store_alert alert = {.id = TEXT("01A"), .feed = TEXT("granma")};
    struct popup *popup = one(alert);
    assert_string_equal(popup->summary, "granma");
    assert_string_equal(popup->body, "granma");
    assert_null(popup->link);
    popup_free(popup);
    alert = base;
    alert.title = TEXT(" \t");
    popup = one(alert);
    assert_string_equal(popup->summary, "The minister arrived on Monday.");
    assert_string_equal(popup->body, "Granma · russia-cuba\nrussia: Moscow; cuba: Havana");
    popup_free(popup);
    alert = (struct store_alert){.id = TEXT("01A")};
    popup = one(alert);
    assert_string_equal(popup->summary, "feedwatch");
    assert_string_equal(popup->body, "");
    popup_free(popup);
}

static void test_digest(void **state)
{
    (void)state;
    struct digest *digest = digest_new();
    for (int i = 1; i <= 9; i++) {
        struct store_alert alert = base;
        g_autofree char *title = g_strdup_printf("Headline %d", i);
        g_autofree char *id = g_strdup_printf("01%d", i);
        alert.title = title;
        alert.id = id;
        alert.urgency = TEXT(i == 4 ? "critical" : "low");
        struct popup *popup = one(alert);
        digest_add(digest, popup);
        popup_free(popup);
        struct popup *shown = digest_popup(digest);
        assert_string_equal(shown->tag, "feedwatch-011");
        assert_null(shown->ids);
        if (i == 1) {
            assert_string_equal(shown->summary, "Headline 1");
            assert_non_null(shown->link);
        } else {
            g_autofree char *expected = g_strdup_printf("%d new: Headline %d", i, i);
            assert_string_equal(shown->summary, expected);
            assert_null(shown->link);
        }
        assert_int_equal(shown->urgency, i < 4 ? POPUP_LOW : POPUP_CRITICAL);
        popup_free(shown);
    }
    assert_int_equal(digest_count(digest), 9);
    struct popup *shown = digest_popup(digest);
    assert_string_equal(shown->body, "Headline 8\nHeadline 7\nHeadline 6\nHeadline 5\nHeadline 4");
    popup_free(shown);
    digest_free(digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_alert),
        cmocka_unit_test(test_one_item_names_all_its_rules),
        cmocka_unit_test(test_alerts_without_an_item_stand_alone),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
