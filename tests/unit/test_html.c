#include "text/html.h"
#include "text/html_refs.h"
#include "text/html_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct pair {
    const char *in, *out;
};

static char *render(const char *html)
{
    /* An exact copy on the heap, so that a look beyond the end is seen by the sanitizer. */
    size_t size = strlen(html);
    char *exact = malloc(size ? size : 1);
    memcpy(exact, html, size);
    GString *out = g_string_new(NULL);
    html_append_text(out, exact, size);
    free(exact);
    return g_string_free(out, FALSE);
}

static void check(const struct pair *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *got = render(cases[i].in);
        if (strcmp(got, cases[i].out) != 0)
            fail_msg("%s\n  gives \"%s\"\n wanted \"%s\"", cases[i].in, got, cases[i].out);
    }
}

static void test_words(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"  a \t\n b  ", "a b"},
        {"a long line of plain text without anything in it",
         "a long line of plain text without anything in it"},
        {"a long line  with two blanks right here", "a long line with two blanks right here"},
        {"12345678  12345678", "12345678 12345678"},
        {"1234567 &lt; 1234567 <b>x", "1234567 < 1234567 x"},
        {"<p>one</p><p>two</p>", "one\ntwo"},
        {"one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"},
        {"<b>b</b>old and <i>it</i>alic", "bold and italic"},
        {"H<sub>2</sub>O x<sup>2</sup>", "H2O x2"},
        {"a<span>b</span>c", "abc"},
        {"a<wbr>b", "ab"},
        {"<ul><li>one<li>two</ul>three", "one\ntwo\nthree"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
        {"<h1>Head</h1>body", "Head\nbody"},
        {"<div><div>a</div></div><div>b</div>", "a\nb"},
        {"a&nbsp;&nbsp;b \xC2\xA0 c", "a b c"},
        {"a<!-- hidden -->b", "ab"},
        {"a<!-- hidden > still -->b", "ab"},
        {"a<script>if (a<b) x='</p>'</script>b", "a b"},
        {"a<style>p{}</style>b", "a b"},
        {"a<STYLE type='text/css'>p{}</sTyLe >b", "a b"},
        {"a<template>x</template><iframe src=x>y</iframe>b", "a b"},
        {"a<script>x", "a"},
        {"<script></script>a", "a"},
        {"a<?php echo 1 ?>b", "ab"},
        {"<!DOCTYPE html><html><head><title>T</title></head><body>B</body></html>", "T\nB"},
        {"a<![CDATA[x < <b>y</b>]]>z", "ax < <b>y</b>z"},
        {"<a href=\"http://x/?a>b\">link</a>", "link"},
        {"<a title='a>b'>link</a>", "link"},
        {"<a href=http://x/>link</a>", "link"},
        {"<font color=\"red>unclosed</font> quote", "unclosed quote"},
        {"<o:p>word</o:p>", "word"},
        {"<my-tag>x</my-tag>", "x"},
        {"<svg viewBox=\"0 0 1 1\"><path d=\"M0\"/></svg>x", "x"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_what_is_no_tag(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"a < b", "a < b"},
        {"a<b", "a<b"},
        {"I <3 feeds", "I <3 feeds"},
        {"x <", "x <"},
        {"x </", "x </"},
        {"x <b", "x <b"},
        {"x <!", "x <!"},
        {"<>", "<>"},
        {"</>", "</>"},
        {"#include <stdio.h>", "#include <stdio.h>"},
        {"std::vector<int> v", "std::vector<int> v"},
        {"write to <ann@example.com> now", "write to <ann@example.com> now"},
        {"see <http://example.com/> there", "see <http://example.com/> there"},
        {"a <- b -> c", "a <- b -> c"},
        {"1<2 and 3>2", "1<2 and 3>2"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_references(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"&lt;b&gt; &amp; &quot;q&quot; &apos;", "<b> & \"q\" '"},
        {"&amp;lt;", "&lt;"},
        {"AT&T, R&D, a & b, &", "AT&T, R&D, a & b, &"},
        {"&eacute;&Eacute;&rsquo;&euro;&hellip;",
         "\xC3\xA9\xC3\x89\xE2\x80\x99\xE2\x82\xAC\xE2\x80\xA6"},
        {"&#8217;&#x2019;&#X2019;", "\xE2\x80\x99\xE2\x80\x99\xE2\x80\x99"},
        {"&#146;&#x80;", "\xE2\x80\x99\xE2\x82\xAC"},
        {"&#39s", "'s"},
        {"&#55357;&#56832;", "\xF0\x9F\x98\x80"},
        {"&#xD83D;x", "\xEF\xBF\xBDx"},
        {"&#0;&#1114112;&#99999999999999;", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"&#;&#x;&#xg;", "&#;&#x;&#xg;"},
        {"&copy 2024 &copyright", "\xC2\xA9 2024 \xC2\xA9right"},
        {"&bogus; &", "&bogus; &"},
        {"&nGt;", "\xE2\x89\xAB\xE2\x83\x92"},
        {"&CounterClockwiseContourIntegral;", "\xE2\x88\xB3"},
        {"&nbsp;x&nbsp;", "x"},
        {"a&#10;b&#32;c", "a b c"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_images(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"<img src=x alt=\"A &amp; B\">", "A & B"},
        {"<a href=x><img alt='one'/></a><IMG ALT=two>", "one\ntwo"},
        {"<img src=x alt=\"not this\">text", "text"},
        {"word<img src=x>word", "word word"},
        {"<img src=x alt=''>", ""},
        {"<img data-alt=\"no\" alt = \"yes\">", "yes"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_every_tag_in_markup(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new("before ");
    const char markup[] = "<foo>a</foo> &lt;b&gt;";
    html_append_markup_text(out, markup, strlen(markup));
    assert_string_equal(out->str, "before a <b>");
}

static void test_decoded(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new(NULL);
    const char text[] = " a  &lt;b&gt;\n&amp;amp; &x ";
    html_append_decoded(out, text, strlen(text));
    assert_string_equal(out->str, " a  <b>\n&amp; &x ");
}

static void test_is_markup(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool wanted;
    } cases[] = {
        {"plain", false}, {"a < b > c", false}, {"<p>x", true},       {"x<br/>", true},
        {"a <b", false},  {"<int>", false},     {"<!-- x -->", true}, {"", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(html_is_markup(cases[i].text, strlen(cases[i].text)), cases[i].wanted);
}

/* The table is searched by halves: every name must be found, in every rule. */
static void test_table_of_names(void **state)
{
    (void)state;
    assert_int_equal(html_names_count, 2125);
    for (size_t i = 0; i < html_names_count; i++) {
        const struct html_name *name = &html_names[i];
        assert_true(i == 0 || strcmp(html_names[i - 1].name, name->name) < 0);
        g_autofree char *text = g_strdup_printf("&%s;", name->name);
        char out[HTML_REFERENCE_MAX];
        size_t used = 0;
        size_t n = html_reference(text, strlen(text), HTML_REFERENCE_STRICT, out, &used);
        assert_int_equal(used, strlen(text));
        assert_int_equal(n, strlen(name->text));
        assert_memory_equal(out, name->text, n);
        /* What html.c counts on: text never grows by more than 6 for 5. */
        assert_true(n * 5 <= used * 6);
        used = 0;
        n = html_reference(text, strlen(text) - 1, HTML_REFERENCE_STRICT, out, &used);
        assert_int_equal(n, 0);
        if (name->is_legacy)
            assert_true(html_reference(text, strlen(text) - 1, HTML_REFERENCE_TEXT, out, &used) >
                        0);
    }
}

static void test_attribute_rule(void **state)
{
    (void)state;
    char out[HTML_REFERENCE_MAX];
    size_t used = 0;
    assert_int_equal(html_reference("&copy=2", 7, HTML_REFERENCE_ATTRIBUTE, out, &used), 0);
    assert_int_equal(html_reference("&copyx", 6, HTML_REFERENCE_ATTRIBUTE, out, &used), 0);
    assert_int_equal(html_reference("&copy 2", 7, HTML_REFERENCE_ATTRIBUTE, out, &used), 2);
    assert_int_equal(html_reference("&copy=2", 7, HTML_REFERENCE_TEXT, out, &used), 2);
    assert_int_equal(used, 5);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum html_kind kind;
    } cases[] = {
        {"a", HTML_INLINE},
        {"P", HTML_BLOCK},
        {"td", HTML_BLANK},
        {"IMG", HTML_IMAGE},
        {"script", HTML_HIDDEN},
        {"xmp", HTML_BLOCK},
        {"blockquote", HTML_BLOCK},
        {"address", HTML_BLOCK},
        {"nothing", HTML_UNKNOWN},
        {"", HTML_UNKNOWN},
        {"averyveryverylongname", HTML_UNKNOWN},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(html_kind_of(cases[i].name, strlen(cases[i].name)), cases[i].kind);
}

/* Input that makes a careless loop quadratic: each must be done at once. */
static void test_time_is_linear(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "<a ",       "<a b=\"",   "<a b=\">\" ", "<!--",
        "<![CDATA[", "<script>",  "</script ",   "&#",
        "&amp",      "<x ",       "<",           "<!a",
        "<img alt=", "<a b='>' ", "<?",          "<script></scriptx "};
    enum { SIZE = 1 << 20 };
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) html = g_string_sized_new(SIZE);
        while (html->len < SIZE)
            g_string_append(html, pieces[i]);
        for (int closed = 0; closed < 2; closed++) {
            if (closed)
                g_string_append_c(html, '>');
            int64_t start_us = g_get_monotonic_time();
            g_autoptr(GString) out = g_string_new(NULL);
            html_append_text(out, html->str, html->len);
            int64_t took_ms = (g_get_monotonic_time() - start_us) / 1000;
            if (took_ms > 3000)
                fail_msg("%s repeated: %d ms", pieces[i], (int)took_ms);
        }
    }
}

/* Random markup: valid UTF-8 stays valid, no blank stands beside another, nothing overflows. */
static void test_random(void **state)
{
    (void)state;
    static const char *const pieces[] = {"<",
                                         ">",
                                         "&",
                                         ";",
                                         "\"",
                                         "'",
                                         "=",
                                         " ",
                                         "\n",
                                         "p",
                                         "br",
                                         "img alt=",
                                         "script",
                                         "/",
                                         "!--",
                                         "--",
                                         "?",
                                         "#x",
                                         "&nGt;",
                                         "&amp;",
                                         "\xC2\xA0",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "word",
                                         "[CDATA[",
                                         "]]>",
                                         "12345678"};
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (int round = 0; round < 20000; round++) {
        g_autoptr(GString) html = g_string_new(NULL);
        for (int n = g_rand_int_range(random, 0, 30); n > 0; n--)
            g_string_append(html, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        g_autofree char *got = render(html->str);
        assert_true(g_utf8_validate(got, -1, NULL));
        for (const char *p = got; *p; p++) {
            bool is_blank = *p == ' ' || *p == '\n';
            if (is_blank && (p == got || p[1] == ' ' || p[1] == '\n' || p[1] == '\0'))
                fail_msg("blanks in \"%s\" from \"%s\"", got, html->str);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_what_is_no_tag),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_every_tag_in_markup),
        cmocka_unit_test(test_decoded),
        cmocka_unit_test(test_is_markup),
        cmocka_unit_test(test_table_of_names),
        cmocka_unit_test(test_attribute_rule),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_time_is_linear),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
