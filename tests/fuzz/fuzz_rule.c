/* The first line as a query, the rest as an item: no crash, problems inside the text, and evidence
 * inside the item. */
#include "rule/rule.h"
#include "text/clean.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_problems(const GArray *problems, const char *query, bool is_compiled)
{
    bool has_error = false;
    for (guint i = 0; i < problems->len; i++) {
        const struct rule_problem *problem = &g_array_index(problems, struct rule_problem, i);
        require(problem->offset <= strlen(query));
        require(problem->message && *problem->message);
        has_error |= problem->is_error;
    }
    require(has_error != is_compiled);
}

static void check_match(struct ruleset *set, const char *text)
{
    struct rule_matcher *matcher = rule_matcher_new(set);
    const struct rule_item item = {.title = text, .content = text, .link = "https://a.example/"};
    size_t n, n_plain;
    (void)rule_match_item(matcher, &item, false, &n_plain);
    const struct rule_match *matches = rule_match_item(matcher, &item, true, &n);
    require(n == n_plain);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < matches[i].n_evidence; k++) {
            const struct rule_evidence *evidence = &matches[i].evidence[k];
            require(evidence->start <= evidence->end);
            if (strcmp(evidence->field, "title") == 0 || strcmp(evidence->field, "content") == 0)
                require(evidence->text + (evidence->end - evidence->start) <=
                        evidence->text - evidence->start + strlen(text));
        }
    }
    rule_matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *bytes = g_strndup((const char *)data, size);
    g_autofree char *valid = g_utf8_make_valid(bytes, -1);
    char *rest = strchr(valid, '\n');
    if (rest)
        *rest++ = '\0';
    g_autoptr(GString) text = g_string_new(NULL);
    clean_append_block(text, rest ? rest : "", rest ? strlen(rest) : 0);
    const struct rule_def rule = {.id = "fuzzed", .match = valid};
    const struct rule_list_def list = {"cuba", "Cuba, Cuban*, \"La Habana\""};
    GArray *problems = NULL;
    struct ruleset *set = ruleset_compile(&rule, 1, &list, 1, NULL, 0, &problems);
    check_problems(problems, valid, set != NULL);
    g_array_unref(problems);
    if (set) {
        check_match(set, text->str);
        ruleset_unref(set);
    }
    return 0;
}
