"""How near the phases that are found lie to those that CTX-101 simulates, by noise.

``python benchmarks/phases.py --subjects 2000`` draws so many subjects of CTX-101 without
antibodies, measures their latent curve at the nominal times with log-normal noise, and finds the
phases with the default settings. The truth of a boundary is the lowest point of the latent curve
before its peak, the peak, and the time at which both terms of the decline are equal; results below
the limit of quantitation are left out, as in an analysis.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.cellular_kinetics.phases import PHASES, find_phases
from celldossier.cli.simulate import read_specification
from celldossier.settings.phases import PhaseRules
from celldossier.simulation.draw import draw_study
from celldossier.simulation.kinetics import KineticParameters, compute_concentrations

SPECIFICATION = Path(__file__).parents[1] / "resources" / "studies" / "CTX-101" / "simulation.yaml"
NOISE = (0.15, 0.25, 0.35, 0.45)
SEED = 11
BOUNDARIES = ("end of distribution", "peak", "end of contraction")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """Latent curves at the nominal times, and what the phases should be."""

    parameters: KineticParameters
    times: Array
    latent: Array
    boundaries: Array
    lloq: float


def draw_truth(subjects: int, seed: int = SEED) -> Truth:
    """Subjects of CTX-101 without antibodies, on its schedule."""
    specification = read_specification(SPECIFICATION)
    drawn = draw_study(specification.resized(subjects).reseeded(seed)).parameters
    drawn = replace(drawn, antibody_onset=np.full(subjects, np.inf))
    days = np.array([day for day in specification.sampling.days if day > 0])
    times = np.tile(days, (subjects, 1))
    fine = np.linspace(0.001, 1, 4000)[None, :] * drawn.peak_time[:, None]
    lowest = compute_concentrations(drawn, fine).argmin(axis=1)
    decline = np.log((1 - drawn.fb) / drawn.fb) / (drawn.alpha - drawn.beta)
    boundaries = [fine[np.arange(subjects), lowest], drawn.peak_time, drawn.peak_time + decline]
    return Truth(
        parameters=drawn,
        times=times,
        latent=compute_concentrations(drawn, times),
        boundaries=np.stack(boundaries, axis=1),
        lloq=specification.sampling.pcr.lloq,
    )


def measure(truth: Truth, noise: float, seed: int = SEED) -> Array:
    """Measured concentrations, NaN below the limit of quantitation."""
    rng = np.random.default_rng(seed)
    measured = truth.latent * np.exp(noise * rng.standard_normal(truth.latent.shape))
    return np.where(measured >= truth.lloq, measured, np.nan)


def compare(truth: Truth, noise: float, rules: PhaseRules | None = None) -> list[dict[str, object]]:
    """Share of boundaries found and near, and the ratio of estimated to true rates."""
    conc = measure(truth, noise)
    fit = find_phases(truth.times, conc, np.isfinite(conc), rules or PhaseRules())
    edges = np.array([0.0, *truth.times[0]])
    rows: list[dict[str, object]] = []
    for place, name in enumerate(BOUNDARIES):
        found = np.isfinite(fit.end[:, place]) & np.isfinite(fit.start[:, place + 1])
        true = truth.boundaries[:, place]
        interval = np.searchsorted(edges, true).clip(1, len(edges) - 1)
        width = edges[interval] - edges[interval - 1]
        near = np.abs(fit.end[:, place] - true) <= width
        rows.append(
            {"what": name, "noise": noise, "found": found.mean(), "near": near[found].mean()}
        )
    rates = {
        "doubling time": ("E", np.log(2) / truth.parameters.growth_rate),
        "half-life of contraction": ("C", np.log(2) / truth.parameters.alpha),
        "half-life of persistence": ("P", np.log(2) / truth.parameters.beta),
    }
    for name, (phase, true) in rates.items():
        slope = np.abs(fit.slope[:, PHASES.index(phase)])
        known = slope > 0
        ratio = np.log(2) / slope[known] / true[known]
        quartiles = np.quantile(ratio, [0.25, 0.5, 0.75])
        rows.append(
            {
                **{"what": name, "noise": noise, "found": known.mean()},
                **dict(zip(("q1", "median", "q3"), quartiles, strict=True)),
            }
        )
    return rows


def main() -> None:
    """Print one row a boundary or rate and noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=2000)
    options = parser.parse_args()
    truth = draw_truth(options.subjects)
    started = time.perf_counter()
    rows = [row for noise in NOISE for row in compare(truth, noise)]
    seconds = time.perf_counter() - started
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format, na_rep=""))
    print(f"{options.subjects} profiles, {len(NOISE)} times: {seconds:.1f} s")


if __name__ == "__main__":
    main()
