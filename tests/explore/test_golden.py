"""The kept answers for the page's own engine are still what the core says."""

from explore import golden


def test_kept_answers_are_those_of_the_core() -> None:
    assert golden.FILE.read_text(encoding="utf-8") == golden.as_text(golden.make())
    assert golden.FILE.stat().st_size <= 300_000
