"""Table and figure of the versions of an assay, from results of the stage."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from bridging_study import make_adbrg, make_versions
from kinetics_study import make_adcm, make_adex, make_adsl
from table_texts import texts

from celldossier.cellular_kinetics.analysis_datasets import derive_nca_input, select_samples
from celldossier.cellular_kinetics.bridging import estimate_bridges, scale_samples
from celldossier.cellular_kinetics.bridging_results import draw_bridges, summarise_bridging
from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.language import Language
from celldossier.tlf.figures_bridging import draw_assay_bridge
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_bridging import draw_assay_bridging

ONE_VERSION = dict.fromkeys(("S1", "S2", "S3", "S4", "S5"), "1")
NO_PAIRS = empty_dataset("ADBRG")


def context(
    settings: dict[str, Any],
    adbrg: pd.DataFrame,
    adpc: pd.DataFrame | None = None,
    language: str = "en",
) -> Context:
    kinetics, adsl = CellularKineticsSettings(), make_adsl()
    samples = select_samples(make_versions() if adpc is None else adpc)
    given = derive_nca_input(samples, adsl, make_adex(), make_adcm())
    bridges = estimate_bridges(adbrg, kinetics.bridging)
    scaled = scale_samples(given, samples, bridges)
    subjects = pd.Index(adsl["USUBJID"])
    return Context(
        language=Language("zh" if language == "zh" else "en"),
        results=AnalysisResults([summarise_bridging(adbrg, bridges, scaled, samples, subjects)]),
        curves=draw_bridges(adbrg, bridges),
        dataset={"ADBRG": adbrg}.__getitem__,
        settings={**settings, "cellular_kinetics": kinetics.model_dump(mode="json")},
    )


def rows_of(table: Table | NotShown) -> dict[str, str]:
    return {row[0]: row[-1] for row in texts(table)}


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    return make_adbrg()


def test_the_table_prints_versions_pairs_estimates_and_what_became_of_them(
    settings: dict[str, Any], pairs: pd.DataFrame
) -> None:
    made = context(settings, pairs)
    rows = rows_of(draw_assay_bridging(made))
    used = pairs[pairs["ANL01FL"] == "Y"]
    assert rows["Version 1: method; laboratory"] == "METHOD 1; LAB 1"
    bridge = "Bridging of version 1 to version 2: samples (subjects in the estimates), n"
    assert rows[bridge] == f"60 ({used['USUBJID'].nunique()})"
    assert rows["Pairs in the estimates, n"] == str(len(used))
    assert rows["with a result below LLOQ: not in the estimates, n"] == str(60 - len(used))
    ratio = made.results.get("cellular_kinetics.bridge_fit/CONC/PCR/version=1/ratio").number
    printed = rows["Geometric mean ratio, version 2 to version 1 (95% CI)"]
    assert printed.startswith(f"{ratio:.2f} (")
    assert "Slope of ln version 2 on ln version 1 (95% CI)" in rows
    assert (
        rows["Use of the bridge"]
        == "one factor at all levels is not contradicted: applied before the NCA"
    )
    profiles = [value for label, value in rows.items() if label.startswith("Profiles")]
    assert profiles == ["2", "3", "0"]
    assert not any("other version" in label for label in rows)


@pytest.mark.parametrize(
    ("adbrg", "verdict", "left"),
    [
        (NO_PAIRS, "no bridging data: no factor applied", "5"),
        (make_adbrg(slope=1.6), "depends on the level: no factor applied", "3"),
        (make_adbrg(subjects=2), "not to be judged from these data: no factor applied", "3"),
    ],
)
def test_where_no_factor_is_applied_the_table_says_why(
    settings: dict[str, Any], adbrg: pd.DataFrame, verdict: str, left: str
) -> None:
    table = draw_assay_bridging(context(settings, adbrg))
    rows = rows_of(table)
    assert rows["Use of the bridge"] == verdict
    assert rows["Profiles on no common scale, n"] == left
    assert isinstance(table, Table)
    limits = [row.cells[-1] for row in table.rows if row.cells[0].text.startswith("LLOQ on")]
    assert limits[0].text == "NC" and limits[0].reasons[0] in ("NOBRIDGE", "BRIDGELEVEL", "FEWSUBJ")


def test_both_languages_print_the_same_values_in_table_and_figure(
    settings: dict[str, Any], pairs: pd.DataFrame
) -> None:
    made = [context(settings, pairs, language=language) for language in ("en", "zh")]
    tables = [draw_assay_bridging(each) for each in made]
    cells = []
    for table in tables:
        assert isinstance(table, Table)
        cells.append([c.value_ids for row in table.rows for c in row.cells if c.value_ids])
    assert cells[0] == cells[1] and cells[0]
    figures = [draw_assay_bridge(each) for each in made]
    assert isinstance(figures[0], Figure) and isinstance(figures[1], Figure)
    assert figures[0].value_ids == figures[1].value_ids
    pd.testing.assert_frame_equal(figures[0].data, figures[1].data)


def test_the_figure_shows_each_pair_once_on_axes_of_one_range(
    settings: dict[str, Any], pairs: pd.DataFrame
) -> None:
    figure = draw_assay_bridge(context(settings, pairs))
    assert isinstance(figure, Figure)
    points = figure.data[figure.data["USUBJID"].notna()]
    assert len(points) == len(pairs)
    below = points[points["BRGXRS"] == "PAIRBLQ"]
    assert len(below) and ((below["VALUE1"] == 50) | (below["VALUE2"] == 25)).all()
    axes = figure.pages[0].axes[0]
    drawn = sum(len(line.get_xdata()) for line in axes.lines if line.get_linestyle() == "None")
    assert drawn == len(pairs)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlim() == axes.get_ylim()
    assert set(figure.data["SERIES"].dropna()) == {"factor", "deming"}


def test_where_each_assay_has_one_version_nothing_is_shown(settings: dict[str, Any]) -> None:
    made = context(settings, NO_PAIRS, make_versions(ONE_VERSION))
    assert draw_assay_bridging(made) == NotShown("ONEVERSN")
    assert draw_assay_bridge(made) == NotShown("ONEVERSN")
    assert draw_assay_bridge(context(settings, NO_PAIRS)) == NotShown("NOBRIDGE")
