#include "rule/evidence.h"

#include <string.h>

static json_t *value_of(const struct rule_match *match, const struct gained *gained)
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
        if (gained && gained_can_tell(gained))
            json_object_set_new(object, "new", json_boolean(gained_is_new(gained, e)));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *rule_evidence_value(const struct rule_match *match)
{
    return value_of(match, NULL);
}

char *rule_evidence_json(const struct rule_match *match, const struct gained *gained)
{
    json_t *value = value_of(match, gained);
    char *text = json_to_text(value);
    json_decref(value);
    return text;
}

static bool is_repeated(const struct rule_match *match, size_t i)
{
    const struct rule_evidence *e = &match->evidence[i];
    for (size_t k = 0; k < i; k++) {
        const struct rule_evidence *other = &match->evidence[k];
        if (g_strcmp0(other->list, e->list) == 0 &&
            other->end - other->start == e->end - e->start &&
            memcmp(other->text, e->text, e->end - e->start) == 0)
            return true;
    }
    return false;
}

char *rule_evidence_line(const struct rule_match *match, const struct gained *gained)
{
    GString *out = g_string_new(gained ? "edited" : NULL);
    for (size_t i = 0; i < match->n_evidence; i++) {
        const struct rule_evidence *e = &match->evidence[i];
        if (is_repeated(match, i))
            continue;
        if (out->len > 0)
            g_string_append(out, "; ");
        if (e->list)
            g_string_append_printf(out, "%s: ", e->list);
        g_string_append_len(out, e->text, (gssize)(e->end - e->start));
        if (gained && gained_is_new(gained, e))
            g_string_append(out, " (new)");
    }
    return g_string_free(out, FALSE);
}
