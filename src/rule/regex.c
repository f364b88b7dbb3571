#include "rule/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <glib.h>
#include <pcre2.h>
#include <string.h>

/* PCRE2's own limits count backtracks at one starting point only, which leaves patterns that are
 * quadratic in the text without a bound. So every pattern gets automatic callouts, which see each
 * step, and the callout does the counting. The limits remain as a second fence. */
#define MATCH_LIMIT  1000000u
#define DEPTH_LIMIT  100000u
#define HEAP_KIB_MAX 2048u
#define PATTERN_MAX  8192u
/* A step costs about five times as much where the pattern is interpreted. */
#define COST_JIT         1u
#define COST_INTERPRETED 5u

struct regex {
    pcre2_code *code;
    char *pattern;
    uint32_t step_cost;
};

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint32_t steps, step_cost;
    size_t last_position;
    bool is_stopped;
};

static char *message_of(int code)
{
    char buffer[256];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)buffer, sizeof buffer);
    return g_strdup(buffer);
}

static pcre2_code *compile(const char *pattern, size_t size, bool is_caseful, int *ret_code,
                           size_t *ret_offset)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_AUTO_CALLOUT |
                       PCRE2_NEVER_BACKSLASH_C | (is_caseful ? 0 : PCRE2_CASELESS);
    pcre2_set_max_pattern_length(context, PATTERN_MAX);
    pcre2_set_parens_nest_limit(context, 64);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, size, options, ret_code, ret_offset, context);
    pcre2_compile_context_free(context);
    return code;
}

struct regex *regex_new(const char *pattern, size_t size, bool is_caseful, char **ret_message,
                        size_t *ret_offset)
{
    int error = 0;
    size_t offset = 0;
    pcre2_code *code = compile(pattern, size, is_caseful, &error, &offset);
    if (!code) {
        *ret_message = message_of(error);
        *ret_offset = MIN(offset, size);
        return NULL;
    }
    struct regex *regex = g_new0(struct regex, 1);
    bool has_jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0; /* it may be forbidden */
    regex->step_cost = has_jit ? COST_JIT : COST_INTERPRETED;
    regex->code = code;
    regex->pattern = g_strndup(pattern, size);
    return regex;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    g_free(regex->pattern);
    g_free(regex);
}

const char *regex_pattern(const struct regex *regex)
{
    return regex->pattern;
}

size_t regex_bytes(const struct regex *regex)
{
    size_t code = 0, jit = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &code);
    pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &jit);
    return code + jit + strlen(regex->pattern) + sizeof *regex;
}

static int on_step(pcre2_callout_block *block, void *data)
{
    struct regex_scratch *scratch = data;
    size_t from = scratch->last_position, to = block->current_position;
    size_t cost = 1 + (from < to ? to - from : from - to);
    if (to == block->start_match) /* the next try begins: getting there is a fast scan */
        cost = 1;
    cost *= scratch->step_cost;
    scratch->last_position = to;
    if (cost > scratch->steps) {
        scratch->is_stopped = true;
        return PCRE2_ERROR_CALLOUT;
    }
    scratch->steps -= (uint32_t)cost;
    return 0;
}

struct regex_scratch *regex_scratch_new(void)
{
    struct regex_scratch *scratch = g_new0(struct regex_scratch, 1);
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(32 * 1024, 1024 * 1024, NULL);
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch->context, HEAP_KIB_MAX);
    pcre2_set_callout(scratch->context, on_step, scratch);
    pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void regex_scratch_free(struct regex_scratch *scratch)
{
    if (!scratch)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    g_free(scratch);
}

enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
                               const char *text, size_t size, uint32_t *steps, size_t *ret_start,
                               size_t *ret_end)
{
    scratch->steps = *steps;
    scratch->step_cost = regex->step_cost;
    scratch->last_position = 0;
    scratch->is_stopped = false;
    int found =
        pcre2_match(regex->code, (PCRE2_SPTR)text, size, 0, 0, scratch->data, scratch->context);
    *steps = scratch->steps;
    if (found >= 0) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch->data);
        *ret_start = MIN(ends[0], ends[1]); /* \K may turn them round */
        *ret_end = ends[1];
        return REGEX_YES;
    }
    return found == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_STOPPED;
}
