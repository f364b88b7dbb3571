#include "rule/language.h"

#include "text/utf8.h"

#include <glib.h>
#include <libstemmer.h>
#include <string.h>

static const struct {
    const char *code;
    const char *stemmer; /* Snowball's name, NULL: none */
    unsigned scripts;
} languages[] = {
    {"", NULL, 0},
    {"ar", "arabic", SCRIPT_ARABIC},
    {"hy", "armenian", SCRIPT_ARMENIAN},
    {"eu", "basque", SCRIPT_LATIN},
    {"ca", "catalan", SCRIPT_LATIN},
    {"da", "danish", SCRIPT_LATIN},
    {"nl", "dutch", SCRIPT_LATIN},
    {"en", "english", SCRIPT_LATIN},
    {"fi", "finnish", SCRIPT_LATIN},
    {"fr", "french", SCRIPT_LATIN},
    {"de", "german", SCRIPT_LATIN},
    {"el", "greek", SCRIPT_GREEK},
    {"hi", "hindi", SCRIPT_DEVANAGARI},
    {"hu", "hungarian", SCRIPT_LATIN},
    {"id", "indonesian", SCRIPT_LATIN},
    {"ga", "irish", SCRIPT_LATIN},
    {"it", "italian", SCRIPT_LATIN},
    {"lt", "lithuanian", SCRIPT_LATIN},
    {"ne", "nepali", SCRIPT_DEVANAGARI},
    {"no", "norwegian", SCRIPT_LATIN},
    {"nb", "norwegian", SCRIPT_LATIN},
    {"nn", "norwegian", SCRIPT_LATIN},
    {"pt", "portuguese", SCRIPT_LATIN},
    {"ro", "romanian", SCRIPT_LATIN},
    {"ru", "russian", SCRIPT_CYRILLIC},
    {"sr", "serbian", SCRIPT_CYRILLIC | SCRIPT_LATIN},
    {"es", "spanish", SCRIPT_LATIN},
    {"sv", "swedish", SCRIPT_LATIN},
    {"ta", "tamil", SCRIPT_TAMIL},
    {"tr", "turkish", SCRIPT_LATIN},
    {"yi", "yiddish", SCRIPT_HEBREW},
    {"be", NULL, SCRIPT_CYRILLIC},
    {"bg", NULL, SCRIPT_CYRILLIC},
    {"cs", NULL, SCRIPT_LATIN},
    {"et", NULL, SCRIPT_LATIN},
    {"fa", NULL, SCRIPT_ARABIC},
    {"he", NULL, SCRIPT_HEBREW},
    {"hr", NULL, SCRIPT_LATIN},
    {"ja", NULL, SCRIPT_HAN | SCRIPT_KANA},
    {"kk", NULL, SCRIPT_CYRILLIC},
    {"ko", NULL, SCRIPT_HANGUL | SCRIPT_HAN},
    {"lv", NULL, SCRIPT_LATIN},
    {"mk", NULL, SCRIPT_CYRILLIC},
    {"mr", NULL, SCRIPT_DEVANAGARI},
    {"pl", NULL, SCRIPT_LATIN},
    {"sk", NULL, SCRIPT_LATIN},
    {"sl", NULL, SCRIPT_LATIN},
    {"th", NULL, SCRIPT_THAI},
    {"uk", NULL, SCRIPT_CYRILLIC},
    {"ur", NULL, SCRIPT_ARABIC},
    {"vi", NULL, SCRIPT_LATIN},
    {"zh", NULL, SCRIPT_HAN},
};
G_STATIC_ASSERT(G_N_ELEMENTS(languages) <= LANGUAGES_MAX);

