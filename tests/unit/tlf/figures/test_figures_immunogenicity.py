from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from celldossier.tlf.figures_immunogenicity import draw_ada_timeline, read_antibody_samples
from celldossier.tlf.model import Context, Figure, NotShown

Contexts = Callable[..., Context]


def shown(output: Any) -> Figure:
    assert isinstance(output, Figure)
    return output


def rows_of(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.pages[0].axes[0].get_yticklabels()]


def test_only_subjects_that_were_ever_positive_have_a_row(make_context: Contexts) -> None:
    context = make_context("en", count=18)
    status = context.dataset("ADIM").set_index("USUBJID")
    rows = rows_of(shown(draw_ada_timeline(context)))
    assert len(rows) == 15
    assert all(status.loc[row, "ADAPOSFL"] == "Y" for row in rows)


def test_rows_stand_by_status_induced_first(make_context: Contexts) -> None:
    context = make_context("en", count=18)
    status = context.dataset("ADIM").set_index("USUBJID")["ADASTAT"]
    order = list(dict.fromkeys(status[row] for row in rows_of(shown(draw_ada_timeline(context)))))
    assert order == ["INDUCED", "BOOSTED", "NOT BOOSTED", "UNDETERMINED", ""]


def test_an_excerpt_is_printed_and_named_and_the_data_hold_all(make_context: Contexts) -> None:
    figure = shown(draw_ada_timeline(make_context("en", count=18, rows=4)))
    assert len(rows_of(figure)) == 4
    assert any("first 4 rows" in note and "all 15" in note for note in figure.footnotes)
    assert figure.data["USUBJID"].nunique() == figure.subjects == 15


def make_tiers(*tiers: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "USUBJID": "S1",
                "ISBDAGNT": "CAR",
                "AFRLT": 28.0,
                "ABLFL": "N",
                "ISCAT": tier,
                "AVALC": result,
                "AVAL": value,
            }
            for tier, result, value in tiers
        ]
    )


def test_a_sample_has_the_result_of_its_highest_tier() -> None:
    nan = float("nan")
    confirmed = make_tiers(
        ("SCREENING", "POSITIVE", nan), ("CONFIRMATORY", "POSITIVE", nan), ("TITER", "TITER", 80.0)
    )
    refuted = make_tiers(("SCREENING", "POSITIVE", nan), ("CONFIRMATORY", "NEGATIVE", nan))
    unconfirmed = make_tiers(("SCREENING", "POSITIVE", nan))
    negative = make_tiers(("SCREENING", "NEGATIVE", nan))
    stated = make_tiers(("RESULT", "POSITIVE", nan))
    untiered = make_tiers(("", "POSITIVE", nan))
    results = [
        read_antibody_samples(frame)["RESULT"].tolist()
        for frame in (confirmed, refuted, negative, stated, untiered)
    ]
    assert results == [["POSITIVE"], ["NEGATIVE"], ["NEGATIVE"], ["POSITIVE"], ["POSITIVE"]]
    # A screen awaits its confirmation only where the target has a confirmatory tier.
    assert read_antibody_samples(unconfirmed)["RESULT"].tolist() == ["POSITIVE"]
    tiered = pd.concat([unconfirmed, confirmed.assign(AFRLT=999.0)], ignore_index=True)
    assert read_antibody_samples(tiered)["RESULT"].tolist() == ["UNDETERMINED", "POSITIVE"]
    assert read_antibody_samples(confirmed)["TITRE"].tolist() == [80.0]


def test_baseline_and_titre_are_marked(make_context: Contexts) -> None:
    figure = shown(draw_ada_timeline(make_context("en", count=18)))
    axes = figure.pages[0].axes[0]
    titres = [text.get_text() for text in axes.texts if text.get_text() == "160"]
    assert len(titres) == int(figure.data["TITRE"].notna().sum()) > 0
    words = [text.get_text() for text in figure.pages[0].legends[0].get_texts()]
    assert words == ["Negative", "Positive", "Baseline sample"]


def test_immunoglobulin_and_rituximab_are_marked_where_given(make_context: Contexts) -> None:
    adcm = make_context("en", count=18).dataset("ADCM")
    adcm.loc[0, "CMCLASS"] = "IVIG"
    figure = shown(draw_ada_timeline(make_context("en", count=18, replace={"ADCM": adcm})))
    words = [text.get_text() for text in figure.pages[0].legends[0].get_texts()]
    assert words[-1] == "Immunoglobulin or anti-B-cell antibody"


def test_without_antibodies_the_reason_is_given(make_context: Contexts) -> None:
    adim = make_context("en", count=6).dataset("ADIM")
    empty = make_context("en", count=6, replace={"ADIM": adim.iloc[:0]})
    assert draw_ada_timeline(empty) == NotShown("NOTCOLL")
    negative = make_context("en", count=6, replace={"ADIM": adim.assign(ADAPOSFL="N")})
    assert draw_ada_timeline(negative) == NotShown("NOADAPOS")
    assert negative.language.reason("NOADAPOS")
