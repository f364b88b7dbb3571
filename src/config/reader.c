#include "config/reader.h"
#include "base/suggest.h"
#include "text/clean.h"
#include "text/utf8.h"

#include <string.h>

#define WRONG_ID_BYTES_MAX 80

struct line { /* of the file, without its end */
    const char *text;
    size_t size;
};

void reader_init(struct reader *reader, struct source *source, const char *file, const char *text,
                 size_t size)
{
    bool has_bom = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    *reader = (struct reader){.source = source, .file = file, .text = text, .size = size};
    reader->at = has_bom ? 3 : 0;
    reader->begun = g_ptr_array_new();
    reader->head = g_string_new(NULL);
    reader->pieces = g_string_new(NULL);
}

void reader_clear(struct reader *reader)
{
    g_ptr_array_unref(reader->begun);
    g_string_free(reader->head, TRUE);
    g_string_free(reader->pieces, TRUE);
}

static struct place place_at(const struct reader *reader, const struct line *line, size_t offset)
{
    struct place place = {reader->file, reader->line, 1};
    for (size_t i = 0; i < offset && i < line->size; i++)
        place.column += ((unsigned char)line->text[i] & 0xC0) != 0x80;
    return place;
}

static size_t skip_blanks(const struct line *line, size_t at)
{
    while (at < line->size && scan_is_blank(line->text[at]))
        at++;
    return at;
}

static size_t trim_end(const struct line *line, size_t start, size_t end)
{
    while (end > start && scan_is_blank(line->text[end - 1]))
        end--;
    return end;
}

/* From at on there is nothing, or a comment. */
static bool is_end(const struct line *line, size_t at)
{
    size_t next = skip_blanks(line, at);
    return next == line->size || (line->text[next] == ';' && next > at);
}

/* A copy as a C string: NUL becomes a question mark. */
static char *copy(const struct line *line, size_t start, size_t end)
{
    char *text = g_malloc(end - start + 1);
    for (size_t i = start; i < end; i++)
        text[i - start] = line->text[i] ? line->text[i] : '?';
    text[end - start] = '\0';
    return text;
}

/* Refuses what no value may contain: invalid UTF-8, control characters but the tab, line ends. */
static bool check_characters(struct reader *reader, const struct line *line, size_t start,
                             size_t end)
{
    for (size_t at = start; at < end;) {
        size_t offset = at;
        uint32_t c = utf8_next(line->text, end, &at);
        bool is_control = (c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0);
        if (c != UTF8_INVALID && !is_control && c != 0x2028 && c != 0x2029)
            continue;
        struct place place = place_at(reader, line, offset);
        if (c == UTF8_INVALID)
            report_error(reader->source->report, place, "the byte 0x%02X is not valid UTF-8",
                         (unsigned char)line->text[offset]);
        else
            report_error(reader->source->report, place,
                         "the control character U+%04X cannot stand in a value", c);
        return false;
    }
    return true;
}

static void append_encoded(GString *out, const char *text, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        const char encoded[] = {'%', digits[c >> 4], digits[c & 15]};
        if (g_ascii_isalnum(text[i]))
            g_string_append_c(out, text[i]);
        else
            g_string_append_len(out, encoded, sizeof encoded);
    }
}

/* The part of the setting's value that begins at this byte of the line. */
static void take_value(struct reader *reader, const struct line *line, size_t from)
{
    size_t start = skip_blanks(line, from), end = trim_end(line, start, line->size);
    bool continues = reader->value_size > 0;
    if (start > from)
        scan_step(&reader->scan, ' ');
    for (size_t i = start; i < end; i++) {
        if (scan_is_comment(&reader->scan, line->text[i]))
            end = i;
        else
            scan_step(&reader->scan, line->text[i]);
    }
    end = trim_end(line, start, end);
    if (start == end)
        return;
    if (!check_characters(reader, line, start, end)) {
        reader->setting->is_broken = true;
        return;
    }
    size_t offset = reader->value_size + continues;
    source_add_segment(reader->source, reader->setting, offset, reader->line,
                       place_at(reader, line, start).column);
    if (continues)
        append_encoded(reader->pieces, " ", 1);
    append_encoded(reader->pieces, line->text + start, end - start);
    reader->value_size = offset + (end - start);
}

