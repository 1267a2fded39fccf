"""Every answer of PKNCA and NonCompart, compared with ours; see README.md beside this file."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.settings.cellular_kinetics import CellularKineticsSettings, partial_area_code

HERE = Path(__file__).parent
TOLERANCE = 1e-9
ENDS = {"theoph": (12.0, 24.0), "indometh": (3.5, 12.0), "cart60": (28.0,)}
RULES = {"linear": "linear", "linuplogdown": "linear_up_log_down"}
PARAMETERS = {
    "CMAX": "CMAX",
    "TMAX": "TMAX",
    "CMAX_TMAX_RATIO": "CMAXTMAX",
    "TLAST": "TLST",
    "CLAST": "CLST",
    "AUCLAST": "AUCLST",
    "AUCINF_OBS": "AUCIFO",
    "PCT_EXTRAP_OBS": "AUCPEO",
    "LAMBDA_Z": "LAMZ",
    "HALFLIFE": "LAMZHL",
    "R2": "R2",
    "R2ADJ": "R2ADJ",
    "LZ_NPT": "LAMZNPT",
    "LZ_TFIRST": "LAMZLL",
    "LZ_TLAST": "LAMZUL",
    "CLAST_PRED": "CLSTP",
}
TAILS = {
    "aucint.last": "last",
    "aucint.all": "all",
    "aucint.inf.obs": "extrapolate",
    "iAUC": "last",
}

EXPECTED = {
    "values that agree": 21778,
    "blanks that we leave empty with a reason": 2776,
    "justified differences": 610,
    "not expressible": 1140,
}


@dataclass(frozen=True)
class Question:
    """What to ask of our NCA for one parameter of one setting of the answers."""

    dataset: str
    auc_rule: str
    embedded: str
    start: str
    gate: str
    tail: str
    until: float
    code: str


def parse(settings: str) -> dict[str, str]:
    return dict(part.split("=") for part in settings.split(";"))


def ask(dataset: str, settings: str, parameter: str) -> Question:
    """Our settings and parameter code for a parameter of the answers."""
    said = parse(settings)
    # NonCompart puts in C(0) = 0 (R4); PKNCA as the answers name it.
    start = {"asis": "none"}.get(said.get("start", ""), "zero")
    code, tail, until = PARAMETERS.get(parameter, ""), "last", np.inf
    area = re.fullmatch(r"AUC0_(?P<end>[0-9.]+)__(?P<kind>.+)", parameter)
    if area:
        end = float(area["end"])
        if area["kind"] == "auclast_in_interval":
            # The area to the last quantifiable sample of the interval: our AUCLST of the
            # samples up to its end.
            code, until = "AUCLST", end
        else:
            code, tail = partial_area_code(end), TAILS[area["kind"]]
            # PKNCA's aucint starts at C(0) = 0 also where its AUClast has no start.
            start = "zero"
    return Question(
        dataset=dataset,
        auc_rule=RULES[said["auc"]],
        embedded={"lloq2": "half_lloq"}.get(said["blq_embedded"], said["blq_embedded"]),
        start=start,
        gate="after" if said["engine"] == "PKNCA" else "before",
        tail=tail,
        until=until,
        code=code,
    )


@lru_cache(maxsize=256)
def estimate(
    dataset: str, auc_rule: str, embedded: str, start: str, gate: str, tail: str, until: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values and reasons of absence, subjects by parameter."""
    samples = pd.read_csv(HERE / f"input_{dataset}.csv")
    settings = CellularKineticsSettings.model_validate(
        {
            "auc_rule": auc_rule,
            "blq": {"embedded": embedded},
            "start": start,
            "gate": gate,
            "tail": tail,
            "peak_from": 0,
            "lambda_z": {"min_points": 3, "min_r2adj": 0, "min_span": 0},
            "partial_areas": [(0, end) for end in ENDS[dataset]],
        }
    )
    result = estimate_nca(samples[samples["TIME"] <= until], settings).as_text()
    values = result.parameters.pivot(index="USUBJID", columns="PARAMCD", values="AVAL")
    reasons = result.parameters.pivot(index="USUBJID", columns="PARAMCD", values="REASND")
    fits = result.lambda_z.set_index("USUBJID")
    for code in ("R2", "CLSTP"):
        values[code] = fits[code]
        reasons[code] = fits["GATE"].where(fits[code].isna(), "")
    return values, reasons


