#include "feed/vocabulary.h"

#include <string.h>

#define LOCAL_MAX 20

/* Without scheme, "www." and what ends it. */
static const struct {
    const char *uri;
    enum ns ns;
} uris[] = {
    {"w3.org/2005/atom", NS_ATOM},
    {"purl.org/atom/ns", NS_ATOM},
    {"purl.org/net/atom", NS_ATOM},
    {"purl.org/rss/1.0", NS_RSS},
    {"my.netscape.com/rdf/simple/0.9", NS_RSS},
    {"channel.netscape.com/rdf/simple/0.9", NS_RSS},
    {"my.netscape.com/publish/formats/rss-0.9.dtd", NS_RSS},
    {"my.netscape.com/publish/formats/rss-0.91.dtd", NS_RSS},
    {"purl.org/net/rss1.1", NS_RSS},
    {"backend.userland.com/rss", NS_RSS},
    {"backend.userland.com/rss091", NS_RSS},
    {"backend.userland.com/rss092", NS_RSS},
    {"backend.userland.com/rss093", NS_RSS},
    {"backend.userland.com/rss2", NS_RSS},
    {"backend.userland.com/blogchannelmodule", NS_OTHER},
    {"blogs.law.harvard.edu/tech/rss", NS_RSS},
    {"cyber.law.harvard.edu/rss/rss.html", NS_RSS},
    {"rssboard.org/rss-specification", NS_RSS},
    {"purl.org/dc/elements/1.1", NS_DC},
    {"purl.org/dc/elements/1.0", NS_DC},
    {"purl.org/dc", NS_DC},
    {"purl.org/dc/terms", NS_DCTERMS},
    {"purl.org/rss/1.0/modules/content", NS_CONTENT},
    {"purl.org/rss/1.0/modules/syndication", NS_SY},
    {"purl.org/rss/modules/syndication", NS_SY},
    {"search.yahoo.com/mrss", NS_MEDIA},
    {"video.search.yahoo.com/mrss", NS_MEDIA},
    {"rssboard.org/media-rss", NS_MEDIA},
    {"itunes.com/dtds/podcast-1.0.dtd", NS_ITUNES},
    {"itunes.apple.com/dtds/podcast-1.0.dtd", NS_ITUNES},
    {"example.com/dtds/podcast-1.0.dtd", NS_ITUNES},
    {"google.com/schemas/play-podcasts/1.0", NS_ITUNES},
    {"rssnamespace.org/feedburner/ext/1.0", NS_FEEDBURNER},
    {"pheedo.com/namespace/pheedo", NS_FEEDBURNER},
    {"purl.oclc.org/net/rss_2.0/enc", NS_ENCLOSURE},
    {"w3.org/1999/02/22-rdf-syntax-ns", NS_RDF},
    {"w3.org/1999/xhtml", NS_XHTML},
};

static const struct {
    const char *prefix;
    enum ns ns;
} prefixes[] = {
    {"atom", NS_ATOM},
    {"atom10", NS_ATOM},
    {"atom03", NS_ATOM},
    {"a10", NS_ATOM},
    {"rss", NS_RSS},
    {"dc", NS_DC},
    {"dcterms", NS_DCTERMS},
    {"dct", NS_DCTERMS},
    {"content", NS_CONTENT},
    {"media", NS_MEDIA},
    {"itunes", NS_ITUNES},
    {"googleplay", NS_ITUNES},
    {"sy", NS_SY},
    {"feedburner", NS_FEEDBURNER},
    {"pheedo", NS_FEEDBURNER},
    {"enc", NS_ENCLOSURE},
    {"rdf", NS_RDF},
    {"xhtml", NS_XHTML},
    {"html", NS_XHTML},
};

#define ANYWHERE (IN_FEED | IN_ITEM)

