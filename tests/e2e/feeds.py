"""feeds - RSS 2.0 and Atom 1.0 documents from Python lists of items.

An item is a dict: id, title, text, link, date (a datetime or None), summary (Atom: beside the text, which is the
content; RSS: description beside content:encoded). Text is written as it is, so markup in it arrives escaped.
"""
from datetime import datetime, timezone
from email.utils import format_datetime
from xml.sax.saxutils import escape


def item(number, title, text="", **more):
    """An item as publishers make them: its own id, link and, unless date=None is given, a date of today."""
    made = {"id": f"urn:test:{number}", "link": f"https://news.example/{number}", "title": title, "text": text,
            "date": datetime.now(timezone.utc).replace(microsecond=0)}
    return {**made, **more}


def _tag(name, value, attributes=""):
    return f"<{name}{attributes}>{escape(value)}</{name}>\n" if value is not None else ""


def rss(items, title="Test Wire", language=None, extra=""):
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
           'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>\n',
           _tag("title", title), "<link>https://news.example/</link>\n<description>d</description>\n",
           _tag("language", language), extra]
    for entry in items:
        has_both = entry.get("summary") is not None
        date = format_datetime(entry["date"]) if entry.get("date") else None
        out += ["<item>\n", _tag("title", entry.get("title")), _tag("link", entry.get("link")),
                _tag("guid", entry.get("id"), ' isPermaLink="false"'), _tag("pubDate", date),
                _tag("description", entry["summary"] if has_both else entry.get("text")),
                _tag("content:encoded", entry.get("text") if has_both else None), "</item>\n"]
    return "".join(out + ["</channel></rss>\n"]).encode()


def atom(items, title="Test Journal", language=None, extra=""):
    lang = f' xml:lang="{language}"' if language else ""
    out = [f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"{lang}>\n',
           _tag("title", title), "<id>urn:test:feed</id><updated>2026-01-01T00:00:00Z</updated>\n", extra]
    for entry in items:
        date = entry["date"].isoformat() if entry.get("date") else None
        out += ["<entry>\n", _tag("title", entry.get("title")), _tag("id", entry.get("id")),
                f'<link href="{escape(entry["link"])}"/>\n' if entry.get("link") else "",
                _tag("published", date), _tag("updated", date), _tag("summary", entry.get("summary")),
                _tag("content", entry.get("text"), ' type="html"'), "</entry>\n"]
    return "".join(out + ["</feed>\n"]).encode()
