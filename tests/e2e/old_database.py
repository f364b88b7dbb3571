"""old_database - the database as the first release left it, made of one of today."""

SCHEDULE = ("due_s", "asked_s", "looked_s", "new_item_s", "failing_since_s", "allowed_s", "rhythm_s", "unmodified_since_s", "unconditional_s",
            "failures", "throttles", "has_validator", "is_gone", "publisher_s", "skip_hours", "skip_days")


def make_first_release(database):
    """Without what the later ones added; what a feed's schedule says stays. The caller commits."""
    names = ", ".join(SCHEDULE)
    for name in SCHEDULE:
        database.execute(f"ALTER TABLE feed ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0")
    database.execute(f"UPDATE feed SET ({names}) = (SELECT {names} FROM schedule WHERE feed = row)")
    for name in "gap_told_s", "window_told_s":
        database.execute(f"ALTER TABLE feed DROP COLUMN {name}")
    for table in "schedule", "sink", "gap":
        database.execute(f"DROP TABLE {table}")
    database.execute("PRAGMA user_version = 1")
