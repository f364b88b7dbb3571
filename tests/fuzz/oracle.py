#!/usr/bin/env python3
"""oracle - a slow, obvious evaluator of the query language against `feedwatch match`.

usage: oracle.py [--pairs N] [--seed N] [--binary PATH] [--keep DIR]

Random queries are built as trees and written down with as few parentheses as the precedence allows (and some more); the
items are texts mutated from the same few words, so that about half of the pairs hold. What holds is worked out here from
the manual alone, by trying everything, and compared. Shares nothing with the matcher. Exit 1 on any difference.
"""
import argparse, collections, json, os, random, re, subprocess, sys, tempfile, time, unicodedata
from functools import lru_cache
from pathlib import Path

import snowballstemmer  # python3-snowballstemmer: tests/tools/install-deps

ROOT = Path(__file__).resolve().parents[2]

# ---- Words ------------------------------------------------------------------------------------------------------

PLAIN = {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
SINGLE = ("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER",
          "MYANMAR", "IDEOGRAPHIC", "KATAKANA-HIRAGANA")
EMOJI = set("🚀❤☀™©🇷🇺🇨👍👨💻🏴")
IGNORED = set("\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u0640")
MODIFIERS = set("\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def is_dropped_mark(c):
    return (0x300 <= ord(c) <= 0x36F or 0x591 <= ord(c) <= 0x5C7 or 0x610 <= ord(c) <= 0x61A or 0x64B <= ord(c) <= 0x65F
            or ord(c) == 0x670 or 0x20D0 <= ord(c) <= 0x20FF)


@lru_cache(None)
def folded(c):
    """The folded code points of one character."""
    if c in EMOJI or c in IGNORED or c in MODIFIERS:
        return c
    if unicodedata.decomposition(c).startswith("<fraction>"):
        return " "
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", c).casefold())
    return "".join(PLAIN.get(x, x) for x in text)


@lru_cache(None)
def kind(c):
    if c in IGNORED:
        return "ignored"
    if c in MODIFIERS:
        return "modifier"
    if c in EMOJI:
        return "single"
    category = unicodedata.category(c)
    if category[0] == "M":
        return "dropped" if is_dropped_mark(c) else "mark"
    if category[0] != "L" and category not in ("Nd", "Nl"):
        return "separator"
    return "single" if unicodedata.name(c, "").startswith(SINGLE) else "letter"


def jamo_joins(word, c):
    """Whether a conjoining vowel or trailing consonant goes on with the syllable."""
    if not word:
        return False
    last, code = ord(word[-1]), ord(c)
    if 0x1161 <= code <= 0x1175:
        return 0x1100 <= last <= 0x1112 and len(word) == 1
    return 0x11A8 <= code <= 0x11C2 and len(word) == 2 and 0x1161 <= last <= 0x1175 and 0x1100 <= ord(word[0]) <= 0x1112


def cut(text):
    """[(folded word, first character, behind the last character, is one character), …]"""
    stream = [(f, i) for i, c in enumerate(text) for f in folded(c)]
    # canonical order of the marks that are kept
    i = 0
    while i < len(stream):
        k = i
        while k < len(stream) and unicodedata.combining(stream[k][0]):
            k += 1
        if k - i > 1:
            stream[i:k] = sorted(stream[i:k], key=lambda x: unicodedata.combining(x[0]))
        i = max(k, i + 1)
    out, word = [], None  # word: [text, start, end, single]
    for c, i in stream:
        what = kind(c)
        if what == "separator":
            word = None
        elif what in ("dropped", "modifier"):
            if word:
                word[2] = max(word[2], i + 1)
                if c == "\u0306" and word[0][-1:] in "иу":
                    word[0] = word[0][:-1] + ("й" if word[0][-1] == "и" else "ў")
                elif c == "\u0308" and word[0][-1:] == "і":
                    word[0] = word[0][:-1] + "ї"
        elif what == "mark":
            if not word:
                word = ["", i, i + 1, False]
                out.append(word)
            word[0] += c
            word[2] = i + 1
        elif what == "letter":
            if not word or word[3]:
                word = ["", i, i + 1, False]
                out.append(word)
            word[0] += c
            word[2] = i + 1
        elif what == "single":
            if word and word[3] and jamo_joins(word[0], c):
                word[0] += c
                word[2] = i + 1
            else:
                word = [c, i, i + 1, True]
                out.append(word)
    return [tuple(w) for w in out]


@lru_cache(200000)
def words_of(text):
    return tuple(w[0] for w in cut(text))


def characters(word):
    """Word characters: a base with the marks that are kept."""
    out = []
    for c in word:
        if out and kind(c) == "mark":
            out[-1] += c
        else:
            out.append(c)
    return out


# ---- Languages --------------------------------------------------------------------------------------------------

LANGUAGES = {"en": ("english", "LATIN"), "es": ("spanish", "LATIN"), "ru": ("russian", "CYRILLIC"),
             "de": ("german", "LATIN"), "fr": ("french", "LATIN"), "uk": (None, "CYRILLIC"), "zh": (None, "CJK")}
stemmers = {}


def script(word):
    for c in word:
        if c.isalpha():
            name = unicodedata.name(c, "")
            return name.split()[0] if name.startswith(("LATIN", "CYRILLIC", "GREEK", "CJK")) else None
    return None


@lru_cache(200000)
def stem(language, word):
    name = LANGUAGES[language][0]
    if not name:
        return word
    if name not in stemmers:
        stemmers[name] = snowballstemmer.stemmer(name)
    return stemmers[name].stemWord(word)


def stem_language(word, item, languages):
    s = script(word)
    own = (item.language or "").split("-")[0].lower()
    if own in LANGUAGES and LANGUAGES[own][0] and LANGUAGES[own][1] == s:
        return own
    for language in languages:
        if LANGUAGES[language][1] == s:
            return language
    return None


# ---- Items ------------------------------------------------------------------------------------------------------

MULTIPLE = {"author": "authors", "category": "categories"}
FIELDS = {"title": ("title",), "summary": ("summary",), "content": ("content",), "body": ("summary", "content"),
          "text": ("title", "summary", "content"), "author": ("author",), "category": ("category",)}


class Item:
    def __init__(self, data):
        self.data = data
        self.language = data.get("lang")
        self.values = []  # (field, text, words)
        for field in ("title", "summary", "content"):
            if data.get(field) is not None:
                self.values.append((field, data[field], words_of(data[field])))
        for field, key in MULTIPLE.items():
            for text in data.get(key) or []:
                self.values.append((field, text, words_of(text)))
        self.summary_repeats = self.repeats()
        self.nfc = None

    def repeats(self):
        summary, content = (words_of(self.data.get(k) or "") for k in ("summary", "content"))
        n = len(summary)
        return n > 0 and any(content[i:i + n] == summary for i in range(len(content) - n + 1))

    def nfc_values(self):
        if self.nfc is None:
            self.nfc = []
            for _, text, words in self.values:
                composed = unicodedata.normalize("NFC", text)
                spots = cut(composed)
                assert tuple(w[0] for w in spots) == words, text
                self.nfc.append((composed, spots))
        return self.nfc


# ---- Meaning ----------------------------------------------------------------------------------------------------
# Trees: (kind, …). A word test is (test, folded), with test one of is begins like inflects any exact.

def like(pattern, word):
    regex = "".join(".*" if c == "*" else "[^\\s]" if c == "?" else re.escape(c) for c in pattern)
    units = characters(word)
    # one sign per word character, so that ? takes a base with its marks
    signs = {u: chr(0xF0000 + i) for i, u in enumerate(sorted(set(units + characters(pattern))))}
    plain = "".join(signs[u] for u in units)
    regex = "".join(".*" if u == "*" else "." if u == "?" else signs[u] for u in characters(pattern))
    return re.fullmatch(regex, plain, re.S) is not None


def passes(test, word, item, rule):
    what, text = test[0], test[1]
    if what == "is":
        return word == text
    if what == "begins":
        return word.startswith(text)
    if what == "like":
        return like(text, word)
    if what == "any":
        return True
    if what == "inflects":
        language = stem_language(text, item, rule["languages"])
        return word == text or (language is not None and stem(language, word) == stem(language, text))
    raise ValueError(what)


def touches(text, at, step):
    while 0 <= at < len(text) and text[at] in IGNORED:
        at += step
    return 0 <= at < len(text) and (unicodedata.category(text[at])[0] in "LM" or unicodedata.category(text[at]) in ("Nd", "Nl"))


def exact_spans(x, item, number):
    """Spans of words in one value where exactly the characters x stand."""
    text, spots = item.nfc_values()[number]
    x = unicodedata.normalize("NFC", x)
    out, at = set(), text.find(x)
    while at >= 0:
        end = at + len(x)
        if not touches(text, at - 1, -1) and not touches(text, end, 1):
            touched = [i for i, w in enumerate(spots) if w[1] < end and w[2] > at]
            if touched:
                out.add((touched[0], touched[-1]))
        at = text.find(x, at + 1)
    return out


def term_spans(term, item, rule, number):
    words = item.values[number][2]
    kind_, out = term[0], set()
    if kind_ == "exact":
        return exact_spans(term[1], item, number)
    tests = term[1]

    def at(test, i):
        if test[0] == "exact":
            return (i, i) in exact_spans(test[1], item, number)
        return passes(test, words[i], item, rule)

    n = len(tests)
    if kind_ == "phrase":
        for start in range(len(words) - n + 1):
            if all(at(t, start + i) for i, t in enumerate(tests)):
                out.add((start, start + n - 1))
        return out
    # unordered: any choice of different positions
    places = [[i for i in range(len(words)) if at(t, i)] for t in tests]

    def choose(k, used):
        if k == n:
            if (max(used) - min(used) + 1) - n <= term[2]:
                out.add((min(used), max(used)))
            return
        for i in places[k]:
            if i not in used and (not used or abs(i - used[0]) <= n + term[2]):
                choose(k + 1, used + [i])

    choose(0, [])
    return out


def near(left, right, n, ordered):
    out = set()
    for v, s, e in left:
        for w, t, f in right:
            if v != w:
                continue
            if e < t and t - e - 1 <= n:
                out.add((v, s, f))
            elif not ordered and f < s and s - f - 1 <= n:
                out.add((v, t, e))
    return out


# To Python these two are i without regard to case, to Unicode's case folding they are not: letters without case instead.
NO_CASE = {0x130: 0x1C0, 0x131: 0x1C1}


class Evaluator:
    def __init__(self, item, rule, lists, counts):
        self.item, self.rule, self.lists, self.counts = item, rule, lists, counts

    def spans(self, node, fields):
        what = node[0]
        if what == "term":
            return {(i, s, e) for i, v in enumerate(self.item.values) if v[0] in fields
                    for s, e in term_spans(node[1], self.item, self.rule, i)}
        if what == "or":
            return set().union(*(self.spans(c, fields) for c in node[1]))
        if what == "list":
            return set().union(*(self.spans(c, fields) for c in self.lists[node[1]]))
        if what == "near":
            return near(self.spans(node[1], fields), self.spans(node[2], fields), node[3], node[4])
        if what == "in":
            return self.spans(node[2], FIELDS[node[1]])
        raise ValueError(what)

    def regex(self, node, fields):
        flags = 0 if node[2] else re.I
        pattern = node[1].translate(NO_CASE)
        return any(re.search(pattern, v[1].translate(NO_CASE), flags) for v in self.item.values if v[0] in fields)

    def value(self, field, wanted):
        data = self.item.data
        if field in ("feed", "lang"):
            value = data.get(field)
            return value is not None and re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), value, re.I) is not None
        link = data.get("link") or ""
        if field == "link":
            return wanted.lower() in link.lower()
        host = re.sub(r"^[a-z]+://([^/@]*@)?([^/:?#]*).*", r"\2", link).lower().rstrip(".") if "://" in link else ""
        return bool(host) and (host == wanted.lower() or host.endswith("." + wanted.lower()))

    def holds(self, node, fields):
        result = self.truth(node, fields)
        for name in node_names(node):
            self.counts[name, result] += 1
        return result

    def truth(self, node, fields):
        what = node[0]
        if what == "and":
            return all([self.holds(c, fields) for c in node[1]])
        if what == "or":
            return any([self.holds(c, fields) for c in node[1]])
        if what == "not":
            return not self.holds(node[1], fields)
        if what == "in":
            return self.holds(node[2], FIELDS.get(node[1], fields))
        if what == "list":
            return any(self.holds(c, fields) for c in self.lists[node[1]])
        if what == "regex":
            return self.regex(node, fields)
        if what == "value":
            return self.value(node[1], node[2])
        if what == "atleast":
            spans = self.spans(node[2], fields)
            if self.item.summary_repeats:
                spans = {s for s in spans if self.item.values[s[0]][0] != "summary"}
            return disjoint(spans) >= node[1]
        return bool(self.spans(node, fields))


