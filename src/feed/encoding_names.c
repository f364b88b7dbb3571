/* Which encodings may be used, under which names. Source: the Encoding Standard's labels and their
 * supersets, IANA's names, and the code pages that old publishing systems still declare. */
#include "feed/encoding.h"

#include <string.h>

#define NAME_MAX_BYTES 40

/* Names in lower case, letters and digits only. */
static const struct {
    const char *iconv;
    const char *names;
} encodings[] = {
    {"UTF-8", "utf8 u8 utf utf8sig utf8ucs2 utf8ucs4 csutf8 unicode11utf8 unicode20utf8 "
              "xunicode20utf8 utf8n utf8mb4 cp65001"},
    {"UTF-16",
     "utf16 u16 utf16le utf16be ucs2 iso10646ucs2 unicode unicodefffe unicodefeff csunicode"},
    {"UTF-32", "utf32 u32 utf32le utf32be ucs4 iso10646ucs4"},
    {"CP1252",
     "windows1252 win1252 cp1252 1252 xcp1252 iso88591 iso885911987 88591 iso8859 8859 latin "
     "latin1 "
     "l1 "
     "isolatin1 usascii "
     "ascii us ansi ansix341968 ansix341986 iso646us iso88591windows ibm819 cp819 isoir100 "
     "csisolatin1 isoir6 cp367 ibm367 ms1252"},
    {"CP1250", "windows1250 cp1250 win1250 1250 xcp1250 msee"},
    {"CP1251", "windows1251 cp1251 win1251 1251 xcp1251 mscyrl"},
    {"CP1253", "windows1253 cp1253 win1253 1253 xcp1253 msgreek"},
    {"CP1254",
     "windows1254 cp1254 win1254 1254 xcp1254 msturk iso88599 iso885991989 88599 latin5 l5 "
     "csisolatin5 isoir148"},
    {"CP1255", "windows1255 cp1255 win1255 1255 xcp1255 mshebr"},
    {"CP1256", "windows1256 cp1256 win1256 1256 xcp1256 msarab"},
    {"CP1257", "windows1257 cp1257 win1257 1257 xcp1257 winbaltrim"},
    {"CP1258", "windows1258 cp1258 win1258 1258 xcp1258"},
    {"CP874", "windows874 cp874 tis620 tis6200 tis62025290 tis62025291 thai iso885911 "
              "iso8859112001 isoir166 dos874 "
              "ibm874 874"},
    {"ISO-8859-2", "iso88592 iso885921987 88592 latin2 l2 csisolatin2 isoir101"},
    {"ISO-8859-3", "iso88593 iso885931988 88593 latin3 l3 csisolatin3 isoir109"},
    {"ISO-8859-4", "iso88594 iso885941988 88594 latin4 l4 csisolatin4 isoir110"},
    {"ISO-8859-5", "iso88595 iso885951988 88595 cyrillic csisolatincyrillic isoir144"},
    {"ISO-8859-6", "iso88596 iso885961987 88596 arabic csisolatinarabic ecma114 asmo708 isoir127"},
    {"ISO-8859-7",
     "iso88597 iso885971987 88597 greek greek8 csisolatingreek ecma118 elot928 isoir126"},
    {"ISO-8859-8",
     "iso88598 iso885981988 iso88598i 88598 hebrew logical csisolatinhebrew isoir138"},
    {"ISO-8859-10", "iso885910 iso8859101992 latin6 l6 csisolatin6 isoir157"},
    {"ISO-8859-13", "iso885913 latin7 l7 isoir179"},
    {"ISO-8859-14", "iso885914 iso8859141998 latin8 l8 isoceltic isoir199"},
    {"ISO-8859-15", "iso885915 iso8859152000 latin9 l9 latin0 csisolatin9 isoir203"},
    {"ISO-8859-16", "iso885916 iso8859162001 latin10 l10 isoir226"},
    {"KOI8-R", "koi8r koi koi8 cskoi8r"},
    {"KOI8-U", "koi8u koi8ru"},
    {"MACINTOSH", "macintosh mac macroman xmacroman csmacintosh"},
    {"MAC-CYRILLIC", "maccyrillic xmaccyrillic xmacukrainian macuk macukrainian"},
    {"GB18030", "gb18030 gb180302000 gb2312 gb23121980 eucgb2312cn xeuccn gbk xgbk cp936 936 "
                "windows936 ms936 euccn csgb2312 gb231280 csiso58gb231280 "
                "chinese isoir58"},
    {"BIG5-HKSCS", "big5 big5hkscs hkscs big5tw big5eten bigfive cnbig5 csbig5 xxbig5 cp950 950 "
                   "windows950 ms950"},
    {"CP932",
     "shiftjis sjis xsjis mskanji ms932 cp932 932 windows31j windows932 csshiftjis cswindows31j"},
    {"EUC-JP", "eucjp xeucjp ujis cseucpkdfmtjapanese eucjpms"},
    {"EUC-JISX0213", "eucjisx0213 eucjis2004 jisx0213"},
    {"SHIFT_JISX0213", "shiftjisx0213 shiftjis2004 shiftjisx2004 sjisx0213 sjis2004 sjisx2004"},
    {"ISO-2022-JP-3", "iso2022jp3 iso2022jp2004"},
    {"EUC-TW", "euctw xeuctw"},
    {"ISO-2022-KR", "iso2022kr csiso2022kr"},
    {"ISO-2022-JP-2", "iso2022jp iso2022jp1 iso2022jp2 iso2022jpext csiso2022jp csiso2022jp2 jis"},
    {"CP949",
     "euckr ksc56011987 ksc5601 ksc56011989 ksx1001 uhc cp949 949 windows949 ms949 korean cseuckr "
     "csksc56011987 isoir149"},
    {"JOHAB", "johab cp1361 ms1361 1361"},
    {"PT154", "pt154 ptcp154 cp154 csptcp154 cyrillicasian"},
    {"KOI8-T", "koi8t"},
    {"RK1048", "rk1048 kz1048 strk1048 strk10482002"},
    {"MAC-CENTRALEUROPE",
     "maccentraleurope maccenteuro maclatin2 macce xmacce xmaccentraleurroman"},
    {"HP-ROMAN8", "hproman8 roman8 r8 cshproman8 cp1051 ibm1051"},
    {"TCVN", "tcvn tcvn5712 tcvn57121 tcvn571211993"},
    {"VISCII", "viscii csviscii"},
    {"MAC-IS", "maciceland macis xmaciceland"},
    {"ARMSCII-8", "armscii8"},
    {"IBM437", "ibm437 cp437 437 cspc8codepage437"},
    {"CP737", "cp737 737 ibm737"},
    {"CP775", "cp775 775 ibm775 cspc775baltic"},
    {"IBM850", "ibm850 cp850 850 cspc850multilingual"},
    {"IBM852", "ibm852 cp852 852 cspcp852"},
    {"IBM855", "ibm855 cp855 855 csibm855"},
    {"IBM856", "ibm856 cp856 856"},
    {"IBM857", "ibm857 cp857 857 csibm857"},
    {"CP858", "ibm858 cp858 858 csibm858 ibm00858 cp00858"},
    {"IBM860", "ibm860 cp860 860 csibm860"},
    {"IBM861", "ibm861 cp861 861 cpis csibm861"},
    {"IBM862", "ibm862 cp862 862 cspc862latinhebrew"},
    {"IBM863", "ibm863 cp863 863 csibm863"},
    {"IBM864", "ibm864 cp864 864 csibm864"},
    {"IBM865", "ibm865 cp865 865 csibm865"},
    {"IBM866", "ibm866 cp866 866 csibm866"},
    {"IBM869", "ibm869 cp869 869 cpgr csibm869"},
    {"CP1125", "cp1125 ibm1125 1125 ruscii cp866u"},
    {"IBM037",
     "ibm037 cp037 037 ibm039 cp039 ebcdiccpus ebcdiccpca ebcdiccpwt ebcdiccpnl csibm037"},
    {"IBM273", "ibm273 cp273 273 ebcdiccpde csibm273"},
    {"IBM277", "ibm277 cp277 ebcdiccpdk ebcdiccpno csibm277"},
    {"IBM278", "ibm278 cp278 ebcdiccpfi ebcdiccpse csibm278"},
    {"IBM280", "ibm280 cp280 ebcdiccpit csibm280"},
    {"IBM284", "ibm284 cp284 ebcdiccpes csibm284"},
    {"IBM285", "ibm285 cp285 ebcdiccpgb csibm285"},
    {"IBM297", "ibm297 cp297 ebcdiccpfr csibm297"},
    {"IBM424", "ibm424 cp424 424 ebcdiccphe csibm424"},
    {"IBM500", "ibm500 cp500 500 ebcdiccpbe ebcdiccpch csibm500"},
    {"IBM871", "ibm871 cp871 ebcdiccpis csibm871"},
    {"IBM875", "ibm875 cp875 875"},
    {"IBM1026", "ibm1026 cp1026 1026 csibm1026"},
    {"IBM1047", "ibm1047 cp1047 1047"},
    {"IBM1140", "ibm1140 cp1140 ibm01140 cp01140 ccsid01140 1140 csibm1140"},
};

