/* The terms of a query: words with their wildcards, phrases, exact characters, patterns, values. */
#include "rule/query.h"

#include "rule/language.h"
#include "rule/regex.h"
#include "rule/wildcard.h"
#include "text/utf8.h"

#include <string.h>

static bool is_wildcard(char c)
{
    return c == '*' || c == '?';
}

/* One word with wildcards while it is put together. */
struct pattern {
    struct query_parser *parser;
    GArray *words; /* struct query_word */
    GString *text; /* folded, with the wildcards in it */
    size_t offset; /* where it is written */
    bool is_open;
    bool is_single; /* a character that is a word by itself */
    bool has_error;
};

static void too_few_letters(struct pattern *pattern, const char *wanted)
{
    rule_error(pattern->parser->context->problems, pattern->offset, "%s: expected %s",
               pattern->text->str, wanted);
    pattern->has_error = true;
}

/* Counts letters: in all, and the longest run of them. */
static void count_letters(const GString *text, size_t *ret_all, size_t *ret_run, bool *ret_ascii)
{
    size_t run = 0;
    *ret_all = *ret_run = 0;
    *ret_ascii = true;
    for (size_t pos = 0; pos < text->len;) {
        if (is_wildcard(text->str[pos])) {
            run = 0;
            pos++;
            continue;
        }
        if ((unsigned char)text->str[pos] >= 0x80)
            *ret_ascii = false;
        pos += wildcard_character(text->str + pos, text->len - pos);
        ++*ret_all;
        run++;
        *ret_run = MAX(*ret_run, run);
    }
}

static enum word_test test_of(const GString *text)
{
    size_t first = strcspn(text->str, "*?");
    if (first == text->len)
        return WORD_IS;
    if (text->len == 1 && text->str[0] == '*')
        return WORD_ANY;
    return first == text->len - 1 && text->str[first] == '*' ? WORD_BEGINS : WORD_LIKE;
}

static void check_letters(struct pattern *pattern, enum word_test test)
{
    size_t all, run;
    bool is_ascii;
    if (test != WORD_BEGINS && test != WORD_LIKE)
        return;
    count_letters(pattern->text, &all, &run, &is_ascii);
    if (test == WORD_BEGINS && all < (is_ascii ? 3 : 2))
        too_few_letters(pattern, "at least 3 letters before the * (2 outside ASCII)");
    if (test == WORD_LIKE && (all < (is_ascii ? 3 : 2) || run < (is_ascii ? 2 : 1)))
        too_few_letters(pattern,
                        "at least 3 letters, 2 of them side by side (2 and 1 outside ASCII)");
}

static void close_word(struct pattern *pattern)
{
    if (!pattern->is_open)
        return;
    pattern->is_open = false;
    struct query_word word = {.test = test_of(pattern->text)};
    check_letters(pattern, word.test);
    word.size = pattern->text->len - (word.test == WORD_BEGINS);
    word.folded = arena_padded_text(pattern->parser->context->arena, pattern->text->str, word.size);
    g_array_append_val(pattern->words, word);
}

static void open_word(struct pattern *pattern, const char *text, size_t size, size_t offset)
{
    close_word(pattern);
    g_string_truncate(pattern->text, 0);
    g_string_append_len(pattern->text, text, (gssize)size);
    pattern->offset = offset;
    pattern->is_open = true;
    pattern->is_single = false;
}

static void dropped_wildcard(struct pattern *pattern, size_t offset, char wildcard)
{
    rule_warning(pattern->parser->context->problems, offset,
                 "%c is dropped: in this script every character is a word by itself", wildcard);
}

/* Words of text[start..end], which holds no wildcard; the first joins a pattern that ends in one.
 */
static void add_segment(struct pattern *pattern, size_t start, size_t end, bool *ret_touches)
{
    struct words *cutter = pattern->parser->context->words;
    const char *text = pattern->parser->text;
    const struct word *list;
    bool is_first = true;
    *ret_touches = pattern->is_open && start == end;
    words_start(cutter, text + start, end - start);
    for (size_t n; (n = words_next(cutter, &list)) > 0;)
        for (size_t i = 0; i < n; i++, is_first = false) {
            bool joins = is_first && pattern->is_open && list[i].start == 0;
            if (joins && list[i].is_single) {
                dropped_wildcard(pattern, start - 1, text[start - 1]);
                pattern->is_open = test_of(pattern->text) == WORD_IS;
                joins = false;
            }
            if (joins)
                g_string_append_len(pattern->text, list[i].folded, list[i].size);
            else
                open_word(pattern, list[i].folded, list[i].size, start + list[i].start);
            pattern->is_single = list[i].is_single;
            *ret_touches = list[i].end == end - start;
        }
}

