"""Titres over time, and the timeline of each subject: what is drawn is what the datasets hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from celldossier.tlf.figures_antibody_courses import draw_subject_timelines, draw_titre_courses
from celldossier.tlf.model import Context, Figure, NotShown

Contexts = Callable[..., Context]


def shown(output: Any) -> Figure:
    assert isinstance(output, Figure)
    return output


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.pages[0].legends[0].get_texts()]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_titre_of_the_data_is_a_point_of_the_figure(
    make_context: Contexts, lang: str
) -> None:
    context = make_context(lang, count=18)
    figure = shown(draw_titre_courses(context))
    adab = context.dataset("ADAB")
    titres = adab[adab["ISCAT"] == "TITER"]
    drawn = sorted(
        (round(float(day), 6), float(value))
        for axes in figure.pages[0].axes
        for line in axes.lines
        if line.get_linestyle() != "None"
        for day, value in zip(line.get_xdata(), line.get_ydata(), strict=True)
    )
    held = sorted(
        (round(day, 6), value) for day, value in zip(titres["AFRLT"], titres["AVAL"], strict=True)
    )
    assert drawn == held
    rows = figure.data[figure.data["KIND"] == "TITRE"]
    assert len(rows) == len(held) > 0
    assert figure.subjects == rows["USUBJID"].nunique()


def test_infusions_and_immunoglobulin_are_marked(make_context: Contexts) -> None:
    adcm = make_context("en", count=18).dataset("ADCM")
    drugs = {"ADCM": adcm.assign(CMCLASS="IVIG", ASTDY=33.0)}
    for draw in (draw_titre_courses, draw_subject_timelines):
        plain = shown(draw(make_context("en", count=18)))
        assert "Infusion" in words_of(plain)
        assert "Immunoglobulin or anti-B-cell antibody" not in words_of(plain)
        figure = shown(draw(make_context("en", count=18, replace=drugs)))
        assert "Immunoglobulin or anti-B-cell antibody" in words_of(figure)
        given = figure.data[figure.data["KIND"] == "IMMUNOGLOBULIN"]
        assert len(given) and (given["DAY"] == 33).all()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_subject_has_a_row_by_status_and_pages_go_on(
    make_context: Contexts, lang: str
) -> None:
    context = make_context(lang, count=18, rows=5)
    figure = shown(draw_subject_timelines(context))
    labels = [
        label.get_text().split("  ")[0]
        for page in figure.pages
        for label in page.axes[0].get_yticklabels()
    ]
    assert len(figure.pages) == -(-len(labels) // 5) and figure.printed == 2
    assert sorted(labels) == sorted(set(context.dataset("ADAB")["USUBJID"]))
    status = context.dataset("ADIM").drop_duplicates("USUBJID").set_index("USUBJID")["ADASTAT"]
    order = list(dict.fromkeys(status[label] for label in labels))
    assert order == [
        name
        for name in ("INDUCED", "BOOSTED", "NOT BOOSTED", "UNDETERMINED", "NEGATIVE", "")
        if name in order
    ]
    assert len(figure.footnotes) == 2


def test_crs_and_the_first_response_of_each_kind_are_those_of_the_data(
    make_context: Contexts,
) -> None:
    context = make_context("en", count=18)
    data = shown(draw_subject_timelines(context)).data
    crs = context.dataset("ADAESI").query("AESI == 'CRS'")
    drawn = data[data["KIND"] == "CRS"]
    seen = crs[crs["USUBJID"].isin(data["USUBJID"])]
    assert sorted(zip(drawn["DAY"], drawn["END"], strict=True)) == sorted(
        zip(seen["ASTDY"], seen["AENDY"], strict=True)
    )
    assert set(data.loc[data["KIND"] == "CR", "DAY"]) == {28.0}
    assert not data[data["KIND"].isin(["CR", "PD"])].duplicated(["USUBJID", "KIND"]).any()


def test_without_samples_or_titres_the_reason_is_given(make_context: Contexts) -> None:
    context = make_context("en", count=6)
    adim, adab = context.dataset("ADIM"), context.dataset("ADAB")
    empty = make_context("en", count=6, replace={"ADIM": adim.iloc[:0]})
    assert draw_titre_courses(empty) == draw_subject_timelines(empty) == NotShown("NOTCOLL")
    untitred = make_context("en", count=6, replace={"ADAB": adab[adab["ISCAT"] != "TITER"]})
    assert draw_titre_courses(untitred) == NotShown("TITERNONE")
    assert untitred.language.reason("TITERNONE")
