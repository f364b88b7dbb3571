#include "feed/date.h"

#include "feed/date_names.h"
#include "text/utf8.h"

#include <glib.h>
#include <string.h>

#define UNSET    (-1)
#define ZONE_MAX (15 * 60) /* minutes; nobody is further from Greenwich */
#define WORD_MAX 40
#define DATE_MAX 200 /* bytes; a longer text is no date */

/* What was read so far; UNSET where nothing was. */
struct reading {
    const char *p, *end;
    int64_t year;
    int month, day, hour, minute, second;
    int zone_minutes;
    bool has_zone, is_weak_month, is_afternoon, has_half;
    bool is_month_next; /* Vietnamese: the month's number follows its word */
    bool is_wrong;      /* something is out of its range */
};

static bool is_in(int value, int low, int high)
{
    return value >= low && value <= high;
}

static bool is_digit(const struct reading *r, size_t at)
{
    return r->p + at < r->end && g_ascii_isdigit(r->p[at]);
}

static size_t count_digits(const struct reading *r)
{
    size_t n = 0;
    while (is_digit(r, n))
        n++;
    return n;
}

/* Reads at most max digits; *ret_n says how many there were. */
static int64_t read_number(struct reading *r, size_t max, size_t *ret_n)
{
    int64_t value = 0;
    size_t n = 0;
    for (; n < max && is_digit(r, 0); n++)
        value = value * 10 + (*r->p++ - '0');
    *ret_n = n;
    return value;
}

static int read_int(struct reading *r, size_t max)
{
    size_t n = 0;
    int64_t value = read_number(r, max, &n);
    return n > 0 ? (int)value : UNSET;
}

static bool is_at(const struct reading *r, size_t at, char c)
{
    return r->p + at < r->end && r->p[at] == c;
}

static bool take(struct reading *r, char c)
{
    if (!is_at(r, 0, c))
        return false;
    r->p++;
    return true;
}

static bool take_text(struct reading *r, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(r->end - r->p) < size || memcmp(r->p, text, size) != 0)
        return false;
    r->p += size;
    return true;
}

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int64_t year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static void set_from_days(struct reading *r, int64_t days)
{
    /* The year is known to within one; then month by month. */
    r->month = 1;
    while (days >= days_in_month(r->year, r->month)) {
        days -= days_in_month(r->year, r->month);
        if (++r->month > 12) {
            r->month = 1;
            r->year++;
        }
    }
    while (days < 0) {
        if (--r->month < 1) {
            r->month = 12;
            r->year--;
        }
        days += days_in_month(r->year, r->month);
    }
    r->day = (int)days + 1;
}

/* "-W05-2" behind the year; r->p is at the W. */
static void read_week(struct reading *r)
{
    r->p++;
    int week = read_int(r, 2);
    take(r, '-');
    int day = read_int(r, 1);
    day = day == UNSET ? 1 : day;
    r->is_wrong |= week < 1 || week > 53 || day < 1 || day > 7;
    if (r->is_wrong)
        return;
    int64_t first = days_from_civil(r->year, 1, 4); /* always in week 1 */
    int64_t weekday = (first + 3) % 7;              /* 0: Monday */
    weekday = weekday < 0 ? weekday + 7 : weekday;
    set_from_days(r, first - weekday + (week - 1) * 7 + day - 1 - days_from_civil(r->year, 1, 1));
}

static void read_ordinal(struct reading *r)
{
    int day = read_int(r, 3);
    r->is_wrong |= day < 1 || day > 366;
    if (!r->is_wrong)
        set_from_days(r, day - 1);
}