static void report_unknown_key(struct reader *reader, struct place place, const char *key)
{
    g_autofree char *quoted = report_quote(key);
    g_autofree char *title = source_section_title(reader->section);
    struct suggest suggest;
    size_t n;
    const struct setting *rows = settings_table(&n);
    suggest_init(&suggest, key);
    for (size_t i = 0; i < n; i++)
        if (setting_is_in(&rows[i], reader->section->kind))
            suggest_offer(&suggest, rows[i].key);
    for (size_t i = 0; i < n && !suggest.best; i++) {
        if (strcmp(rows[i].key, key) != 0)
            continue;
        report_error(reader->source->report, place,
                     "%s has no setting %s; it belongs in a section [%s%s]", title, quoted,
                     section_name(rows[i].section), section_has_id(rows[i].section) ? " ID" : "");
        return;
    }
    if (suggest.best)
        report_error(reader->source->report, place, "%s has no setting %s; did you mean '%s'?",
                     title, quoted, suggest.best);
    else
        report_error(reader->source->report, place, "%s has no setting %s", title, quoted);
}

static bool check_key(struct reader *reader, struct place place, const char *key)
{
    struct report *report = reader->source->report;
    if (!reader->section) {
        if (!reader->is_skipping)
            report_error(report, place, "a setting stands before the first [section]");
        reader->is_skipping = true;
        return false;
    }
    if (!settings_find(reader->section->kind, key, 0)) {
        report_unknown_key(reader, place, key);
        return false;
    }
    const struct source_setting *first = source_find(reader->section, key);
    if (first && first->place.file == place.file)
        report_error(report, place, "'%s' is set twice; the first is in line %u", key,
                     first->place.line);
    else if (first)
        report_error(report, place, "'%s' is set twice; the first is in %s:%u", key,
                     first->place.file, first->place.line);
    return !first;
}

