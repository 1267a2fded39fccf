"""Dose of each cell subset against outcomes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from exploration_study import make_rows, make_study, make_subjects, note, read, run_part
from statsmodels.stats.multitest import multipletests

from celldossier.dose_exploration.outcomes import derive_outcome
from celldossier.dose_exploration.subset_dose import derive_subset_doses, summarise_subset_doses
from celldossier.results import AnalysisResults

N = 90


def make_data(slope: float = 1.0, seed: int = 7) -> dict[str, pd.DataFrame]:
    """Three levels; response and exposure rise with the dose of central memory cells."""
    rng = np.random.default_rng(seed)
    adsl, adex = make_subjects(["DL1", "DL2", "DL3"] * (N // 3))
    share = rng.uniform(10, 60, N)
    dose = adex["DOSETGP"].to_numpy() * share / 100
    burden = rng.normal(size=N)
    chance = 1 / (1 + np.exp(-(slope * np.log2(dose / 50) - burden)))
    answer = np.where(rng.random(N) < chance, "Y", "N")
    adsl["LTBURDZ"] = burden
    lots = [
        {
            "USUBJID": name, "LOTID": f"L{name}", "TCMPCT": share[k], "CD4CD8": 0.25,
            "CD3PCT": 90.0,
            "INFUSFL": "Y",
        }
        for k, name in enumerate(adsl["USUBJID"])
    ]  # fmt: skip
    adrs = [
        {"USUBJID": name, "PARAMCD": "ORR", "AVALC": answer[k]}
        for k, name in enumerate(adsl["USUBJID"])
    ]
    exposure = np.exp(rng.normal(8, 1, N)) * dose**0.5
    adpp = [
        {
            "USUBJID": name, "PARCAT1": "PCR", "PARAMCD": "CMAX", "AVAL": exposure[k],
            "AVALU": "copies/ug",
        }
        for k, name in enumerate(adsl["USUBJID"])
    ]  # fmt: skip
    return {
        "adsl": adsl, "adex": adex, "adpq": make_rows("ADPQ", lots),
        "adrs": make_rows("ADRS", adrs), "adpp": make_rows("ADPP", adpp),
    }  # fmt: skip


def run(data: dict[str, pd.DataFrame], **rules: Any) -> AnalysisResults:
    settings = {"outcomes": ["OBJRESP"], "exposures": ["CMAX"], **rules}
    return run_part(summarise_subset_doses, make_study({"subset_dose": settings}, **data))


@pytest.fixture(scope="module")
def data() -> dict[str, pd.DataFrame]:
    return make_data()


@pytest.fixture(scope="module")
def values(data: dict[str, pd.DataFrame]) -> AnalysisResults:
    return run(data)


def doses_of(data: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return derive_subset_doses(make_study(**data), data["adsl"])


def test_the_dose_of_a_subset_is_the_basis_dose_times_the_share_of_the_lot(
    data: dict[str, pd.DataFrame],
) -> None:
    doses = doses_of(data)
    share = data["adpq"].set_index("LOTID")["TCMPCT"].reindex(data["adex"]["LOTID"]).to_numpy()
    assert np.allclose(doses["TCM"], data["adex"]["DOSETGP"].to_numpy() * share / 100)
    # T cells are a share of all viable cells, twice the transduced ones.
    assert np.allclose(doses["CD3"], 0.9 * 2 * doses["DOSETGP"])
    # One CD4+ cell to four CD8+ ones.
    assert np.allclose(doses["CD4"], 0.2 * doses["DOSETGP"])
    assert np.allclose(doses["CD8"], 0.8 * doses["DOSETGP"])


def test_infusions_add_up_and_one_of_unknown_amount_makes_the_sum_unknown(
    data: dict[str, pd.DataFrame],
) -> None:
    second = data["adex"].iloc[:2].assign(DOSETYPE="REPEAT", DOSENO=2, AFRLT=7.0)
    second.iloc[1, second.columns.get_loc("DOSETGP")] = np.nan
    late = data["adex"].iloc[[2]].assign(DOSETYPE="REPEAT", DOSENO=2, AFRLT=60.0)
    again = data["adex"].iloc[[3]].assign(DOSETYPE="RETREATMENT", DOSENO=2, AFRLT=7.0)
    more = {**data, "adex": pd.concat([data["adex"], second, late, again], ignore_index=True)}
    before, after = doses_of(data)["DOSETGP"], doses_of(more)["DOSETGP"]
    assert after[0] == 2 * before[0] and np.isnan(after[1])
    assert after[2] == before[2] and after[3] == before[3]


def test_the_odds_ratio_is_that_of_statsmodels_per_doubling(
    data: dict[str, pd.DataFrame], values: AnalysisResults
) -> None:
    dose = np.log2(doses_of(data)["TCM"].to_numpy())
    event = (data["adrs"]["AVALC"] == "Y").to_numpy(dtype=float)
    burden = data["adsl"]["LTBURDZ"].to_numpy()
    for adjustment, columns in (("NONE", [dose]), ("TUMOUR_BURDEN", [dose, burden])):
        fit = sm.Logit(event, sm.add_constant(np.column_stack(columns))).fit(disp=0)
        place = {"outcome": "OBJRESP", "adjustment": adjustment}
        estimate = read(values, "subset_outcome", "TCM", "estimate", **place)
        assert estimate == pytest.approx(np.exp(fit.params[1]), rel=1e-6)
        low, high = (
            read(values, "subset_outcome", "TCM", s, **place) for s in ("ci_low", "ci_high")
        )
        # Made with an odds ratio of e per doubling beside the burden.
        assert low < estimate < high and (adjustment == "NONE" or low < np.e < high)


def test_the_ratio_of_the_exposure_is_that_of_least_squares(
    data: dict[str, pd.DataFrame], values: AnalysisResults
) -> None:
    dose = np.log2(doses_of(data)["TCM"].to_numpy())
    fit = sm.OLS(np.log2(data["adpp"]["AVAL"].to_numpy()), sm.add_constant(dose)).fit()
    place = {"outcome": "CMAX", "adjustment": "NONE"}
    assert read(values, "subset_outcome", "TCM", "kind", **place) == "RATIO"
    found = [read(values, "subset_outcome", "TCM", s, **place) for s in ("estimate", "ci_low", "p")]
    assert found == pytest.approx([2 ** fit.params[1], 2 ** fit.conf_int()[1][0], fit.pvalues[1]])


def test_all_tests_of_an_adjustment_are_one_family(values: AnalysisResults) -> None:
    rows = values.select("dose_exploration.subset_outcome")
    for adjustment in ("NONE", "TUMOUR_BURDEN"):
        of = rows[(rows["level1"] == adjustment) & rows["value"].notna()]
        p = of[of["stat_name"] == "p"].set_index(["variable", "level2"])["value"]
        q = of[of["stat_name"] == "q"].set_index(["variable", "level2"])["value"]
        expected = multipletests(p.to_numpy(), method="fdr_bh")[1]
        assert q.reindex(p.index).to_numpy() == pytest.approx(expected)
        counted = read(values, "subset_family", "P", "n_tests", adjustment=adjustment)
        # Three doses, CD3, CD4, CD8 and central memory; two outcomes.
        assert counted == p.size == 14


def test_subsets_that_no_lot_has_are_not_collected(values: AnalysisResults) -> None:
    place = {"outcome": "OBJRESP", "adjustment": "NONE"}
    assert note(values, "subset_dose", "TN", "median") == "NOTCOLL"
    assert note(values, "subset_outcome", "TN", "estimate", **place) == "NOTCOLL"
    assert note(values, "subset_rate", "TN", "pct", outcome="OBJRESP", group="LOW") == "NOTCOLL"


def test_the_groups_of_the_median_hold_every_subject_once(
    data: dict[str, pd.DataFrame], values: AnalysisResults
) -> None:
    dose, answer = doses_of(data)["TCM"], data["adrs"]["AVALC"] == "Y"
    high = dose > dose.median()
    for group, members in (("LOW", ~high), ("HIGH", high)):
        place = {"outcome": "OBJRESP", "group": group}
        assert read(values, "subset_rate", "TCM", "n", **place) == members.sum()
        assert read(values, "subset_rate", "TCM", "events", **place) == answer[members].sum()


def test_few_events_have_no_model_and_some_events_have_firths_penalty(
    data: dict[str, pd.DataFrame],
) -> None:
    few = data["adrs"].assign(AVALC=["Y"] * 4 + ["N"] * (N - 4))
    place = {"outcome": "OBJRESP", "adjustment": "NONE"}
    values = run({**data, "adrs": few})
    assert note(values, "subset_outcome", "TCM", "estimate", **place) == "FEWEVENT"
    some = data["adrs"].assign(AVALC=["Y"] * 8 + ["N"] * (N - 8))
    rows = run({**data, "adrs": some}).select("dose_exploration.subset_outcome")
    methods = set(rows.loc[(rows["variable"] == "TCM") & (rows["level2"] == "OBJRESP"), "method"])
    assert methods == {"FIRTH 95%"}


def test_an_event_without_a_grade_or_of_a_subject_observed_too_briefly_is_unknown() -> None:
    adsl, adex = make_subjects(["DL1"] * 5)
    adsl["FUDUR"] = [100.0, 100.0, 100.0, 10.0, 10.0]
    adaesi = make_rows(
        "ADAESI",
        [
            {"USUBJID": "A001", "AESI": "CRS", "ATOXGRN": 1.0},
            {"USUBJID": "A002", "AESI": "CRS"},
            {"USUBJID": "A004", "AESI": "CRS", "ATOXGRN": 3.0},
        ],
    )
    adae = make_rows("ADAE", [{"USUBJID": "A001", "SRCDOM": "AE"}])
    sources = make_study(adsl=adsl, adex=adex, adaesi=adaesi, adae=adae).sources
    two = derive_outcome(sources, adsl, "CRSGE2", 28).tolist()
    assert two[0] == 0 and two[2] == 0 and two[3] == 1 and np.isnan([two[1], two[4]]).all()
    one = derive_outcome(sources, adsl, "CRSGE1", 28).tolist()
    assert one[:4] == [1, 1, 0, 1] and np.isnan(one[4])
    nothing = make_study(adsl=adsl, adex=adex).sources
    assert derive_outcome(nothing, adsl, "CRSGE2", 28).isna().all()
