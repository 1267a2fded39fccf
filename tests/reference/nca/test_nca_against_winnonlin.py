"""Values of Phoenix WinNonlin 8.0 as stated by the author of MetidaNCA.jl.

The files are third-party and stay where they are: in the folder that the
environment variable CELLDOSSIER_SHARED names. Unset, the test is skipped; set,
a missing file fails.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from celldossier.cellular_kinetics.areas import step_areas
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

HERE = Path(__file__).parent
SHARED = os.environ.get("CELLDOSSIER_SHARED", "")

pytestmark = pytest.mark.skipif(
    not SHARED, reason="CELLDOSSIER_SHARED is not set: the values of WinNonlin are not at hand"
)

SCENARIOS = {
    "refdict": ("linear", 0.0, 0.0),
    "refdict2": ("linear_up_log_down", 0.25, 9.0),
    "refdict3": ("linear", 0.0, 12.0),
    "refdict4": ("log", 0.0, 12.0),
    "refdict5": ("linear_up_log_down", 0.0, 12.0),
    "refdict6": ("linear_up_log_down", 0.0, 12.0),
    "refdict7": ("linear", 2.0, 10.0),
    "refdict9": ("linear_up_log_down", 0.25, 9.0),
}
"""Our area rule, the dose time, and the dosing interval.