def disjoint(spans):
    n, free = 0, {}
    for v, s, e in sorted(spans, key=lambda x: (x[0], x[2])):
        if s >= free.get(v, 0):
            n += 1
            free[v] = e + 1
    return n


def node_names(node):
    what = node[0]
    if what == "term":
        term = node[1]
        if term[0] == "exact":
            return ["=X"]
        names = {"begins": "prefix*", "like": "wild?card", "inflects": "word~", "any": "lone *", "exact": "=WORD in a phrase"}
        return [names[t[0]] for t in set(term[1]) if t[0] in names] + [
            '"…"~n' if term[0] == "unordered" else "phrase" if len(term[1]) > 1 else "word"]
    if what == "near":
        chain = node[1][0] == "near"
        return (["NEAR chain"] if chain else []) + ["ONEAR" if node[4] else "NEAR"]
    if what in ("in", "value"):
        return [node[1] + ":"]
    if what == "regex":
        return ["/…/c" if node[2] else "/…/"]
    return [{"list": "@list"}.get(what, what.upper())]


# ---- Random texts and queries -----------------------------------------------------------------------------------

LEXICON = """cuba cubans havana moscow russia russian kremlin oil tanker tankers minister ministers ministry energy visit visits
visited visiting port ports ship shipping sanctions who us it may apple naïve café México Łódź straße ﬁnance İstanbul résumé
Øre Ærø coöperate Куба Кубы Кубе Кубой кубок Россия России Москва Москвы министр министра танкер танкеры нефть визит Йод йоги
ёлка Кра́сная Україна їжак Ελλάδα Ἑλλάς كتاب كِتَاب שלום שָׁלוֹם मुंबई मुंबईकर हिन्दी 古巴 俄罗斯总统 访问 がん カナダ ﾊﾞｽ 러시아 쿠바 ไทยนี้ AT&T C++ U.S.
F-35 O'Brien l’Ukraine 1,000.5 CVE-2024-1234 🚀 ❤️ 🇷🇺 🇨🇺 Apple™ x² ½ WHO Who who NATO nato 5G Cuba's Russia–Cuba co­operate""".split()
SEPARATORS = [" "] * 20 + [", ", ". ", " - ", "\n", "-", "/", " — ", "; ", "’s ", "\u00a0", "\u200b ", "! ", " (", ") "]


