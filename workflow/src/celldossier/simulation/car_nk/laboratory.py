"""Raw domains of the CAR-NK study: laboratory and antibodies."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.background import Laboratory
from celldossier.simulation.car_nk.draw import DrawnNk
from celldossier.simulation.car_nk.records import lay_out, name_visit
from celldossier.simulation.car_nk.specification import BloodCount, CarNkSpecification, Cytokine
from celldossier.simulation.immunogenicity import SMALLEST_TITRE
from celldossier.simulation.records import (
    format_datetimes,
    format_numbers,
    round_significant,
    shift_days,
)
from celldossier.simulation.schedule import MINUTES_PER_DAY, draw_actual_times
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]
ONSET_TO_PEAK_OF_CRS = 1.0  # days


def laboratory_days(spec: CarNkSpecification) -> tuple[float, ...]:
    """Nominal days of the laboratory visits of all cycles, and of follow-up."""
    length = spec.dosing.cycle_length
    cycles = [c * length + day for c in range(spec.dosing.cycles) for day in spec.laboratory.days]
    return tuple(sorted({spec.laboratory.screening_day, *cycles, *spec.laboratory.follow_up_days}))


def write_laboratory(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``lb.csv``: IL-15, cytokines, blood counts, B cells."""
    rng = open_stream(spec.seed, "nk_laboratory")
    users, start = drawn.infused["USUBJID"].to_numpy(), drawn.start
    days = np.array(laboratory_days(spec))
    times = _visit_times(spec, drawn, days, rng)
    cycle = np.floor_divide(days, spec.dosing.cycle_length)
    in_cycle = (days < 0) | (cycle < drawn.cycles[:, np.newaxis])
    in_follow_up = np.isin(days, spec.laboratory.follow_up_days)
    taken = (in_cycle | in_follow_up) & (times < drawn.course.last_day[:, np.newaxis] - 0.5)
    taken &= ~(rng.uniform(size=times.shape) < spec.sampling.missed_share) | (days <= 0)
    blocks = []
    for test, values in _values(spec, drawn, times, rng):
        rows, columns = np.nonzero(taken)
        result = round_significant(values[rows, columns], 4)
        visit = np.array([name_visit(spec, day) for day in days.tolist()])
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": users[rows],
                    "LBTESTCD": test.code,
                    "LBTEST": test.name,
                    "LBORRES": np.where(result < test.lloq, "BLQ", format_numbers(result)),
                    "LBORRESU": test.unit,
                    "LBORNRHI": "" if test.upper_normal is None else f"{test.upper_normal:g}",
                    "LBLLOQ": f"{test.lloq:g}" if test.lloq > 0 else "",
                    "LBSPEC": test.specimen,
                    "LBMETHOD": test.method,
                    "LBNAM": "CENTRAL LAB C",
                    "VISIT": visit[columns],
                    "LBTPTNUM": np.array(format_numbers(days))[columns],
                    "LBDTC": format_datetimes(shift_days(start[rows], times[rows, columns])),
                }
            )
        )
    return lay_out(blocks, spec, "lb", ["LBTESTCD", "LBDTC"])


