#include "config/source.h"
#include "config/reader.h"

#include <ini.h>
#include <string.h>

static void section_clear(gpointer data)
{
    const struct source_section *section = data;
    for (struct source_setting *setting = section->settings; setting; setting = setting->next)
        g_string_free(setting->value, TRUE);
}

struct source *source_new(struct report *report)
{
    struct source *source = g_new0(struct source, 1);
    source->sections = g_ptr_array_new_with_free_func(section_clear);
    source->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    source->report = report;
    return source;
}

void source_free(struct source *source)
{
    if (!source)
        return;
    g_hash_table_unref(source->by_name);
    g_ptr_array_unref(source->sections);
    arena_release(&source->arena);
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
    const struct source_setting *setting = section->settings;
    while (setting && strcmp(setting->row->key, key) != 0)
        setting = setting->next;
    return setting;
}

struct source_setting *source_add_setting(struct source *source, struct source_section *section,
                                          const struct setting *row, struct place place)
{
    struct source_setting *setting = arena_new_array(&source->arena, struct source_setting, 1);
    setting->row = row;
    setting->place = place;
    setting->value = g_string_new(NULL);
    if (section->last_setting)
        section->last_setting->next = setting;
    else
        section->settings = setting;
    section->last_setting = setting;
    return setting;
}

void source_add_segment(struct source *source, struct source_setting *setting, size_t offset,
                        unsigned line, unsigned column)
{
    struct source_segment *segment = arena_new_array(&source->arena, struct source_segment, 1);
    *segment = (struct source_segment){.offset = offset, .line = line, .column = column};
    if (setting->last_segment)
        setting->last_segment->next = segment;
    else
        setting->segments = segment;
    setting->last_segment = segment;
}

struct source_section *source_add_section(struct source *source, enum section_kind kind,
                                          const char *id, struct place place)
{
    struct source_section *section = arena_new_array(&source->arena, struct source_section, 1);
    section->kind = kind;
    section->id = id ? arena_text(&source->arena, id, strlen(id)) : NULL;
    section->place = place;
    g_ptr_array_add(source->sections, section);
    return section;
}

void source_name_section(struct source *source, const char *name, struct source_section *section)
{
    g_hash_table_insert(source->by_name, arena_text(&source->arena, name, strlen(name)), section);
}

struct place source_place(const struct source_setting *setting, size_t offset)
{
    struct place place = setting->place;
    const struct source_segment *segment = setting->segments;
    if (!segment)
        return place;
    while (segment->next && segment->next->offset <= offset)
        segment = segment->next;
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
