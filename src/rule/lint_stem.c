/* What else a short stem finds, by example. */
#include "rule/lint.h"

#include "rule/wildcard.h"

#include <string.h>

#define SHORT_STEM   3u
#define EXAMPLES_MAX 6u

/* Endings to try, per language; those that the stemmer takes off again are examples. */
static const struct {
    const char *code;
    const char *endings;
} endings[] = {
    {"en", " s es ed ing er ers ly y e"},
    {"es", " o a os as e es ar ado ando ito"},
    {"ru", " а ы е у ой ом ов ам ами ах и ый ая ое"},
    {"de", " e en er es em n s"},
    {"fr", " e s es er ez ent ant"},
    {"it", " o a i e are ato ando"},
    {"pt", " o a os as ar ado ando"},
};

unsigned lint_fallback_language(const char *word, size_t size, const unsigned *languages,
                                size_t n_languages)
{
    unsigned script = script_of_word(word, size);
    for (size_t i = 0; i < n_languages; i++)
        if (language_scripts(languages[i]) & script)
            return languages[i];
    return LANGUAGE_NONE;
}

static size_t count_characters(const char *word, size_t size)
{
    size_t n = 0;
    for (size_t pos = 0; pos < size; n++)
        pos += wildcard_character(word + pos, size - pos);
    return n;
}

static void add_examples(struct stemmers *stemmers, unsigned language, const char *stem_text,
                         const struct query_word *word, GString *out)
{
    unsigned n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (strcmp(endings[i].code, language_code(language)) != 0)
            continue;
        g_auto(GStrv) list = g_strsplit(endings[i].endings, " ", -1);
        for (char **ending = list; *ending && n < EXAMPLES_MAX; ending++) {
            g_autofree char *candidate = g_strconcat(stem_text, *ending, NULL);
            size_t size;
            const char *found = stem(stemmers, language, candidate, strlen(candidate), &size);
            if (size != strlen(stem_text) || memcmp(found, stem_text, size) != 0 ||
                (strlen(candidate) == word->size &&
                 memcmp(candidate, word->folded, word->size) == 0))
                continue;
            g_string_append_printf(out, "%s%s", n++ ? ", " : "", candidate);
        }
    }
}

static void check_word(const struct lint *lint, const struct query_node *node,
                       const struct query_word *word, struct stemmers *stemmers,
                       const unsigned *languages, size_t n_languages)
{
    unsigned language = lint_fallback_language(word->folded, word->size, languages, n_languages);
    size_t size;
    const char *found = stem(stemmers, language, word->folded, word->size, &size);
    if (!language || count_characters(found, size) > SHORT_STEM)
        return;
    g_autofree char *stem_text = g_strndup(found, size);
    g_autoptr(GString) examples = g_string_new(NULL);
    add_examples(stemmers, language, stem_text, word, examples);
    if (examples->len > 0)
        rule_warning(
            lint->context->problems, node->start, "%.*s has the short stem %s and finds also: %s",
            (int)(node->end - node->start), lint->text + node->start, stem_text, examples->str);
}

void lint_stems(const struct lint *lint, const struct query_node *node, struct stemmers *stemmers,
                const unsigned *languages, size_t n_languages)
{
    for (size_t i = 0; node->term && i < node->term->n_words; i++)
        if (node->term->words[i].test == WORD_INFLECTS)
            check_word(lint, node, &node->term->words[i], stemmers, languages, n_languages);
    for (const struct query_node *child = node->first; child; child = child->next)
        lint_stems(lint, child, stemmers, languages, n_languages);
}
