#include "feed/date.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define JAN_2 INT64_C(1704164645) /* 2024-01-02T03:04:05Z */
#define DAY   INT64_C(1704153600) /* 2024-01-02T00:00:00Z */

static void expect(const char *text, int64_t wanted_s)
{
    int64_t got_s = 0;
    if (!date_parse(text, strlen(text), &got_s))
        fail_msg("\"%s\" is not read", text);
    if (got_s != wanted_s)
        fail_msg("\"%s\": %" G_GINT64_FORMAT ", wanted %" G_GINT64_FORMAT, text, got_s, wanted_s);
}

static void test_same_moment(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Tue, 02 Jan 2024 03:04:05 GMT",
        "2024W012T030405Z",
        "2024-001-02T03:04:05Z",
        "24-01-02 03:04:05",
        "2024–01–02 03:04:05",
        "2024-01-02T03:04:05-00:00Z",
        "Mon, 01 Jan 2024 23:04:05 AT",
        "Tue, 02 Jan 2024 06:04:05 мск",
        "٢ يناير ٢٠٢٤ ٠٣:٠٤:٠٥",
        "２０２４年１月２日　０３：０４：０５",
        "2024年1月2日 午前3:04:05",
        "2 tháng 1, 2024 03:04:05",
        "Tue, 2 Jan 2024 3:04:05 GMT",
        "Tue,02 Jan 2024 03:04:05 +0000",
        "  Tue , 02 Jan 2024 03:04:05 -0000\n",
        "02 Jan 2024 03:04:05 UT",
        "02 Jan 24 03:04:05 Z",
        "Tue, 02 Jan 2024 05:04:05 +0200",
        "Tue, 02 Jan 2024 05:04:05 +02:00",
        "Tue, 02 Jan 2024 05:04:05 +2",
        "Tue, 02 Jan 2024 05:04:05 GMT+2",
        "Tue, 02 Jan 2024 05:04:05 UTC+02:00",
        "Tue, 02 Jan 2024 05:04:05 +0200 (EET)",
        "Tue, 02 Jan 2024 05:04:05 +0200 (Eastern European Time)",
        "Mon, 01 Jan 2024 22:04:05 EST",
        "Mon, 01 Jan 2024 20:04:05 PDT",
        "Tue, 02 Jan 2024 04:04:05 CET",
        "Tue, 02 Jan 2024 08:34:05 IST",
        "Tue, 02 Jan 2024 12:04:05 JST",
        "Tue, 02 Jan 2024 06:04:05 MSK",
        "Tue, 02 Jan 2024 03:04:05",
        "Tue, 02 Jan 2024 03:04:05.678 GMT",
        "tue, 02 jan 2024 03:04:05 gmt",
        "TUESDAY, 02-JAN-24 03:04:05 GMT",
        "Tuesday, 02-Jan-2024 03:04:05 GMT",
        "Tue Jan  2 03:04:05 2024",
        "Tue Jan 02 03:04:05 UTC 2024",
        "Tue Jan 02 03:04:05 +0000 2024",
        "January 2nd, 2024 3:04:05 am",
        "2024-01-02T03:04:05Z",
        "2024-01-02t03:04:05z",
        "2024-01-02T03:04:05+00:00",
        "2024-01-02T03:04:05.678901234Z",
        "2024-01-02T03:04:05,678Z",
        "2024-01-02T08:49:05+05:45",
        "2024-01-01T19:04:05-08",
        "2024-01-01T19:04:05-0800",
        "2024-01-02 03:04:05",
        "2024-01-02 03:04:05 UTC",
        "2024-01-02T03:04:05 +0000",
        "2024-1-2T3:4:5Z",
        "2024/01/02 03:04:05",
        "2024.01.02 03:04:05",
        "20240102T030405Z",
        "20240102030405",
        "1/2/2024 3:04:05 AM",
        "01/02/2024 03:04:05",
        "02.01.2024 03:04:05",
        "2024-W01-2T03:04:05Z",
        "2024-002T03:04:05Z",
        "1704164645",
        "1704164645678",
        "1704164645.678",
        "Tue, 02 Jan 2024 05:04:05 \xE2\x88\x92" /* a minus sign */
        "0000",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts) - 1; i++)
        expect(texts[i], JAN_2);
    expect(texts[G_N_ELEMENTS(texts) - 1], JAN_2 + 2 * 3600);
}