/* What follows the year in "2024-01-02", "20240102", "2024/1/2", "2024-W01-2", "2024-002". */
static void read_iso_day(struct reading *r)
{
    size_t digits = count_digits(r);
    if (is_at(r, 0, 'W')) {
        read_week(r);
    } else if (digits >= 4) {
        r->month = read_int(r, 2);
        r->day = read_int(r, 2);
    } else if (digits == 3) {
        read_ordinal(r);
    } else if (digits == 2) {
        r->month = read_int(r, 2);
    } else if (r->p < r->end && strchr("-/.", *r->p)) {
        char separator = *r->p++;
        if (is_at(r, 0, 'W'))
            read_week(r);
        else if (count_digits(r) == 3 && (!is_at(r, 3, separator) || !is_digit(r, 4)))
            read_ordinal(r);
        else if ((r->month = read_int(r, 3)) != UNSET && take(r, separator)) /* or "012" */
            r->day = read_int(r, 2);
    }
}

/* "T030405": time without colons, right behind a date. */
static void read_compact_time(struct reading *r)
{
    bool has_t = is_at(r, 0, 'T') || is_at(r, 0, 't');
    size_t at = has_t ? 1 : 0;
    r->p += at;
    size_t digits = count_digits(r);
    if ((digits != 4 && digits != 6) || (!has_t && digits != 6)) {
        if (!has_t || digits != 2 || is_at(r, 2, ':')) {
            r->p -= at;
            return;
        }
    }
    r->hour = read_int(r, 2);
    if (digits >= 4)
        r->minute = read_int(r, 2);
    if (digits == 6)
        r->second = read_int(r, 2);
}

/* Four digits at the beginning that go on as ISO 8601 does. */
static bool begins_iso(const struct reading *r)
{
    size_t digits = count_digits(r);
    if (digits == 7 || digits == 8 || digits == 12 || digits == 14)
        return true;
    if (digits == 6) { /* YYYYMM, or YYMMDD */
        int month = (r->p[4] - '0') * 10 + r->p[5] - '0';
        int century = (r->p[0] - '0') * 10 + r->p[1] - '0';
        return is_in(century, 19, 20) && is_in(month, 1, 12);
    }
    if (digits != 4)
        return false;
    bool is_alone = r->p + 4 == r->end;
    bool has_separator = is_at(r, 4, '-') || is_at(r, 4, '/') || is_at(r, 4, '.');
    bool has_week = is_at(r, 4, 'W') && is_digit(r, 5);
    return is_alone || has_week || (has_separator && (is_digit(r, 5) || is_at(r, 5, 'W')));
}

static void read_iso(struct reading *r)
{
    r->year = read_int(r, 4);
    read_iso_day(r);
    if (r->month == UNSET)
        r->month = 1;
    if (r->day == UNSET)
        r->day = 1;
    read_compact_time(r);
}

static void read_seconds(struct reading *r, char separator)
{
    r->second = read_int(r, 2);
    if (r->second == UNSET)
        r->second = 0;
    if (is_at(r, 0, '.') || is_at(r, 0, ',') || (separator == ':' && is_at(r, 0, ':'))) {
        if (!is_digit(r, 1))
            return;
        r->p++;
        while (is_digit(r, 0))
            r->p++;
    }
}

/* "03:04:05.678"; the hour is read already and r->p at the separator. */
static void read_clock(struct reading *r, int hour)
{
    char separator = *r->p++;
    r->hour = hour;
    r->minute = read_int(r, 2);
    if (r->minute == UNSET)
        r->minute = 0;
    if (is_at(r, 0, separator) && is_digit(r, 1)) {
        r->p++;
        read_seconds(r, separator);
    }
}

static int64_t full_year(int64_t year, size_t digits)
{
    if (digits == 2)
        return year < 50 ? 2000 + year : 1900 + year;
    return digits == 3 ? 1900 + year : year;
}

/* "12/31/2023", "31.12.2023": first is read already, r->p at the separator. */
static void read_numeric_date(struct reading *r, int64_t first, size_t first_digits)
{
    char separator = *r->p++;
    size_t n = 0;
    int64_t second = read_number(r, 2, &n);
    r->p++;
    size_t year_digits = 0;
    int64_t third = read_number(r, 4, &year_digits);
    bool is_iso = separator == '-' && first_digits == 2 && year_digits == 2 && third <= 31 &&
                  second >= 1 && second <= 12;
    if (first_digits == 4 || is_iso || (first > 31 && year_digits == 2)) {
        r->year = full_year(first, first_digits);
        r->month = (int)second;
        r->day = (int)third;
        return;
    }
    bool month_first = separator == '/' ? first <= 12 : second > 12;
    r->year = full_year(third, year_digits);
    r->month = (int)(month_first ? first : second);
    r->day = (int)(month_first ? second : first);
}

