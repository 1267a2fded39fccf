"""How often the stage of immunogenicity finds what CTX-101 plants with its antibodies.

``python benchmarks/immunogenicity/antibody_effects.py --replicates 200`` draws so many studies
of 120 subjects and puts the functions of `celldossier.immunogenicity` on them: status, onset,
ratio of the assays, exposure by status at baseline. Estimates of level and decay by PCR that the
stage does not make stand beside them (`oracle`, `naive`): they show what such data can tell.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from drawn_samples import SETTINGS, Found, quantify, read_study
from numpy.typing import NDArray
from scipy import stats

from celldossier.cellular_kinetics.assay_pairs import derive_adpair
from celldossier.cli.simulate import read_specification
from celldossier.immunogenicity.emergence import WITH, state_at
from celldossier.immunogenicity.impact import estimate_ratio_change, summarise_baseline_exposure
from celldossier.results import ResultCollector
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.simulation.assays import limits_on_first_scale
from celldossier.simulation.draw import DrawnStudy, draw_study
from celldossier.simulation.kinetics import compute_concentrations
from celldossier.simulation.specification import StudySpecification
from celldossier.stats.mixed_model import estimate_mixed_model

SPECIFICATION = Path(__file__).parents[2] / "resources" / "studies" / "CTX-101" / "simulation.yaml"
KINETICS = CellularKineticsSettings(primary_analyte="PCR")
CONTRACTION = (14.0, 28.0)
"""Days between which the cells decline by alpha, and two thirds of the onsets lie."""
FIRST_VISIT = 40.0
"""Antibodies seen by this day were seen at the first visit with a sample, day 28."""
LATE_DAYS = (28.0, 60.0, 90.0)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """One estimate of one replicate, on the scale of `truth`; NaN where there is none."""

    effect: str
    estimator: str
    truth: float
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


def add_state(rows: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Rows whose state of antibodies a sample vouches for, as the stage takes it."""
    joined = spells.merge(rows, on=["STUDYID", "USUBJID"])
    joined = joined.assign(STATE=state_at(joined, joined["AFRLT"]))
    return joined.loc[joined["STATE"] != ""]


def read_change(effect: str, estimator: str, truth: float, pairs: pd.DataFrame) -> Estimate:
    """The mixed model of the stage on a ratio, or on what stands in its place."""
    found, _ = estimate_ratio_change(pairs, SETTINGS.impact)
    values = (math.log(found[name]) for name in ("ratio", "ratio_low", "ratio_high"))
    return Estimate(effect, estimator, truth, *values)


def estimate_ratios(found: Found, spec: StudySpecification) -> Iterator[Estimate]:
    """Ratio of flow to PCR with the planted loss, and with the loss taken back."""
    cells = found.samples["PARAMCD"] == "FLOW"
    unmasked = found.samples.assign(
        RESULT=found.samples["UNMASKED"].where(cells, found.samples["RESULT"])
    )
    for effect, samples, truth in (
        ("flow to PCR after onset", found.samples, math.log(spec.immunogenicity.flow_factor)),
        ("flow to PCR after onset, no loss planted", unmasked, 0.0),
    ):
        pairs = derive_adpair(quantify(samples, "RESULT"), found.adsl, KINETICS)
        used = add_state(pairs.loc[pairs["ANL01FL"] == "Y"], found.spells)
        yield read_change(effect, "stage: ratio_change", truth, used)


def estimate_levels(found: Found, spec: StudySpecification) -> Iterator[Estimate]:
    """Level and decay by PCR after the onset as it was seen."""
    pcr = quantify(found.samples.loc[found.samples["PARAMCD"] == "PCR"], "RESULT")
    used = add_state(pcr.loc[(pcr["BLQFL"] == "N") & (pcr["AFRLT"] > 0)], found.spells)
    effect, level = "PCR level after onset", used["AVAL"]
    over_latent = used.assign(RATIO=level / used["LATENT"])
    yield read_change(effect, "oracle: PCR over latent level", 0.0, over_latent)
    yield read_change(effect, "naive: PCR itself", 0.0, used.assign(RATIO=level))
    # A line that breaks at the first sample with antibodies, from the contraction on.
    late = used.loc[used["NFRLT"] >= CONTRACTION[0]]
    after = (late["STATE"] == WITH).to_numpy(dtype=float)
    since = np.where(after == 1, late["AFRLT"] - late["ONSETDY"], 0.0)
    days = pd.get_dummies(late["NFRLT"], dtype=float)
    share = pd.Series(after, index=late.index).groupby(late["USUBJID"]).transform("mean")
    model = estimate_mixed_model(
        np.log(late["AVAL"]),
        late["USUBJID"],
        np.column_stack([days, after, share, since]),
        [*(f"day {day:g}" for day in days.columns), "AFTER", "SHARE", "SINCE"],
    )
    effect, name = "decay after onset, 1/d", "naive: line broken at the onset seen"
    truth = -(spec.immunogenicity.alpha_factor - 1) * spec.kinetics.alpha
    if not model.effects:
        yield Estimate(effect, name, truth)
        return
    slope = model.effect("SINCE")
    yield Estimate(effect, name, truth, slope.estimate, slope.low, slope.high)