def mutate(r, word):
    how = r.random()
    if how < 0.5:
        return word
    if how < 0.6:
        return word.upper()
    if how < 0.7:
        return word.capitalize()
    if how < 0.78:
        return unicodedata.normalize("NFD", word)
    if how < 0.82 and len(word) > 2:
        i = r.randrange(1, len(word))
        return word[:i] + r.choice("\u00ad\u200d\u200b\ufe0f") + word[i:]
    if how < 0.86 and word.isalpha():
        i = r.randrange(1, len(word) + 1)
        return word[:i] + "\u0301" + word[i:]
    if how < 0.9:
        return word + r.choice(["s", "es", "ing", "а", "ов"])
    if how < 0.93 and word.isascii() and word.isalpha():
        return "".join(chr(ord(c) + 0xFEE0) for c in word)
    return word.lower()


def random_text(r, vocabulary, n):
    return "".join(mutate(r, r.choice(vocabulary)) + r.choice(SEPARATORS) for _ in range(n)).strip()


FEEDS = {"granma": ["wire", "cuba"], "reuters-en": ["wire"], "reuters-ru": [], "blog": []}


def random_item(r, vocabulary, number):
    data = {"id": number, "title": random_text(r, vocabulary, r.randint(2, 10))}
    if r.random() < 0.7:
        data["summary"] = random_text(r, vocabulary, r.randint(0, 25))
    if r.random() < 0.6:
        data["content"] = random_text(r, vocabulary, r.randint(0, 40))
        if r.random() < 0.4 and data.get("summary"):
            data["content"] = random_text(r, vocabulary, 3) + " " + data["summary"].upper() + " " + data["content"]
    if r.random() < 0.6:
        data["authors"] = [random_text(r, vocabulary, r.randint(1, 3)) for _ in range(r.randint(0, 2))]
    if r.random() < 0.6:
        data["categories"] = [random_text(r, vocabulary, r.randint(1, 3)) for _ in range(r.randint(0, 3))]
    if r.random() < 0.8:
        data["feed"] = r.choice(list(FEEDS))
        data["tags"] = FEEDS[data["feed"]]
    if r.random() < 0.5:
        data["lang"] = r.choice(["en", "es", "ru", "en-US", "RU", "uk", "de"])
    if r.random() < 0.7:
        data["link"] = r.choice(["https://example.com/news/1", "https://www.example.com/cuba?x=1", "http://user@news.example.org:80/a",
                                 "https://notexample.com/", "https://EXAMPLE.com./Cuba/2"])
    return Item(data)


