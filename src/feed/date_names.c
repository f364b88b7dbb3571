#include "feed/date_names.h"

#include <glib.h>
#include <string.h>

/* How the names of months begin, longer before shorter where one begins another. English, German,
 * French, Spanish, Catalan, Galician, Basque, Italian, Portuguese, Dutch, Scandinavian, Icelandic,
 * Polish, Czech, Slovak, Croatian, Serbian, Slovene, Finnish, Estonian, Latvian, Lithuanian,
 * Hungarian, Romanian, Turkish, Indonesian, Malay, Greek, Russian, Ukrainian, Belarusian,
 * Bulgarian, Macedonian, Hebrew, Arabic, Persian. Where two languages disagree ("listopad" is
 * October in Croatian, November in Polish and Czech) the one that more people write counts. */
static const struct {
    const char *stem;
    signed char month;
    bool is_weak;
} months[] = {
    {"červenec", 7, false}, {"července", 7, false}, {"cervenec", 7, false}, {"cervence", 7, false},
    {"maalis", 3, false},   {"marras", 11, false},  {"lipnj", 6, false},    {"srpnj", 7, false},
    {"juin", 6, false},     {"juil", 7, false},     {"jan", 1, false},      {"jän", 1, false},
    {"jaan", 1, false},     {"gen", 1, false},      {"ene", 1, false},      {"ian", 1, false},
    {"sty", 1, false},      {"led", 1, false},      {"tammi", 1, false},    {"oca", 1, false},
    {"urt", 1, false},      {"xan", 1, false},      {"sau", 1, false},      {"sij", 1, false},
    {"янв", 1, false},      {"січ", 1, false},      {"ιαν", 1, false},      {"яну", 1, false},
    {"јан", 1, false},      {"сту", 1, false},      {"ינו", 1, false},      {"يناير", 1, false},
    {"ژانویه", 1, false},   {"feb", 2, false},      {"fév", 2, false},      {"fev", 2, false},
    {"lut", 2, false},      {"úno", 2, false},      {"uno", 2, false},      {"helmi", 2, false},
    {"şub", 2, false},      {"veeb", 2, false},     {"ots", 2, false},      {"vas", 2, true},
    {"vel", 2, false},      {"фев", 2, false},      {"феб", 2, false},      {"лют", 2, false},
    {"φεβ", 2, false},      {"פבר", 2, false},      {"فبراير", 2, false},   {"شباط", 2, false},
    {"فوریه", 2, false},    {"mär", 3, false},      {"maerz", 3, false},    {"mrz", 3, false},
    {"mrt", 3, false},      {"már", 3, false},      {"bře", 3, false},      {"ožu", 3, false},
    {"kov", 3, false},      {"mar", 3, true},       {"maa", 3, true},       {"mac", 3, true},
    {"бер", 3, false},      {"мар", 3, false},      {"сак", 3, false},      {"μαρ", 3, false},
    {"μάρ", 3, false},      {"מרץ", 3, false},      {"מרס", 3, false},      {"مارس", 3, false},
    {"آذار", 3, false},     {"apr", 4, false},      {"avr", 4, false},      {"abr", 4, false},
    {"ápr", 4, false},      {"kwi", 4, false},      {"dub", 4, false},      {"huhti", 4, false},
    {"nis", 4, false},      {"bal", 4, false},      {"apir", 4, false},     {"tra", 4, false},
    {"апр", 4, false},      {"кві", 4, false},      {"крас", 4, false},     {"απρ", 4, false},
    {"אפר", 4, false},      {"أبريل", 4, false},    {"ابريل", 4, false},    {"نيسان", 4, false},
    {"آوریل", 4, false},    {"may", 5, false},      {"mai", 5, false},      {"maj", 5, false},
    {"máj", 5, false},      {"mei", 5, false},      {"mag", 5, false},      {"maí", 5, false},
    {"kvě", 5, false},      {"kve", 5, false},      {"touko", 5, false},    {"geg", 5, false},
    {"svi", 5, false},      {"мая", 5, false},      {"май", 5, false},      {"тра", 5, false},
    {"мај", 5, false},      {"μαΐ", 5, false},      {"μάι", 5, false},      {"μαϊ", 5, false},
    {"מאי", 5, false},      {"مايو", 5, false},     {"أيار", 5, false},     {"jun", 6, false},
    {"jún", 6, false},      {"jūn", 6, false},      {"juun", 6, false},     {"giu", 6, false},
    {"cze", 6, false},      {"čer", 6, false},      {"cer", 6, false},      {"kes", 6, false},
    {"haz", 6, false},      {"iun", 6, false},      {"bir", 6, false},      {"eka", 6, false},
    {"xuñ", 6, false},      {"июн", 6, false},      {"чер", 6, false},      {"чэр", 6, false},
    {"јун", 6, false},      {"юни", 6, false},      {"ιουν", 6, false},     {"ιούν", 6, false},
    {"יונ", 6, false},      {"يونيو", 6, false},    {"يونيه", 6, false},    {"حزيران", 6, false},
    {"ژوئن", 6, false},     {"jul", 7, false},      {"júl", 7, false},      {"jūl", 7, false},
    {"juul", 7, false},     {"jui", 7, false},      {"lug", 7, false},      {"lip", 7, false},
    {"hein", 7, false},     {"tem", 7, false},      {"iul", 7, false},      {"lie", 7, false},
    {"uzt", 7, false},      {"xul", 7, false},      {"čvc", 7, false},      {"июл", 7, false},
    {"лип", 7, false},      {"ліп", 7, false},      {"јул", 7, false},      {"юли", 7, false},
    {"ιουλ", 7, false},     {"ιούλ", 7, false},     {"יול", 7, false},      {"يوليو", 7, false},
    {"يوليه", 7, false},    {"تموز", 7, false},     {"ژوئیه", 7, false},    {"aug", 8, false},
    {"aoû", 8, false},      {"aou", 8, false},      {"ago", 8, false},      {"agu", 8, false},
    {"avg", 8, false},      {"ogo", 8, false},      {"ágú", 8, false},      {"sie", 8, false},
    {"srp", 8, false},      {"elo", 8, false},      {"ağu", 8, false},      {"rugp", 8, false},
    {"abu", 8, false},      {"kol", 8, false},      {"авг", 8, false},      {"сер", 8, true},
    {"жні", 8, false},      {"αυγ", 8, false},      {"αύγ", 8, false},      {"אוג", 8, false},
    {"أغسطس", 8, false},    {"اغسطس", 8, false},    {"اوت", 8, false},      {"sep", 9, false},
    {"set", 9, false},      {"szept", 9, false},    {"wrz", 9, false},      {"zář", 9, false},
    {"zari", 9, false},     {"syys", 9, false},     {"eyl", 9, false},      {"rugs", 9, false},
    {"ira", 9, false},      {"ruj", 9, false},      {"сен", 9, false},      {"сеп", 9, false},
    {"вер", 9, false},      {"σεπ", 9, false},      {"ספט", 9, false},      {"سبتمبر", 9, false},
    {"أيلول", 9, false},    {"سپتامبر", 9, false},  {"oct", 10, false},     {"okt", 10, false},
    {"ott", 10, false},     {"out", 10, false},     {"paź", 10, false},     {"paz", 10, true},
    {"říj", 10, false},     {"rij", 10, false},     {"loka", 10, false},    {"eki", 10, false},
    {"spa", 10, false},     {"urr", 10, false},     {"окт", 10, false},     {"жов", 10, false},
    {"кас", 10, false},     {"οκτ", 10, false},     {"אוק", 10, false},     {"أكتوبر", 10, false},
    {"اكتوبر", 10, false},  {"اکتبر", 10, false},   {"nov", 11, false},     {"nóv", 11, false},
    {"lis", 11, false},     {"kas", 11, false},     {"noi", 11, false},     {"lap", 11, false},
    {"aza", 11, false},     {"stu", 11, false},     {"ноя", 11, false},     {"ное", 11, false},
    {"нов", 11, false},     {"лис", 11, false},     {"ліс", 11, false},     {"νοε", 11, false},
    {"νοέ", 11, false},     {"נוב", 11, false},     {"نوفمبر", 11, false},  {"نوامبر", 11, false},
    {"dec", 12, false},     {"déc", 12, false},     {"dez", 12, false},     {"dic", 12, false},
    {"des", 12, false},     {"dets", 12, false},    {"dis", 12, false},     {"gru", 12, false},
    {"pro", 12, false},     {"joulu", 12, false},   {"ara", 12, false},     {"abe", 12, false},
    {"дек", 12, false},     {"дец", 12, false},     {"гру", 12, false},     {"сне", 12, false},
    {"δεκ", 12, false},     {"דצמ", 12, false},     {"ديسمبر", 12, false},  {"دسامبر", 12, false},
};

