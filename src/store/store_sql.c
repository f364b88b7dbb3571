/* Every statement of the store, so that what touches which index can be seen in one place. */
#include "store/store_sql.h"

#define WAITING "0"

const char *const store_sql[N_DB_QUERIES] = {
    [DB_BEGIN] = "BEGIN IMMEDIATE",
    [DB_COMMIT] = "COMMIT",

    [DB_FEED_ALL] = STORE_FEEDS,
    [DB_FEED_ROWS] = "SELECT row, id, touched_s, n_items_last FROM feed",
    [DB_FEED_INSERT] =
        "INSERT INTO feed(" STORE_FEED_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
        " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
    /* The same numbers; id (?2) keeps its index untouched. */
    [DB_FEED_UPDATE] =
        "UPDATE feed SET url = ?3, moved_url = ?4, candidate_url = ?5, candidate_since_s = ?6,"
        " candidate_seen = ?7, etag = ?8, last_modified = ?9, body_hash = ?10, message = ?11,"
        " title = ?12, is_baselined = ?13, uses_title_key = ?14, n_items_last = ?15,"
        " text_bytes = ?16, text_items = ?17, health_told_s = ?18, gap_told_s = ?19,"
        " window_told_s = ?20 WHERE row = ?1",
    [DB_FEED_RENAME] = "UPDATE OR IGNORE feed SET id = ?2 WHERE row = ?1",
    [DB_FEED_TOUCHED] = "UPDATE feed SET touched_s = ?2 WHERE row = ?1",
    [DB_SCHEDULE_SET] = "REPLACE INTO schedule(feed, " STORE_SCHEDULE_COLUMNS ") VALUES(?1, ?2, ?3,"
                        " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",

    [DB_ITEM_SCAN] = "SELECT id, text_hash, keys FROM item WHERE feed = ?1 ORDER BY id DESC",
    [DB_ITEM_INSERT] = "INSERT INTO item(feed, id, text_hash, seen_s, keys)"
                       " VALUES(?1, ?2, ?3, ?4, ?5)",
    [DB_ITEM_KEYS] = "SELECT keys FROM item WHERE feed = ?1 AND id = ?2",
    [DB_ITEM_SET_KEYS] = "UPDATE item SET keys = ?3 WHERE feed = ?1 AND id = ?2",
    [DB_ITEM_SET_HASH] = "UPDATE item SET text_hash = ?3 WHERE feed = ?1 AND id = ?2",
    [DB_ITEM_TOUCH] = "UPDATE item SET seen_s = ?3 WHERE feed = ?1 AND id = ?2",
    [DB_ITEM_STALE] = "SELECT id, seen_s FROM item WHERE feed = ?1 ORDER BY seen_s DESC, id DESC",
    [DB_ITEM_DELETE] = "DELETE FROM item WHERE feed = ?1 AND id = ?2",

    [DB_TEXT_INSERT] =
        "INSERT INTO item_text(id, feed, first_seen_s, published_s, updated_s, guid, title, link,"
        " language, authors, categories, summary, content)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [DB_TEXT_UPDATE] =
        "UPDATE item_text SET published_s = ?4, updated_s = ?5, guid = ?6, title = ?7, link = ?8,"
        " language = ?9, authors = ?10, categories = ?11, summary = ?12, content = ?13"
        " WHERE id = ?1",
    [DB_TEXT_GET] = "SELECT published_s, updated_s, guid, title, link, language, authors,"
                    " categories, summary, content FROM item_text WHERE id = ?1",
    [DB_TEXT_FIRST_SEEN] = "SELECT first_seen_s FROM item_text WHERE id = ?1",
    [DB_TEXT_MAX] = "SELECT max(id) FROM item_text",
    /* The newest stays, so that an id is never given twice. */
    [DB_TEXT_DELETE] = "DELETE FROM item_text WHERE id = ?1"
                       " AND id < (SELECT max(id) FROM item_text)",

    [DB_ALERT_INSERT] =
        "INSERT OR IGNORE INTO alert(id, time_ms, kind, rule, urgency, feed_row, feed, feed_title,"
        " item, title, link, summary, published_s, first_seen_s, matched_json, matched_text)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    [DB_ALERT_LAST_ID] = "SELECT max(id) FROM alert",
    [DB_ALERT_RULES] = "SELECT rule FROM alert WHERE item = ?1 AND item > 0 AND kind = 'alert'"
                       " AND rule IS NOT NULL",
    /* An item that is remembered must remember what it alerted for. */
    [DB_ALERT_STALE] =
        "SELECT seq FROM alert WHERE time_ms < ?1"
        " AND NOT EXISTS (SELECT 1 FROM item WHERE feed = alert.feed_row AND id = alert.item)"
        " AND NOT EXISTS (SELECT 1 FROM delivery WHERE alert = alert.seq AND state = " WAITING ")"
        " ORDER BY seq LIMIT ?2",
    [DB_ALERT_DELETE] = "DELETE FROM alert WHERE seq = ?1",

    [DB_DELIVERY_INSERT] = "INSERT INTO delivery(alert, sink, state, line, dev, inode, size)"
                           " VALUES(?1, ?2, " WAITING ", ?3, ?4, ?5, ?6)",
    [DB_DELIVERY_PENDING] =
        "SELECT " STORE_ALERT_COLUMNS ", d.attempts, d.next_try_s FROM delivery d"
        " JOIN alert a ON a.seq = d.alert WHERE d.sink = ?1 AND d.state = " WAITING
        " AND d.next_try_s <= ?3 ORDER BY d.alert LIMIT ?2",
    [DB_DELIVERY_NEXT] = "SELECT " STORE_ALERT_COLUMNS ", d.attempts, d.next_try_s FROM delivery d"
                         " JOIN alert a ON a.seq = d.alert WHERE d.sink = ?1 AND d.state = " WAITING
                         " AND d.next_try_s > ?2 ORDER BY d.next_try_s, d.alert LIMIT 1",
    /* Through the deliveries from the newest on, until there are enough: their rows are small. */
    [DB_DELIVERY_RECENT] =
        "SELECT " STORE_ALERT_COLUMNS " FROM (SELECT alert FROM delivery WHERE sink = ?1"
        " ORDER BY alert DESC LIMIT ?2) d JOIN alert a ON a.seq = d.alert ORDER BY a.seq DESC",
    [DB_DELIVERY_LINES] =
        "SELECT " STORE_ALERT_COLUMNS ", d.attempts, d.next_try_s, d.line, d.dev, d.inode, d.size"
        " FROM delivery d JOIN alert a ON a.seq = d.alert WHERE d.sink = ?1 AND d.state = " WAITING
        " ORDER BY d.alert LIMIT ?2",
    [DB_DELIVERY_COUNT_WAITING] =
        "SELECT count(*) FROM delivery WHERE sink = ?1 AND state = " WAITING,
    [DB_DELIVERY_PLACE] = "UPDATE delivery SET line = ?3, dev = ?4, inode = ?5, size = ?6"
                          " WHERE alert = ?1 AND sink = ?2",
    [DB_DELIVERY_LOGGED] = "UPDATE delivery SET state = 1, done_ms = ?3, line = NULL, dev = NULL,"
                           " inode = NULL, size = NULL WHERE alert = ?1 AND sink = ?2",
    /* attempts counts what was tried and is to be tried again. */
    [DB_DELIVERY_MARK] = "UPDATE delivery SET state = ?3, next_try_s = ?4, attempts = attempts + 1,"
                         " done_ms = CASE WHEN ?3 = " WAITING " THEN NULL ELSE ?5 END"
                         " WHERE sink = ?2 AND alert = (SELECT seq FROM alert WHERE id = ?1)",
    [DB_DELIVERY_DELETE] = "DELETE FROM delivery WHERE alert = ?1",

    [DB_META_GET] = "SELECT value FROM meta WHERE key = ?1",
    [DB_META_SET] = "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)",
    [DB_SINK_WORKS] = "DELETE FROM sink WHERE id = ?1",
    [DB_SINK_FAILED] = "INSERT OR REPLACE INTO sink(id, error, error_ms) VALUES(?1, ?2, ?3)",
    [DB_GAP_INSERT] = "INSERT INTO gap(feed, from_s, to_s, reason) VALUES(?1, ?2, ?3, ?4)",
    [DB_GAP_STALE] = "DELETE FROM gap WHERE to_s < ?1",
};