class Writer:
    """Random trees, and how they are written."""

    def __init__(self, r, vocabulary, lists, with_lists):
        self.r, self.vocabulary, self.lists, self.with_lists = r, vocabulary, lists, with_lists

    def raw(self):
        """A word as a user may type it bare: a text, and the folded words that it holds."""
        while True:
            text = mutate(self.r, self.r.choice(self.vocabulary))
            if re.match(r"[-=@/]", text) or re.search(r'[\s()"*?~,;:\u00a0]', text):
                continue
            if re.match(r"[A-Z]+/", text) or text in ("AND", "OR", "NOT", "NEAR", "ONEAR", "ATLEAST"):
                continue
            if words_of(text):
                return text, words_of(text)

    def letters_ok(self, word, least, beside):
        parts = [characters(p) for p in re.split(r"[*?]", word)]
        ascii_ = word.isascii()
        return (sum(map(len, parts)) >= (least if ascii_ else 2) and max(map(len, parts)) >= (beside if ascii_ else 1))

    def plain_word(self):
        """One word of letters, without marks that are dropped, so that it can be cut anywhere."""
        for _ in range(50):
            _, words = self.raw()
            word = self.r.choice(words)
            if all(kind(c) in ("letter", "mark") for c in word):
                return word
        return "cuba"

    def word_test(self, allow_phrase):
        """(written, tests)"""
        r = self.r.random()
        if r < 0.45:
            text, words = self.raw()
            if len(words) == 1 or allow_phrase:
                return text, [("is", w) for w in words]
        word = self.plain_word()
        units = characters(word)
        if r < 0.65:
            n = self.r.randint(1, len(units))
            begin = "".join(units[:n])
            if self.letters_ok(begin, 3, 1):
                return begin + "*", [("begins", begin)]
        elif r < 0.8:
            for _ in range(10):
                pattern = list(units)
                i = self.r.randrange(len(pattern))
                if self.r.random() < 0.5:
                    pattern[i] = "?"
                else:
                    pattern[i:self.r.randint(i, len(pattern))] = ["*"]
                if self.r.random() < 0.2:
                    pattern.insert(0, "*")
                text = re.sub(r"\*+", "*", "".join(pattern))
                if ("*" in text[:-1] or "?" in text) and self.letters_ok(text, 3, 2):
                    return text, [("like", text)]
        else:
            return word + "~", [("inflects", word)]
        return word, [("is", word)]

    def exact(self):
        while True:
            text = mutate(self.r, self.r.choice(self.vocabulary))
            if re.search(r'[\s"()*?~,;\u00a0]', text) or not text.strip("\u200b\u200d\u00ad"):
                continue
            spots = cut(text)
            if any(c.isalnum() for c in text) and spots and kind(text[-1]) != "ignored" and kind(text[0]) not in ("ignored", "dropped"):
                return text, len(spots)

    def phrase(self):
        written, tests = [], []
        for i in range(self.r.randint(2, 3)):
            what = self.r.random()
            if what < 0.12:
                written.append("*")
                tests.append(("any", ""))
            elif what < 0.27:
                text, n = self.exact()
                if n == 1:
                    written.append("=" + text)
                    tests.append(("exact", text))
            else:
                text, more = self.word_test(True)
                written.append(text)
                tests += more
        if all(t[0] == "any" for t in tests):
            return self.phrase()
        return '"' + " ".join(written) + '"', tests

    def term(self):
        what = self.r.random()
        if what < 0.55:
            text, tests = self.word_test(True)
            return ("term", ("phrase", tuple(tests))), text
        if what < 0.7:
            text, tests = self.phrase()
            return ("term", ("phrase", tuple(tests))), text
        if what < 0.82:
            for _ in range(20):
                text, tests = self.phrase()
                if all(t[0] != "any" for t in tests) and len(tests) <= 4:
                    n = self.r.choice([0, 1, 2, 5, 9])
                    return ("term", ("unordered", tuple(tests), n)), f"{text}~{n}"
        if what < 0.92:
            text, _ = self.exact()
            return ("term", ("exact", text)), f'="{text}"' if self.r.random() < 0.5 else f"={text}"
        text, words = self.raw()
        return ("term", ("phrase", tuple(("is", w) for w in words))), text

    def regex(self):
        words = [w for w in self.vocabulary if re.fullmatch(r"[A-Za-zА-Яа-яё]+", w)] or ["cuba"]
        a, b = self.r.choice(words), self.r.choice(words)
        pattern = self.r.choice([a, a[:3] + r"\w+", a + r"\W+" + b, f"{a}|{b}", r"\b" + a + r"\b", "^" + a, b + "$", r"\d+", "[" + a + "]{3}"])
        caseful = self.r.random() < 0.4
        return ("regex", pattern, caseful), f"/{pattern}/" + ("c" if caseful else "")

    def value(self):
        field = self.r.choice(["feed", "lang", "lang", "site", "link"])
        wanted = self.r.choice({"feed": ["granma", "reuters-*", "REUTERS-en", "nobody"], "lang": ["en", "ru", "en*", "de"],
                                "site": ["example.com", "www.example.com", "example.org", "com"],
                                "link": ["cuba", "news", "/news/1", "example.com/"]}[field])
        return ("value", field, wanted), f"{field}:{wanted}" if self.r.random() < 0.7 else f'{field}:"{wanted}"'

    def leaf(self, positions_only=False):
        what = self.r.random()
        if self.with_lists and what < 0.15:
            name = self.r.choice(list(self.lists))
            return ("list", name), "@" + name
        if not positions_only and what < 0.25:
            return self.regex()
        if not positions_only and what < 0.37:
            return self.value()
        if what > 0.85:
            field = self.r.choice([*FIELDS, "author"])
            parts = [self.term() for _ in range(self.r.choice([1, 2, 3, 4]))]
            text = parts[0][1] if len(parts) == 1 else "(" + " OR ".join(p[1] for p in parts) + ")"
            tree = parts[0][0] if len(parts) == 1 else ("or", [p[0] for p in parts])
            return ("in", field, tree), f"{field}:{text}"
        return self.term()

    # Each returns (tree, text, level): level 0 OR, 1 AND, 2 NEAR and ATLEAST, 3 NOT, 4 primary.
    def wrap(self, made, level):
        tree, text, own = made
        if own < level or self.r.random() < 0.1:
            return tree, "(" + self.r.choice(["", " "]) + text + ")", 4
        return made

    def group(self, depth, positions_only):
        parts = [self.wrap(self.node(depth - 1, positions_only), 1) for _ in range(self.r.randint(2, 3))]
        return ("or", [p[0] for p in parts]), " OR ".join(p[1] for p in parts), 0

    def near(self, depth):
        made = self.wrap(self.node(depth - 1, True), 3)
        for _ in range(self.r.choice([1, 2])):
            right = self.wrap(self.node(depth - 1, True), 3)
            ordered, n = self.r.random() < 0.4, self.r.choice([0, 1, 3, 5, 10, 20, 50, None])
            word = ("ONEAR" if ordered else "NEAR") + ("" if n is None else f"/{n}")
            made = (("near", made[0], right[0], 10 if n is None else n, ordered), f"{made[1]} {word} {right[1]}", 2)
        return made

    def node(self, depth, positions_only=False):
        what = self.r.random()
        if depth <= 0 or what < 0.25:
            return (*self.leaf(positions_only), 4)
        if what < 0.35:
            field = self.r.choice([*FIELDS, "author"])
            inner = self.wrap(self.node(depth - 1, positions_only), 4)
            return ("in", field, inner[0]), f"{field}:{inner[1]}", 4
        if what < 0.55:
            return self.group(depth, positions_only)
        if what < 0.7 or positions_only:
            return self.near(depth)
        if what < 0.8:
            n = self.r.randint(1, 4)
            inner = self.wrap(self.node(depth - 1, True), 2)
            return ("atleast", n, inner[0]), f"ATLEAST/{n} {inner[1]}", 2
        return self.conjunction(depth)

    def negation(self, depth):
        inner = self.wrap(self.node(depth - 1), 4)
        if self.r.random() < 0.5:
            return ("not", inner[0]), "-" + inner[1], 3
        return ("not", inner[0]), "NOT " + inner[1], 3

    def conjunction(self, depth):
        parts = [self.wrap(self.node(depth - 1), 2) for _ in range(self.r.randint(1, 2))]
        if self.r.random() < 0.6 or len(parts) == 1:
            parts.insert(self.r.randint(0, len(parts)), self.negation(depth))
        text = parts[0][1]
        for part in parts[1:]:
            text += self.r.choice([" AND ", " "]) + part[1]
        return ("and", [p[0] for p in parts]), text, 1

    def query(self):
        tree, text, _ = self.node(self.r.choice([0, 1, 1, 2, 2, 3]))
        return tree, text