static const struct {
    const char *name;
    short minutes;
} zones[] = {
    {"z", 0},         {"ut", 0},        {"utc", 0},     {"gmt", 0},     {"wet", 0},
    {"est", -300},    {"edt", -240},    {"et", -300},   {"cst", -360},  {"cdt", -300},
    {"ct", -360},     {"mst", -420},    {"mdt", -360},  {"mt", -420},   {"pst", -480},
    {"pdt", -420},    {"pt", -480},     {"akst", -540}, {"akdt", -480}, {"hst", -600},
    {"hdt", -540},    {"ast", -240},    {"adt", -180},  {"nst", -210},  {"ndt", -150},
    {"brt", -180},    {"brst", -120},   {"art", -180},  {"clt", -240},  {"clst", -180},
    {"cot", -300},    {"pet", -300},    {"vet", -240},  {"uyt", -180},  {"bst", 60},
    {"ist", 330},     {"west", 60},     {"cet", 60},    {"met", 60},    {"mez", 60},
    {"cest", 120},    {"mest", 120},    {"mesz", 120},  {"eet", 120},   {"sast", 120},
    {"cat", 120},     {"eest", 180},    {"eat", 180},   {"trt", 180},   {"msk", 180},
    {"msd", 240},     {"irst", 210},    {"gst", 240},   {"samt", 240},  {"pkt", 300},
    {"yekt", 300},    {"npt", 345},     {"omst", 360},  {"novt", 420},  {"krat", 420},
    {"ict", 420},     {"wib", 420},     {"wita", 480},  {"wit", 540},   {"hkt", 480},
    {"sgt", 480},     {"myt", 480},     {"pht", 480},   {"awst", 480},  {"irkt", 480},
    {"jst", 540},     {"kst", 540},     {"yakt", 540},  {"acst", 570},  {"acdt", 630},
    {"aest", 600},    {"aedt", 660},    {"vlat", 600},  {"nzst", 720},  {"nzdt", 780},
    {"at", -240},     {"hast", -600},   {"hadt", -540}, {"idt", 180},   {"wat", 60},
    {"wast", 120},    {"bdt", 360},     {"cvt", -60},   {"azt", 240},   {"get", 240},
    {"uzt", 300},     {"almt", 360},    {"kgt", 360},   {"mmt", 390},   {"ulat", 480},
    {"chst", 600},    {"sbt", 660},     {"fjt", 720},   {"tot", 780},   {"magt", 660},
    {"pett", 720},    {"azot", -60},    {"aft", 270},   {"irdt", 270},  {"mut", 240},
    {"sct", 240},     {"pmst", -180},   {"gft", -180},  {"lhst", 630},  {"nft", 660},
    {"phst", 480},    {"bnt", 480},     {"bot", -240},  {"pyt", -240},  {"gyt", -240},
    {"ect", -300},    {"tmt", 300},     {"tjt", 300},   {"nct", 660},   {"vut", 660},
    {"acwst", 525},   {"chast", 765},   {"chadt", 825}, {"hne", -300},  {"hae", -240},
    {"hnp", -480},    {"hap", -420},    {"hnr", -420},  {"har", -360},  {"hnc", -360},
    {"hac", -300},    {"hna", -240},    {"haa", -180},  {"sst", -660},  {"мск", 180},
    {"universal", 0}, {"greenwich", 0},
};

int date_month(const char *word, bool *ret_is_weak)
{
    static const char in[] = "ב"; /* Hebrew joins it to the name */
    if (g_str_has_prefix(word, in))
        word += strlen(in);
    for (size_t i = 0; i < G_N_ELEMENTS(months); i++) {
        if (*word != *months[i].stem || !g_str_has_prefix(word, months[i].stem))
            continue;
        *ret_is_weak = months[i].is_weak;
        return months[i].month;
    }
    return 0;
}

bool date_zone(const char *word, int *ret_minutes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
        if (*word != *zones[i].name || strcmp(word, zones[i].name) != 0)
            continue;
        *ret_minutes = zones[i].minutes;
        return true;
    }
    return false;
}