def _visit_times(
    spec: CarNkSpecification, drawn: DrawnNk, days: Array, rng: np.random.Generator
) -> Array:
    """Actual days: on the day of a dose shortly before it, else near the nominal day."""
    times = draw_actual_times(rng, tuple(days.tolist()), len(drawn.infused))
    for place, day in enumerate(spec.dosing.days * spec.dosing.cycles):
        nominal = (place // len(spec.dosing.days)) * spec.dosing.cycle_length + day
        given = drawn.given[:, place]
        for column in np.flatnonzero(days == nominal):
            times[:, column] = np.where(np.isnan(given), times[:, column], given - 0.03)
    rounded: Array = np.rint(times * MINUTES_PER_DAY) / MINUTES_PER_DAY
    return rounded


def _since_cycle(spec: CarNkSpecification, drawn: DrawnNk, times: Array) -> Array:
    """Days since the start of the latest cycle that was begun; before day 0 negative."""
    starts = np.arange(spec.dosing.cycles) * spec.dosing.cycle_length
    begun = np.where(
        starts < drawn.cycles[:, np.newaxis] * spec.dosing.cycle_length, starts, np.nan
    )
    since = times[:, :, np.newaxis] - begun[:, np.newaxis, :]
    # The fall begins with lymphodepletion, some days before the first dose of a cycle.
    lead = float(max(-day for day in spec.dosing.lymphodepletion_days))
    latest: Array = np.nanmin(np.where(since >= -lead, since, np.inf), axis=2, initial=np.inf)
    return latest


def _values(
    spec: CarNkSpecification, drawn: DrawnNk, times: Array, rng: np.random.Generator
) -> list[tuple[Laboratory, Array]]:
    n = times.shape[0]
    since = _since_cycle(spec, drawn, times)

    def noisy(test: Laboratory, ln_change: Array) -> Array:
        base = test.baseline * np.exp(test.baseline_sd * rng.standard_normal((n, 1)))
        values: Array = base * np.exp(
            ln_change + test.residual_sd * rng.standard_normal(times.shape)
        )
        return values

    laboratory = spec.laboratory
    found: list[tuple[Laboratory, Array]] = []
    il15 = laboratory.il15
    at_infusion = il15.at_infusion * np.exp(il15.at_infusion_sd * drawn.parameters.il15)
    excess = np.log(at_infusion / il15.baseline)[:, np.newaxis]
    fading = np.exp(-np.log(2) / il15.half_life * np.abs(np.where(np.isfinite(since), since, 1e3)))
    found.append((il15, noisy(il15, excess * fading)))

    given = np.where(np.isnan(drawn.given), np.inf, drawn.given)
    after = np.abs(times[:, :, np.newaxis] - given[:, np.newaxis, :] - laboratory.peak_day)
    pulse = np.exp(-((after.min(axis=2) / laboratory.peak_width) ** 2))
    from_crs = times - drawn.crs_onset[:, np.newaxis] - ONSET_TO_PEAK_OF_CRS
    crs = np.nan_to_num(np.exp(-((from_crs / laboratory.peak_width) ** 2)))

    def add_cytokine(test: Cytokine) -> None:
        found.append((test, noisy(test, test.rise * pulse + test.crs_rise * crs)))

    def add_count(test: BloodCount) -> None:
        from_nadir = since - test.nadir_day
        width = np.where(from_nadir < 0, test.nadir_day + 5, test.recovery_days)
        fall = test.depth * np.exp(-((np.minimum(np.abs(from_nadir), 1e3) / width) ** 2))
        found.append((test, noisy(test, -np.where(np.isfinite(since), fall, 0.0))))

    for cytokine in laboratory.cytokines:
        add_cytokine(cytokine)
    for count in laboratory.counts:
        add_count(count)

    b_cells = laboratory.b_cells
    last = np.nanmax(drawn.given, axis=1)[:, np.newaxis]
    depleted = 1 - np.exp(-np.maximum(times, 0.0) / b_cells.depletion_days)
    returned = np.maximum(times - last - b_cells.recovery_from, 0.0) / b_cells.recovery_days
    lost = (1 - b_cells.nadir_share) * depleted * np.exp(-returned)
    found.append((b_cells, noisy(b_cells, np.log(np.maximum(1 - lost, b_cells.nadir_share)))))
    for cytokine in laboratory.further_cytokines:
        add_cytokine(cytokine)
    for count in laboratory.further_counts:
        add_count(count)
    return found


def write_antibodies(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``is.csv``: antibodies against the CAR in tiers, against HLA as one result."""
    rng = open_stream(spec.seed, "nk_antibody_samples")
    users, start, found = drawn.infused["USUBJID"].to_numpy(), drawn.start, drawn.antibodies
    n = users.size
    days = spec.immunogenicity.days
    times = _visit_times(spec, drawn, np.array(days), rng)
    base = rng.integers(0, 4, n)
    blocks = []
    for column, nominal in enumerate(days):
        day = times[:, column]
        taken = day < drawn.course.last_day - 0.5
        if nominal > 0:
            taken &= rng.uniform(size=n) >= spec.sampling.missed_share
        car = found.car_baseline | (day >= found.car_onset)
        false = rng.uniform(size=n) < spec.immunogenicity.car_false_positive_share
        # Later titres stay within one dilution step: nobody's antibodies are boosted.
        titre = SMALLEST_TITRE * 2 ** (base + (nominal > 0) * rng.integers(0, 2, n))
        hla = found.hla_baseline | (day >= found.hla_onset)
        word = {True: "POSITIVE", False: "NEGATIVE"}
        for code, name, target, tier, tested, result in (
            ("ADA_BAB", "Binding Antidrug Antibody", "CD19 CAR", "SCREENING", taken, car | false),
            (
                "ADA_BAB", "Binding Antidrug Antibody", "CD19 CAR", "CONFIRMATORY",
                taken & (car | false), car,
            ),
            ("HLAAB", "Antibody to Donor HLA", "DONOR HLA", "RESULT", taken, hla),
        ):  # fmt: skip
            chosen = np.flatnonzero(tested)
            texts = [word[bool(positive)] for positive in result[chosen]]
            blocks.append(
                _antibody_block(
                    users[chosen],
                    code,
                    name,
                    target,
                    tier,
                    texts,
                    "",
                    spec,
                    nominal,
                    start[chosen],
                    day[chosen],
                )
            )
        chosen = np.flatnonzero(taken & car)
        blocks.append(
            _antibody_block(
                users[chosen],
                "ADA_BAB",
                "Binding Antidrug Antibody",
                "CD19 CAR",
                "TITER",
                titre[chosen].astype(str).tolist(),
                "titer",
                spec,
                nominal,
                start[chosen],
                day[chosen],
            )
        )
    frame = pd.concat(blocks, ignore_index=True)
    tiers = {"SCREENING": 0, "CONFIRMATORY": 1, "TITER": 2, "RESULT": 3}
    frame = frame.assign(TIER=frame["ISCAT"].map(tiers))
    return lay_out([frame], spec, "is", ["ISDTC", "TIER"])


def _antibody_block(
    users: NDArray[np.str_],
    code: str,
    name: str,
    target: str,
    tier: str,
    results: list[str],
    unit: str,
    spec: CarNkSpecification,
    nominal: float,
    start: NDArray[np.datetime64],
    day: Array,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": users,
            "ISTESTCD": code,
            "ISTEST": name,
            "ISBDAGNT": target,
            "ISCAT": tier,
            "ISORRES": results,
            "ISORRESU": unit,
            "ISSPEC": "SERUM",
            "ISMETHOD": "ELECTROCHEMILUMINESCENCE" if code == "ADA_BAB" else "SINGLE ANTIGEN BEADS",
            "VISIT": name_visit(spec, nominal),
            "ISTPTNUM": f"{nominal:g}",
            "ISDTC": format_datetimes(shift_days(start, day)),
        }
    )