# ---- Running ----------------------------------------------------------------------------------------------------

def random_rule(r, writer, with_settings):
    tree, text = writer.query()
    rule = {"match": (tree, text), "languages": ["en", "es", "ru"], "in": None, "exclude": None, "feeds": None}
    if with_settings:
        if r.random() < 0.3:
            rule["in"] = r.sample(list(FIELDS), r.randint(1, 2))
        if r.random() < 0.3:
            rule["exclude"] = writer.query()
        if r.random() < 0.3:
            rule["feeds"] = r.sample(["granma", "reuters-*", "tag:wire", "tag:cuba", "blog", "*"], r.randint(1, 2))
        if r.random() < 0.3:
            rule["languages"] = r.sample(["en", "es", "ru", "de", "fr"], r.randint(1, 3))
            rule["language"] = True
    return rule


def in_scope(rule, item):
    feed = item.data.get("feed")
    if rule["feeds"] is None:
        return True
    if feed is None:
        return False
    for pattern in rule["feeds"]:
        names = item.data.get("tags") or [] if pattern.startswith("tag:") else [feed]
        regex = re.escape(pattern.removeprefix("tag:")).replace(r"\*", ".*")
        if any(re.fullmatch(regex, name) for name in names):
            return True
    return False


def expected(rule, item, lists, counts):
    fields = FIELDS["text"] if rule["in"] is None else tuple(f for name in rule["in"] for f in FIELDS[name])
    evaluator = Evaluator(item, rule, lists, counts)
    result = evaluator.holds(rule["match"][0], fields)
    if rule["exclude"]:
        excluded = evaluator.holds(rule["exclude"][0], fields)
        counts["exclude", excluded] += 1
        result = result and not excluded
    if rule["feeds"] is not None:
        scoped = in_scope(rule, item)
        counts["feeds", scoped] += 1
        result = result and scoped
    for name in ("in", "language"):
        if rule.get(name):
            counts[name, result] += 1
    return result