static void test_days(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "2024-01-02",
        "20240102",
        "2024-002",
        "2024-W01-2",
        "02 Jan 2024",
        "2 January 2024",
        "Jan 2, 2024",
        "Tuesday, January 2, 2024",
        "2. Januar 2024",
        "Di, 02 Jan 2024",
        "mar, 02 janv. 2024",
        "mardi 2 janvier 2024",
        "martes, 2 de enero de 2024",
        "2 gennaio 2024",
        "terça-feira, 2 de janeiro de 2024",
        "2 januari 2024",
        "2 stycznia 2024",
        "2. ledna 2024",
        "2. tammikuuta 2024",
        "2024. jan. 2.",
        "2 ianuarie 2024",
        "2 Ocak 2024",
        "2 января 2024 г.",
        "вт, 02 янв 2024",
        "2 січня 2024",
        "2 Ιανουαρίου 2024",
        "2024年1月2日",
        "2024년 1월 2일",
        "01/02/2024",
        "2024/1/2",
        "2.1.2024",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        expect(texts[i], DAY);
}

static void test_months(void **state)
{
    (void)state;
    static const struct {
        const char *names;
        int64_t first_s; /* of the month in 2023 */
    } months[] = {
        {"February Feb février febrero febbraio fevereiro februari luty února helmikuu февраля",
         1675209600},
        {"March Mar März mars marzo março maart marca března maaliskuu марта", 1677628800},
        {"April avril abril aprile kwietnia dubna huhtikuu апреля", 1680307200},
        {"May Mai mai mayo maggio maio mei maja května toukokuu мая", 1682899200},
        {"June Juni juin junio giugno junho czerwca června kesäkuu июня", 1685577600},
        {"July Juli juillet julio luglio julho lipca července heinäkuu июля", 1688169600},
        {"August août agosto sierpnia srpna elokuu августа", 1690848000},
        {"September Sept septembre setembro settembre września září syyskuu сентября", 1693526400},
        {"October Oktober octobre octubre ottobre outubro października října lokakuu октября",
         1696118400},
        {"November novembre noviembre listopada marraskuu ноября", 1698796800},
        {"December Dezember décembre diciembre dicembre dezembro grudnia prosince joulukuu декабря",
         1701388800},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(months); i++) {
        g_auto(GStrv) names = g_strsplit(months[i].names, " ", -1);
        for (char **name = names; *name; name++) {
            g_autofree char *text = g_strdup_printf("1 %s 2023", *name);
            expect(text, months[i].first_s);
        }
    }
}

/* The twelve months in order, a language a row. */
static void test_languages(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "Jänner Feber Maerz April Mai Juni Juli August September Oktober November Dezember",
        "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
        "xaneiro febreiro marzo abril maio xuño xullo agosto setembro outubro novembro decembro",
        "urtarrila otsaila martxoa apirila maiatza ekaina uztaila abuztua iraila urria azaroa "
        "abendua",
        "januar februar marts april maj juni juli august september oktober november desember",
        "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
        "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad "
        "grudzień",
        "leden únor březen duben květen červen červenec srpen září říjen listopad prosinec",
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "студзеня лютага сакавіка красавіка мая чэрвеня ліпеня жніўня верасня кастрычніка "
        "лістапада снежня",
        "януари февруари март април май юни юли август септември октомври ноември декември",
        "јануар фебруар март април мај јун јул август септембар октобар новембар децембар",
        "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
        "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου "
        "Οκτωβρίου Νοεμβρίου Δεκεμβρίου",
        "jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec.",
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie "
        "decembrie",
        "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november "
        "detsember",
        "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris "
        "novembris decembris",
        "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio "
        "lapkričio gruodžio",
        "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
        "Januari Februari Mac April Mei Jun Julai Ogos September Oktober November Disember",
        "בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר",
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) names = g_strsplit(rows[i], " ", -1);
        assert_int_equal(g_strv_length(names), 12);
        for (int month = 1; month <= 12; month++) {
            g_autofree char *named = g_strdup_printf("1 %s 2023", names[month - 1]);
            g_autofree char *numbered = g_strdup_printf("2023-%02d-01", month);
            int64_t first_s = 0;
            assert_true(date_parse(numbered, strlen(numbered), &first_s));
            expect(named, first_s);
        }
    }
}