static void add_wildcard(struct pattern *pattern, size_t at, bool touches)
{
    char wildcard = pattern->parser->text[at];
    if (touches && pattern->is_open && pattern->is_single) {
        dropped_wildcard(pattern, at, wildcard);
        close_word(pattern);
    } else if (touches && pattern->is_open) {
        size_t last = pattern->text->len - 1;
        if (wildcard != '*' || pattern->text->str[last] != '*')
            g_string_append_c(pattern->text, wildcard);
    } else {
        open_word(pattern, &wildcard, 1, at);
    }
}

static bool cut_pattern(struct query_parser *parser, size_t start, size_t end, GArray *words)
{
    struct pattern pattern = {.parser = parser, .words = words, .text = parser->context->pattern};
    size_t at = start;
    while (at <= end) {
        size_t stop = at;
        bool touches;
        while (stop < end && !is_wildcard(parser->text[stop]))
            stop++;
        add_segment(&pattern, at, stop, &touches);
        if (stop < end)
            add_wildcard(&pattern, stop, touches);
        at = stop + 1;
    }
    close_word(&pattern);
    return !pattern.has_error;
}

/* The ~ behind the last of the words. */
static bool inflect_last(struct query_parser *parser, size_t at, GArray *words, size_t n_before)
{
    struct rule_problems *problems = parser->context->problems;
    struct query_word *last =
        words->len > n_before ? &g_array_index(words, struct query_word, words->len - 1) : NULL;
    if (!last || (last->test != WORD_IS && last->test != WORD_ANY)) {
        rule_error(problems, at, "~ stands behind a whole word, such as cuba~");
        return false;
    }
    size_t pos = 0;
    uint32_t first = utf8_next(last->folded, last->size, &pos);
    if (script_of(first) & (SCRIPT_HAN | SCRIPT_KANA | SCRIPT_HANGUL | SCRIPT_THAI))
        rule_warning(problems, at, "~ is dropped: in this script words are not inflected");
    else
        last->test = WORD_INFLECTS;
    return true;
}

/* A word of ASCII letters and digits, as most are: what words_next() would make of it. */
static bool cut_plain_word(struct query_parser *parser, size_t start, size_t end, GArray *words)
{
    size_t size = end - start;
    if (size == 0 || size > WORD_BYTES_MAX || !g_ascii_isalnum(parser->text[start]))
        return false;
    char *folded = arena_padded_text(parser->context->arena, parser->text + start, size);
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isalnum(folded[i]))
            return false;
        if (g_ascii_isupper(folded[i]))
            folded[i] |= 0x20;
    }
    struct query_word word = {.test = WORD_IS, .folded = folded, .size = size};
    g_array_append_val(words, word);
    return true;
}

bool query_cut_words(struct query_parser *parser, size_t start, size_t end, GArray *words)
{
    if (cut_plain_word(parser, start, end, words))
        return true;
    struct rule_problems *problems = parser->context->problems;
    size_t tilde = end, n_before = words->len;
    const char *found = memchr(parser->text + start, '~', end - start);
    if (found)
        tilde = (size_t)(found - parser->text);
    if (tilde < end && tilde + 1 != end) {
        rule_error(problems, tilde,
                   "~ stands at the end of a word (cuba~) or, with a number, of a phrase "
                   "(\"oil tanker\"~5), found %.*s",
                   (int)(end - start), parser->text + start);
        return false;
    }
    if (!cut_pattern(parser, start, tilde, words))
        return false;
    if (tilde < end && !inflect_last(parser, tilde, words, n_before))
        return false;
    for (guint i = (guint)n_before; i < words->len; i++)
        if (g_array_index(words, struct query_word, i).test != WORD_ANY)
            return true;
    if (words->len > n_before && parser->text[start] == '*' && end - start == 1)
        return true; /* a lone * */
    rule_error(problems, start, "%.*s holds no letter or digit: expected a word",
               (int)(end - start), parser->text + start);
    return false;
}