def looks_further(rule):
    texts = rule["match"][1] + (rule["exclude"][1] if rule["exclude"] else "")
    return bool(re.search("author:|category:", texts) or {"author", "category"} & set(rule["in"] or ()))


def configuration(rules, lists, list_texts):
    out = ["[feed %s]\nurl = https://example.org/%s\ntags = %s\n" % (f, f, ", ".join(t) or "none") for f, t in FEEDS.items()]
    out += [f"[list {name}]\nany = {text}\n" for name, text in list_texts.items()]
    for i, rule in enumerate(rules):
        out.append(f"[rule q{i + 1}]\nmatch = {rule['match'][1]}")
        if rule["exclude"]:
            out.append("exclude = " + rule["exclude"][1])
        if rule["in"]:
            out.append("in = " + ", ".join(rule["in"]))
        if rule["feeds"]:
            out.append("feeds = " + ", ".join(rule["feeds"]))
        if rule.get("language"):
            out.append("language = " + ", ".join(rule["languages"]))
        out.append("")
    return "\n".join(out)


SEASONED_AFTER = 1000  # items; rule/keys.c


class Batch:
    def __init__(self, r, binary, folder, with_lists):
        self.r, self.binary, self.folder = r, binary, Path(folder)
        vocabulary = r.sample(LEXICON, 14)
        self.items = [random_item(r, vocabulary, i) for i in range(80)]
        self.lists, self.list_texts = {}, {}
        if with_lists:
            self.make_lists(vocabulary)
        self.with_lists = with_lists
        writer = Writer(r, vocabulary, self.lists, with_lists)
        is_plain = r.random() < 0.2  # no rule looks beyond title, summary and content
        self.rules = []
        while len(self.rules) < 50:
            rule = random_rule(r, writer, with_lists)
            if not is_plain or not looks_further(rule):
                self.rules.append(rule)
        self.is_seasoned = r.random() < 0.5

    def make_lists(self, vocabulary):
        writer = Writer(self.r, vocabulary, {}, False)
        for name in ("one", "two.x", "three-3"):
            made = [writer.term() for _ in range(self.r.randint(1, 3))]
            self.lists[name], texts = [m[0] for m in made], [m[1] for m in made]
            if name == "three-3":
                self.lists[name] = self.lists[name] + [("list", "one")]
                texts.append("@one")
            self.list_texts[name] = ", ".join(texts)

    def command(self, *more):
        if not self.with_lists:
            return [self.binary, "match", *more, *(x for rule in self.rules for x in ("-q", rule["match"][1]))]
        conf = self.folder / "feedwatch.conf"
        conf.write_text(configuration(self.rules, self.lists, self.list_texts))
        return [self.binary, "match", "-c", str(conf), *more]

    def errors(self, text):
        """Which rules were refused, by number; every refusal must be one of those that a random tree may earn."""
        bad = set()
        conf = (self.folder / "feedwatch.conf").read_text().splitlines() if self.with_lists else []
        for line in text.splitlines():
            match = re.match(r"(?:q(\d+)|[^:]*feedwatch\.conf):(\d+):\d+: error: (.*)", line)
            if not match:
                continue
            number, at, message = match.groups()
            assert re.search("can never hold|without words", message), line
            if number is None:
                number = next(l for l in reversed(conf[:int(at)]) if l.startswith("[rule"))[7:-1]
            bad.add(int(number) - 1)
        return bad

    def run(self, with_evidence):
        lines = "".join(json.dumps(i.data, ensure_ascii=False) + "\n" for i in self.items)
        if self.is_seasoned:  # by then the matcher has chosen, from what it counted, what to look for first
            lines *= SEASONED_AFTER // len(self.items) + 2
        for _ in range(3):
            result = subprocess.run(self.command(*([] if with_evidence else ["--ids"])), input=lines, capture_output=True,
                                    text=True, errors="replace")
            if result.returncode == 0:
                self.check_refused(set())
                return [json.loads(l) for l in result.stdout.splitlines()[-len(self.items):]], result.stderr
            bad = self.errors(result.stderr)
            assert bad, f"exit {result.returncode}\n{result.stderr}"
            self.check_refused(bad)
            self.rules = [rule for i, rule in enumerate(self.rules) if i not in bad]
        raise AssertionError(result.stderr)

    def check_refused(self, bad):
        """A rule is refused if, and only if, it holds for nothing or contradicts itself."""
        nothing = Item({"id": 0, "title": "-"})
        for i, rule in enumerate(self.rules):
            alone = dict(rule, feeds=None, exclude=None)
            wrong = expected(alone, nothing, self.lists, collections.Counter()) or contradicts(rule, self.lists)
            assert bool(wrong) == (i in bad), rule

    def check_evidence(self, item, matches):
        for match in matches:
            assert match["matched"], match
            for e in match["matched"]:
                field = e["field"]
                value = item.data[MULTIPLE[field]][e["index"]] if field in MULTIPLE else item.data[field]
                assert value.encode()[e["start"]:e["end"]].decode() == e["text"] and e["text"], (item.data, e)