The file describes refdict9 as linear, dosed at 0 with an interval of 100, but its values are
those of the dose and interval of refdict2: Ctau is the concentration at 9.25, interpolated by the
log rule where it falls, and Cavg is AUCtau of refdict2 over 9 wherever both start alike.
"""

STEADY_STATE = ("refdict2", "refdict9")
"""Scenarios in which the concentration at the dose is the lowest of the interval."""

PARAMETERS = {
    "Cmax": "CMAX",
    "Tmax": "TMAX",
    "Clast": "CLST",
    "AUClast": "AUCLST",
    "AUCinf": "AUCIFO",
    "AUCpct": "AUCPEO",
    "Kel": "LAMZ",
    "HL": "LAMZHL",
    "ARsq": "R2ADJ",
    "Rsq": "R2",
    "NpLZ": "LAMZNPT",
    "LZint": "LAMZICPT",
    "Clast_pred": "CLSTP",
    "Cdose": "C0",
    "AUCtau": "AUCTAU",
    "Cavg": "CAVG",
    "Ctau": "CTAU",
    "Ctaumin": "CMIN",
    "Fluc": "FLUCP",
    "Accind": "ACCIND",
}


def read(name: str, **options: object) -> pd.DataFrame:
    path = Path(SHARED) / "data" / "metidanca" / name
    assert path.is_file(), f"CELLDOSSIER_SHARED is set, but {path} does not exist"
    return pd.read_csv(path, **options)


@pytest.fixture(scope="module")
def concentrations() -> pd.DataFrame:
    return read("pkdata2.csv", sep="\t")


@pytest.fixture(scope="module")
def lists() -> dict[str, list[dict]]:
    return yaml.safe_load((HERE / "winnonlin_differences.yaml").read_text(encoding="utf-8"))


def estimate(
    concentrations: pd.DataFrame, scenario: str, at_dose: dict[int, float] | None = None
) -> pd.DataFrame:
    """Our values of a scenario, by subject (numbered from 1) and code.

    `at_dose` gives subjects a record at the time of the dose.
    """
    rule, dose_time, tau = SCENARIOS[scenario]
    samples = pd.DataFrame(
        {
            "USUBJID": concentrations["Subject"].map("{:02d}".format),
            "ANALYTE": "DRUG",
            "TIME": concentrations["Time"],
            "CONC": concentrations["Concentration"],
            "BLQ": 0,
            "LLOQ": np.nan,
            "DOSETIME": dose_time,
            "TAU": tau or np.nan,
        }
    )
    if scenario in STEADY_STATE:
        # WinNonlin takes no record from before the dose; for us the last one is the pre-dose.
        samples = samples[samples["TIME"] >= dose_time]
    for subject, value in (at_dose or {}).items():
        row = samples[samples["USUBJID"] == f"{subject:02d}"].iloc[:1]
        samples = pd.concat([samples, row.assign(TIME=dose_time, CONC=value)], ignore_index=True)
    settings = CellularKineticsSettings.model_validate(
        {
            "auc_rule": rule,
            "peak_from": 0,
            "lambda_z": {"min_points": 3, "min_r2adj": 0, "min_span": 0},
            "partial_areas": [],
            "start": "minimum" if scenario in STEADY_STATE else "zero",
        }
    )
    result = estimate_nca(samples, settings).as_text()
    values = result.parameters.pivot(index="USUBJID", columns="PARAMCD", values="AVAL")
    fits = result.lambda_z.set_index("USUBJID")
    for code in ("R2", "CLSTP", "LAMZICPT"):
        values[code] = fits[code]
    first = result.dispositions[result.dispositions["RELTIME"] == 0]
    values["C0"] = first.set_index("USUBJID")["VALUE"]
    if tau:
        values["FLUCP"] = 100 * values["PTF"]
        # The accumulation that lambda-z predicts; ours, ARAUC, is observed.
        values["ACCIND"] = 1 / -np.expm1(-values["LAMZ"] * tau)
    # WinNonlin keeps the clock of the samples, we count from the dose.
    values["TMAX"] += dose_time
    values["LAMZICPT"] += values["LAMZ"] * dose_time
    values.index = range(1, len(values) + 1)
    return values


def resolution(printed: str) -> float:
    """Half a unit of the last digit printed; eight digits hold where zeros were dropped."""
    value = abs(float(printed))
    if value == 0:
        return 0.0
    whole, _, fraction = printed.partition(".")
    fraction = fraction.rstrip("0")
    digits = len((whole + fraction).lstrip("-0"))
    half_unit = 0.5 * 10.0 ** -len(fraction)
    if digits <= 8:
        half_unit = max(
            half_unit if fraction else 0, 0.5 * 10.0 ** (math.floor(math.log10(value)) - 7)
        )
    # Values printed to 15 digits are compared to the precision of doubles.
    return half_unit + 1e-13 * value


@pytest.fixture(scope="module")
def comparison(concentrations: pd.DataFrame, lists: dict[str, list[dict]]) -> pd.DataFrame:
    """Every value of WinNonlin, with ours and the outcome."""
    reference = read("winnonlin8_reference_long.csv", dtype={"value": str})
    skipped = {
        (scenario, parameter)
        for entry in lists["not_expressible"]
        for scenario in entry["scenarios"]
        for parameter in entry["parameters"]
    }
    rows = []
    for scenario, part in reference.groupby("scenario", sort=True):
        ours = estimate(concentrations, scenario)
        for parameter, subject, printed in part[["parameter", "subject_index", "value"]].itertuples(
            index=False, name=None
        ):
            row = {"scenario": scenario, "parameter": parameter, "subject": subject}
            row |= {"printed": printed, "ours": math.nan, "outcome": "not expressible"}
            if (scenario, parameter) not in skipped:
                row["ours"] = ours.loc[subject, PARAMETERS[parameter]]
                agrees = abs(row["ours"] - float(printed)) <= resolution(printed)
                row["outcome"] = "agrees" if agrees else "differs"
            rows.append(row)
    return pd.DataFrame(rows)


def test_every_difference_from_winnonlin_is_named_and_every_named_one_is_found(
    comparison: pd.DataFrame, lists: dict[str, list[dict]]
) -> None:
    rows = comparison[comparison["outcome"] == "differs"]
    found = set(rows[["scenario", "parameter", "subject"]].itertuples(index=False, name=None))
    named = [
        (scenario, parameter, subject)
        for entry in lists["differences"]
        for scenario in entry["scenarios"]
        for parameter in entry["parameters"]
        for subject in entry["subjects"]
    ]
    assert len(named) == len(set(named)), "a difference is named twice"
    assert found - set(named) == set(), "differences that nobody has justified"
    assert set(named) - found == set(), "named differences that do not exist"


def test_the_coverage_of_the_comparison_is_as_counted(comparison: pd.DataFrame) -> None:
    counts = comparison["outcome"].value_counts().to_dict()
    print(f"NCA against WinNonlin, {len(comparison)} values: {counts}")
    assert counts == {"agrees": 755, "not expressible": 320, "differs": 75}


def test_every_not_expressible_entry_names_values_that_exist(
    comparison: pd.DataFrame, lists: dict[str, list[dict]]
) -> None:
    for entry in lists["not_expressible"]:
        for parameter in entry["parameters"]:
            rows = comparison[
                comparison["scenario"].isin(entry["scenarios"])
                & (comparison["parameter"] == parameter)
            ]
            assert len(rows), f"{parameter} is in no scenario of {entry['scenarios']}"


def test_the_rule_named_for_an_area_explains_the_value_of_winnonlin(
    concentrations: pd.DataFrame, comparison: pd.DataFrame, lists: dict[str, list[dict]]
) -> None:
    checked = 0
    for entry in lists["differences"]:
        if "area_rule" not in entry:
            continue
        before, after = entry["area_rule"]
        rows = comparison[
            comparison["scenario"].isin(entry["scenarios"])
            & (comparison["parameter"] == "AUClast")
            & comparison["subject"].isin(entry["subjects"])
        ]
        for subject, printed in zip(rows["subject"], rows["printed"], strict=True):
            profile = concentrations[concentrations["Subject"] == subject]
            time = profile["Time"].to_numpy(float)
            conc = profile["Concentration"].to_numpy(float)
            steps = [
                step_areas(time[:-1], conc[:-1], time[1:], conc[1:], rule)
                for rule in (before, after)
            ]
            peak = int(conc.argmax())
            area = steps[0][:peak].sum() + steps[1][peak:].sum()
            assert area == pytest.approx(float(printed), abs=resolution(printed), rel=0)
            checked += 1
    assert checked == 14


def test_the_concentration_at_the_dose_explains_what_differs_at_steady_state(
    concentrations: pd.DataFrame, comparison: pd.DataFrame, lists: dict[str, list[dict]]
) -> None:
    (entry,) = (entry for entry in lists["differences"] if entry.get("at_dose"))
    (scenario,) = entry["scenarios"]
    printed = comparison[comparison["scenario"] == scenario].pivot(
        index="subject", columns="parameter", values="printed"
    )
    start = {subject: float(printed.loc[subject, "Cdose"]) for subject in entry["subjects"]}
    ours, without = estimate(concentrations, scenario, start), estimate(concentrations, scenario)
    # A concentration that was extrapolated back is no peak for WinNonlin.
    ours["FLUCP"] = 100 * without["PTF"] * without["CAVG"] / ours["CAVG"]
    for subject in entry["subjects"]:
        for parameter in entry["parameters"]:
            value = printed.loc[subject, parameter]
            answer = ours.loc[subject, PARAMETERS[parameter]]
            assert answer == pytest.approx(float(value), abs=resolution(value), rel=1e-13)


def test_the_rate_of_another_scenario_explains_the_accumulation_that_differs(
    comparison: pd.DataFrame, lists: dict[str, list[dict]]
) -> None:
    (entry,) = (entry for entry in lists["differences"] if "rate_of" in entry)
    (scenario,) = entry["scenarios"]
    tau = SCENARIOS[scenario][2]
    rows = comparison.set_index(["scenario", "parameter", "subject"])["printed"]
    for subject in entry["subjects"]:
        rate = float(rows[entry["rate_of"], "Kel", subject])
        predicted = 1 / -math.expm1(-rate * tau)
        assert predicted == pytest.approx(float(rows[scenario, "Accind", subject]), rel=1e-7)
