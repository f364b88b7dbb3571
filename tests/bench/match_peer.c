/* match_peer - what others take for the same texts and rules; a helper of tests/bench/match.
 *
 *     match_peer utf8proc DOCS                    fold each text with utf8proc_map()
 *     match_peer hyperscan DOCS RULES             all literals at once over folded text, then the
 * rules' logic match_peer pcre2 DOCS RULES COUNT           three JIT patterns a rule over COUNT of
 * the raw texts
 *
 * DOCS has lines "lang TAB title TAB body", RULES lines "a|b|c TAB d|e TAB not". Prints one line of
 * JSON: microseconds of CPU for each text, seconds to compile, and the checksum of all (text, rule)
 * pairs that hold. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/words.h"

#include <glib.h>
#include <hs/hs.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utf8proc.h>

#define GROUPS    3
#define DF_SAMPLE 200

static double cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static char **read_lines(const char *path, size_t *ret_n)
{
    char *text;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &text, NULL, &error)) {
        fprintf(stderr, "match_peer: %s\n", error->message);
        exit(1);
    }
    g_strchomp(text);
    char **lines = g_strsplit(text, "\n", -1);
    *ret_n = g_strv_length(lines);
    g_free(text);
    return lines;
}

/* The text behind the language. */
static const char *body_of(const char *line)
{
    return strchr(line, '\t') + 1;
}

/* " word word " of each field, with a bar between fields that no rule's text holds. */
static void append_folded(struct words *words, const char *text, size_t size, GString *out)
{
    const struct word *list;
    g_string_append_c(out, ' ');
    words_start(words, text, size);
    for (size_t n; (n = words_next(words, &list)) > 0;)
        for (size_t i = 0; i < n; i++) {
            g_string_append_len(out, list[i].folded, list[i].size);
            g_string_append_c(out, ' ');
        }
}

static char *fold_doc(struct words *words, const char *line)
{
    GString *out = g_string_new(NULL);
    const char *title = body_of(line), *body = body_of(title);
    append_folded(words, title, (size_t)(body - title - 1), out);
    g_string_append_c(out, '|');
    append_folded(words, body, strlen(body), out);
    return g_string_free(out, FALSE);
}

static char *fold_term(struct words *words, const char *term)
{
    GString *out = g_string_new(NULL);
    append_folded(words, term, strlen(term), out);
    if (g_str_has_suffix(term, "*"))
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}

static uint64_t pair_sum(uint64_t doc, uint64_t rule)
{
    return (doc + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ (rule + 1) * UINT64_C(0xC2B2AE3D27D4EB4F);
}

static void run_utf8proc(char **docs, size_t n_docs)
{
    double start = cpu_now();
    for (size_t i = 0; i < n_docs; i++) {
        const char *text = body_of(docs[i]);
        utf8proc_uint8_t *out = NULL;
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)strlen(text), &out,
                     UTF8PROC_CASEFOLD | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK);
        free(out);
    }
    printf("{\"us\": %.4f}\n", (cpu_now() - start) * 1e6 / (double)n_docs);
}

/* ---- Hyperscan ---- */

struct scan {
    GPtrArray *literals;
    GHashTable *numbers; /* literal -> its number + 1 */
    GArray **groups;     /* for each rule, GROUPS of literal numbers */
    size_t n_rules;
    uint32_t *seen_in; /* for each literal: the text it was last seen in, counted from 1 */
    GArray *seen;      /* literals in this text */
    uint32_t text;
    GArray **waiters;  /* for each literal: the rules whose rarer group has it */
    uint32_t *told_in; /* for each rule */
};

static uint32_t literal_number(struct scan *scan, char *literal)
{
    gpointer known = g_hash_table_lookup(scan->numbers, literal);
    if (known) {
        g_free(literal);
        return GPOINTER_TO_UINT(known) - 1;
    }
    g_ptr_array_add(scan->literals, literal);
    g_hash_table_insert(scan->numbers, literal, GUINT_TO_POINTER(scan->literals->len));
    return scan->literals->len - 1;
}

static void read_rules(struct scan *scan, char **lines, size_t n)
{
    struct words *words = words_new();
    scan->literals = g_ptr_array_new();
    scan->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    scan->n_rules = n;
    scan->groups = g_new0(GArray *, n * GROUPS);
    for (size_t i = 0; i < n; i++) {
        g_auto(GStrv) groups = g_strsplit(lines[i], "\t", GROUPS);
        for (size_t k = 0; k < GROUPS; k++) {
            g_auto(GStrv) terms = g_strsplit(groups[k], "|", -1);
            GArray *ids = scan->groups[i * GROUPS + k] =
                g_array_new(FALSE, FALSE, sizeof(uint32_t));
            for (size_t t = 0; terms[t]; t++) {
                uint32_t number = literal_number(scan, fold_term(words, terms[t]));
                g_array_append_val(ids, number);
            }
        }
    }
    words_free(words);
}

