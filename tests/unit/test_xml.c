#include "feed/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The tokens of a document in short: "<a x=1>", "</a>", "text", "[cdata]", "EOF" or "!". */
static char *tokens_of(const char *text, size_t size)
{
    char *exact = malloc(size ? size : 1);
    memcpy(exact, text, size);
    struct xml *x = g_new(struct xml, 1);
    GString *out = g_string_new(NULL);
    xml_init(x, exact, size);
    for (;;) {
        enum xml_event event = xml_next(x);
        if (event == XML_START) {
            g_string_append_printf(out, "<%.*s", (int)x->name.size, x->name.at);
            for (size_t i = 0; i < x->n_attributes; i++)
                g_string_append_printf(out, " %.*s=%.*s", (int)x->attributes[i].name.size,
                                       x->attributes[i].name.at, (int)x->attributes[i].value.size,
                                       x->attributes[i].value.at);
            g_string_append(out, x->is_empty ? "/>" : ">");
        } else if (event == XML_END) {
            g_string_append_printf(out, "</%.*s>", (int)x->name.size, x->name.at);
        } else if (event == XML_TEXT) {
            g_string_append_printf(out, "{%.*s}", (int)x->text.size, x->text.at);
        } else if (event == XML_CDATA) {
            g_string_append_printf(out, "[%.*s]", (int)x->text.size, x->text.at);
        } else {
            if (event == XML_REFUSED)
                g_string_append_printf(out, "!%s", x->error->message);
            else if (x->is_truncated)
                g_string_append(out, "...");
            break;
        }
    }
    xml_clear(x);
    g_free(x);
    free(exact);
    return g_string_free(out, FALSE);
}

struct pair {
    const char *in, *out;
};

static void check(const struct pair *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *got = tokens_of(cases[i].in, strlen(cases[i].in));
        if (strcmp(got, cases[i].out) != 0)
            fail_msg("%s\n  gives %s\n wanted %s", cases[i].in, got, cases[i].out);
    }
}