def without_decay(study: DrawnStudy, times: Array) -> Array:
    """The latent level of each subject had antibodies left the decay alone."""
    return compute_concentrations(replace(study.parameters, antibody_alpha_factor=1.0), times)


def estimate_contraction(
    study: DrawnStudy, found: Found, spec: StudySpecification
) -> Iterator[Estimate]:
    """Slope from day 14 to 28 of those with antibodies seen at day 28, less that of the others.

    Truth is what the planted decay does to the slopes of these subjects: the onset lies
    somewhere between the two days, and part of the cells declines by beta.
    """
    days = study.times_of(CONTRACTION)
    latent, alone = compute_concentrations(study.parameters, days), without_decay(study, days)
    width = days[:, 1] - days[:, 0]
    shift = np.diff(np.log(latent / alone), axis=1)[:, 0] / width
    columns = [spec.sampling.days.index(day) for day in CONTRACTION]
    pcr, limit = study.measured.pcr[:, columns], limits_on_first_scale(spec, study.second_assay)
    known = study.sampled[:, columns].all(axis=1) & (pcr >= limit[:, np.newaxis]).all(axis=1)
    slope = np.diff(np.log(pcr), axis=1)[:, 0] / width
    spells = found.spells.set_index("USUBJID").reindex(study.infused["USUBJID"])
    early = (spells["ONSETDY"] < FIRST_VISIT).to_numpy()
    first, others = known & early, known & spells["FIRSTDY"].notna().to_numpy() & ~early
    effect, name = "slope of day 14 to 28, 1/d", "naive: antibodies seen at day 28 or not (Welch)"
    if min(first.sum(), others.sum()) < SETTINGS.impact.min_subjects:
        yield Estimate(effect, name, math.nan)
        return
    truth = float(shift[first].mean() - shift[others].mean())
    test = stats.ttest_ind(slope[first], slope[others], equal_var=False)
    limits = test.confidence_interval(SETTINGS.impact.confidence_level)
    value = float(slope[first].mean() - slope[others].mean())
    yield Estimate(effect, name, truth, value, float(limits.low), float(limits.high))


def estimate_exposure(
    study: DrawnStudy, found: Found, spec: StudySpecification
) -> Iterator[Estimate]:
    """Exposure by antibodies at baseline, which do nothing."""
    alive = ~(study.course.death_day < 28)
    area = np.where(alive, study.exposure.auc28, np.nan)
    frames = [
        pd.DataFrame(
            {
                "STUDYID": spec.study,
                "USUBJID": study.infused["USUBJID"].to_numpy(),
                "PARCAT1": "PCR",
                "PROFTYP": "COURSE",
                "PARAMCD": code,
                "AVAL": np.where(values > 0, values, np.nan),
                "AVALU": unit,
            }
        )
        for code, values, unit in (
            ("CMAX", study.exposure.cmax, "copies/ug"),
            ("AUC28", area, "d*copies/ug"),
        )
    ]
    adpp = pd.concat(frames, ignore_index=True)
    out = ResultCollector("immunogenicity")
    summarise_baseline_exposure(found.adim, adpp, SETTINGS.impact, out)
    table = out.frame().pivot(index="variable", columns="stat_name", values="value")
    for code in ("CMAX", "AUC28"):
        values = (math.log(table.loc[code, name]) for name in ("gmr", "gmr_low", "gmr_high"))
        yield Estimate(f"ADA at baseline: {code}", "stage: baseline_exposure", 0.0, *values)


def describe_status(study: DrawnStudy, found: Found) -> dict[str, float]:
    """Shares of status as planted and as found, both of the evaluable subjects of each."""
    truth, adim = study.antibodies, found.adim.set_index("USUBJID")
    adim = adim.reindex(study.infused["USUBJID"])
    evaluable = (adim["EVALFL"] == "Y").to_numpy()
    described = {"evaluable, % of infused": 100 * float(evaluable.mean())}
    for name, planted, seen in (
        ("positive at baseline", truth.baseline, adim["ADABLFL"] == "Y"),
        ("induced", truth.induced, adim["ADASTAT"] == "INDUCED"),
        ("boosted", truth.boosted, adim["ADASTAT"] == "BOOSTED"),
    ):
        right = seen.to_numpy()
        among = planted & evaluable
        described[f"{name}, planted, % of evaluable"] = 100 * float(planted[truth.evaluable].mean())
        described[f"{name}, found, % of evaluable"] = 100 * float(right[evaluable].mean())
        described[f"{name}, found of those who have it, %"] = 100 * float(right[among].mean())
        described[f"{name}, found of those who do not, %"] = 100 * float(
            right[evaluable & ~planted].mean()
        )
    seen = found.spells["ONSETDY"]
    described["subjects with an onset"] = float(seen.notna().sum())
    described["of these, seen at day 28"] = float((seen < FIRST_VISIT).sum())
    return described