def expand(entries: list[dict], answers: pd.DataFrame) -> Counter:
    """Rows (dataset, settings, subject, parameter) that a list of entries names."""
    named: Counter = Counter()
    for entry in entries:
        rows = answers[answers["parameter"].isin(entry["parameters"])]
        if "dataset" in entry:
            rows = rows[rows["dataset"] == entry["dataset"]]
        if "subjects" in entry:
            rows = rows[rows["USUBJID"].isin(entry["subjects"])]
        wanted = entry["settings"].items()
        matches = {
            settings: all(parse(settings).get(key, "") == value for key, value in wanted)
            for settings in rows["settings"].unique()
        }
        rows = rows[rows["settings"].map(matches).astype(bool)]
        assert len(rows), f"the entry names no row of the answers: {entry}"
        named.update(
            rows[["dataset", "settings", "USUBJID", "parameter"]].itertuples(index=False, name=None)
        )
    return named


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    parts = [pd.read_csv(HERE / name) for name in ("nca_pknca.csv", "nca_noncompart.csv")]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def lists() -> dict[str, list[dict]]:
    return yaml.safe_load((HERE / "peer_differences.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def comparison(answers: pd.DataFrame, lists: dict[str, list[dict]]) -> pd.DataFrame:
    """Every row of the answers with our value, our reason and the outcome."""
    skipped = expand(lists["not_expressible"], answers)
    parts = []
    for (dataset, settings, parameter), rows in answers.groupby(
        ["dataset", "settings", "parameter"], sort=False
    ):
        part = rows.copy()
        keys = [(dataset, settings, subject, parameter) for subject in rows["USUBJID"]]
        expressible = np.array([key not in skipped for key in keys])
        part["ours"], part["reason"], part["outcome"] = np.nan, "", "not expressible"
        if expressible.any():
            assert expressible.all()
            question = ask(dataset, settings, parameter)
            assert question.code, f"no parameter of ours is named for {parameter}"
            values, reasons = estimate(*list(vars(question).values())[:-1])
            part["ours"] = values[question.code].reindex(part["USUBJID"]).to_numpy()
            part["reason"] = reasons[question.code].reindex(part["USUBJID"]).to_numpy()
            theirs, ours = part["value"].to_numpy(), part["ours"].to_numpy()
            with np.errstate(divide="ignore", invalid="ignore"):
                relative = np.where(theirs == ours, 0.0, np.abs(ours - theirs) / np.abs(theirs))
            part["relative"] = relative
            blank = np.isnan(theirs) & np.isnan(ours) & (part["reason"] != "").to_numpy()
            part["outcome"] = np.select(
                [relative <= TOLERANCE, blank],
                ["values that agree", "blanks that we leave empty with a reason"],
                "justified differences",
            )
        parts.append(part)
    return pd.concat(parts)


def test_every_difference_from_a_peer_is_named_and_every_named_one_is_found(
    comparison: pd.DataFrame, answers: pd.DataFrame, lists: dict[str, list[dict]]
) -> None:
    rows = comparison[comparison["outcome"] == "justified differences"]
    found = set(
        rows[["dataset", "settings", "USUBJID", "parameter"]].itertuples(index=False, name=None)
    )
    named = expand(lists["differences"], answers)
    assert max(named.values()) == 1, "a difference is named twice"
    assert found - set(named) == set(), "differences that nobody has justified"
    assert set(named) - found == set(), "named differences that do not exist"


def test_the_coverage_of_the_comparison_is_as_counted(comparison: pd.DataFrame) -> None:
    counts = comparison["outcome"].value_counts().to_dict()
    print(f"NCA against PKNCA and NonCompart, {len(comparison)} rows of answers: {counts}")
    print(f"largest relative difference: {comparison_maximum(comparison):.1e}")
    assert counts == EXPECTED
    assert sum(counts.values()) == len(comparison) == 26304


def comparison_maximum(comparison: pd.DataFrame) -> float:
    agree = comparison["outcome"] == "values that agree"
    return float(comparison.loc[agree, "relative"].max())


def test_every_shared_parameter_is_compared_for_every_subject(comparison: pd.DataFrame) -> None:
    agree = comparison[comparison["outcome"] == "values that agree"]
    compared = agree.groupby("dataset")["parameter"].nunique().to_dict()
    subjects = agree.groupby("dataset")["USUBJID"].nunique().to_dict()
    assert compared == {"theoph": 26, "indometh": 25, "cart60": 21}
    assert subjects == {"theoph": 12, "indometh": 6, "cart60": 60}


SCENARIOS = {
    ("PKNCA", rule, embedded, start)
    for rule in ("linear", "linuplogdown")
    for embedded in ("drop", "zero", "lloq2")
    for start in ("asis", "conc0")
} | {
    ("NonCompart", rule, embedded, "")
    for rule in ("linear", "linuplogdown")
    for embedded in ("drop", "zero", "lloq2")
}
"""Engine, rule of the trapezoids, embedded BLQ results, start: all of them with cart60."""

TAIL_VALUES = {"aucint.all": 890, "aucint.inf.obs": 832, "aucint.last": 960, "iAUC": 362}
"""Values of partial areas that agree, by the rule of their tail."""


def test_every_scenario_is_compared_and_every_tail(comparison: pd.DataFrame) -> None:
    agree = comparison[comparison["outcome"] == "values that agree"]
    said = agree["settings"].map(parse)
    place = pd.DataFrame(
        {
            "scenario": [
                (part["engine"], part["auc"], part["blq_embedded"], part.get("start", ""))
                for part in said
            ],
            "tail": agree["parameter"].str.extract(r"__(.+)$")[0].to_numpy(),
            "dataset": agree["dataset"].to_numpy(),
        }
    )
    scenarios = place[place["dataset"] == "cart60"]["scenario"]
    print(scenarios.value_counts().sort_index().to_string())
    assert set(scenarios) == SCENARIOS
    assert scenarios.value_counts().min() > 500
    tails = place["tail"].value_counts().to_dict()
    print(tails)
    assert {tail: tails[tail] for tail in TAIL_VALUES} == TAIL_VALUES


PRESETS = {
    "pknca": "engine=PKNCA;auc=linuplogdown;blq_embedded=drop;start=asis",
    "phoenix": "engine=NonCompart;auc=linear;blq_embedded=drop;adm=Extravascular",
}
"""Preset, and the settings of the answers that it stands for (NonCompart follows WinNonlin)."""

OF_PRESET = {
    **{"CMAX": "CMAX", "TMAX": "TMAX", "CLAST": "CLST", "TLAST": "TLST", "AUCLAST": "AUCLST"},
    **{"AUCINF_OBS": "AUCIFO", "LAMBDA_Z": "LAMZ", "HALFLIFE": "LAMZHL"},
    **{"R2ADJ": "R2ADJ", "LZ_TFIRST": "LAMZLL", "LZ_TLAST": "LAMZUL"},
}


@pytest.mark.parametrize(
    ("preset", "dataset", "count"),
    [
        ("pknca", "cart60", 575),
        ("phoenix", "cart60", 576),
        ("pknca", "theoph", 132),
        ("phoenix", "theoph", 132),
    ],
)
def test_a_preset_gives_the_values_of_its_peer(
    answers: pd.DataFrame, preset: str, dataset: str, count: int
) -> None:
    samples = pd.read_csv(HERE / f"input_{dataset}.csv")
    settings = CellularKineticsSettings.model_validate({"preset": preset})
    ours = estimate_nca(samples, settings).as_text().parameters
    values = ours.set_index(["USUBJID", "PARAMCD"])["AVAL"]
    rows = answers[
        (answers["settings"] == PRESETS[preset])
        & (answers["dataset"] == dataset)
        & answers["parameter"].isin(OF_PRESET)
    ]
    keys = pd.MultiIndex.from_arrays([rows["USUBJID"], rows["parameter"].map(OF_PRESET)])
    found, theirs = values.reindex(keys).to_numpy(), rows["value"].to_numpy()
    both = ~np.isnan(found) & ~np.isnan(theirs)
    np.testing.assert_allclose(found[both], theirs[both], rtol=TOLERANCE)
    # Where only one has a value, nothing is quantifiable (R10).
    alone = rows[np.isnan(found) != np.isnan(theirs)]
    never = {"CART-041", "CART-042", "CART-043"}
    assert set(alone["USUBJID"]) <= never
    assert both.sum() == count