static void test_xml(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"", ""},
        {"<a/>", "<a/>"},
        {"<a></a>", "<a></a>"},
        {"<a x='1' y = \"2\"\n/>", "<a x=1 y=2/>"},
        {"<p:a xmlns:p='u'>t</p:a >", "<p:a xmlns:p=u>{t}</p:a>"},
        {"a&amp;b", "{a&amp;b}"},
        {"<![CDATA[a<b>]]>", "[a<b>]"},
        {"<![CDATA[]]>", "[]"},
        {"<![CDATA[a]]b]]>", "[a]]b]"},
        {"<?xml version='1.0'?><!-- <x> --><a/>", "<a/>"},
        {"<!DOCTYPE a SYSTEM 'x>y'><a/>", "<a/>"},
        {"<!DOCTYPE a [<!ENTITY x '>'> <!-- ]> --> <!ELEMENT a ANY>]><a/>", "<a/>"},
        {"<a b='x>y<z'/>", "<a b=x>y<z/>"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_what_is_not_xml(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"a < b", "{a < b}"},
        {"I <3 you", "{I <3 you}"},
        {"a <b and</t>", "{a }{<b and}</t>"},
        {"<a b>", "<a b=>"},
        {"<a b c=d e>", "<a b= c=d e=>"},
        {"<a b=c/>", "<a b=c/>"},
        {"<a b='1' b='2'>", "<a b=1 b=2>"},
        {"<a b='1'c='2'>", "<a b=1 c=2>"},
        {"<a b='1></a>", "<a b=1></a>"},
        {"<a b='1><c d='2'/>", "<a b=1><c d=2/>"},
        {"<a ='x'>", "<a>"},
        {"<br / >", "<br>"},
        {"</>", "</>"},
        {"</a b>", "</a>"},
        {"</a</b>", "</a></b>"},
        {"<!-- never ends <a/>", ""},
        {"<!-- never ends <a/><b/>", "<b/>"},
        {"<?pi never ends <a/><b/>", "<b/>"},
        {"<a", "..."},
        {"<a b='c", "..."},
        {"<", "..."},
        {"</a", "..."},
        {"<![CDATA[abc", "[abc]..."},
        {"<!DOCTYPE a [", "..."},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_nul_and_every_cut(void **state)
{
    (void)state;
    static const char text[] =
        "<?x?><!DOCTYPE a [<!ENTITY b 'c'>]><a b='c\0d' e=f>\0&b;<![CDATA[x]]><!-- y --></a>";
    for (size_t from = 0; from < sizeof text; from++) {
        for (size_t n = 0; from + n <= sizeof text; n++) {
            g_autofree char *got = tokens_of(text + from, n);
            assert_non_null(got);
        }
    }
}

static void test_attributes(void **state)
{
    (void)state;
    struct xml *x = g_new(struct xml, 1);
    static const char text[] = "<a HREF='1' href='2' type=''>";
    xml_init(x, text, strlen(text));
    assert_int_equal(xml_next(x), XML_START);
    assert_true(slice_is(*xml_attribute(x, "href"), "2"));
    assert_true(slice_is(*xml_attribute(x, "HREF"), "1"));
    assert_true(slice_is(*xml_attribute(x, "Href"), "1"));
    assert_int_equal(xml_attribute(x, "type")->size, 0);
    assert_null(xml_attribute(x, "rel"));
    xml_unread(x);
    assert_int_equal(xml_next(x), XML_START);
    assert_int_equal(xml_next(x), XML_END_OF_DOCUMENT);
    xml_clear(x);
    g_free(x);
}

/* The first text of a document, decoded; NULL where it is refused. */
static char *decode(const char *text, char **ret_message)
{
    struct xml *x = g_new(struct xml, 1);
    GString *out = g_string_new(NULL);
    xml_init(x, text, strlen(text));
    enum xml_event event;
    do
        event = xml_next(x);
    while (event == XML_START);
    bool ok = event == XML_TEXT && xml_append_decoded(x, out, x->text);
    if (ret_message)
        *ret_message = x->error ? g_strdup(x->error->message) : NULL;
    xml_clear(x);
    g_free(x);
    return g_string_free(out, !ok);
}

static void test_references(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"<a>&lt;&gt;&amp;&quot;&apos;", "<>&\"'"},
        {"<a>&amp;lt;", "&lt;"},
        {"<a>&eacute;&#233;&#xE9;&#146;", "\xC3\xA9\xC3\xA9\xC3\xA9\xE2\x80\x99"},
        {"<a>?a=1&copy=2&b", "?a=1&copy=2&b"},
        {"<a>&bogus; & &;", "&bogus; & &;"},
        {"<!DOCTYPE a [<!ENTITY co 'A &amp; B'><!ENTITY all '&co;!'>]><a>&all; &nbsp;",
         "A & B! \xC2\xA0"},
        {"<!DOCTYPE a [<!ENTITY x '1'><!ENTITY x '2'>]><a>&x;", "1"},
        {"<!DOCTYPE a [<!ENTITY amp '&#38;#38;'><!ENTITY lt 'x'>]><a>&amp;&lt;", "&<"},
        {"<!DOCTYPE a [<!ENTITY nbsp \"&#160;\">]><a>&nbsp;", "\xC2\xA0"},
        {"<!DOCTYPE a [<!ENTITY % p 'x'> %p; <!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;%p;",
         "&x;%p;"},
        {"<!DOCTYPE a PUBLIC '-//X' 'http://127.0.0.1/x.dtd'><a>&y;", "&y;"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = decode(cases[i].in, NULL);
        if (g_strcmp0(got, cases[i].out) != 0)
            fail_msg("%s gives \"%s\"", cases[i].in, got ? got : "NULL");
    }
}

static GString *laughs(int levels)
{
    GString *out = g_string_new("<!DOCTYPE a [<!ENTITY l0 'lol lol lol lol lol '>");
    for (int i = 1; i < levels; i++) {
        g_string_append_printf(out, "<!ENTITY l%d '", i);
        for (int k = 0; k < 10; k++)
            g_string_append_printf(out, "&l%d;", i - 1);
        g_string_append(out, "'>");
    }
    g_string_append_printf(out, "]><a>&l%d;</a>", levels - 1);
    return out;
}

