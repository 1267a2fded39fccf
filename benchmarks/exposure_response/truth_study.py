"""How often the estimators of the exposure-response stage find what CTX-101 plants.

``python benchmarks/exposure_response/truth_study.py --replicates 1000`` draws so many studies of
120 subjects, as numbers, and puts the estimators of `celldossier.stats` on the metrics that an
analysis uses: sampled Cmax and AUC28. Methods are chosen by the rules and thresholds of the
stage. A 95 % interval that is right covers the truth in 93 to 97 % of 1,000 replicates, and a
null is claimed in 3 to 7 % of them.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.cli.simulate import read_specification
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.simulation.draw import DrawnStudy, draw_study
from celldossier.simulation.specification import StudySpecification
from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_results import Method
from celldossier.stats.logistic import choose_method, estimate_logistic
from celldossier.stats.ordinal import estimate_proportional_odds
from celldossier.stats.power_model import estimate_power_model
from celldossier.stats.ratio import Ratio, estimate_ratio, estimate_slope_ratio

SPECIFICATION = Path(__file__).parents[2] / "resources" / "studies" / "CTX-101" / "simulation.yaml"
SETTINGS = ExposureResponseSettings()
LEVEL = 0.95
LANDMARK = 28.0
RULE, ORDINAL = "logistic, by the rule", "proportional odds"
NAIVE = "Cmax, naive: tocilizumab given to not given"

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """One estimate of one replicate, on the ln scale; NaN where the rules refuse it."""

    effect: str
    estimator: str
    truth: float
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Metrics:
    """What the models of a replicate stand on, one entry a subject."""

    cmax: Array
    """Sampled Cmax to base 2 logarithms, NaN where no sample is quantifiable."""
    area: Array
    """AUC28 to base 2 logarithms, NaN where it is 0 or the subject died before day 28."""
    burden: Array
    nhl: Flags


def read_metrics(study: DrawnStudy) -> Metrics:
    """Logarithms of the sampled exposure; a subject without one has none."""
    alive = ~np.isnan(study.course.event_day)
    cmax, area = study.exposure.cmax, study.exposure.auc28
    return Metrics(
        np.log2(np.where(cmax > 0, cmax, np.nan)),
        np.log2(np.where(alive & (area > 0), area, np.nan)),
        study.infused["BURDENZ"].to_numpy(dtype=float),
        (study.infused["INDIC"] == "NHL").to_numpy(),
    )


def fit_odds(
    effects: dict[str, tuple[float, Array]], outcome: Flags, chosen: Flags
) -> Iterator[Estimate]:
    """Log odds ratios by the method that the event count chooses, and by Firth's penalty."""
    names, events = list(effects), int(outcome[chosen].sum())
    design = np.column_stack([values[chosen] for _, values in effects.values()])
    n = int(chosen.sum())
    method = choose_method(events, n, len(names), SETTINGS.firth_below)
    fits = {
        engine: estimate_logistic(outcome[chosen], design, names, engine, level=LEVEL)
        for engine in sorted({method, "FIRTH"})
    }
    refused = min(events, n - events) < SETTINGS.min_events
    for estimator, fit in ((RULE, fits[method]), ("logistic, Firth", fits["FIRTH"])):
        for name, (truth, _) in effects.items():
            if fit.reason or (refused and estimator == RULE):
                yield Estimate(name, estimator, truth)
                continue
            term = fit.coefficient(name)
            yield Estimate(name, estimator, truth, term.estimate, term.low, term.high)


