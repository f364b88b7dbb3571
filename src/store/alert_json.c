#include "store/alert_json.h"

static json_t *matched_value(const char *matched_json)
{
    json_t *value = matched_json ? json_loads(matched_json, 0, NULL) : NULL;
    return value ? value : json_array();
}

json_t *alert_json(const struct store_alert *alert)
{
    json_t *object = json_object();
    json_set_text(object, "id", alert->id);
    json_set_int(object, "time", alert->time_ms / 1000);
    json_set_text(object, "kind", alert->kind);
    json_set_text(object, "rule", alert->rule);
    json_set_text(object, "urgency", alert->urgency);
    json_set_text(object, "feed", alert->feed);
    json_set_text(object, "feed_title", alert->feed_title);
    json_set_text(object, "title", alert->title);
    json_set_text(object, "link", alert->link);
    json_set_text(object, "summary", alert->summary);
    json_set_time(object, "published", alert->published_s, FEED_TIME_NONE);
    json_set_time(object, "first_seen", alert->first_seen_s, FEED_TIME_NONE);
    json_object_set_new(object, "matched", matched_value(alert->matched_json));
    json_set_text(object, "story", NULL);
    return object;
}