static void test_entity_attacks(void **state)
{
    (void)state;
    g_autofree char *message = NULL;
    g_autoptr(GString) few = laughs(3);
    g_autofree char *fine = decode(few->str, NULL);
    assert_int_equal(strlen(fine), 2000);
    g_autoptr(GString) many = laughs(7);
    assert_null(decode(many->str, &message));
    assert_string_equal(message, "the document's entities expand to more than 1 MiB");
    g_clear_pointer(&message, g_free);
    assert_null(decode("<!DOCTYPE a [<!ENTITY x '&y;'><!ENTITY y '&x;'>]><a>&x;", &message));
    assert_string_equal(message, "the document's entities are nested too deep or in a loop");
    g_clear_pointer(&message, g_free);
    g_autoptr(GString) square = g_string_new("<!DOCTYPE a [<!ENTITY x '");
    for (int i = 0; i < 10000; i++)
        g_string_append(square, "0123456789");
    g_string_append(square, "'>]><a>");
    for (int i = 0; i < 10000; i++)
        g_string_append(square, "&x;");
    assert_null(decode(square->str, &message));
    g_clear_pointer(&message, g_free);
    g_autoptr(GString) count = g_string_new("<!DOCTYPE a [");
    for (int i = 0; i <= XML_ENTITIES_MAX; i++)
        g_string_append_printf(count, "<!ENTITY e%d ''>", i);
    g_string_append(count, "]><a>x");
    assert_null(decode(count->str, &message));
    assert_string_equal(message, "the document declares more than 1024 entities");
}

static void test_limits(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("<a");
    for (int i = 0; i < FEED_ATTRIBUTES_MAX; i++)
        g_string_append_printf(text, " a%d=''", i);
    g_autofree char *fine = tokens_of(text->str, text->len);
    assert_string_equal(fine, "...");
    g_string_append(text, " b='' />");
    g_autofree char *attributes = tokens_of(text->str, text->len);
    assert_string_equal(attributes, "!a tag of the document has more than 256 attributes");

    g_autofree char *value = g_strnfill(FEED_TAG_BYTES_MAX, 'x');
    g_autofree char *long_value = g_strdup_printf("<a b='%s'/>", value);
    g_autofree char *value_got = tokens_of(long_value, strlen(long_value));
    assert_string_equal(value_got, "!a tag of the document is longer than 1 MiB");
    g_autofree char *long_name = g_strdup_printf("<%s/>", value);
    g_autofree char *name_got = tokens_of(long_name, strlen(long_name));
    assert_string_equal(name_got, "!a tag of the document is longer than 1 MiB");
    g_autofree char *no_end = g_strdup_printf("<a %s%s", value, value);
    g_autofree char *end_got = tokens_of(no_end, strlen(no_end));
    assert_string_equal(end_got, "!a tag of the document is longer than 1 MiB");
    /* In CDATA, in comments and in text size does not count. */
    g_autofree char *cdata = g_strdup_printf("<![CDATA[<a %s>]]><!-- <a %s> -->", value, value);
    g_autofree char *cdata_got = tokens_of(cdata, strlen(cdata));
    assert_int_equal(strlen(cdata_got), FEED_TAG_BYTES_MAX + 6);
}

static void test_elements_are_capped(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i <= XML_ELEMENTS_MAX; i++)
        g_string_append(text, "<a/>");
    struct xml *x = g_new(struct xml, 1);
    xml_init(x, text->str, text->len);
    size_t n = 0;
    while (xml_next(x) == XML_START)
        n++;
    assert_int_equal(n, XML_ELEMENTS_MAX);
    assert_true(x->has_too_many);
    xml_clear(x);
    g_free(x);
}

static void test_time_is_linear(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "<a ", "<a b=\"",     "<a b=' <a b=' c='", "<!--", "<![CDATA[",   "<?",  "<",       "</a",
        "</",  "<!DOCTYPE [", "<a b='<a' c='<a' ", "&x",   "<a b=\"<\" ", "<!x", "<!ENTITY"};
    enum { SIZE = 1 << 20 };
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_sized_new(SIZE);
        while (text->len < SIZE)
            g_string_append(text, pieces[i]);
        int64_t start_us = g_get_monotonic_time();
        g_autofree char *got = tokens_of(text->str, text->len);
        int64_t took_ms = (g_get_monotonic_time() - start_us) / 1000;
        if (took_ms > 3000)
            fail_msg("%s repeated: %d ms", pieces[i], (int)took_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_what_is_not_xml),
        cmocka_unit_test(test_nul_and_every_cut),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_entity_attacks),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_elements_are_capped),
        cmocka_unit_test(test_time_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
