"""Excursions of a course beyond a limit: hand-made courses, and a slow recount."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from celldossier.stats.excursions import NONE, interpolate_crossing, list_excursions


def course(text: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """``a:LLB b:-B`` as subjects, inside (L) and back (B); - is neither."""
    who, marks = [], ""
    for part in text.split():
        name, own = part.split(":")
        who += [name] * len(own)
        marks += own
    letters = np.array(list(marks))
    return who, letters == "L", letters == "B"


@pytest.mark.parametrize(
    ("text", "confirm", "first", "last", "end"),
    [
        ("a:BLLB", 1, [1], [2], [3]),
        ("a:BLLB", 2, [1], [2], [NONE]),
        ("a:BLBLBB", 2, [1], [3], [4]),
        ("a:BLBLBB", 1, [1, 3], [1, 3], [2, 4]),
        ("a:LL b:BB c:L", 1, [0, 4], [1, 4], [NONE, NONE]),
        ("a:BL b:BB", 2, [1], [1], [NONE]),
        ("a:BL-BB", 2, [1], [2], [3]),
        ("a:BL--", 1, [1], [3], [NONE]),
        ("a:-B-", 1, [], [], []),
    ],
)
def test_an_excursion_ends_at_the_first_confirmed_return(text, confirm, first, last, end):
    who, inside, back = course(text)
    found = list_excursions(who, inside, back, confirm)
    assert found.first.tolist() == first
    assert found.last.tolist() == last
    assert found.end.tolist() == end


def test_the_sample_before_an_excursion_is_of_the_same_subject():
    who, inside, back = course("a:BL b:LB c:BL")
    assert list_excursions(who, inside, back).before.tolist() == [0, NONE, 4]


def test_samples_of_a_subject_that_do_not_stand_together_are_refused():
    with pytest.raises(ValueError, match="do not stand together"):
        list_excursions(["a", "b", "a"], [True, False, True])


def recount(who, inside, back, confirm):
    """The same, sample by sample."""
    episodes = []
    for name in dict.fromkeys(who):
        rows = [i for i, subject in enumerate(who) if subject == name]
        start, last = None, None
        for at, row in enumerate(rows):
            if start is None:
                if inside[row]:
                    start, last = row, row
                continue
            run = rows[at : at + confirm]
            if len(run) == confirm and all(back[i] for i in run):
                episodes.append((name, start, last, row))
                start = None
            elif not back[row]:
                last = row
        if start is not None:
            episodes.append((name, start, last, NONE))
    return episodes


@given(
    st.lists(st.text(alphabet="LB-", min_size=1, max_size=9), min_size=0, max_size=6),
    st.integers(1, 3),
)
def test_all_subjects_at_once_give_what_a_slow_recount_gives(parts, confirm):
    who, inside, back = course(" ".join(f"{i}:{part}" for i, part in enumerate(parts)))
    found = list_excursions(who, inside, back, confirm)
    rows = list(
        zip(
            found.subject.tolist(),
            found.first.tolist(),
            found.last.tolist(),
            found.end.tolist(),
            strict=True,
        )
    )
    assert rows == recount(who, inside, back, confirm)


def test_a_crossing_lies_on_the_straight_line_between_two_samples():
    day, value = [0.0, 10.0, 14.0], [3.0, 1.0, 1.0]
    before, after = np.array([0, 1, NONE]), np.array([1, 2, 0])
    crossing = interpolate_crossing(day, value, before, after, 1.5)
    assert crossing[0] == pytest.approx(7.5)
    assert crossing[1] == 14.0
    assert np.isnan(crossing[2])