/* Of two words for one slot the lower rank is believed. */
static const struct word words[] = {
    {NS_RSS, IN_ROOT, ACTION_CHANNEL, 0, 0, "channel"},
    {NS_RSS, IN_ROOT | IN_FEED | IN_ITEM, ACTION_ITEM, 0, 0, "item"},
    {NS_RSS, ANYWHERE, ACTION_TEXT, DRAFT_TITLE, 1, "title"},
    {NS_RSS, ANYWHERE, ACTION_LINK, DRAFT_LINK, 2, "link"},
    {NS_RSS, IN_ITEM, ACTION_TEXT, DRAFT_SUMMARY, 1, "description"},
    {NS_RSS, IN_ITEM, ACTION_GUID, DRAFT_ID, 1, "guid"},
    {NS_RSS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 1, "pubdate"},
    {NS_RSS, IN_FEED, ACTION_DATE, DRAFT_UPDATED, 4, "pubdate"},
    {NS_RSS, ANYWHERE, ACTION_DATE, DRAFT_UPDATED, 3, "lastbuilddate"},
    {NS_RSS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 6, "date"},
    {NS_RSS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 6, "published"},
    {NS_RSS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 6, "issued"},
    {NS_RSS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 7, "created"},
    {NS_RSS, ANYWHERE, ACTION_DATE, DRAFT_UPDATED, 6, "updated"},
    {NS_RSS, ANYWHERE, ACTION_DATE, DRAFT_UPDATED, 6, "modified"},
    {NS_RSS, IN_ITEM, ACTION_AUTHOR, 0, 0, "author"},
    {NS_RSS, IN_PERSON, ACTION_NAME, 0, 0, "name"},
    {NS_RSS, IN_PERSON, ACTION_EMAIL, 0, 0, "email"},
    {NS_RSS, IN_PERSON, ACTION_URI, 0, 0, "uri"},
    {NS_RSS, IN_ITEM, ACTION_CATEGORY, 0, 0, "category"},
    {NS_RSS, IN_ITEM, ACTION_ENCLOSURE, 0, 0, "enclosure"},
    {NS_RSS, IN_FEED, ACTION_TEXT, DRAFT_LANGUAGE, 1, "language"},
    {NS_RSS, IN_FEED, ACTION_TTL, 0, 0, "ttl"},
    {NS_RSS, IN_FEED, ACTION_SKIPS, 0, 0, "skiphours"},
    {NS_RSS, IN_FEED, ACTION_SKIPS, 0, 0, "skipdays"},
    {NS_RSS, IN_SKIPS, ACTION_HOUR, 0, 0, "hour"},
    {NS_RSS, IN_SKIPS, ACTION_DAY, 0, 0, "day"},
    {NS_RSS, IN_ITEM, ACTION_TEXT, DRAFT_CONTENT, 4, "encoded"},
    {NS_RSS, IN_ITEM, ACTION_TEXT, DRAFT_CONTENT, 5, "content"},
    {NS_RSS, IN_ITEM, ACTION_TEXT, DRAFT_SUMMARY, 8, "summary"},

    {NS_ATOM, IN_FEED | IN_ITEM, ACTION_ITEM, 0, 0, "entry"},
    {NS_ATOM, ANYWHERE, ACTION_ATOM_TEXT, DRAFT_TITLE, 2, "title"},
    {NS_ATOM, ANYWHERE, ACTION_ATOM_LINK, DRAFT_LINK, 3, "link"},
    {NS_ATOM, IN_ITEM, ACTION_ATOM_TEXT, DRAFT_SUMMARY, 2, "summary"},
    {NS_ATOM, IN_ITEM, ACTION_ATOM_TEXT, DRAFT_CONTENT, 2, "content"},
    {NS_ATOM, ANYWHERE, ACTION_GUID, DRAFT_ID, 2, "id"},
    {NS_ATOM, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 2, "published"},
    {NS_ATOM, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 2, "issued"},
    {NS_ATOM, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 5, "created"},
    {NS_ATOM, ANYWHERE, ACTION_DATE, DRAFT_UPDATED, 1, "updated"},
    {NS_ATOM, ANYWHERE, ACTION_DATE, DRAFT_UPDATED, 1, "modified"},
    {NS_ATOM, ANYWHERE | IN_SOURCE, ACTION_PERSON, 0, 0, "author"},
    {NS_ATOM, IN_PERSON, ACTION_NAME, 0, 0, "name"},
    {NS_ATOM, IN_PERSON, ACTION_EMAIL, 0, 0, "email"},
    {NS_ATOM, IN_PERSON, ACTION_URI, 0, 0, "uri"},
    {NS_ATOM, IN_PERSON, ACTION_URI, 0, 0, "url"},
    {NS_ATOM, IN_ITEM, ACTION_CATEGORY, 0, 0, "category"},
    {NS_ATOM, IN_ITEM, ACTION_SOURCE, 0, 0, "source"},

    {NS_DC, ANYWHERE, ACTION_TEXT, DRAFT_TITLE, 3, "title"},
    {NS_DC, IN_ITEM, ACTION_TEXT, DRAFT_SUMMARY, 3, "description"},
    {NS_DC, ANYWHERE, ACTION_GUID, DRAFT_ID, 4, "identifier"},
    {NS_DC, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 4, "date"},
    {NS_DC, IN_FEED, ACTION_DATE, DRAFT_UPDATED, 5, "date"},
    {NS_DC, IN_ITEM, ACTION_AUTHOR, 0, 0, "creator"},
    {NS_DC, IN_ITEM, ACTION_AUTHOR, 0, 0, "author"},
    {NS_DC, IN_ITEM, ACTION_CATEGORY, 0, 0, "subject"},
    {NS_DC, ANYWHERE, ACTION_TEXT, DRAFT_LANGUAGE, 2, "language"},
    {NS_DCTERMS, ANYWHERE, ACTION_TEXT, DRAFT_TITLE, 3, "title"},
    {NS_DCTERMS, IN_ITEM, ACTION_TEXT, DRAFT_SUMMARY, 4, "abstract"},
    {NS_DCTERMS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 3, "issued"},
    {NS_DCTERMS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 5, "created"},
    {NS_DCTERMS, IN_ITEM, ACTION_DATE, DRAFT_PUBLISHED, 5, "date"},
    {NS_DCTERMS, ANYWHERE, ACTION_DATE, DRAFT_UPDATED, 2, "modified"},
    {NS_DCTERMS, IN_ITEM, ACTION_AUTHOR, 0, 0, "creator"},
    {NS_DCTERMS, IN_ITEM, ACTION_CATEGORY, 0, 0, "subject"},

    {NS_CONTENT, IN_ITEM, ACTION_TEXT, DRAFT_CONTENT, 1, "encoded"},
    {NS_XHTML, IN_ITEM, ACTION_TEXT, DRAFT_CONTENT, 3, "body"},
    {NS_XHTML, IN_ITEM, ACTION_TEXT, DRAFT_CONTENT, 3, "div"},

    {NS_MEDIA, IN_ITEM | IN_MEDIA, ACTION_TEXT, DRAFT_TITLE, 4, "title"},
    {NS_MEDIA, IN_ITEM | IN_MEDIA, ACTION_TEXT, DRAFT_SUMMARY, 6, "description"},
    {NS_MEDIA, IN_ITEM | IN_MEDIA, ACTION_CATEGORY, 0, 0, "category"},
    {NS_MEDIA, IN_ITEM | IN_MEDIA, ACTION_KEYWORDS, 0, 0, "keywords"},
    {NS_MEDIA, IN_ITEM | IN_MEDIA, ACTION_MEDIA_CONTENT, 0, 0, "content"},
    {NS_MEDIA, IN_ITEM, ACTION_MEDIA_GROUP, 0, 0, "group"},

    {NS_ITUNES, IN_ITEM, ACTION_TEXT, DRAFT_TITLE, 5, "title"},
    {NS_ITUNES, IN_ITEM, ACTION_TEXT, DRAFT_SUMMARY, 5, "summary"},
    {NS_ITUNES, IN_ITEM, ACTION_TEXT, DRAFT_SUMMARY, 5, "description"},
    {NS_ITUNES, IN_ITEM, ACTION_TEXT, DRAFT_SUMMARY, 7, "subtitle"},
    {NS_ITUNES, IN_ITEM, ACTION_AUTHOR, 0, 0, "author"},
    {NS_ITUNES, IN_ITEM | IN_MEDIA, ACTION_CATEGORY_GROUP, 0, 0, "category"},
    {NS_ITUNES, IN_ITEM, ACTION_KEYWORDS, 0, 0, "keywords"},

    {NS_FEEDBURNER, IN_ITEM, ACTION_LINK, DRAFT_LINK, 1, "origlink"},
    {NS_ENCLOSURE, IN_ITEM, ACTION_ENCLOSURE, 0, 0, "enclosure"},

    {NS_SY, IN_FEED, ACTION_UPDATE_PERIOD, 0, 0, "updateperiod"},
    {NS_SY, IN_FEED, ACTION_UPDATE_FREQUENCY, 0, 0, "updatefrequency"},
};

