/* Cutting into words: every row of the manual's table, byte ranges, windows, hostile sizes. */
#include "text/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

static char *cut(const char *text, size_t size)
{
    struct words *words = words_new();
    GString *out = g_string_new(NULL);
    const struct word *list;
    words_start(words, text, size);
    for (size_t n; (n = words_next(words, &list)) > 0;)
        for (size_t i = 0; i < n; i++) {
            if (out->len > 0)
                g_string_append_c(out, '|');
            g_string_append_len(out, list[i].folded, list[i].size);
        }
    words_free(words);
    return g_string_free(out, FALSE);
}

static const struct {
    const char *text, *words;
} cases[] = {
    {"Russia–Cuba", "russia|cuba"},
    {"Russia-Cuba", "russia|cuba"},
    {"Russia/Cuba", "russia|cuba"},
    {"Cuba's", "cuba|s"},
    {"l’Ukraine", "l|ukraine"},
    {"O'Brien", "o|brien"},
    {"U.S.", "u|s"},
    {"F-35", "f|35"},
    {"1,000.5", "1|000|5"},
    {"Россия", "россия"},
    {"РОССИЯ", "россия"},
    {"Кра́сная", "красная"},
    {"ёлка", "елка"},
    {"Йод", "йод"},
    {"И\u0306од", "йод"},
    {"и\u0323\u0306", "й"},
    {"у\u0306", "ў"},
    {"і\u0308", "ї"},
    {"е\u0308", "е"},
    {"México", "mexico"},
    {"Mexico\u0301", "mexico"},
    {"Łódź", "lodz"},
    {"Øre", "ore"},
    {"straße", "strasse"},
    {"ﬁnance", "finance"},
    {"ＡＢＣ", "abc"},
    {"İstanbul", "istanbul"},
    {"ısı", "isi"},
    {"co\u00ADoperate", "cooperate"},
    {"zero\u200Bwidth\u200Djoined\u202Ebidi\uFE0F", "zerowidthjoinedbidi"},
    {"俄罗斯总统", "俄|罗|斯|总|统"},
    {"러시아", "\u1105\u1165|\u1109\u1175|\u110B\u1161"},
    {"각", "\u1100\u1161\u11A8"},
    {"\u1100\u1161\u11A8\u11A8", "\u1100\u1161\u11A8|\u11A8"},
    {"가\u11A8", "\u1100\u1161\u11A8"},
    {"\u1161\u11A8", "\u1161|\u11A8"},
    {"🚀launch", "🚀|launch"},
    {"🇷🇺", "🇷|🇺"},
    {"👍🏽 👨\u200D💻", "👍|👨|💻"},
    {"❤\uFE0F", "❤"},
    {"Apple™", "apple|™"},
    {"C++", "c"},
    {"AT&T", "at|t"},
    {"#Ukraine", "ukraine"},
    {"كِتَاب", "كتاب"},
    {"كتـــاب", "كتاب"},
    {"\u0627\u0653", "ا"},
    {"שָׁלוֹם", "שלום"},
    {"が", "\u304B\u3099"},
    {"か\u3099", "\u304B\u3099"},
    {"ｶﾞ", "\u30AB\u3099"},
    {"मुंबई", "मुंबई"},
    {"\u0915\u094D\u093C", "\u0915\u093C\u094D"},
    {"ไทยนี้", "ไ|ท|ย|นี้"},
    {"½ 3½", "3"},
    {"x²", "x2"},
    {"ⅷ №", "viii|no"},
    {"㍿", "株|式|会|社"},
    {"℅", "c|o"},
    {"a\xFF"
     "b",
     "a|b"},
    {"a\xE2\x82z", "a|z"},
    {"а\xD0", "а"},
    {"\xED\xA0\x80", ""},
    {"©x", "©|x"},
    {"\xE0\x82\xA9x", "x"},
    {"a\xC1\xA1z", "a|z"},
    {"Abcdefghijklmnopqrst", "abcdefghijklmnopqrst"},
    {"Abcdefghijklmnopé", "abcdefghijklmnope"},
    {"", ""},
    {" -- \u0301 ", ""},
    {"_snake_case_", "snake|case"},
    {"end", "end"},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *words = cut(cases[i].text, strlen(cases[i].text));
        if (strcmp(words, cases[i].words) != 0)
            fail_msg("%s gives %s, not %s", cases[i].text, words, cases[i].words);
    }
}

