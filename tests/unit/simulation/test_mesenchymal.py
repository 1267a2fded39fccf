"""The effects and the nulls of MSX-301, recovered from 20,000 simulated subjects.

Each estimate must lie within 3.5 standard errors of what the specification plants.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from celldossier.cli.simulate import read_specification
from celldossier.simulation.mesenchymal.draw import (
    DrawnStem,
    draw_blood,
    draw_cartilage,
    draw_factors,
    draw_fluid,
    draw_mishandled,
    draw_scores,
    draw_signal,
    draw_study,
    draw_tissue,
    draw_worms,
)
from celldossier.simulation.mesenchymal.markers import find_responders, report_scores
from celldossier.simulation.mesenchymal.records import write_adverse_events
from celldossier.simulation.mesenchymal.specification import MesenchymalSpecification

Array = NDArray[np.float64]
WITHIN = 3.5  # standard errors


@pytest.fixture(scope="module")
def spec() -> MesenchymalSpecification:
    path = Path(__file__).parents[3] / "resources" / "studies" / "MSX-301" / "simulation.yaml"
    found = read_specification(path)
    assert isinstance(found, MesenchymalSpecification)
    return found.resized(20000).reseeded(11)


@pytest.fixture(scope="module")
def large(spec: MesenchymalSpecification) -> DrawnStem:
    return draw_study(spec)


def check_slope(outcome: Array, *columns: Array, planted: float) -> None:
    """The first column's slope is the planted one."""
    fit = sm.OLS(outcome, sm.add_constant(np.column_stack(columns))).fit()
    assert fit.params[1] == pytest.approx(planted, abs=WITHIN * fit.bse[1])


def days_of(drawn: DrawnStem, day: float) -> Array:
    return drawn.visits[:, drawn.places_of((day,))[0]]


@pytest.mark.parametrize(
    ("code", "effect", "change"),
    [("WOMACPN", -0.6, -4.0), ("WOMACTOT", -2.5, -18.0), ("VASPAIN", -3.0, -20.0)],
)
def test_the_change_of_a_score_depends_on_the_dose(
    spec: MesenchymalSpecification, large: DrawnStem, code: str, effect: float, change: float
) -> None:
    values = draw_scores(spec, large)[code]
    day = spec.symptoms.days.index(84)
    course = 1 - np.exp(-days_of(large, 84) / 25)
    gain = (values[:, day] - values[:, spec.symptoms.days.index(0)]) / course
    check_slope(gain, large.doublings, planted=effect)
    at_reference = gain[large.doublings == 0]
    error = at_reference.std(ddof=1) / np.sqrt(at_reference.size)
    assert at_reference.mean() == pytest.approx(change, abs=WITHIN * error)


def test_donor_and_antibodies_do_nothing_to_the_scores(
    spec: MesenchymalSpecification, large: DrawnStem
) -> None:
    values = draw_scores(spec, large)["WOMACTOT"]
    gain = values[:, spec.symptoms.days.index(168)] - values[:, 0]
    donor = large.lots["DONORID"].to_numpy()[large.lot]
    check_slope(gain, np.isfinite(large.hla_onset).astype(float), large.doublings, planted=0)
    for name in sorted(set(donor)):
        check_slope(gain, (donor == name).astype(float), large.doublings, planted=0)


def test_recorded_scores_are_whole_points_within_their_limits(
    spec: MesenchymalSpecification, large: DrawnStem
) -> None:
    for score in spec.symptoms.scores:
        values = report_scores(spec, large)[score.code]
        assert (values == np.rint(values)).all()
        assert values.min() >= 0 and values.max() <= score.maximum
    responds = find_responders(spec, large)
    high = large.doublings > 0
    assert responds[high].mean() > responds[large.doublings < 0].mean() + 0.05


def test_the_dose_does_nothing_to_the_background_in_blood(
    spec: MesenchymalSpecification, large: DrawnStem
) -> None:
    values = np.log(draw_blood(spec, large))
    for place in range(1, values.shape[1]):
        check_slope(values[:, place] - values[:, 0], large.doublings, planted=0)
    assert np.exp(np.median(values)) == pytest.approx(0.8, rel=0.02)


