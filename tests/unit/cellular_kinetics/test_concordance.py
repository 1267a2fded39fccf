"""Two assays of the cells in the same samples: pairs, agreement, ratio over time."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from two_assays import make_sample, make_subjects, make_two_assays

from celldossier.cellular_kinetics.assay_pairs import derive_adpair, list_assay_pairs
from celldossier.cellular_kinetics.concordance import summarise_concordance
from celldossier.datasets import conform
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.stats.agreement import estimate_agreement
from celldossier.stats.method_comparison import estimate_deming


def pair(adpc: pd.DataFrame, adsl: pd.DataFrame | None = None, **settings: object) -> pd.DataFrame:
    return derive_adpair(
        adpc,
        make_subjects(adpc) if adsl is None else adsl,
        CellularKineticsSettings.model_validate(settings),
    )


def sample(
    analyte: str, day: float, value: float, row: int, **variables: object
) -> dict[str, object]:
    return make_sample("S1", analyte, day, value, row, **variables)


def adpc_of(*rows: dict[str, object]) -> pd.DataFrame:
    return conform(pd.DataFrame(list(rows)), "ADPC")


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    return pair(make_two_assays())


@pytest.fixture(scope="module")
def results(pairs: pd.DataFrame) -> AnalysisResults:
    settings = CellularKineticsSettings().concordance
    return AnalysisResults([summarise_concordance(pairs, settings)[0]])


def find(results: AnalysisResults, analysis: str, stat: str, **by: str) -> float:
    value = results.find(f"cellular_kinetics.{analysis}", "FLOW", "PCR", by, stat)
    assert value is not None, (analysis, stat)
    return value.number


def test_by_default_the_primary_analyte_is_paired_with_each_of_another_unit() -> None:
    adpc = adpc_of(
        sample("PCR", 7, 900, 1),
        sample("FLOW", 7, 9, 2),
        sample("DPCR", 7, 800, 3),
        {**sample("FLOW", 7, 8, 4), "PARAMCD": "PCRCELL", "DTYPE": "CONVERTED"},
    )
    assert list_assay_pairs(adpc, CellularKineticsSettings()) == [("PCR", "FLOW")]
    flow = CellularKineticsSettings(primary_analyte="FLOW")
    assert list_assay_pairs(adpc, flow) == [("FLOW", "DPCR"), ("FLOW", "PCR")]
    named = {"concordance": {"pairs": [{"first": "PCR", "second": "DPCR"}]}}
    found = pair(adpc, **named)
    assert found["PAIRCD"].tolist() == ["PCR-DPCR"]
    assert found["RATIOU"].tolist() == ["copies/ug per copies/ug"]


def test_a_pair_has_one_subject_specimen_nominal_time_and_nearly_one_actual_time() -> None:
    adpc = adpc_of(
        sample("PCR", 7, 900, 1),
        sample("FLOW", 7, 9, 2, AFRLT=7.05),
        # Too far apart, although both are of day 14.
        sample("PCR", 14, 900, 3),
        sample("FLOW", 14, 9, 4, AFRLT=14.5),
        # Near in time, but planned for other days.
        sample("PCR", 21, 900, 5),
        sample("FLOW", 22, 9, 6, AFRLT=21.03),
        # Of another specimen.
        sample("PCR", 28, 900, 7),
        sample("FLOW", 28, 9, 8, PCSPEC="BONE MARROW"),
        # Without a nominal time the actual times decide.
        sample("PCR", 60, 900, 9, NFRLT=math.nan),
        sample("FLOW", 60, 9, 10),
    )
    found = pair(adpc)
    assert list(zip(found["SRCROW1"], found["SRCROW2"], strict=True)) == [(1, 2), (9, 10)]
    assert found["TIMEDIFF"].tolist() == pytest.approx([0.03, 0.0])
    assert found["NFRLT"].tolist() == [7, 60]
    assert len(pair(adpc, concordance={"time_difference": 0.5})) == 3


def test_each_result_stands_in_one_pair_with_its_nearest() -> None:
    adpc = adpc_of(
        sample("PCR", 7, 900, 1, AFRLT=7.00),
        sample("PCR", 7, 950, 2, AFRLT=7.04),
        sample("FLOW", 7, 9, 3, AFRLT=7.05),
    )
    found = pair(adpc)
    assert (found["SRCROW1"].tolist(), found["SRCROW2"].tolist()) == ([2], [3])


def test_a_zero_without_a_limit_of_quantitation_is_no_quantifiable_result() -> None:
    adpc = adpc_of(
        sample("PCR", 7, 900, 1),
        sample("FLOW", 7, 0, 2, AVAL=0.0, BLQFL="N", ALLOQ=math.nan),
        sample("PCR", 14, 900, 3),
        sample("FLOW", 14, 9, 4, BLQFL="N", ALLOQ=math.nan),
    )
    found = pair(adpc)
    assert found["AGREECAT"].tolist() == ["FIRST", "BOTH"]
    results = AnalysisResults(
        [summarise_concordance(found, CellularKineticsSettings().concordance)[0]]
    )
    # It is discordant, and nothing lies above an upper limit.
    assert find(results, "concordance", "n_first") == 1
    assert find(results, "concordance", "n_above") == 0


def test_the_ratio_is_given_where_just_half_of_the_pairs_are_quantifiable() -> None:
    rows = []
    for number in range(6):
        rows += [
            make_sample(f"S{number}", "PCR", 7, 900, 2 * number + 1),
            make_sample(f"S{number}", "FLOW", 7, 9 if number < 3 else 0, 2 * number + 2),
        ]
    settings = CellularKineticsSettings().concordance
    for pairs, known in ((rows, True), (rows[2:], False)):
        found = AnalysisResults([summarise_concordance(pair(adpc_of(*pairs)), settings)[0]])
        geomean = find(found, "assay_ratio", "geomean", visit="7")
        assert geomean == pytest.approx(0.01) if known else math.isnan(geomean)


def test_samples_before_the_infusion_without_result_or_outside_the_set_form_no_pair() -> None:
    adpc = adpc_of(
        sample("PCR", 0, 0, 1),
        sample("FLOW", 0, 0, 2),
        sample("PCR", 7, 900, 3),
        sample("FLOW", 7, math.nan, 4),
        sample("PCR", 14, 900, 5),
        sample("FLOW", 14, 9, 6),
    )
    assert pair(adpc)["SRCROW1"].tolist() == [5]
    adsl = make_subjects(adpc).assign(PKFL="N")
    assert pair(adpc, adsl).empty


def test_results_below_or_above_a_limit_are_categorised_and_enter_no_regression() -> None:
    adpc = adpc_of(
        *(
            sample("PCR", 7, value, row) | {"USUBJID": f"S{row}"}
            for row, value in enumerate((900, 900, 10, 10, 900), 1)
        ),
        *(
            sample("FLOW", 7, value, row) | {"USUBJID": f"S{row}"}
            for row, value in enumerate((9, 0.1, 9, 0.1, 9), 1)
        ),
    )
    adpc.loc[adpc["USUBJID"] == "S5", "ALQFL"] = "Y"
    found = pair(adpc)
    assert found["AGREECAT"].tolist() == ["BOTH", "FIRST", "SECOND", "NEITHER", "BOTH"]
    assert found["ANL01FL"].tolist() == ["Y", "N", "N", "N", "N"]
    assert found["RATIO"].tolist() == pytest.approx([0.01, *[math.nan] * 4], nan_ok=True)
    assert set(found["RATIOU"]) == {"cells/uL per copies/ug"}
    settings = CellularKineticsSettings().concordance
    results = AnalysisResults([summarise_concordance(found, settings)[0]])
    assert find(results, "concordance", "n_above") == 1
    assert find(results, "concordance", "pct_both") == pytest.approx(40)
    value = results.find("cellular_kinetics.concordance_fit", "FLOW", "PCR", {}, "deming_slope")
    assert value is not None and value.note_code == "FEWSUBJ" and math.isnan(value.number)


def test_counts_add_up_and_estimates_are_those_of_the_quantifiable_pairs(
    pairs: pd.DataFrame, results: AnalysisResults
) -> None:
    total = find(results, "concordance", "n_pairs")
    parts = [find(results, "concordance", f"n_{c}") for c in ("both", "first", "second", "neither")]
    assert sum(parts) == total == len(pairs) == 36
    assert min(parts[0], parts[1]) > 0
    used = pairs[pairs["ANL01FL"] == "Y"]
    line = estimate_deming(np.log(used["AVAL1"]), np.log(used["AVAL2"]), used["USUBJID"])
    assert find(results, "concordance_fit", "deming_slope") == pytest.approx(line.slope.value)
    assert find(results, "concordance_fit", "deming_slope_high") == pytest.approx(line.slope.high)
    found = estimate_agreement(np.log(used["AVAL2"] / used["AVAL1"]), used["USUBJID"])
    assert find(results, "assay_agreement", "bias") == pytest.approx(math.exp(found.bias.value))
    value = results.find("cellular_kinetics.assay_agreement", "FLOW", "PCR", {}, "loa_high")
    assert value is not None and value.unit == "cells/uL per copies/ug"


def test_the_ratio_over_time_is_of_each_visit_and_withheld_where_most_are_below_the_limit(
    pairs: pd.DataFrame,
) -> None:
    settings = CellularKineticsSettings().concordance
    low = pairs.copy()
    # Four of twelve are left.
    rows = low.index[(low["NFRLT"] == 14)][4:]
    low.loc[rows, ["AGREECAT", "ANL01FL", "BLQFL2"]] = ["FIRST", "N", "Y"]
    low.loc[rows, ["AVAL2", "RATIO"]] = math.nan
    frame, curves = summarise_concordance(low, settings)
    results = AnalysisResults([frame])
    used = low[(low["NFRLT"] == 7) & (low["ANL01FL"] == "Y")]
    expected = math.exp(np.log(used["RATIO"]).mean())
    assert find(results, "assay_ratio", "geomean", visit="7") == pytest.approx(expected)
    assert find(results, "assay_ratio", "n", visit="7") == used["USUBJID"].nunique()
    value = results.find("cellular_kinetics.assay_ratio", "FLOW", "PCR", {"visit": "14"}, "geomean")
    assert value is not None and math.isnan(value.number) and value.note_code == "BLQHALF"
    points = curves[curves["curve_id"] == "cellular_kinetics.assay_ratio/FLOW/PCR"].set_index("x")
    assert points.loc[7, "y"] == pytest.approx(expected) and math.isnan(points.loc[14, "y"])


def test_another_unit_of_flow_moves_the_ratio_and_leaves_the_slopes(pairs: pd.DataFrame) -> None:
    settings = CellularKineticsSettings().concordance
    scaled = pairs.assign(AVAL2=pairs["AVAL2"] * 1000, RATIO=pairs["RATIO"] * 1000)
    first, second = (
        AnalysisResults([summarise_concordance(frame, settings)[0]]) for frame in (pairs, scaled)
    )
    for stat in ("rho", "deming_slope", "pb_slope", "pb_slope_low", "pb_slope_high"):
        assert find(second, "concordance_fit", stat) == pytest.approx(
            find(first, "concordance_fit", stat), rel=1e-6
        )
    ratio = find(second, "assay_agreement", "bias") / find(first, "assay_agreement", "bias")
    assert ratio == pytest.approx(1000)


def test_the_curves_are_the_lines_of_both_regressions(
    pairs: pd.DataFrame, results: AnalysisResults
) -> None:
    curves = summarise_concordance(pairs, CellularKineticsSettings().concordance)[1]
    lines = curves[curves["kind"] == "fit"]
    assert set(lines["series"]) == {"deming", "passing_bablok"}
    for series, name in (("deming", "deming"), ("passing_bablok", "pb")):
        own = lines[lines["series"] == series].sort_values("x")
        slope = np.polyfit(np.log(own["x"]), np.log(own["y"]), 1)[0]
        assert slope == pytest.approx(find(results, "concordance_fit", f"{name}_slope"))
    assert set(lines["x_unit"]) == {"copies/ug"} and set(lines["y_unit"]) == {"cells/uL"}


def test_permuted_rows_give_the_same_pairs_and_results(pairs: pd.DataFrame) -> None:
    adpc = make_two_assays()
    again = pair(adpc.sample(frac=1, random_state=1).reset_index(drop=True))
    pd.testing.assert_frame_equal(again, pairs)


def test_one_assay_alone_gives_no_pair_and_no_result() -> None:
    adpc = make_two_assays()
    found = pair(adpc[adpc["PARAMCD"] == "PCR"].reset_index(drop=True))
    assert found.empty
    frame, curves = summarise_concordance(found, CellularKineticsSettings().concordance)
    assert frame.empty and curves.empty


def test_an_assay_is_not_compared_with_itself_nor_twice_with_another() -> None:
    for pairs_ in (
        [{"first": "PCR", "second": "PCR"}],
        [{"first": "PCR", "second": "FLOW"}, {"first": "FLOW", "second": "PCR"}],
    ):
        with pytest.raises(ValueError, match=r"itself|twice"):
            CellularKineticsSettings.model_validate({"concordance": {"pairs": pairs_}})