def estimate_odds(
    study: DrawnStudy, spec: StudySpecification, metrics: Metrics
) -> Iterator[Estimate]:
    """Toxicity by Cmax, and response by AUC28, both adjusted for tumour burden as planned."""
    quantified = ~np.isnan(metrics.cmax)
    crs = math.log(spec.crs.or_per_doubling["ALL"])
    effects = {
        "CRS grade 2 or above: doubling of Cmax": (crs, metrics.cmax),
        "CRS grade 2 or above: SD of burden": (spec.crs.burden_effect, metrics.burden),
    }
    yield from fit_odds(effects, study.crs.grade >= 2, quantified)
    fit = estimate_proportional_odds(
        study.crs.grade[quantified],
        np.column_stack([metrics.cmax[quantified], metrics.burden[quantified]]),
        ["cmax", "burden"],
        LEVEL,
        tested=["cmax"],
    )
    term = fit.coefficients[0]
    name = "CRS grade: doubling of Cmax"
    yield Estimate(name, ORDINAL, crs, term.estimate, term.low, term.high)
    for indication, group in (("ALL", ~metrics.nhl), ("NHL", metrics.nhl)):
        truth = math.log(spec.icans.or_per_doubling[indication])
        name = f"ICANS grade 2 or above, {indication}: doubling of Cmax"
        yield from fit_odds(
            {name: (truth, metrics.cmax)}, study.icans.grade >= 2, quantified & group
        )
    response = spec.response
    effects = {
        "objective response: doubling of AUC28": (
            math.log(response.or_per_doubling),
            metrics.area,
        ),
        "objective response: SD of burden": (response.burden_effect, metrics.burden),
    }
    known = ~np.isnan(metrics.area) & study.course.assessable
    yield from fit_odds(effects, study.course.responder, known)


def estimate_hazards(
    study: DrawnStudy, spec: StudySpecification, metrics: Metrics
) -> Iterator[Estimate]:
    """Progression or death after the landmark by AUC28, adjusted for tumour burden.

    `latent`: by the time of the event, whether seen or not; `as observed`: by what the visits
    and the follow-up show.
    """
    course, truth = study.course, math.log(spec.survival.hr_per_doubling)
    seen = np.fmin(course.progression_day, course.death_day)
    for how, event, end in (
        ("latent", course.event_day, study.departure.end_day),
        ("as observed", seen, study.last_day),
    ):
        stop = np.fmin(event, end)
        failed = event <= end
        chosen = ~np.isnan(metrics.area) & (stop > LANDMARK)
        methods: dict[Method, str] = {"ML": "Cox", "FIRTH": "Cox, Firth"}
        for method, estimator in methods.items():
            fit = estimate_cox(
                stop[chosen] - LANDMARK,
                failed[chosen],
                np.column_stack([metrics.area[chosen], metrics.burden[chosen]]),
                ["area", "burden"],
                method,
                level=LEVEL,
                tested=["area"],
            )
            name = f"progression-free survival, {how}: doubling of AUC28"
            if fit.reason:
                yield Estimate(name, estimator, truth)
                continue
            term = fit.coefficient("area")
            yield Estimate(name, estimator, truth, term.estimate, term.low, term.high)


def estimate_exposure(study: DrawnStudy, spec: StudySpecification) -> Iterator[Estimate]:
    """What shifts Cmax: dose and burden, and the nulls; one covariate a model."""
    infused, cmax = study.infused, study.exposure.cmax
    used = cmax > 0
    dose = infused["ACTUALDOSE"].to_numpy(dtype=float)[used]
    power = estimate_power_model(cmax[used], dose, level=LEVEL)
    truth = spec.kinetics.dose_effect
    name = "Cmax: ln dose"
    yield Estimate(name, "power model", truth, power.slope, power.low, power.high)
    continuous = {"SD of burden": ("BURDENZ", 1.0), "decade of age": ("AGE", 10.0)}
    continuous["10 kg of weight"] = ("WEIGHT", 10.0)
    for label, (column, step) in continuous.items():
        values = infused[column].to_numpy(dtype=float)[used]
        ratio = estimate_slope_ratio(cmax[used], values, step, LEVEL)
        truth = spec.kinetics.burden_effect if column == "BURDENZ" else 0.0
        yield _log(f"Cmax: {label}", "regression of ln Cmax", truth, ratio)
    for label, mask in (
        ("process B to A", infused["PROCESS"] == spec.processes[1].code),
        ("women to men", infused["SEX"] == "F"),
    ):
        group = mask.to_numpy()
        ratio = estimate_ratio(cmax[group], cmax[~group], LEVEL)
        yield _log(f"Cmax: {label}", "ratio of geometric means", 0.0, ratio)
    treated = ~np.isnan(study.rescue.tocilizumab_day)
    everyone = np.ones(cmax.size, dtype=bool)
    # Non-expanders have neither toxicity nor rescue: with them the ratio is larger still.
    for label, group in (("", everyone), (", expanders", ~study.parameters.non_expander)):
        ratio = estimate_ratio(cmax[treated & group], cmax[~treated & group], LEVEL)
        yield _log(f"{NAIVE}{label}", "ratio of geometric means", 0.0, ratio)