def test_the_dose_raises_the_cells_in_synovial_fluid(
    spec: MesenchymalSpecification, large: DrawnStem
) -> None:
    values, sampled = draw_fluid(spec, large)
    assert sampled.sum() == round(0.7 * sampled.size)
    fading = np.exp(-np.log(2) / 14 * days_of(large, 7))
    rise = np.log(values[:, 1] / values[:, 0]) / fading
    check_slope(rise, large.doublings, planted=0.3)
    error = rise[large.doublings == 0].std(ddof=1) / np.sqrt((large.doublings == 0).sum())
    assert rise[large.doublings == 0].mean() == pytest.approx(1.2, abs=WITHIN * error)


def test_cartilage_depends_on_the_dose_and_worms_and_tissue_do_not(
    spec: MesenchymalSpecification, large: DrawnStem
) -> None:
    years = days_of(large, 360) / 365.25
    for values in draw_cartilage(spec, large).values():
        check_slope(np.log(values[:, 2] / values[:, 0]) / years, large.doublings, planted=0.012)
    worms = draw_worms(spec, large)
    check_slope(worms[:, 2] - worms[:, 0], large.doublings, planted=0)
    tissue, _ = draw_tissue(spec, large)
    change = tissue[:, 1] - tissue[:, 0]
    check_slope(change, large.doublings, planted=0)
    error = change.std(ddof=1) / np.sqrt(change.size)
    assert change.mean() == pytest.approx(-1.2, abs=WITHIN * error)


@pytest.mark.parametrize(
    ("code", "factor"), [("TGFB1", 2.5), ("PDGFBB", 4.0), ("HGF", 1.0), ("COMP", 1.0)]
)
def test_mishandled_samples_are_inflated_by_the_factor_of_the_test(
    spec: MesenchymalSpecification, large: DrawnStem, code: str, factor: float
) -> None:
    mishandled = draw_mishandled(spec, large)
    values = np.log(draw_factors(spec, large, mishandled)[code])
    place = spec.factors.days.index(84)
    check_slope(values[:, place], mishandled[:, place].astype(float), planted=np.log(factor))
    share = mishandled.mean()
    assert share == pytest.approx(0.08, abs=WITHIN * np.sqrt(0.08 * 0.92 / mishandled.size))


@pytest.mark.parametrize(("code", "effect"), [("HGF", 0.15), ("TGFB1", 0.0), ("IL6", 0.0)])
def test_only_hgf_rises_with_the_dose(
    spec: MesenchymalSpecification, large: DrawnStem, code: str, effect: float
) -> None:
    nobody = np.zeros_like(draw_mishandled(spec, large))
    values = np.log(draw_factors(spec, large, nobody)[code])
    pulse = np.exp(-(((days_of(large, 3) - 3) / 4) ** 2))
    rise = (values[:, spec.factors.days.index(3)] - values[:, 0]) / pulse
    check_slope(rise, large.doublings, planted=effect)


@pytest.mark.parametrize(("place", "level", "half_life"), [("KNEE JOINT", 92, 9), ("LUNG", 0.6, 2)])
def test_the_signal_of_labelled_cells_stays_in_the_joint(
    spec: MesenchymalSpecification, large: DrawnStem, place: str, level: float, half_life: float
) -> None:
    signal, chosen = draw_signal(spec, large)
    assert chosen.sum() == round(0.2 * chosen.size)
    times = large.visits[:, large.places_of(spec.imaging.signal_days)]
    fit = sm.OLS(np.log(signal[place]).ravel(), sm.add_constant(times.ravel())).fit()
    assert fit.params[0] == pytest.approx(np.log(level), abs=WITHIN * fit.bse[0])
    assert fit.params[1] == pytest.approx(-np.log(2) / half_life, abs=WITHIN * fit.bse[1])


@pytest.mark.parametrize(
    ("term", "ratio"), [("Arthralgia", 1.5), ("Joint swelling", 1.5), ("Injection site pain", 1.0)]
)
def test_joint_events_rise_with_the_dose(
    spec: MesenchymalSpecification, large: DrawnStem, term: str, ratio: float
) -> None:
    events = write_adverse_events(spec, large)
    having = large.infused["USUBJID"].isin(events.loc[events["AEDECOD"] == term, "USUBJID"])
    fit = sm.Logit(having.to_numpy(dtype=float), sm.add_constant(large.doublings)).fit(disp=0)
    assert fit.params[1] == pytest.approx(np.log(ratio), abs=WITHIN * fit.bse[1])
    assert not events["AEDECOD"].str.contains("Cytokine release|neurotoxicity").any()