static void test_precision_and_halves(void **state)
{
    (void)state;
    expect("2024", 1704067200);
    expect("2024-01", 1704067200);
    expect("202401", 1704067200);
    expect("Jan. 2024", 1704067200);
    expect("2024-01-02T03:04Z", JAN_2 - 5);
    expect("2024-01-02T03Z", JAN_2 - 245);
    expect("Tue, 02 Jan 2024 03:04 +0000", JAN_2 - 5);
    expect("January 2, 2024 12:30 am", DAY + 30 * 60);
    expect("January 2, 2024 12:30 p.m.", DAY + 12 * 3600 + 30 * 60);
    expect("January 2, 2024 - 3:09pm", DAY + 15 * 3600 + 9 * 60);
    expect("2 Jan 2024, 3 PM", DAY + 15 * 3600);
    expect("Tue, 02 Jan 2024 03:04:05 PM GMT", JAN_2 + 12 * 3600);
    expect("2 janvier 2024 \xC3\xA0 14h30", DAY + 14 * 3600 + 30 * 60);
    expect("Tue, 02 Jan 2024 24:00:00 GMT", DAY + 86400);
    expect("2023-12-31T23:59:60Z", 1704067200);
    expect("12/31/2023", 1703980800);
    expect("31/12/2023", 1703980800);
    expect("31 Dec 99 23:59:59 +0000", 946684799);
    expect("Wed, 31 Dec 1969 23:59:59 GMT", -1);
    expect("29 Feb 2024", 1709164800);
    expect("2020-W53-7", 1609632000);
}

/* ISO 8601 of 1988, in which the century may be left out. */
static void test_short_years(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t wanted_s;
    } cases[] = {
        {"-2401", 1704067200},    {"-24-01", 1704067200},  {"240102", DAY},
        {"24002", DAY},           {"24-01-02", DAY},       {"202401", 1704067200},
        {"991231", 946598400},    {"99-12-31", 946598400}, {"31-12-99", 946598400},
        {"03-12-31", 1072828800},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        expect(cases[i].text, cases[i].wanted_s);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "soon",
        "Tomorrow",
        "12:30",
        "0000-00-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "292277026596-12-04T15:30:08Z",
        "-292277022657-01-27T08:29:52Z",
        "Sun, 04 Dec 292277026596 15:30:08 GMT",
        "99999999999999999999",
        "9223372036854775807",
        "2024-13-01",
        "2024-00-01",
        "2024-02-30",
        "2023-02-29",
        "Tue, 32 Jan 2024 03:04:05 GMT",
        "Tue, 02 Jan 2024 25:00:00 GMT",
        "Tue, 02 Jan 2024 03:60:00 GMT",
        "Tue, 02 Jan 2024 03:04:61 GMT",
        "Tue, 02 Jan 2024 03:04:05 +9900",
        "Tue, 02 Jan 2024 03:04:05 -99999999999999999999",
        "2024-W54-1",
        "2024-W01-8",
        "2024-367",
        "2024-000",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        int64_t got_s = 42;
        if (date_parse(texts[i], strlen(texts[i]), &got_s))
            fail_msg("\"%s\" is read as %" G_GINT64_FORMAT, texts[i], got_s);
        assert_int_equal(got_s, 42);
    }
}

/* The process's own time zone must not matter. */
static void test_no_local_zone(void **state)
{
    (void)state;
    g_setenv("TZ", "America/St_Johns", TRUE);
    expect("Tue, 02 Jan 2024 03:04:05", JAN_2);
    expect("2024-01-02 03:04:05", JAN_2);
    g_unsetenv("TZ");
}

/* Every day of 400 years by another way of counting. */
static void test_calendar(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -25567; /* 1900-01-01 */
    for (int year = 1900; year < 2300; year++) {
        bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && is_leap);
            for (int day = 1; day <= length; day++, days++) {
                char text[16];
                g_snprintf(text, sizeof text, "%d-%02d-%02d", year, month, day);
                int64_t got_s = 0;
                assert_true(date_parse(text, strlen(text), &got_s));
                assert_int_equal(got_s, days * 86400);
            }
        }
    }
}

/* No prefix and no cut of a date is a reason to read beyond its end. */
static void test_every_part(void **state)
{
    (void)state;
    static const char *const texts[] = {"Tue, 02 Jan 2024 03:04:05.678 +0200 (EET)",
                                        "2024-01-02T03:04:05.678+02:00", "2024-W01-2T03",
                                        "2024年1月2日 上午3時4分5秒", "a.m. p.m. 1.2.3."};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        size_t size = strlen(texts[i]);
        for (size_t from = 0; from < size; from++) {
            for (size_t n = 0; from + n <= size; n++) {
                int64_t got_s = 0;
                char *exact = malloc(n ? n : 1);
                memcpy(exact, texts[i] + from, n);
                date_parse(exact, n, &got_s);
                free(exact);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_moment),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_precision_and_halves),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_short_years),
        cmocka_unit_test(test_no_local_zone),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