/* =WORD in a phrase: one word, with its exact form. */
static bool cut_exact_word(struct query_parser *parser, size_t start, size_t end, GArray *words)
{
    guint before = words->len;
    struct words *cutter = parser->context->words;
    const struct word *list;
    words_start(cutter, parser->text + start + 1, end - start - 1);
    size_t n = words_next(cutter, &list);
    if (n != 1) {
        rule_error(parser->context->problems, start,
                   "%.*s: expected one word behind the = in a phrase", (int)(end - start),
                   parser->text + start);
        return false;
    }
    struct query_word word = {
        .test = WORD_IS,
        .folded = arena_padded_text(parser->context->arena, list[0].folded, list[0].size),
        .size = list[0].size,
        .exact =
            arena_padded_text(parser->context->arena, parser->text + start + 1, end - start - 1),
        .exact_size = end - start - 1};
    g_array_append_val(words, word);
    return words->len == before + 1;
}

static bool cut_phrase(struct query_parser *parser, size_t start, size_t end, GArray *words)
{
    for (size_t at = start; at < end;) {
        size_t blank = query_blank(parser, at), stop = at;
        if (blank) {
            at += blank;
            continue;
        }
        while (stop < end && (g_ascii_isgraph(parser->text[stop]) || !query_blank(parser, stop)))
            stop++;
        bool is_exact = parser->text[at] == '=' && stop - at > 1;
        if (!(is_exact ? cut_exact_word : query_cut_words)(parser, at, stop, words))
            return false;
        at = stop;
    }
    return true;
}

static struct query_node *term_node(struct query_parser *parser, enum term_kind kind, size_t start,
                                    size_t end)
{
    struct query_node *node = query_node_new(parser, QUERY_TERM, start);
    node->end = end;
    node->term = arena_new_array(parser->context->arena, struct query_term, 1);
    node->term->kind = kind;
    return node;
}

static void take_words(struct query_parser *parser, struct query_term *term, const GArray *words)
{
    term->n_words = words->len;
    term->words = arena_new_array(parser->context->arena, struct query_word, words->len);
    memcpy(term->words, words->data, words->len * sizeof(struct query_word));
    for (size_t i = 0; i < term->n_words; i++) {
        struct word word;
        word_set_key(&word, term->words[i].folded,
                     MIN(term->words[i].size, (size_t)WORD_BYTES_MAX));
        term->words[i].hash = word.hash;
    }
}

static bool has_real_word(const GArray *words)
{
    for (guint i = 0; i < words->len; i++)
        if (g_array_index(words, struct query_word, i).test != WORD_ANY)
            return true;
    return false;
}

struct query_node *query_parse_phrase(struct query_parser *parser, size_t start, size_t end)
{
    GArray *words = g_array_set_size(parser->context->term, 0);
    if (!cut_phrase(parser, start, end, words))
        return NULL;
    if (!has_real_word(words)) {
        rule_error(parser->context->problems, start, "\"%.*s\" holds no word: expected one",
                   (int)(end - start), parser->text + start);
        return NULL;
    }
    struct query_node *node = term_node(parser, TERM_WORDS, start, end);
    take_words(parser, node->term, words);
    return node;
}

/* ~n behind a phrase. */
static bool parse_distance(struct query_parser *parser, struct query_node *node)
{
    struct rule_problems *problems = parser->context->problems;
    size_t start = parser->pos++;
    unsigned n = 0, digits = 0;
    for (; parser->pos < parser->size && g_ascii_isdigit(parser->text[parser->pos]);
         parser->pos++, digits++)
        if (n <= QUERY_NEAR_MAX)
            n = n * 10 + (unsigned)(parser->text[parser->pos] - '0');
    if (digits == 0 || n > QUERY_NEAR_MAX) {
        rule_error(problems, start, "expected ~0 to ~%u behind the phrase", QUERY_NEAR_MAX);
        return false;
    }
    if (node->term->n_words > QUERY_UNORDERED_MAX) {
        rule_error(problems, node->start, "expected at most %u words in \"…\"~n",
                   QUERY_UNORDERED_MAX);
        return false;
    }
    for (size_t i = 0; i < node->term->n_words; i++)
        if (node->term->words[i].test == WORD_ANY) {
            rule_error(problems, node->start, "a lone * has no place in \"…\"~n");
            return false;
        }
    node->term->kind = TERM_UNORDERED;
    node->term->distance = n;
    return true;
}

