#include "feed/identity.h"

#include "feed/link.h"

#include <string.h>
#include <xxhash.h>

enum kind { KIND_GUID = 1, KIND_GUID_PATH, KIND_LINK, KIND_TITLE };

/* XXH3: its values are fixed, so they may be stored. */
static uint64_t key_of(enum kind kind, const char *text, size_t size)
{
    return XXH3_64bits_withSeed(text, size, kind);
}

/* Chained, so that moving a word from one field to the next is a change. */
static uint64_t hash_field(uint64_t hash, const char *text)
{
    return XXH3_64bits_withSeed(text ? text : "", text ? strlen(text) : 0, hash);
}

uint64_t identity_text_hash(const struct feed_item *item)
{
    uint64_t hash = hash_field(0, item->title);
    hash = hash_field(hash, item->summary);
    hash = hash_field(hash, item->content);
    for (size_t i = 0; i < item->n_authors; i++)
        hash = hash_field(hash_field(hash, item->authors[i].name), item->authors[i].email);
    hash = ~hash; /* authors end, categories begin */
    for (size_t i = 0; item->categories && item->categories[i]; i++)
        hash = hash_field(hash, item->categories[i]);
    return hash;
}

/* Parameters that say where a reader came from, not what he reads. */
static bool is_tracking(const char *parameter, size_t size)
{
    static const char *const prefixes[] = {"utm_", "mc_", "pk_", "mtm_", "hsa_", "at_"};
    static const char *const names[] = {"fbclid", "gclid",  "dclid",      "msclkid", "yclid",
                                        "igshid", "twclid", "ref_src",    "_hsenc",  "_hsmi",
                                        "ocid",   "cmpid",  "mkt_tok",    "gclsrc",  "wbraid",
                                        "gbraid", "xtor",   "ns_campaign"};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (size > strlen(prefixes[i]) &&
            g_ascii_strncasecmp(parameter, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (size == strlen(names[i]) && g_ascii_strncasecmp(parameter, names[i], size) == 0)
            return true;
    return false;
}

static void append_query(GString *out, const char *query, size_t size)
{
    char separator = '?';
    for (size_t pos = 0; pos < size;) {
        const char *amp = memchr(query + pos, '&', size - pos);
        size_t length = amp ? (size_t)(amp - query) - pos : size - pos;
        size_t name = strcspn(query + pos, "=&#");
        if (length > 0 && !is_tracking(query + pos, MIN(name, length))) {
            g_string_append_c(out, separator);
            g_string_append_len(out, query + pos, (gssize)length);
            separator = '&';
        }
        pos += length + 1;
    }
}

/* Host without user information and without the port that its scheme has anyway. */
static void append_host(GString *out, const char *host, size_t size, bool is_https)
{
    const char *at = memrchr(host, '@', size);
    if (at) {
        size -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    const char *port = is_https ? ":443" : ":80";
    size_t port_size = strlen(port);
    if (size > port_size && memcmp(host + size - port_size, port, port_size) == 0)
        size -= port_size;
    for (size_t i = 0; i < size; i++)
        g_string_append_c(out, g_ascii_tolower(host[i]));
}

char *identity_canonical_link(const char *link)
{
    if (!link || !link_is_web((struct slice){link, strlen(link)}))
        return NULL;
    const char *host = strstr(link, "://") + 3;
    bool is_https = link[4] == 's' || link[4] == 'S';
    size_t host_size = strcspn(host, "/?#");
    const char *path = host + host_size;
    size_t path_size = strcspn(path, "?#");
    const char *query = path + path_size;
    GString *out = g_string_new("https://");
    append_host(out, host, host_size, is_https);
    g_string_append_len(out, path_size > 0 ? path : "/", path_size > 0 ? (gssize)path_size : 1);
    if (*query == '?')
        append_query(out, query + 1, strcspn(query + 1, "#"));
    return g_string_free(out, FALSE);
}

static void add(struct identity_keys *keys, uint64_t key)
{
    for (size_t i = 0; i < keys->n; i++)
        if (keys->key[i] == key)
            return;
    if (keys->n < IDENTITY_KEYS_MAX)
        keys->key[keys->n++] = key;
}

static void add_guid(struct identity_keys *keys, const char *guid)
{
    add(keys, key_of(KIND_GUID, guid, strlen(guid)));
    if (!link_is_web((struct slice){guid, strlen(guid)}))
        return;
    const char *host = strstr(guid, "://") + 3;
    const char *path = host + strcspn(host, "/?#");
    if (strlen(path) > 1)
        add(keys, key_of(KIND_GUID_PATH, path, strlen(path)));
}

static void add_link(struct identity_keys *keys, const char *link)
{
    g_autofree char *canonical = identity_canonical_link(link);
    const char *text = canonical ? canonical : link;
    add(keys, key_of(KIND_LINK, text, strlen(text)));
}

static void add_title(struct identity_keys *keys, const struct feed_item *item)
{
    int64_t time_s = item->published_s != FEED_TIME_NONE ? item->published_s : item->updated_s;
    int64_t day = time_s == FEED_TIME_NONE ? INT64_MIN : time_s / 86400;
    const char *text = item->title ? item->title : item->summary ? item->summary : item->content;
    g_autofree char *key = g_strdup_printf("%" G_GINT64_FORMAT " %s", day, text ? text : "");
    add(keys, key_of(KIND_TITLE, key, strlen(key)));
}

/* The guids that more than one item has. */
static GHashTable *shared_guids(const struct feed_doc *doc)
{
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < doc->n_items; i++) {
        const char *id = doc->items[i].id;
        if (!id)
            continue;
        gpointer key = (gpointer)(uintptr_t)id;
        g_hash_table_insert(seen, key, GINT_TO_POINTER(g_hash_table_contains(seen, id) ? 2 : 1));
    }
    return seen;
}

struct identity_keys *identity_keys_of(const struct feed_doc *doc, bool use_title)
{
    struct identity_keys *keys = g_new0(struct identity_keys, MAX(doc->n_items, 1));
    g_autoptr(GHashTable) guids = shared_guids(doc);
    for (size_t i = 0; i < doc->n_items; i++) {
        const struct feed_item *item = &doc->items[i];
        bool has_guid = item->id && GPOINTER_TO_INT(g_hash_table_lookup(guids, item->id)) == 1;
        if (has_guid)
            add_guid(&keys[i], item->id);
        if (item->link)
            add_link(&keys[i], item->link);
        if (use_title || keys[i].n == 0)
            add_title(&keys[i], item);
    }
    return keys;
}