/* Whether "N/N" or the like follows the number just read. */
static bool continues_numeric_date(const struct reading *r)
{
    if (r->p >= r->end || !strchr("/.-", *r->p) || !is_digit(r, 1))
        return false;
    size_t at = is_digit(r, 2) ? 3 : 2;
    return is_at(r, at, *r->p) && is_digit(r, at + 1);
}

/* Chinese, Japanese and Korean put the unit behind the number. */
static bool take_unit(struct reading *r, int64_t value)
{
    if (take_text(r, "年") || take_text(r, "년"))
        r->year = value;
    else if (take_text(r, "月") || take_text(r, "월"))
        r->month = (int)value;
    else if (take_text(r, "日") || take_text(r, "일") || take_text(r, "号"))
        r->day = (int)value;
    else if (take_text(r, "時") || take_text(r, "时") || take_text(r, "시") || take_text(r, "点"))
        r->hour = (int)value;
    else if (take_text(r, "分") || take_text(r, "분"))
        r->minute = (int)value;
    else if (take_text(r, "秒") || take_text(r, "초"))
        r->second = (int)value;
    else
        return false;
    return true;
}

static bool has_half_of_day(const struct reading *r)
{
    const char *p = r->p;
    while (p < r->end && *p == ' ')
        p++;
    return r->end - p >= 2 && strchr("aApP", *p) && (p[1] == 'm' || p[1] == 'M' || p[1] == '.');
}

static void take_plain_number(struct reading *r, int64_t value, size_t digits)
{
    if (digits > 4)
        return;
    if (digits >= 3) {
        bool is_time = r->year != UNSET && r->hour == UNSET && digits == 4;
        if (is_time) {
            r->hour = (int)(value / 100);
            r->minute = (int)(value % 100);
        } else if (r->year == UNSET) {
            r->year = full_year(value, digits);
        }
    } else if (r->day == UNSET) {
        r->day = (int)value;
    } else if (r->year == UNSET) {
        r->year = full_year(value, 2);
    }
}

static void take_number(struct reading *r)
{
    size_t digits = 0;
    int64_t value = read_number(r, 18, &digits);
    bool is_short = digits <= 2;
    bool is_dated = r->year != UNSET && r->day != UNSET;
    if (take_unit(r, value))
        return;
    if (r->is_month_next) {
        r->month = (int)value;
        r->is_month_next = false;
    } else if (is_short && r->hour == UNSET && is_digit(r, 1) &&
               (is_at(r, 0, ':') || is_at(r, 0, 'h') || (is_dated && is_at(r, 0, '.'))))
        read_clock(r, (int)value);
    else if (is_short && r->hour == UNSET && has_half_of_day(r))
        r->hour = (int)value;
    else if ((is_short || digits == 4) && r->day == UNSET && continues_numeric_date(r))
        read_numeric_date(r, value, digits);
    else
        take_plain_number(r, value, digits);
}

/* "+0200", "-05:30", "+2"; r->p is behind the sign. */
static void take_offset(struct reading *r, int sign)
{
    size_t digits = count_digits(r);
    int hours = read_int(r, digits == 3 || digits == 1 ? 1 : 2);
    take(r, ':');
    int minutes = read_int(r, 2);
    minutes = minutes == UNSET ? 0 : minutes;
    while (is_digit(r, 0))
        r->p++;
    int offset = hours * 60 + minutes;
    r->is_wrong |= offset > ZONE_MAX || minutes > 59;
    r->zone_minutes = sign * offset;
    r->has_zone = true;
}

static bool is_word_byte(const struct reading *r)
{
    return r->p < r->end && (g_ascii_isalpha(*r->p) || (unsigned char)*r->p >= 0x80);
}