static struct query_node *parse_quoted(struct query_parser *parser)
{
    size_t start = parser->pos;
    const char *close = memchr(parser->text + start + 1, '"', parser->size - start - 1);
    if (!close) {
        rule_error(parser->context->problems, start, "\" is not closed: expected another \"");
        return NULL;
    }
    size_t end = (size_t)(close - parser->text);
    struct query_node *node = query_parse_phrase(parser, start + 1, end);
    if (!node)
        return NULL;
    parser->pos = end + 1;
    node->start = start;
    if (parser->pos < parser->size && parser->text[parser->pos] == '~' &&
        !parse_distance(parser, node))
        return NULL;
    node->end = parser->pos;
    return node;
}

/* The value behind = or behind feed:, lang:, site:, link:, in quotes or bare. */
static bool take_value(struct query_parser *parser, size_t *ret_start, size_t *ret_end)
{
    size_t at = parser->pos;
    if (at < parser->size && parser->text[at] == '"') {
        const char *close = memchr(parser->text + at + 1, '"', parser->size - at - 1);
        if (!close) {
            rule_error(parser->context->problems, at, "\" is not closed: expected another \"");
            return false;
        }
        *ret_start = at + 1;
        *ret_end = (size_t)(close - parser->text);
        parser->pos = *ret_end + 1;
        return true;
    }
    *ret_start = at;
    *ret_end = parser->pos = query_run_end(parser, at);
    return true;
}

static bool check_exact(struct query_parser *parser, size_t offset, const struct query_term *term,
                        bool is_quoted)
{
    struct rule_problems *problems = parser->context->problems;
    if (!utf8_is_valid(term->text, term->text_size)) {
        rule_error(problems, offset, "= wants valid UTF-8");
        return false;
    }
    if (!is_quoted && term->text_size > 0 && strchr("*?~", term->text[term->text_size - 1])) {
        rule_error(problems, offset,
                   "=%s: = means exactly these characters and takes no wildcard; the sign itself "
                   "is written =\"%s\"",
                   term->text, term->text);
        return false;
    }
    if (!g_utf8_validate(term->text, -1, NULL))
        return false;
    for (size_t i = 0; term->text[i]; i += (size_t)g_utf8_skip[(guchar)term->text[i]])
        if (g_unichar_isalnum(g_utf8_get_char(term->text + i)))
            return true;
    rule_error(problems, offset, "=%s: expected a letter or digit behind the =", term->text);
    return false;
}

static struct query_node *parse_exact(struct query_parser *parser)
{
    size_t start = parser->pos++, from, to;
    bool is_quoted = parser->pos < parser->size && parser->text[parser->pos] == '"';
    if (!take_value(parser, &from, &to))
        return NULL;
    struct query_node *node = term_node(parser, TERM_EXACT, start, parser->pos);
    node->term->text = arena_padded_text(parser->context->arena, parser->text + from, to - from);
    node->term->text_size = to - from;
    if (!check_exact(parser, start, node->term, is_quoted))
        return NULL;
    GArray *words = g_array_set_size(parser->context->term, 0);
    const struct word *list;
    words_start(parser->context->words, node->term->text, to - from);
    for (size_t n; (n = words_next(parser->context->words, &list)) > 0;)
        for (size_t i = 0; i < n; i++) {
            struct query_word word = {
                .test = WORD_IS,
                .folded = arena_padded_text(parser->context->arena, list[i].folded, list[i].size),
                .size = list[i].size};
            g_array_append_val(words, word);
        }
    if (words->len == 0) {
        rule_error(parser->context->problems, start,
                   "=%s: expected a letter or digit behind the =", node->term->text);
        return NULL;
    }
    take_words(parser, node->term, words);
    return node;
}

static bool matches_empty_text(const struct regex *regex)
{
    struct regex_scratch *scratch = regex_scratch_new();
    uint32_t steps = REGEX_STEPS_MAX;
    size_t start, end;
    enum regex_result result = regex_search(regex, scratch, "", 0, &steps, &start, &end);
    regex_scratch_free(scratch);
    return result == REGEX_YES;
}

static bool compile_regex(struct query_parser *parser, struct query_term *term, size_t offset)
{
    struct rule_problems *problems = parser->context->problems;
    g_autofree char *message = NULL;
    size_t at = 0;
    struct regex *regex = regex_new(term->text, term->text_size, term->is_caseful, &message, &at);
    if (!regex) {
        rule_error(problems, offset + 1 + at, "/%s/ is no regular expression: %s", term->text,
                   message);
        return false;
    }
    term->matches_nothing = matches_empty_text(regex);
    regex_free(regex);
    const char *typo = strstr(term->text, "(i?)");
    if (typo)
        rule_warning(problems, offset + 1 + (size_t)(typo - term->text),
                     "(i?) is an optional letter i; patterns ignore case unless they end in /c");
    return true;
}