def conjuncts(node, fields, negated, lists, out):
    """Adds (part, is negated) for every part of the conjunction that the node is."""
    what = node[0]
    if what == "not":
        return conjuncts(node[1], fields, not negated, lists, out)
    if what == "in":
        return conjuncts(node[2], node[1], negated, lists, out)
    if what != "and" or negated:
        out.append((repr((key(node), None if what == "value" else sorted(FIELDS.get(fields, fields)))), negated))
    parts = lists[node[1]] if what == "list" else node[1] if what in ("and", "or") else []
    if (what == "and" and not negated) or (what in ("or", "list") and (negated or len(parts) == 1)):
        for part in parts:
            conjuncts(part, fields, negated, lists, out)


def key(node):
    """The node, without regard to the order of operands that may be exchanged."""
    if node[0] == "term" and node[1][0] == "unordered":
        return ("term", ("unordered", tuple(sorted(node[1][1])), node[1][2]))
    if node[0] in ("and", "or"):
        flat = []
        for part in node[1]:
            flat += part[1] if part[0] == node[0] else [part]
        return (node[0], sorted((key(p) for p in flat), key=repr))
    if node[0] == "near" and not node[4]:
        return ("near", *sorted((key(node[1]), key(node[2])), key=repr), *node[3:])
    if node[0] == "in":
        return ("in", FIELDS.get(node[1]), key(node[2]))
    return tuple(key(x) if isinstance(x, tuple) and x and isinstance(x[0], str) and x[0] in KINDS else x for x in node)


