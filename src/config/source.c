#include "config/source.h"
#include "config/reader.h"

#include <ini.h>
#include <string.h>

static void setting_free(gpointer data)
{
    struct source_setting *setting = data;
    g_string_free(setting->value, TRUE);
    g_array_unref(setting->segments);
    g_free(setting);
}

static void section_free(gpointer data)
{
    struct source_section *section = data;
    g_free(section->id);
    g_ptr_array_unref(section->settings);
    g_free(section);
}

struct source *source_new(struct report *report)
{
    struct source *source = g_new0(struct source, 1);
    source->sections = g_ptr_array_new_with_free_func(section_free);
    source->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    source->report = report;
    return source;
}

void source_free(struct source *source)
{
    if (!source)
        return;
    g_hash_table_unref(source->by_name);
    g_ptr_array_unref(source->sections);
    g_free(source);
}

struct intake {
    struct reader *reader;
    struct source_setting *setting; /* the one whose pieces arrive */
    guint n_begun;
    bool is_broken;
};

static void append_decoded(GString *out, const char *piece)
{
    for (; *piece; piece++) {
        if (piece[0] == '%' && g_ascii_isxdigit(piece[1]) && g_ascii_isxdigit(piece[2])) {
            g_string_append_c(
                out, (char)(g_ascii_xdigit_value(piece[1]) * 16 + g_ascii_xdigit_value(piece[2])));
            piece += 2;
        } else {
            g_string_append_c(out, *piece);
        }
    }
}

/* An empty value begins the next setting in the reader's order; everything else is a piece. */
static int on_value(void *user, const char *section, const char *name, const char *value)
{
    struct intake *intake = user;
    (void)section;
    if (!name || !value)
        return 1;
    if (*value == '\0' && intake->n_begun < intake->reader->begun->len)
        intake->setting = g_ptr_array_index(intake->reader->begun, intake->n_begun++);
    if (!intake->setting || strcmp(intake->setting->row->key, name) != 0)
        intake->is_broken = true;
    else
        append_decoded(intake->setting->value, value);
    return 1;
}

void source_read(struct source *source, const char *file, const char *bytes, size_t size,
                 bool is_exposed)
{
    struct reader reader;
    struct intake intake = {.reader = &reader};
    reader_init(&reader, source, report_add_file(source->report, file), bytes, size);
    reader.is_exposed = is_exposed;
    int code = ini_parse_stream(reader_next_line, &reader, on_value, &intake);
    if (code != 0 || intake.is_broken || intake.n_begun != reader.begun->len)
        report_error(source->report, (struct place){.file = reader.file},
                     "the installed libinih does not read this file; is it built without values "
                     "over several lines?");
    reader_clear(&reader);
}

const struct source_setting *source_find(const struct source_section *section, const char *key)
{
    for (guint i = 0; i < section->settings->len; i++) {
        const struct source_setting *setting = g_ptr_array_index(section->settings, i);
        if (strcmp(setting->row->key, key) == 0)
            return setting;
    }
    return NULL;
}

struct source_setting *source_add_setting(struct source_section *section, const struct setting *row,
                                          struct place place)
{
    struct source_setting *setting = g_new0(struct source_setting, 1);
    setting->row = row;
    setting->place = place;
    setting->value = g_string_new(NULL);
    setting->segments = g_array_new(FALSE, FALSE, sizeof(struct source_segment));
    g_ptr_array_add(section->settings, setting);
    return setting;
}

struct source_section *source_add_section(struct source *source, enum section_kind kind,
                                          const char *id, struct place place)
{
    struct source_section *section = g_new0(struct source_section, 1);
    section->kind = kind;
    section->id = g_strdup(id);
    section->place = place;
    section->settings = g_ptr_array_new_with_free_func(setting_free);
    g_ptr_array_add(source->sections, section);
    return section;
}

struct place source_place(const struct source_setting *setting, size_t offset)
{
    struct place place = setting->place;
    if (setting->segments->len == 0)
        return place;
    guint i = setting->segments->len - 1;
    while (i > 0 && g_array_index(setting->segments, struct source_segment, i).offset > offset)
        i--;
    const struct source_segment *segment =
        &g_array_index(setting->segments, struct source_segment, i);
    place.line = segment->line;
    place.column = segment->column;
    for (size_t at = segment->offset; at < offset && at < setting->value->len; at++)
        place.column += ((unsigned char)setting->value->str[at] & 0xC0) != 0x80;
    return place;
}

char *source_section_title(const struct source_section *section)
{
    if (!section->id)
        return g_strdup_printf("[%s]", section_name(section->kind));
    return g_strdup_printf("[%s %s]", section_name(section->kind), section->id);
}