static int on_literal(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                      void *data)
{
    struct scan *scan = data;
    (void)from, (void)to, (void)flags;
    if (scan->seen_in[id] != scan->text) {
        scan->seen_in[id] = scan->text;
        g_array_append_val(scan->seen, id);
    }
    return 0;
}

static int on_nothing(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                      void *data)
{
    (void)id, (void)from, (void)to, (void)flags, (void)data;
    return 0;
}

static hs_database_t *compile_literals(const struct scan *scan)
{
    guint n = scan->literals->len;
    g_autofree unsigned *flags = g_new(unsigned, n), *ids = g_new(unsigned, n);
    g_autofree size_t *sizes = g_new(size_t, n);
    hs_database_t *database = NULL;
    hs_compile_error_t *error = NULL;
    for (guint i = 0; i < n; i++) {
        flags[i] = HS_FLAG_SINGLEMATCH;
        ids[i] = i;
        sizes[i] = strlen(g_ptr_array_index(scan->literals, i));
    }
    if (hs_compile_lit_multi((const char *const *)scan->literals->pdata, flags, ids, sizes, n,
                             HS_MODE_BLOCK, NULL, &database, &error) != HS_SUCCESS) {
        fprintf(stderr, "match_peer: hyperscan: %s\n", error ? error->message : "failed");
        exit(1);
    }
    return database;
}

static bool group_holds(const struct scan *scan, size_t rule, size_t group)
{
    const GArray *ids = scan->groups[rule * GROUPS + group];
    for (guint i = 0; i < ids->len; i++)
        if (scan->seen_in[g_array_index(ids, uint32_t, i)] == scan->text)
            return true;
    return false;
}

static void scan_text(struct scan *scan, const hs_database_t *database, hs_scratch_t *scratch,
                      const char *text)
{
    scan->text++;
    g_array_set_size(scan->seen, 0);
    hs_scan(database, text, (unsigned)strlen(text), 0, scratch, on_literal, scan);
}

/* Each rule waits for the literals of that of its two groups which turned up less often. */
static void choose_waiters(struct scan *scan, const hs_database_t *database, hs_scratch_t *scratch,
                           char **texts, size_t n)
{
    g_autofree uint32_t *counts = g_new0(uint32_t, scan->literals->len);
    for (size_t i = 0; i < n && i < DF_SAMPLE; i++) {
        scan_text(scan, database, scratch, texts[i]);
        for (guint k = 0; k < scan->seen->len; k++)
            counts[g_array_index(scan->seen, uint32_t, k)]++;
    }
    scan->waiters = g_new0(GArray *, scan->literals->len);
    for (uint32_t rule = 0; rule < scan->n_rules; rule++) {
        size_t sums[2] = {0, 0};
        for (size_t k = 0; k < 2; k++)
            for (guint i = 0; i < scan->groups[rule * GROUPS + k]->len; i++)
                sums[k] += counts[g_array_index(scan->groups[rule * GROUPS + k], uint32_t, i)] + 1u;
        const GArray *ids = scan->groups[rule * GROUPS + (sums[1] < sums[0])];
        for (guint i = 0; i < ids->len; i++) {
            GArray **list = &scan->waiters[g_array_index(ids, uint32_t, i)];
            if (!*list)
                *list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
            g_array_append_val(*list, rule);
        }
    }
}

static uint64_t evaluate(struct scan *scan, size_t doc)
{
    uint64_t sum = 0;
    for (guint i = 0; i < scan->seen->len; i++) {
        const GArray *rules = scan->waiters[g_array_index(scan->seen, uint32_t, i)];
        for (guint k = 0; rules && k < rules->len; k++) {
            uint32_t rule = g_array_index(rules, uint32_t, k);
            if (scan->told_in[rule] == scan->text)
                continue;
            scan->told_in[rule] = scan->text;
            if (group_holds(scan, rule, 0) && group_holds(scan, rule, 1) &&
                !group_holds(scan, rule, 2))
                sum += pair_sum(doc, rule);
        }
    }
    return sum;
}