/* Reads a word into lower case without its dots: "a.m." is "am". */
static void read_word(struct reading *r, char ret_word[WORD_MAX])
{
    char raw[WORD_MAX];
    size_t n = 0;
    while (is_word_byte(r) || (is_at(r, 0, '.') && r->p + 1 < r->end && g_ascii_isalpha(r->p[1]))) {
        if (*r->p != '.' && n + 1 < sizeof raw)
            raw[n++] = *r->p;
        r->p++;
    }
    raw[n] = '\0';
    if (g_str_is_ascii(raw)) {
        for (size_t i = 0; i <= n; i++)
            ret_word[i] = g_ascii_tolower(raw[i]);
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(raw, (gssize)n);
    g_autofree char *lower = g_utf8_strdown(valid, -1);
    g_autofree char *composed = g_utf8_normalize(lower, -1, G_NORMALIZE_NFC);
    g_strlcpy(ret_word, composed ? composed : lower, WORD_MAX);
}

/* The half of the day that a word names: 'a', 'p', or 0. */
static char half_of_day(const char *word)
{
    static const char *const mornings[] = {"am", "上午", "午前", "오전", "ص", NULL};
    static const char *const afternoons[] = {"pm", "下午", "午後", "오후", "م", NULL};
    if (g_strv_contains(mornings, word))
        return 'a';
    return g_strv_contains(afternoons, word) ? 'p' : '\0';
}

/* Nearly every word is one of these: no need to look further. */
static bool is_weekday(const char *word)
{
    static const char days[] = "sun mon tue wed thu fri sat";
    const char *found = strlen(word) == 3 ? strstr(days, word) : NULL;
    return found && (found - days) % 4 == 0;
}

static void take_word(struct reading *r)
{
    char word[WORD_MAX];
    bool is_weak = false;
    int zone = 0;
    read_word(r, word);
    if (is_weekday(word))
        return;
    int month = date_month(word, &is_weak);
    char half = half_of_day(word);
    if (half) {
        r->has_half = true;
        r->is_afternoon = half == 'p';
    } else if (g_str_equal(word, "tháng")) {
        r->is_month_next = true;
    } else if (r->hour != UNSET && !r->has_zone && date_zone(word, &zone)) {
        r->zone_minutes = zone;
        r->has_zone = zone != 0; /* "GMT+2" says more */
    } else if (month > 0 && (r->month == UNSET || r->is_weak_month) &&
               (!is_weak || r->month == UNSET)) {
        r->month = month;
        r->is_weak_month = is_weak;
    }
}

static void take_sign(struct reading *r)
{
    int sign = *r->p == '+' ? 1 : -1;
    r->p++;
    if (is_digit(r, 0) && r->hour != UNSET)
        take_offset(r, sign);
}

static void read_rest(struct reading *r)
{
    while (r->p < r->end) {
        if (is_digit(r, 0))
            take_number(r);
        else if (*r->p == '+' || *r->p == '-')
            take_sign(r);
        else if (take_text(r, "\xE2\x88\x92") && is_digit(r, 0) && r->hour != UNSET)
            take_offset(r, -1); /* a real minus sign */
        else if (is_word_byte(r))
            take_word(r);
        else if (r->p < r->end)
            r->p++;
    }
}

/* ISO 8601 before 2000 let the century be left out: "-0312", "-03-12", "031231", "03335". */
static bool read_short_iso(struct reading *r)
{
    size_t dash = is_at(r, 0, '-') ? 1 : 0;
    struct reading copy = *r;
    copy.p += dash;
    size_t digits = count_digits(&copy);
    size_t used = digits;
    copy.year = full_year(read_int(&copy, 2), 2);
    if (dash && digits == 2 && take(&copy, '-') && count_digits(&copy) == 2)
        used += 2;
    copy.month = dash || digits == 6 ? read_int(&copy, 2) : UNSET;
    if (digits == 6)
        copy.day = read_int(&copy, 2);
    else if (digits == 5)
        read_ordinal(&copy);
    bool is_one = copy.p == copy.end && (dash ? used == 4 : digits == 5 || digits == 6) &&
                  is_in(copy.month, 1, 12);
    if (is_one)
        *r = copy;
    return is_one;
}

/* Digits of other scripts, dashes and blanks as ASCII has them. Returns how many bytes out has. */
static size_t to_ascii(const char *text, size_t size, char out[DATE_MAX])
{
    size_t n = 0;
    for (size_t pos = 0; pos < size;) {
        size_t start = pos;
        uint32_t c = utf8_next(text, size, &pos);
        int digit = c != UTF8_INVALID && c >= 0x80 ? g_unichar_digit_value(c) : -1;
        if (digit >= 0)
            out[n++] = (char)('0' + digit);
        else if (c >= 0x2010 && c <= 0x2015)
            out[n++] = '-';
        else if (c == 0xA0 || c == 0x2009 || c == 0x202F || c == 0x3000)
            out[n++] = ' ';
        else if (c == 0xFF1A)
            out[n++] = ':';
        else if (c != 0x200E && c != 0x200F) /* direction marks */
            for (size_t i = start; i < pos; i++)
                out[n++] = text[i];
    }
    return n;
}

/* Seconds, milli- or microseconds since 1970. */
static bool read_epoch(const struct reading *r, int64_t *ret_s)
{
    struct reading copy = *r;
    size_t digits = 0;
    int64_t value = read_number(&copy, 17, &digits);
    bool is_whole = copy.p == copy.end || *copy.p == '.';
    bool is_fine = digits == 13 || digits == 16;
    if (!is_whole || (!is_fine && (digits < 9 || digits > 11)))
        return false;
    for (; digits > 11; digits -= 3)
        value /= 1000;
    *ret_s = value;
    return value < days_from_civil(DATE_YEAR_MAX + 1, 1, 1) * 86400;
}

static bool finish(struct reading *r, int64_t *ret_s)
{
    if (r->month == UNSET || r->year == UNSET)
        return false;
    r->day = r->day == UNSET ? 1 : r->day;
    r->hour = r->hour == UNSET ? 0 : r->hour;
    r->minute = r->minute == UNSET ? 0 : r->minute;
    r->second = r->second == UNSET ? 0 : r->second;
    if (r->has_half && r->hour <= 12)
        r->hour = r->hour % 12 + (r->is_afternoon ? 12 : 0);
    bool is_midnight = r->hour == 24 && r->minute == 0 && r->second == 0;
    if (r->is_wrong || r->year < DATE_YEAR_MIN || r->year > DATE_YEAR_MAX ||
        !is_in(r->month, 1, 12) || !is_in(r->day, 1, days_in_month(r->year, r->month)) ||
        (!is_in(r->hour, 0, 23) && !is_midnight) || !is_in(r->minute, 0, 59) ||
        !is_in(r->second, 0, 60))
        return false;
    *ret_s = days_from_civil(r->year, r->month, r->day) * 86400 + r->hour * 3600 +
             (r->minute - r->zone_minutes) * 60 + r->second;
    return true;
}

bool date_parse(const char *text, size_t size, int64_t *ret_s)
{
    while (size > 0 && g_ascii_isspace(*text)) {
        text++;
        size--;
    }
    while (size > 0 && g_ascii_isspace(text[size - 1]))
        size--;
    if (size == 0 || size > DATE_MAX)
        return false;
    char ascii[DATE_MAX];
    size = to_ascii(text, size, ascii);
    struct reading r = {
        .p = ascii,
        .end = ascii + size,
        .year = UNSET,
        .month = UNSET,
        .day = UNSET,
        .hour = UNSET,
        .minute = UNSET,
        .second = UNSET,
    };
    if (read_epoch(&r, ret_s))
        return true;
    if (begins_iso(&r))
        read_iso(&r);
    else if (read_short_iso(&r))
        return finish(&r, ret_s);
    read_rest(&r);
    return finish(&r, ret_s);
}
