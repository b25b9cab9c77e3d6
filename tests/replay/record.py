"""Records the histories that ``test_histories`` replays: ``python -m tests.replay.record``, when no run is under way."""

from __future__ import annotations

import json
from pathlib import Path

from tests.replay import portfolio_story, review_story, story

STORIES = story.STORIES | portfolio_story.STORIES | review_story.STORIES

HISTORIES = Path(__file__).parent / "histories"
ROOT = Path(__file__).resolve().parents[2]


def record() -> list[Path]:
    """Write every story's instances, one file each story; the files written."""
    HISTORIES.mkdir(exist_ok=True)
    written = []
    for name, script in STORIES.items():
        engine, _ = script().play()
        path = HISTORIES / f"{name}.json"
        instances = [instance.recorded() for instance in engine.instances.values()]
        text = json.dumps(instances, indent=1, sort_keys=True) + "\n"
        # A stack trace names files of the machine that recorded it; what is kept must not.
        path.write_text(text.replace(f"{ROOT}/", ""), encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    record()
