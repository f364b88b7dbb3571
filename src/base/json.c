#include "base/json.h"

#include <stdlib.h>

static json_t *text_value(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

void json_set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text_value(text));
}

void json_set_int(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

void json_set_time(json_t *object, const char *key, int64_t value, int64_t none)
{
    json_object_set_new(object, key, value == none ? json_null() : json_integer(value));
}

void json_set_texts(json_t *object, const char *key, const char *const *texts)
{
    json_t *list = json_array();
    for (; texts && *texts; texts++)
        json_array_append_new(list, text_value(*texts));
    json_object_set_new(object, key, list);
}

void json_print_line(json_t *value, FILE *out)
{
    json_dumpf(value, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(value);
}

static int append(const char *bytes, size_t size, void *user)
{
    g_string_append_len(user, bytes, (gssize)size);
    return 0;
}

void json_append_line(GString *text, const json_t *value)
{
    json_dump_callback(value, append, text, JSON_COMPACT);
    g_string_append_c(text, '\n');
}

char *json_to_text(const json_t *value)
{
    char *raw = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = g_strdup(raw);
    free(raw);
    return text;
}