static struct slice without_prefix(struct slice text, const char *prefix)
{
    size_t size = strlen(prefix);
    if (text.size >= size && g_ascii_strncasecmp(text.at, prefix, size) == 0)
        return (struct slice){text.at + size, text.size - size};
    return text;
}

enum ns vocabulary_namespace(struct slice uri)
{
    uri = slice_trim(uri);
    if (uri.size == 0)
        return NS_NONE;
    uri = without_prefix(without_prefix(uri, "http://"), "https://");
    uri = without_prefix(uri, "www.");
    while (uri.size > 0 && (uri.at[uri.size - 1] == '/' || uri.at[uri.size - 1] == '#'))
        uri.size--;
    for (size_t i = 0; i < G_N_ELEMENTS(uris); i++)
        if (slice_is_nocase(uri, uris[i].uri))
            return uris[i].ns;
    return NS_OTHER;
}

enum ns vocabulary_undeclared_prefix(struct slice prefix)
{
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (slice_is_nocase(prefix, prefixes[i].prefix))
            return prefixes[i].ns;
    return NS_OTHER;
}

const struct word *vocabulary_find(enum ns ns, struct slice local, enum place place)
{
    char folded[LOCAL_MAX];
    if (local.size >= sizeof folded || ns == NS_OTHER || ns == NS_NONE)
        return NULL;
    for (size_t i = 0; i < local.size; i++)
        folded[i] = g_ascii_tolower(local.at[i]);
    folded[local.size] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (words[i].ns == ns && (words[i].where & place) && words[i].local[0] == folded[0] &&
            strcmp(words[i].local, folded) == 0)
            return &words[i];
    return NULL;
}
