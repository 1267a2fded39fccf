"""A whole simulated study: raw domains as text, latent individuals and the planted truth."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from celldossier.simulation.biospecimens import ANTIBODIES, CAR_PCR, add_sample_records
from celldossier.simulation.cellular_immunity import ELISPOT_DAYS, lay_out_elispot
from celldossier.simulation.components import write_components
from celldossier.simulation.draw import draw_study
from celldossier.simulation.events import write_adverse_events
from celldossier.simulation.immune_markers import write_tumours
from celldossier.simulation.immunogenicity import ANTIBODY_DAYS, write_immunogenicity
from celldossier.simulation.laboratory import LABORATORY_DAYS, write_laboratory
from celldossier.simulation.medication import write_medication
from celldossier.simulation.outcomes import RESPONSE_DAYS
from celldossier.simulation.products import write_exposure, write_lots
from celldossier.simulation.raw_domains import (
    write_concentrations,
    write_demographics,
    write_responses,
)
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.survival import write_disposition
from celldossier.simulation.truth import describe_subjects, describe_truth


@dataclass(frozen=True)
class SimulatedStudy:
    """What one run of the simulator gives.

    Attributes
    ----------
    raw
        Raw domains by lower-case name (dm, ex, pc, lb, is, ae, fa, rs, tr, ds, cm, lots, be,
        runs), every column text.
    truth_subjects
        Latent values of every enrolled subject, as text.
    truth
        Planted effects and realised counts, ready for JSON.
    """

    raw: dict[str, pd.DataFrame]
    truth_subjects: pd.DataFrame
    truth: dict[str, object]


def simulate_study(spec: StudySpecification) -> SimulatedStudy:
    """Simulate a study and lay out its raw data; equal specifications give equal bytes."""
    drawn = draw_study(spec)
    infused = drawn.infused
    raw = {
        "dm": write_demographics(spec, drawn.subjects, infused, drawn.course.death_day),
        "ex": write_exposure(spec, infused, drawn.reinfusion),
        "pc": write_concentrations(
            spec,
            infused,
            drawn.times_of(spec.sampling.days),
            drawn.measured,
            drawn.sampled,
            drawn.second_assay,
            drawn.bridging,
        ),
        "lb": write_laboratory(
            spec,
            infused,
            drawn.times_of(LABORATORY_DAYS),
            drawn.on_study_day,
            drawn.counts,
            drawn.parameters,
            drawn.exposure,
            drawn.crs,
            drawn.rescue,
        ),
        "is": write_immunogenicity(
            spec,
            infused,
            drawn.antibodies,
            drawn.times_of(ANTIBODY_DAYS),
            drawn.last_day,
            lay_out_elispot(
                spec, infused, drawn.cellular, drawn.times_of(ELISPOT_DAYS), drawn.last_day
            ),
        ),
        "ae": write_adverse_events(
            spec,
            infused,
            drawn.crs,
            drawn.icans,
            drawn.dose_limiting,
            drawn.special,
            drawn.course,
            drawn.last_day,
        ),
        "fa": write_components(
            spec,
            infused,
            drawn.crs,
            drawn.icans,
            drawn.rescue,
            drawn.times_of((0.0,))[:, 0],
            drawn.last_day,
        ),
        "rs": write_responses(spec, infused, drawn.course, drawn.times_of(RESPONSE_DAYS)),
        "tr": write_tumours(spec, infused, drawn.course, drawn.times_of(RESPONSE_DAYS)),
        "ds": write_disposition(
            spec, infused, drawn.departure, drawn.course.death_day, drawn.last_day
        ),
        "cm": write_medication(
            spec,
            infused,
            drawn.crs,
            drawn.icans,
            drawn.rescue,
            drawn.last_day,
            drawn.new_therapy_day,
        ),
        "lots": write_lots(spec, drawn.subjects),
    }
    truth_subjects = describe_subjects(drawn)
    truth = describe_truth(spec, drawn, raw, truth_subjects)
    traced = add_sample_records(raw, spec.seed, spec.enrolment.data_cutoff, (CAR_PCR, ANTIBODIES))
    return SimulatedStudy(traced, truth_subjects, truth)
