#include "rule/evidence.h"

#include <string.h>

json_t *rule_evidence_value(const struct rule_match *match)
{
    json_t *list = json_array();
    for (size_t i = 0; i < match->n_evidence; i++) {
        const struct rule_evidence *e = &match->evidence[i];
        g_autofree char *text = g_strndup(e->text, e->end - e->start);
        json_t *object = json_object();
        json_set_text(object, "term", e->term);
        json_set_text(object, "list", e->list);
        json_set_text(object, "field", e->field);
        json_set_int(object, "index", (int64_t)e->index);
        json_set_int(object, "start", (int64_t)e->start);
        json_set_int(object, "end", (int64_t)e->end);
        json_set_text(object, "text", text);
        json_array_append_new(list, object);
    }
    return list;
}

char *rule_evidence_json(const struct rule_match *match)
{
    json_t *value = rule_evidence_value(match);
    char *text = json_to_text(value);
    json_decref(value);
    return text;
}

static bool is_repeated(const struct rule_match *match, size_t i)
{
    const struct rule_evidence *e = &match->evidence[i];
    for (size_t k = 0; k < i; k++) {
        const struct rule_evidence *other = &match->evidence[k];
        if (other->list == e->list && other->end - other->start == e->end - e->start &&
            memcmp(other->text, e->text, e->end - e->start) == 0)
            return true;
    }
    return false;
}

char *rule_evidence_line(const struct rule_match *match)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < match->n_evidence; i++) {
        const struct rule_evidence *e = &match->evidence[i];
        if (is_repeated(match, i))
            continue;
        if (out->len > 0)
            g_string_append(out, "; ");
        if (e->list)
            g_string_append_printf(out, "%s: ", e->list);
        g_string_append_len(out, e->text, (gssize)(e->end - e->start));
    }
    return g_string_free(out, FALSE);
}
