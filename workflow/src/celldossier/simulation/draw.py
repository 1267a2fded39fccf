"""Everything that is drawn for a study, as numbers, before anything is written as text."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.assays import (
    Bridging,
    bridge_back,
    choose_assays,
    draw_bridging,
    limits_on_first_scale,
)
from celldossier.simulation.cellular_immunity import (
    ELISPOT_DAYS,
    CellularResponse,
    draw_cellular_response,
)
from celldossier.simulation.events import draw_dose_limiting
from celldossier.simulation.exposure import SampledExposure, compute_sampled_exposure
from celldossier.simulation.immunogenicity import Antibodies, draw_antibodies
from celldossier.simulation.kinetics import (
    KineticParameters,
    MeasuredConcentrations,
    compute_concentrations,
    draw_measurements,
    draw_parameters,
)
from celldossier.simulation.laboratory import (
    LABORATORY_DAYS,
    BloodCounts,
    compute_other_leukocytes,
    draw_blood_counts,
)
from celldossier.simulation.outcomes import (
    RESPONSE_DAYS,
    DiseaseCourse,
    RescueMedication,
    Toxicity,
    draw_disease_course,
    draw_early_deaths,
    draw_rescue,
    draw_toxicity,
)
from celldossier.simulation.products import draw_products
from celldossier.simulation.records import days_since, to_minutes
from celldossier.simulation.reinfusion import Reinfusion, draw_reinfusions
from celldossier.simulation.sampling import choose_blood_samples
from celldossier.simulation.schedule import SCREENING_DAY, draw_actual_times
from celldossier.simulation.special_events import SpecialToxicity, draw_special_toxicity
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream
from celldossier.simulation.subjects import draw_subjects
from celldossier.simulation.survival import Departure, draw_departure, draw_new_therapy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DrawnStudy:
    """The numbers of a study; arrays run over infused subjects in order of consent.

    Attributes
    ----------
    subjects, infused
        All enrolled subjects, and those who were infused, one row each.
    visit_days, visits
        Nominal days and actual days (subjects, visits) of all visits.
    sampled
        Which of the kinetic samples exist, shape (subjects, samples).
    second_assay
        Subjects whose PCR results are those of the second assay.
    exposure
        On the scale of the first assay.
    last_day, on_study_day
        Last day of follow-up (death, last contact) and of sampling (also progression and
        a second infusion).
    """

    subjects: pd.DataFrame
    infused: pd.DataFrame
    visit_days: tuple[float, ...]
    visits: Array
    antibodies: Antibodies
    cellular: CellularResponse
    parameters: KineticParameters
    counts: BloodCounts
    measured: MeasuredConcentrations
    second_assay: NDArray[np.bool_]
    bridging: Bridging
    exposure: SampledExposure
    crs: Toxicity
    icans: Toxicity
    rescue: RescueMedication
    course: DiseaseCourse
    departure: Departure
    reinfusion: Reinfusion
    new_therapy_day: Array
    dose_limiting: NDArray[np.bool_]
    special: SpecialToxicity
    sampled: NDArray[np.bool_]
    last_day: Array
    on_study_day: Array

    def times_of(self, days: tuple[float, ...]) -> Array:
        """Actual days of some nominal days, shape (subjects, len(days))."""
        return self.visits[:, [self.visit_days.index(day) for day in days]]

    @property
    def infusion(self) -> NDArray[np.datetime64]:
        """Start of the cell infusion, minute resolution."""
        return self.infused["INFUSION"].to_numpy().astype("datetime64[m]")


def draw_study(spec: StudySpecification) -> DrawnStudy:
    """Draw a study from its specification; equal specifications give equal studies.

    The order is the causal one: subjects, products, antibodies, kinetics, measured
    concentrations, sampled exposure, toxicity and response, rescue medication.
    """
    subjects = draw_products(spec, draw_subjects(spec))
    infused = subjects.loc[subjects["INFUSED"]].reset_index(drop=True)
    infusion = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    cutoff = np.full(infusion.size, to_minutes(spec.enrolment.data_cutoff))
    cutoff_day = days_since(infusion, cutoff)
    early_death = draw_early_deaths(spec, infusion)

    days = tuple(
        sorted(
            {SCREENING_DAY, *spec.sampling.days, *LABORATORY_DAYS, *ELISPOT_DAYS, *RESPONSE_DAYS}
        )
    )
    visits = draw_actual_times(open_stream(spec.seed, "visits"), days, len(infused))
    times = visits[:, [days.index(day) for day in spec.sampling.days]]
    response_times = visits[:, [days.index(day) for day in RESPONSE_DAYS]]

    antibodies = draw_antibodies(spec, early_death)
    parameters = draw_parameters(spec, infused, antibodies.onset)
    counts = draw_blood_counts(spec, infused)
    second = choose_assays(spec, infusion)
    lloq = limits_on_first_scale(spec, second)

    def measure(individual: KineticParameters) -> tuple[MeasuredConcentrations, SampledExposure]:
        other_cells = compute_other_leukocytes(counts, times)
        measured = draw_measurements(spec, infused, individual, times, other_cells)
        exposure = compute_sampled_exposure(
            np.array(spec.sampling.days),
            times,
            bridge_back(spec, measured.pcr, second, vcn),
            measured.collected & ~(times > early_death[:, np.newaxis]),
            lloq,
        )
        return measured, exposure

    vcn = infused["VCN"].to_numpy(dtype=float)
    measured, exposure = measure(parameters)
    crs = draw_toxicity(spec, "crs", infused, exposure, np.zeros(len(infused)), early_death)
    after_crs = np.nan_to_num(crs.onset)
    icans = draw_toxicity(spec, "icans", infused, exposure, after_crs, early_death)
    rescue = draw_rescue(spec, crs, icans)
    changed = apply_rescue(spec, parameters, rescue)
    if changed is not parameters:
        parameters = changed
        measured, exposure = measure(parameters)
    departure = draw_departure(spec, cutoff_day)
    course = draw_disease_course(
        spec, infused, exposure, early_death, response_times, cutoff_day, departure
    )
    last_day = np.where(np.isnan(course.death_day), departure.end_day, course.death_day)
    reinfusion = draw_reinfusions(spec, infusion, course, last_day)
    on_study_day = np.fmin(np.fmin(course.progression_day, reinfusion.day), last_day)
    sampled = choose_blood_samples(spec, times, measured, on_study_day, lloq)
    return DrawnStudy(
        subjects=subjects,
        infused=infused,
        visit_days=days,
        visits=visits,
        antibodies=antibodies,
        cellular=draw_cellular_response(spec, antibodies.onset),
        parameters=parameters,
        counts=counts,
        measured=measured,
        second_assay=second,
        bridging=draw_bridging(
            spec, compute_concentrations(parameters, times), sampled, second, vcn
        ),
        exposure=exposure,
        crs=crs,
        icans=icans,
        rescue=rescue,
        course=course,
        departure=departure,
        reinfusion=reinfusion,
        new_therapy_day=draw_new_therapy(
            spec, infusion, course.progression_day, last_day, ~np.isnan(reinfusion.day)
        ),
        dose_limiting=draw_dose_limiting(spec, infused),
        special=draw_special_toxicity(spec, counts, crs, early_death),
        sampled=sampled,
        last_day=last_day,
        on_study_day=on_study_day,
    )


def apply_rescue(
    spec: StudySpecification, parameters: KineticParameters, rescue: RescueMedication
) -> KineticParameters:
    """Let rescue medication act on growth where the specification says so.

    The toxicity and with it the medication were decided by the exposure without it.
    """
    truth = spec.rescue
    changes = tuple(
        (day, factor)
        for day, factor in (
            (rescue.tocilizumab_day, truth.tocilizumab_on_growth),
            (rescue.steroid_day, truth.steroid_on_growth),
        )
        if factor != 1
    )
    return replace(parameters, growth_changes=changes) if changes else parameters