/* Whatever stands before a text, and so wherever a window ends in it, it has the same words. */
static void test_windows(void **state)
{
    (void)state;
    static const char *const pads[] = {" ", " ab ", " а б "};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(NULL), wanted = g_string_new(NULL);
        g_autofree char *words = cut(cases[i].text, strlen(cases[i].text));
        const char *pad = pads[i % G_N_ELEMENTS(pads)];
        for (int k = 0; k < 500; k++) {
            g_string_append(text, pad);
            g_string_append(text, cases[i].text);
            g_autofree char *before = cut(pad, strlen(pad));
            if (*before)
                g_string_append_printf(wanted, "%s%s", wanted->len ? "|" : "", before);
            if (*words)
                g_string_append_printf(wanted, "%s%s", wanted->len ? "|" : "", words);
        }
        g_autofree char *got = cut(text->str, text->len);
        if (strcmp(got, wanted->str) != 0)
            fail_msg("%s is cut differently in a long text", cases[i].text);
    }
}

static void test_unspaced_text_across_windows(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("x");
    for (int i = 0; i < 20000; i++)
        g_string_append(text, i % 7 ? "俄" : "が");
    struct words *words = words_new();
    const struct word *list;
    size_t total = 0, last = 0;
    words_start(words, text->str, text->len);
    for (size_t n; (n = words_next(words, &list)) > 0; total += n)
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(list[i].start, last);
            last = list[i].end;
        }
    assert_int_equal(total, 20001);
    assert_int_equal(last, text->len);
    words_free(words);
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned start, end;
    } ranges[] = {
        {"  Cuba!", 2, 6},  {"«Кра́сная»", 2, 18}, {"cafe\u0301.", 0, 6}, {"co\u00ADop\u00AD", 0, 6},
        {"❤\uFE0F!", 0, 6}, {"👍🏽", 0, 8},   {"—ﬁn—", 3, 7},        {"\u200Bab", 3, 5},
    };
    struct words *words = words_new();
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        const struct word *list;
        words_start(words, ranges[i].text, strlen(ranges[i].text));
        assert_int_equal(words_next(words, &list), 1);
        assert_int_equal(list[0].start, ranges[i].start);
        assert_int_equal(list[0].end, ranges[i].end);
        assert_int_equal(words_next(words, &list), 0);
    }
    words_free(words);
}

/* A word of a million letters is one word, whose folded form is cut. */
static void test_long_words(void **state)
{
    (void)state;
    static const char *const letters[] = {"A", "ж", "ﷺ", "\U00010400", "a\u0301", "ส\u0E34"};
    struct words *words = words_new();
    for (size_t k = 0; k < G_N_ELEMENTS(letters); k++)
        for (size_t times = 1; times < 300000; times = times * 3 + 11) {
            g_autoptr(GString) text = g_string_new(NULL);
            for (size_t i = 0; i < times; i++)
                g_string_append(text, letters[k]);
            size_t end = text->len, total = 0;
            g_string_append(text, " Ende");
            const struct word *list, *last = NULL;
            words_start(words, text->str, text->len);
            for (size_t n; (n = words_next(words, &list)) > 0; total += n) {
                last = &list[n - 1];
                assert_true(list[0].size <= WORD_BYTES_MAX);
            }
            assert_non_null(last);
            assert_int_equal(last->start, end + 1);
            if (k < 2 || k == 3 || k == 4)
                assert_int_equal(total, 2);
        }
    words_free(words);
}