def _log(effect: str, estimator: str, truth: float, ratio: Ratio) -> Estimate:
    values = (math.log(value) for value in (ratio.ratio, ratio.low, ratio.high))
    return Estimate(effect, estimator, truth, *values)


def run_replicates(replicates: int, seed: int) -> pd.DataFrame:
    """Draw and estimate; the seeds are ``seed``, ``seed`` + 1, and so on.

    Returns
    -------
    pandas.DataFrame
        A row an effect and estimator: truth, mean of the estimates, coverage and claims
        with their Monte Carlo errors, and the replicates in which there was an estimate.
    """
    spec = read_specification(SPECIFICATION)
    assert isinstance(spec, StudySpecification)
    rows: list[Estimate] = []
    for number in range(replicates):
        study = draw_study(spec.reseeded(seed + number))
        metrics = read_metrics(study)
        rows += estimate_odds(study, spec, metrics)
        rows += estimate_hazards(study, spec, metrics)
        rows += estimate_exposure(study, spec)
    return count_estimates(rows)


def count_estimates(rows: list[Estimate]) -> pd.DataFrame:
    """Coverage and claims of each effect and estimator, with their Monte Carlo errors."""
    table = pd.DataFrame([vars(row) for row in rows])
    table["estimated"] = table[["value", "low", "high"]].notna().all(axis=1)
    table["covers"] = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    table["claims"] = table["estimated"] & ~((table["low"] <= 0) & (table["high"] >= 0))
    made = table[table["estimated"]]
    key = ["effect", "estimator"]
    counted = made.groupby(key, sort=False).agg(
        truth=("truth", "first"),
        mean=("value", "mean"),
        spread=("value", "std"),
        coverage=("covers", "mean"),
        claimed=("claims", "mean"),
        estimated=("value", "size"),
    )
    counted["replicates"] = table.groupby(key, sort=False).size()
    number = counted["estimated"]
    for rate in ("coverage", "claimed"):
        counted[f"{rate}_error"] = np.sqrt(counted[rate] * (1 - counted[rate]) / number)
    counted["mean_error"] = counted["spread"] / np.sqrt(number)
    order = ["truth", "mean", "mean_error", "coverage", "coverage_error", "claimed"]
    return counted.reset_index()[[*key, *order, "claimed_error", "estimated", "replicates"]]


def write_markdown(frame: pd.DataFrame) -> str:
    """Write the counts as a table, each rate with its Monte Carlo error."""
    lines = [
        "| effect | estimator | truth | mean | coverage | claimed | estimated |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in frame.to_dict("records"):
        numbers = [
            f"{row['truth']:.3f}",
            *(f"{row[name]:.3f} ± {row[f'{name}_error']:.3f}" for name in ("mean", "coverage")),
            f"{row['claimed']:.3f} ± {row['claimed_error']:.3f}",
            f"{row['estimated']}/{row['replicates']}",
        ]
        lines.append(f"| {row['effect']} | {row['estimator']} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark from the command line, print its table, and write it as CSV."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first replicate")
    parser.add_argument("--output", type=Path, help="CSV file of the counts")
    options = parser.parse_args()
    start = time.process_time()
    counts = run_replicates(options.replicates, options.seed)
    if options.output:
        counts.to_csv(options.output, index=False, lineterminator="\n")
    print(write_markdown(counts))
    for row in counts[counts["effect"].str.startswith(NAIVE)].to_dict("records"):
        print(f"\n{row['effect']}: ratio {math.exp(row['mean']):.2f} (truth 1).")
    print(f"{options.replicates} replicates in {time.process_time() - start:.0f} s of CPU")


if __name__ == "__main__":
    main()