static const struct {
    uint32_t first, last;
    unsigned script;
} script_ranges[] = {
    {'A', 'Z', SCRIPT_LATIN},          {'a', 'z', SCRIPT_LATIN},
    {0x00C0, 0x024F, SCRIPT_LATIN},    {0x0370, 0x03FF, SCRIPT_GREEK},
    {0x0400, 0x052F, SCRIPT_CYRILLIC}, {0x0531, 0x0587, SCRIPT_ARMENIAN},
    {0x05D0, 0x05F2, SCRIPT_HEBREW},   {0x0620, 0x06FF, SCRIPT_ARABIC},
    {0x0750, 0x077F, SCRIPT_ARABIC},   {0x0900, 0x097F, SCRIPT_DEVANAGARI},
    {0x0B80, 0x0BFF, SCRIPT_TAMIL},    {0x0E00, 0x0E7F, SCRIPT_THAI},
    {0x1100, 0x11FF, SCRIPT_HANGUL},   {0x1E00, 0x1EFF, SCRIPT_LATIN},
    {0x1F00, 0x1FFF, SCRIPT_GREEK},    {0x3041, 0x30FF, SCRIPT_KANA},
    {0x3400, 0x9FFF, SCRIPT_HAN},      {0xAC00, 0xD7A3, SCRIPT_HANGUL},
    {0xF900, 0xFAFF, SCRIPT_HAN},      {0x20000, 0x3FFFF, SCRIPT_HAN},
};

struct stemmers {
    struct sb_stemmer *of[LANGUAGES_MAX]; /* made when first needed */
};

unsigned language_find(const char *tag, size_t size)
{
    size_t length = 0;
    while (length < size && g_ascii_isalpha(tag[length]))
        length++;
    if (length < size && tag[length] != '-' && tag[length] != '_')
        return LANGUAGE_NONE;
    for (unsigned i = 1; i < G_N_ELEMENTS(languages); i++)
        if (strlen(languages[i].code) == length &&
            g_ascii_strncasecmp(tag, languages[i].code, length) == 0)
            return i;
    return LANGUAGE_NONE;
}

const char *language_code(unsigned language)
{
    return languages[language].code;
}

unsigned language_scripts(unsigned language)
{
    return languages[language].scripts;
}

bool language_has_stemmer(unsigned language)
{
    return languages[language].stemmer != NULL;
}

unsigned script_of(uint32_t code_point)
{
    for (size_t i = 0; i < G_N_ELEMENTS(script_ranges); i++)
        if (code_point >= script_ranges[i].first && code_point <= script_ranges[i].last)
            return code_point == 0xD7 || code_point == 0xF7 ? 0 : script_ranges[i].script;
    return 0;
}

unsigned script_of_word(const char *word, size_t size)
{
    for (size_t pos = 0; pos < size;) {
        unsigned script = script_of(utf8_next(word, size, &pos));
        if (script)
            return script;
    }
    return 0;
}

unsigned scripts_of_text(const char *text, size_t size)
{
    unsigned scripts = 0;
    for (size_t pos = 0; pos < size;)
        scripts |= script_of(utf8_next(text, size, &pos));
    return scripts;
}

struct stemmers *stemmers_new(void)
{
    return g_new0(struct stemmers, 1);
}

void stemmers_free(struct stemmers *stemmers)
{
    if (!stemmers)
        return;
    for (size_t i = 0; i < LANGUAGES_MAX; i++)
        if (stemmers->of[i])
            sb_stemmer_delete(stemmers->of[i]);
    g_free(stemmers);
}

const char *stem(struct stemmers *stemmers, unsigned language, const char *word, size_t size,
                 size_t *ret_size)
{
    *ret_size = size;
    if (!languages[language].stemmer)
        return word;
    if (!stemmers->of[language])
        stemmers->of[language] = sb_stemmer_new(languages[language].stemmer, "UTF_8");
    struct sb_stemmer *stemmer = stemmers->of[language];
    const sb_symbol *result =
        stemmer ? sb_stemmer_stem(stemmer, (const sb_symbol *)word, (int)size) : NULL;
    if (!result)
        return word;
    *ret_size = (size_t)sb_stemmer_length(stemmer);
    return (const char *)result;
}