KINDS = {"term", "and", "or", "not", "in", "list", "regex", "value", "atleast", "near"}


def demands_and_excludes(node, fields, lists, negated=False):
    out = []
    conjuncts(node, fields, negated, lists, out)
    return any((part, not sign) in out for part, sign in out)


def contradicts(rule, lists):
    fields = FIELDS["text"] if rule["in"] is None else tuple(sorted({f for name in rule["in"] for f in FIELDS[name]}))

    def below(node, fields):
        if node[0] == "in":
            return below(node[2], node[1] if node[1] in FIELDS else fields)
        if node[0] == "and" and demands_and_excludes(node, fields, lists):
            return True
        return any(below(c, fields) for c in (node[1] if node[0] in ("and", "or") else node[1:2] if node[0] == "not" else []))

    trees = [rule["match"][0]] + ([rule["exclude"][0]] if rule["exclude"] else [])
    if any(below(tree, fields) for tree in trees):
        return True
    return len(trees) == 2 and demands_and_excludes(("and", [trees[0], ("not", trees[1])]), fields, lists)


def compare(batch, counts, totals, with_evidence):
    output, stderr = batch.run(with_evidence)
    assert len(output) == len(batch.items), "one line out for each line in"
    differences = 0
    for item, line in zip(batch.items, output):
        if with_evidence:
            batch.check_evidence(item, line["rules"])
        got = {m["rule"] if with_evidence else m for m in line["rules"]}
        for i, rule in enumerate(batch.rules):
            wanted = expected(rule, item, batch.lists, counts)
            totals["pairs"] += 1
            totals["true"] += wanted
            if wanted != (f"q{i + 1}" in got):
                differences += 1
                if totals["shown"] < 10:
                    totals["shown"] += 1
                    print(f"DIFFERENCE: here {wanted}: {rule}\n  lists {batch.list_texts}\n  item {json.dumps(item.data, ensure_ascii=False)}")
    return differences


OPERATORS = ["word", "phrase", "prefix*", "wild?card", "lone *", "word~", "=X", "=WORD in a phrase", '"…"~n', "/…/", "/…/c", "title:",
             "summary:", "content:", "body:", "text:", "author:", "category:", "feed:", "lang:", "site:", "link:", "@list", "NEAR", "ONEAR",
             "NEAR chain", "ATLEAST", "NOT", "AND", "OR", "exclude", "feeds", "in", "language"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=200000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binary", default=os.environ.get("FEEDWATCH", str(ROOT / "build/feedwatch")))
    options = parser.parse_args()
    r, counts, totals = random.Random(options.seed), collections.Counter(), collections.Counter()
    differences, batches, start = 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        while totals["pairs"] < options.pairs:
            batch = Batch(r, options.binary, folder, with_lists=batches % 2 == 1)
            differences += compare(batch, counts, totals, with_evidence=batches % 8 < 2)
            batches += 1
    few = []
    for name in OPERATORS:
        print(f"  {name:18} true {counts[name, True]:8} false {counts[name, False]:8}")
        if min(counts[name, True], counts[name, False]) < 1000:
            few.append(name)
    share = totals["true"] / totals["pairs"]
    print(f"oracle: {totals['pairs']} pairs, {share:.0%} true, {differences} differences, seed {options.seed}, "
          f"{time.monotonic() - start:.0f} s")
    if few and options.pairs >= 200000:
        print("oracle: too few of: " + ", ".join(few))
    sys.exit(1 if differences or share < 0.3 or (few and options.pairs >= 200000) else 0)


if __name__ == "__main__":
    main()