static void run_hyperscan(char **docs, size_t n_docs, char **rules, size_t n_rules)
{
    struct scan scan = {.seen = g_array_new(FALSE, FALSE, sizeof(uint32_t))};
    struct words *words = words_new();
    hs_scratch_t *scratch = NULL;
    uint64_t sum = 0;
    char **texts = g_new0(char *, n_docs);
    for (size_t i = 0; i < n_docs; i++)
        texts[i] = fold_doc(words, docs[i]);
    read_rules(&scan, rules, n_rules);
    scan.seen_in = g_new0(uint32_t, scan.literals->len);
    scan.told_in = g_new0(uint32_t, n_rules);
    double start = cpu_now();
    hs_database_t *database = compile_literals(&scan);
    double compile_s = cpu_now() - start;
    hs_alloc_scratch(database, &scratch);
    choose_waiters(&scan, database, scratch, texts, n_docs);
    start = cpu_now();
    for (size_t i = 0; i < n_docs; i++)
        hs_scan(database, texts[i], (unsigned)strlen(texts[i]), 0, scratch, on_nothing, NULL);
    double scan_s = cpu_now() - start;
    for (size_t i = 0; i < n_docs; i++) {
        scan_text(&scan, database, scratch, texts[i]);
        sum += evaluate(&scan, i);
    }
    printf("{\"us\": %.4f, \"compile_s\": %.4f, \"sum\": \"%016" G_GINT64_MODIFIER "x\"}\n",
           scan_s * 1e6 / (double)n_docs, compile_s, sum);
}

/* ---- PCRE2 ---- */

static pcre2_code *compile_group(const char *group)
{
    g_auto(GStrv) terms = g_strsplit(group, "|", -1);
    GString *pattern = g_string_new("(?<![\\pL\\pN])(?:");
    int code;
    PCRE2_SIZE offset;
    for (size_t i = 0; terms[i]; i++) {
        size_t size = strlen(terms[i]);
        bool is_prefix = size > 0 && terms[i][size - 1] == '*';
        g_autofree char *escaped = g_regex_escape_string(terms[i], (gint)(size - is_prefix));
        g_string_append_printf(pattern, "%s%s%s", i ? "|" : "", escaped,
                               is_prefix ? "" : "(?![\\pL\\pN])");
    }
    g_string_append_c(pattern, ')');
    pcre2_code *compiled = pcre2_compile(
        (PCRE2_SPTR)pattern->str, pattern->len,
        PCRE2_CASELESS | PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK, &code, &offset, NULL);
    if (!compiled || pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) != 0) {
        fprintf(stderr, "match_peer: pcre2 does not take %s\n", pattern->str);
        exit(1);
    }
    g_string_free(pattern, TRUE);
    return compiled;
}

static void run_pcre2(char **docs, size_t n_docs, char **rules, size_t n_rules)
{
    pcre2_code **codes = g_new0(pcre2_code *, n_rules * GROUPS);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    size_t n_matches = 0;
    for (size_t i = 0; i < n_rules; i++) {
        g_auto(GStrv) groups = g_strsplit(rules[i], "\t", GROUPS);
        for (size_t k = 0; k < GROUPS; k++)
            codes[i * GROUPS + k] = compile_group(groups[k]);
    }
    double start = cpu_now();
    for (size_t d = 0; d < n_docs; d++) {
        const char *text = body_of(docs[d]);
        size_t size = strlen(text);
        for (size_t i = 0; i < n_rules; i++) {
            size_t k = 0;
            while (k < GROUPS && pcre2_match(codes[i * GROUPS + k], (PCRE2_SPTR)text, size, 0,
                                             PCRE2_NO_UTF_CHECK, data, NULL) >= 0)
                k++;
            n_matches += k == GROUPS - 1;
        }
    }
    printf("{\"us\": %.4f, \"matches\": %zu}\n", (cpu_now() - start) * 1e6 / (double)n_docs,
           n_matches);
}

int main(int argc, char **argv)
{
    size_t n_docs, n_rules = 0;
    if (argc < 3 || (strcmp(argv[1], "utf8proc") != 0 && argc < 4)) {
        fprintf(stderr, "usage: match_peer utf8proc|hyperscan|pcre2 DOCS [RULES [COUNT]]\n");
        return 2;
    }
    char **docs = read_lines(argv[2], &n_docs);
    char **rules = argc > 3 ? read_lines(argv[3], &n_rules) : NULL;
    if (argc > 4)
        n_docs = MIN(n_docs, (size_t)g_ascii_strtoull(argv[4], NULL, 10));
    if (strcmp(argv[1], "utf8proc") == 0)
        run_utf8proc(docs, n_docs);
    else if (strcmp(argv[1], "hyperscan") == 0)
        run_hyperscan(docs, n_docs, rules, n_rules);
    else
        run_pcre2(docs, n_docs, rules, n_rules);
    return 0;
}