def describe_decay(study: DrawnStudy, found: Found) -> dict[str, float]:
    """What is left of the planted decay in the level of those with antibodies seen at day 28."""
    names = found.spells.loc[found.spells["ONSETDY"] < FIRST_VISIT, "USUBJID"]
    early = study.infused["USUBJID"].isin(names).to_numpy()
    days = study.times_of(LATE_DAYS)
    ratio = compute_concentrations(study.parameters, days) / without_decay(study, days)
    means = np.exp(np.log(ratio[early]).mean(axis=0))
    return {
        f"latent level with over without the planted decay, day {day:g}": float(mean)
        for day, mean in zip(LATE_DAYS, means, strict=True)
    }


def read_truth(subjects: int | None = None) -> StudySpecification:
    """The specification of CTX-101, with so many infused subjects if a number is given."""
    spec = read_specification(SPECIFICATION)
    assert isinstance(spec, StudySpecification)
    return spec if subjects is None else spec.resized(subjects)


def run_replicates(
    replicates: int, seed: int, subjects: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw and estimate; the seeds are ``seed``, ``seed`` + 1, and so on.

    Returns
    -------
    tuple
        Counts of `count_estimates`, and the means of what is described (QUANTITY, MEAN).
    """
    spec = read_truth(subjects)
    rows: list[Estimate] = []
    described = []
    for number in range(replicates):
        study = draw_study(spec.reseeded(seed + number))
        found = read_study(study, spec)
        rows += estimate_ratios(found, spec)
        rows += estimate_levels(found, spec)
        rows += estimate_contraction(study, found, spec)
        rows += estimate_exposure(study, found, spec)
        described.append(describe_status(study, found) | describe_decay(study, found))
    means = pd.DataFrame(described).mean().rename_axis("quantity").rename("mean").reset_index()
    return count_estimates(rows), means


def count_estimates(rows: list[Estimate]) -> pd.DataFrame:
    """Coverage and claims of each effect and estimator; an estimate that is refused claims none.

    The truth of an estimate may differ between replicates: then its mean stands in the table.
    """
    table = pd.DataFrame([vars(row) for row in rows])
    table["made"] = table[["value", "low", "high"]].notna().all(axis=1)
    table["covers"] = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    table["claims"] = (table["low"] > 0) | (table["high"] < 0)
    keys = ["effect", "estimator"]
    counted = (
        table.loc[table["made"]]
        .groupby(keys, sort=False)
        .agg(
            truth=("truth", "mean"),
            mean=("value", "mean"),
            spread=("value", "std"),
            coverage=("covers", "mean"),
            claimed=("claims", "mean"),
            estimated=("value", "size"),
        )
    )
    # An estimate that was refused in all replicates keeps its row.
    all_keys = table.groupby(keys, sort=False).size()
    counted = counted.reindex(all_keys.index).assign(replicates=all_keys)
    counted["estimated"] = counted["estimated"].fillna(0).astype(int)
    return counted.reset_index()


def write_estimates(counted: pd.DataFrame) -> str:
    """Write the counts in Markdown, each rate and mean with its Monte Carlo error."""
    lines = [
        "| effect | estimator | truth | mean | coverage | claimed | estimated |",
        f"|{'---|' * 7}",
    ]
    for row in counted.to_dict("records"):
        n = max(row["estimated"], 1)
        rates = (
            f"{rate:.3f} ± {math.sqrt(rate * (1 - rate) / n):.3f}"
            for rate in (row["coverage"], row["claimed"])
        )
        cells = (
            row["effect"],
            row["estimator"],
            f"{row['truth']:.3f}",
            f"{row['mean']:.3f} ± {row['spread'] / math.sqrt(n):.3f}",
            *rates,
            f"{row['estimated']}/{row['replicates']}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark from the command line and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first replicate")
    parser.add_argument("--subjects", type=int, help="infused subjects; as specified if not given")
    options = parser.parse_args()
    start = time.process_time()
    counted, described = run_replicates(options.replicates, options.seed, options.subjects)
    print(write_estimates(counted))
    print("\n| quantity | mean |\n|---|---|")
    for quantity, mean in described.itertuples(index=False, name=None):
        print(f"| {quantity} | {mean:.3f} |")
    print(f"\n{options.replicates} replicates in {time.process_time() - start:.0f} s of CPU")


if __name__ == "__main__":
    main()