/* In lower case, letters and digits only; false where it is too long for a name. */
static bool fold_name(const char *name, size_t size, char ret_folded[NAME_MAX_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isalnum(name[i]))
            continue;
        if (n + 1 == NAME_MAX_BYTES)
            return false;
        ret_folded[n++] = g_ascii_tolower(name[i]);
    }
    ret_folded[n] = '\0';
    return n > 0;
}

bool encoding_is_refused(const char *name, size_t size)
{
    static const char *const names[] = {"utf7",     "u7",        "unicode11utf7", "hz",   "hzgb",
                                        "hzgb2312", "iso2022cn", "iso2022cnext",  "scsu", "bocu1",
                                        NULL};
    char folded[NAME_MAX_BYTES];
    return fold_name(name, size, folded) && g_strv_contains(names, folded);
}

const char *encoding_iconv_name(const char *name, size_t size)
{
    char folded[NAME_MAX_BYTES];
    if (!fold_name(name, size, folded))
        return NULL;
    size_t n = strlen(folded);
    for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++) {
        const char *p = encodings[i].names;
        while (*p) {
            size_t word = strcspn(p, " ");
            if (word == n && memcmp(p, folded, n) == 0)
                return encodings[i].iconv;
            p += word + (p[word] == ' ');
        }
    }
    return NULL;
}