static bool looks_like_key(const char *key)
{
    size_t size = strspn(key, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.");
    return size > 0 && key[size] == '\0';
}

static void take_setting(struct reader *reader, const struct line *line)
{
    const char *equals = memchr(line->text, '=', line->size);
    size_t at = equals ? (size_t)(equals - line->text) : line->size;
    struct place place = place_at(reader, line, 0);
    g_autofree char *key = copy(line, 0, trim_end(line, 0, at));
    if (!looks_like_key(key))
        equals = NULL; /* a line of a value that should be indented, or `url: …` */
    reader->setting = NULL;
    reader->is_skipping_value = true;
    if (!equals && (reader->section || !reader->is_skipping))
        report_error(reader->source->report, place,
                     "expected 'setting = value', a [section] or a comment; a value goes on over "
                     "lines that are indented");
    if (!equals || !check_key(reader, place, key))
        return;
    const struct setting *row = settings_find(reader->section->kind, key, 0);
    reader->setting = source_add_setting(reader->source, reader->section, row, place);
    reader->setting->is_exposed = reader->is_exposed;
    reader->is_skipping_value = false;
    reader->value_size = 0;
    scan_init(&reader->scan, setting_scan_mode(row));
    g_ptr_array_add(reader->begun, reader->setting);
    g_string_printf(reader->head, "%s=\n", key);
    take_value(reader, line, at + 1);
}

static bool check_section(struct reader *reader, struct place place, const char *name,
                          enum section_kind *ret_kind)
{
    if (section_find(name, ret_kind))
        return true;
    g_autofree char *quoted = report_quote(name);
    struct suggest suggest;
    suggest_init(&suggest, name);
    for (enum section_kind i = 0; i < SECTION_KINDS; i++)
        suggest_offer(&suggest, section_name(i));
    if (suggest.best)
        report_error(reader->source->report, place, "there is no section %s; did you mean '%s'?",
                     quoted, suggest.best);
    else
        report_error(reader->source->report, place,
                     "there is no section %s: sections are [feedwatch], [defaults], [feed ID], "
                     "[list ID], [rule ID] and [sink ID]",
                     quoted);
    return false;
}

/* What is wrong with the ID is told. Returns it as messages may show it. */
static char *take_id(struct reader *reader, const struct line *line, size_t offset,
                     enum section_kind kind, const char *id)
{
    struct parse_fault fault = {0};
    const char *name = section_name(kind);
    if (section_has_id(kind) && !*id)
        report_error(reader->source->report, place_at(reader, line, offset),
                     "[%s] needs an ID: [%s ID]", name, name);
    else if (!section_has_id(kind) && *id)
        report_error(reader->source->report, place_at(reader, line, offset),
                     "[%s] has no ID; write [%s]", name, name);
    else if (*id && !parse_id(id, &fault))
        report_error(reader->source->report, place_at(reader, line, offset + fault.offset), "%s",
                     fault.message);
    if (!fault.message)
        return g_strdup(id);
    parse_fault_clear(&fault);
    g_autofree char *clean = clean_line(id);
    return clean_shorten(clean, WRONG_ID_BYTES_MAX);
}

/* Enters the section; one that was there before is an error, except that [feedwatch] and [defaults]
 * go on in another file. */
static void enter_section(struct reader *reader, enum section_kind kind, const char *id,
                          struct place place)
{
    struct source *source = reader->source;
    g_autofree char *name = g_strdup_printf("%s %s", section_name(kind), id);
    struct source_section *first = g_hash_table_lookup(source->by_name, name);
    if (first && !section_has_id(kind) && first->place.file != place.file) {
        reader->section = first;
        return;
    }
    if (source->sections->len >= SOURCE_SECTIONS_MAX) {
        report_error(source->report, place, "there are more than %d sections", SOURCE_SECTIONS_MAX);
        reader->at = reader->size;
        return;
    }
    reader->section = source_add_section(source, kind, section_has_id(kind) ? id : NULL, place);
    if (!first) {
        source_name_section(source, name, reader->section);
        return;
    }
    g_autofree char *title = source_section_title(first);
    if (first->place.file == place.file)
        report_error(source->report, place, "%s is there twice; the first is in line %u", title,
                     first->place.line);
    else
        report_error(source->report, place, "%s is there twice; the first is in %s:%u", title,
                     first->place.file, first->place.line);
}

/* Where the name and the ID of a section header stand in its line. */
struct header {
    size_t name, name_end, id, id_end;
};

/* at is where the [ stands. */
static struct header cut_header(struct reader *reader, const struct line *line, size_t at)
{
    const char *bracket = memchr(line->text + at, ']', line->size - at);
    size_t end = bracket ? (size_t)(bracket - line->text) : trim_end(line, at + 1, line->size);
    if (!bracket)
        report_error(reader->source->report, place_at(reader, line, end),
                     "the section header does not end with ]");
    else if (!is_end(line, end + 1))
        report_error(reader->source->report, place_at(reader, line, skip_blanks(line, end + 1)),
                     "there is text behind the section header");
    struct header header = {.name = MIN(skip_blanks(line, at + 1), end)};
    header.id_end = trim_end(line, header.name, end);
    header.name_end = header.name;
    while (header.name_end < header.id_end && !scan_is_blank(line->text[header.name_end]))
        header.name_end++;
    header.id = MIN(skip_blanks(line, header.name_end), header.id_end);
    return header;
}

static void take_section(struct reader *reader, const struct line *line, size_t at)
{
    struct header header = cut_header(reader, line, at);
    g_autofree char *name = copy(line, header.name, header.name_end);
    g_autofree char *written_id = copy(line, header.id, header.id_end);
    enum section_kind kind;
    reader->section = NULL;
    reader->setting = NULL;
    reader->is_skipping = true;
    reader->is_skipping_value = false;
    if (!check_section(reader, place_at(reader, line, header.name), name, &kind))
        return;
    g_autofree char *id = take_id(reader, line, header.id, kind, written_id);
    enter_section(reader, kind, id, place_at(reader, line, at));
    reader->is_skipping = !reader->section;
    if (reader->section)
        g_string_printf(reader->head, "[%s]\n", name);
}

/* Whether an indented line looks like the header of a section: the user meant one. */
static bool is_indented_section(const struct line *line, size_t at)
{
    const char *bracket = line->text[at] == '[' ? memchr(line->text, ']', line->size) : NULL;
    if (!bracket || !is_end(line, (size_t)(bracket - line->text) + 1))
        return false;
    size_t start = skip_blanks(line, at + 1), end = start;
    while (end < line->size && g_ascii_isalpha(line->text[end]))
        end++;
    g_autofree char *name = copy(line, start, end);
    enum section_kind kind;
    return section_find(name, &kind) && (line->text[end] == ']' || scan_is_blank(line->text[end]));
}

/* The key where an indented line begins with a setting's name and `=`, else NULL. */
static char *indented_key(const struct line *line, size_t at)
{
    size_t end = at;
    while (end < line->size && (g_ascii_isalpha(line->text[end]) || line->text[end] == '_'))
        end++;
    size_t next = skip_blanks(line, end);
    if (next == line->size || line->text[next] != '=')
        return NULL;
    g_autofree char *key = copy(line, at, end);
    return settings_is_key(key) ? g_steal_pointer(&key) : NULL;
}

static void take_indented(struct reader *reader, const struct line *line, size_t at)
{
    struct report *report = reader->source->report;
    struct place place = place_at(reader, line, at);
    g_autofree char *key = indented_key(line, at);
    if (is_indented_section(line, at)) {
        report_error(report, place, "the section header is indented: it must begin in column 1");
        take_section(reader, line, at);
    } else if (key && !reader->is_skipping) {
        report_error(report, place,
                     "'%s =' is indented, so that it would continue the value above: a setting "
                     "begins in column 1",
                     key);
    } else if (reader->setting) {
        take_value(reader, line, 0);
    } else if (!reader->is_skipping && !reader->is_skipping_value) {
        report_error(report, place, "an indented line continues a value, but there is none above");
        reader->is_skipping_value = true;
    }
}

static void take_line(struct reader *reader, const struct line *line)
{
    size_t at = skip_blanks(line, 0);
    if (at == line->size || (at == 0 && (line->text[0] == ';' || line->text[0] == '#')))
        return;
    if (at == 0 && line->text[0] == '[')
        take_section(reader, line, 0);
    else if (at == 0)
        take_setting(reader, line);
    else if (line->text[at] != ';' || (reader->setting && reader->scan.inside))
        take_indented(reader, line, at);
}

static void read_line(struct reader *reader)
{
    const char *start = reader->text + reader->at;
    const char *end = memchr(start, '\n', reader->size - reader->at);
    struct line line = {start, end ? (size_t)(end - start) : reader->size - reader->at};
    reader->at += line.size + (end != NULL);
    reader->line++;
    if (line.size > 0 && line.text[line.size - 1] == '\r')
        line.size--;
    take_line(reader, &line);
}

/* As many bytes of the pieces as fit, without cutting a %XX in two. */
static size_t piece_size(const struct reader *reader, size_t max)
{
    size_t left = reader->pieces->len - reader->handed, size = MIN(left, max);
    const char *piece = reader->pieces->str + reader->handed;
    for (size_t back = 1; back <= 2 && size < left && back < size; back++)
        if (piece[size - back] == '%')
            return size - back;
    return size;
}

char *reader_next_line(char *out, int size, void *stream)
{
    struct reader *reader = stream;
    size_t room = (size_t)size;
    while (reader->head->len == 0 && reader->pieces->len == 0 && reader->at < reader->size)
        read_line(reader);
    if (reader->head->len > 0) {
        g_strlcpy(out, reader->head->str, room);
        g_string_truncate(reader->head, 0);
        return out;
    }
    if (reader->pieces->len == 0)
        return NULL;
    size_t piece = piece_size(reader, MIN(READER_PIECE_MAX, room - 3));
    g_snprintf(out, room, " %.*s\n", (int)piece, reader->pieces->str + reader->handed);
    reader->handed += piece;
    if (reader->handed == reader->pieces->len) {
        g_string_truncate(reader->pieces, 0);
        reader->handed = 0;
    }
    return out;
}
