"""What the torture of the alert path shares: the parts of the end-to-end tests, a ground for each worker, and the scale.

FEEDWATCH_TORTURE=full (`make torture`) is the whole measure, else the short one that runs with every check.
"""
import os, sys
from pathlib import Path
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
FULL = os.environ.get("FEEDWATCH_TORTURE") == "full"


@pytest.fixture
def scale():
    """scale(1000, 20): the first number in the full measure, the second in the short one."""
    return lambda full, short: full if FULL else short


@pytest.fixture
def note(capsys):
    """Prints what was measured, also where the test passes."""
    def say(text):
        with capsys.disabled():
            print(f"\n  {text}", flush=True)
    return say


@pytest.fixture
def make_grounds(tmp_path):
    from ground import Ground
    made = []

    def make(count, **settings):
        for _ in range(count):
            made.append(Ground(tmp_path / f"ground{len(made)}", **settings))
        return made
    yield make
    for ground in made:
        ground.stop()