/* Equal words have equal keys and hashes, in ASCII and beyond, short and long. */
static void test_keys(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"CUBA", "cuba"},
        {"Antidisestablishmentarianism", "ántidisestablishmentarianism"},
        {"РОССИЯ", "россия"},
        {"abcdefghijklmnop", "Abcdefghijklmnop"},
        {"достопримечательность", "Достопримечательность"},
    };
    struct words *words = words_new();
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        const struct word *list;
        words_start(words, same[i][0], strlen(same[i][0]));
        assert_int_equal(words_next(words, &list), 1);
        struct word first = list[0], built;
        char copy[WORD_BYTES_MAX + WORD_KEY_BYTES] = {0};
        memcpy(copy, first.folded, first.size);
        words_start(words, same[i][1], strlen(same[i][1]));
        assert_int_equal(words_next(words, &list), 1);
        word_set_key(&built, copy, first.size);
        assert_int_equal(first.hash, list[0].hash);
        assert_int_equal(first.hash, built.hash);
        assert_memory_equal(first.key, list[0].key, sizeof first.key);
        assert_memory_equal(first.key, built.key, sizeof first.key);
    }
    words_free(words);
}

struct letter {
    const char *text, *folded;
};

/* Letters of one, two and three bytes that fold to as many or to fewer; the last table has all. */
static const struct letter ascii[] = {{"a", "a"}, {"Q", "q"}, {"7", "7"}};
static const struct letter accents[] = {{"e", "e"}, {"É", "e"}, {"ł", "l"}, {"Z", "z"}, {"ı", "i"}};
static const struct letter pairs[] = {{"я", "я"}, {"Ж", "ж"}, {"Ё", "е"}, {"Ω", "ω"}, {"ש", "ש"}};
static const struct letter mixed[] = {{"ж", "ж"}, {"é", "e"}, {"ß", "ss"}, {"K", "k"},
                                      {"ა", "ა"}, {"ạ", "a"}, {"7", "7"},  {"Й", "й"}};
static const struct {
    const struct letter *letters;
    guint n;
} alphabets[] = {{ascii, G_N_ELEMENTS(ascii)},
                 {accents, G_N_ELEMENTS(accents)},
                 {pairs, G_N_ELEMENTS(pairs)},
                 {mixed, G_N_ELEMENTS(mixed)}};

/* A word of plain letters is what they fold to, one after the other, whatever its length and
 * alphabet. */
static void test_letter_by_letter(void **state)
{
    (void)state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    struct words *words = words_new();
    for (int k = 0; k < 20000; k++) {
        size_t a = (size_t)g_rand_int_range(rand, 0, G_N_ELEMENTS(alphabets));
        gint length = g_rand_int_range(rand, 1, k % 10 ? 18 : 600);
        g_autoptr(GString) text = g_string_new("– "), folded = g_string_new(NULL);
        for (gint i = 0; i < length; i++) {
            const struct letter *letter =
                &alphabets[a].letters[g_rand_int_range(rand, 0, (gint)alphabets[a].n)];
            g_string_append(text, letter->text);
            g_string_append(folded, letter->folded);
        }
        size_t end = text->len, size = MIN(folded->len, WORD_BYTES_MAX);
        g_string_append(text, k % 2 ? "" : " x");
        g_string_append_len(folded, "0123456789012345", 16); /* for word_set_key() to read */
        const struct word *list;
        struct word wanted;
        words_start(words, text->str, text->len);
        assert_int_equal(words_next(words, &list), k % 2 ? 1 : 2);
        word_set_key(&wanted, folded->str, size);
        assert_int_equal(list[0].size, size);
        assert_memory_equal(list[0].folded, folded->str, size);
        assert_memory_equal(list[0].key, wanted.key, sizeof wanted.key);
        assert_int_equal(list[0].hash, wanted.hash);
        assert_int_equal(list[0].rest, wanted.rest);
        assert_int_equal(list[0].start, strlen("– "));
        assert_int_equal(list[0].end, end);
        assert_false(list[0].is_single);
    }
    words_free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_unspaced_text_across_windows),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_letter_by_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
