"""What `feedwatch parse` makes of a collection of feeds that is kept beside the repository: each feed comes with what
a reader must find in it. The collection and its scorer are looked for in $FEEDWATCH_SHARED, else in ../shared."""
import collections
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from feedwatchd import BUILD

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("FEEDWATCH_SHARED") or ROOT.parent / "shared") / "conformance"
# The least share of cases that must hold, in percent; the tags without a row of their own are the core.
CORE, CORE_TAG = 99, 97
APART = {"dates-exotic": 80, "encoding-exotic": 95, "mixed": 95, "policy": 0, "base-html": 0}

needs_cases = pytest.mark.skipif(not (CASES / "score.py").exists(),
                                 reason="the conformance cases are not on this machine (FEEDWATCH_SHARED, ../shared)")


def percent(results):
    return 100 * sum(r["status"] == "pass" for r in results) / len(results)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("conformance") / "results.json"
    memory = "0" if "asan" in str(BUILD) else "256"
    subprocess.run([sys.executable, str(CASES / "score.py"), "--memory", memory, "--plain-titles", "--json", str(path),
                    str(BUILD / "feedwatch"), "parse"], check=True, timeout=900)
    return json.loads(path.read_text())


@needs_cases
def test_no_feed_crashes_or_hangs_the_parser(results):
    assert results
    assert [r["name"] for r in results if r["status"] in ("crash", "timeout")] == []


@needs_cases
def test_feeds_are_read_as_people_expect(results):
    tags = collections.defaultdict(list)
    for result in results:
        tags[result["tag"]].append(result)
    scores = {tag: percent(group) for tag, group in tags.items()}
    below = {tag: f"{score:.1f} < {APART.get(tag, CORE_TAG)}" for tag, score in scores.items()
             if score < APART.get(tag, CORE_TAG)}
    failures = [f"{r['name']}: {r['detail']}" for r in results if r["status"] != "pass" and r["tag"] in below]
    assert below == {}, failures
    core = [r for r in results if r["tag"] not in APART]
    assert percent(core) >= CORE
