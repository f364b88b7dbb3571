#include "rule/gained.h"

#include "text/words.h"

#include <string.h>

#define BETWEEN_WORDS  '\x1f' /* clean text has none */
#define BETWEEN_FIELDS '\x1e'

struct gained {
    struct words *words;
    GString *folded; /* every word of before, each between two marks */
    GString *raw;    /* the same texts as they were */
    bool can_tell;
};

static void append_folded(struct words *words, GString *out, const char *text, size_t size)
{
    const struct word *list;
    g_string_append_c(out, BETWEEN_WORDS);
    words_start(words, text, size);
    for (size_t n; (n = words_next(words, &list)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            g_string_append_len(out, list[i].folded, list[i].size);
            g_string_append_c(out, BETWEEN_WORDS);
        }
    }
}

static void add(struct gained *gained, const char *text)
{
    if (!text)
        return;
    append_folded(gained->words, gained->folded, text, strlen(text));
    g_string_append_c(gained->folded, BETWEEN_FIELDS);
    g_string_append(gained->raw, text);
    g_string_append_c(gained->raw, BETWEEN_FIELDS);
}

static void add_all(struct gained *gained, const char *const *texts)
{
    for (; texts && *texts; texts++)
        add(gained, *texts);
}

struct gained *gained_new(const struct rule_item *before)
{
    struct gained *gained = g_new0(struct gained, 1);
    gained->words = words_new();
    gained->folded = g_string_new(NULL);
    gained->raw = g_string_new(NULL);
    gained->can_tell = before != NULL;
    if (!before)
        return gained;
    add(gained, before->title);
    add(gained, before->summary);
    add(gained, before->content);
    add(gained, before->link);
    add_all(gained, before->authors);
    add_all(gained, before->categories);
    return gained;
}

void gained_free(struct gained *gained)
{
    if (!gained)
        return;
    words_free(gained->words);
    g_string_free(gained->folded, TRUE);
    g_string_free(gained->raw, TRUE);
    g_free(gained);
}

bool gained_can_tell(const struct gained *gained)
{
    return gained->can_tell;
}

bool gained_is_new(const struct gained *gained, const struct rule_evidence *evidence)
{
    size_t size = evidence->end - evidence->start;
    if (!gained->can_tell)
        return false;
    g_autoptr(GString) wanted = g_string_new(NULL);
    append_folded(gained->words, wanted, evidence->text, size);
    /* A regular expression may find less than a word, or no word at all. */
    if (evidence->term[0] == '/' || wanted->len == 1)
        return !memmem(gained->raw->str, gained->raw->len, evidence->text, size);
    return !strstr(gained->folded->str, wanted->str);
}