/* Where the pattern that begins at the slash at start is closed; the text's end where it is not. */
static size_t regex_close(const struct query_parser *parser, size_t start)
{
    size_t at = start + 1;
    while (at < parser->size && parser->text[at] != '/')
        at += parser->text[at] == '\\' && at + 1 < parser->size ? 2 : 1;
    return MIN(at, parser->size);
}

/* A path, such as link:/news/2024, begins with a slash, too. */
static bool is_path(const struct query_parser *parser)
{
    size_t flags = regex_close(parser, parser->pos) + 1, end = query_run_end(parser, parser->pos);
    bool is_regex = flags <= parser->size && flags >= query_run_end(parser, flags - 1);
    is_regex =
        is_regex || (flags + 1 == query_run_end(parser, flags) && parser->text[flags] == 'c');
    return end > parser->pos && !is_regex;
}

static struct query_node *parse_regex(struct query_parser *parser)
{
    size_t start = parser->pos, at = regex_close(parser, start);
    if (at >= parser->size) {
        rule_error(parser->context->problems, start,
                   "the regular expression is not closed: expected another /");
        return NULL;
    }
    struct query_node *node = term_node(parser, TERM_REGEX, start, at);
    size_t size = at - start - 1, flags = at + 1, end = query_run_end(parser, flags);
    node->term->text = arena_padded_text(parser->context->arena, parser->text + start + 1, size);
    node->term->text_size = size;
    node->term->field = parser->value_field;
    node->term->is_caseful = end - flags == 1 && parser->text[flags] == 'c';
    if (end > flags && !node->term->is_caseful) {
        rule_error(parser->context->problems, flags,
                   "%.*s: expected a blank or c (for case) behind /…/", (int)(end - flags),
                   parser->text + flags);
        return NULL;
    }
    node->end = parser->pos = end;
    return compile_regex(parser, node->term, start) ? node : NULL;
}

static struct query_node *parse_value(struct query_parser *parser)
{
    size_t start = parser->pos, from, to;
    if (!take_value(parser, &from, &to))
        return NULL;
    if (from == to) {
        rule_error(parser->context->problems, start, "%s: expected a value",
                   field_mask_name(parser->value_field));
        return NULL;
    }
    struct query_node *node = term_node(parser, TERM_VALUE, start, parser->pos);
    node->term->text = arena_padded_text(parser->context->arena, parser->text + from, to - from);
    node->term->text_size = to - from;
    node->term->field = parser->value_field;
    return node;
}

static void warn_of_lower_case(struct query_parser *parser, size_t start, size_t end)
{
    static const char *const words[] = {"and", "or", "not", "near", "onear", "atleast"};
    size_t size = end - start, name = size;
    const char *slash = memchr(parser->text + start, '/', size);
    if (slash)
        name = (size_t)(slash - parser->text) - start;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i]) == name && memcmp(words[i], parser->text + start, name) == 0 &&
            (slash != NULL) == (i >= 3)) {
            g_autofree char *capitals = g_ascii_strup(words[i], -1);
            rule_warning(parser->context->problems, start,
                         "%s is a word here; the operator is written %s", words[i], capitals);
        }
}

static struct query_node *parse_bare(struct query_parser *parser)
{
    size_t start = parser->pos, end = query_run_end(parser, start);
    GArray *words = g_array_set_size(parser->context->term, 0);
    if (!query_cut_words(parser, start, end, words))
        return NULL;
    if (!has_real_word(words)) {
        rule_error(parser->context->problems, start,
                   "a lone * stands in a phrase only: expected at least 3 letters");
        return NULL;
    }
    warn_of_lower_case(parser, start, end);
    struct query_node *node = term_node(parser, TERM_WORDS, start, end);
    take_words(parser, node->term, words);
    parser->pos = end;
    return node;
}

struct query_node *query_parse_term(struct query_parser *parser)
{
    const char *at = parser->text + parser->pos;
    bool is_last = parser->pos + 1 >= parser->size || query_blank(parser, parser->pos + 1);
    if (*at == '/' && !is_last && !(parser->value_field && is_path(parser)))
        return parse_regex(parser);
    if (parser->value_field)
        return parse_value(parser);
    if (*at == '"')
        return parse_quoted(parser);
    if (*at == '=' && !is_last)
        return parse_exact(parser);
    return parse_bare(parser);
}
