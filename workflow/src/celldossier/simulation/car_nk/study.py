"""A whole simulated CAR-NK study: raw domains, latent individuals and the planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.simulation.biospecimens import ANTIBODIES, CAR_PCR, add_sample_records
from celldossier.simulation.car_nk.draw import DrawnNk, draw_study
from celldossier.simulation.car_nk.kinetics import compute_accumulation
from celldossier.simulation.car_nk.laboratory import write_antibodies, write_laboratory
from celldossier.simulation.car_nk.outcomes import (
    write_adverse_events,
    write_components,
    write_dispositions,
    write_medication,
    write_responses,
    write_tumours,
)
from celldossier.simulation.car_nk.records import (
    write_concentrations,
    write_demographics,
    write_exposure,
    write_lots,
)
from celldossier.simulation.car_nk.specification import CarNkSpecification
from celldossier.simulation.records import format_numbers
from celldossier.simulation.study import SimulatedStudy

NULLS = [
    "donor and lot on kinetics",
    "HLA mismatches on kinetics",
    "age, sex and weight on kinetics",
    "cycle number on kinetics without antibodies",
    "antibodies against donor HLA before treatment on kinetics",
    "antibodies against the CAR on kinetics",
    "exposure on CRS",
    "exposure on B cells",
    "dose on cytokines",
]


def simulate_study(spec: CarNkSpecification) -> SimulatedStudy:
    """Simulate a study and lay out its raw data; equal specifications give equal bytes."""
    drawn = draw_study(spec)
    responses = write_responses(spec, drawn)
    raw = {
        "dm": write_demographics(spec, drawn),
        "ex": write_exposure(spec, drawn),
        "pc": write_concentrations(spec, drawn),
        "lb": write_laboratory(spec, drawn),
        "is": write_antibodies(spec, drawn),
        "ae": write_adverse_events(spec, drawn),
        "fa": write_components(spec, drawn),
        "rs": responses,
        "tr": write_tumours(spec, drawn, responses),
        "ds": write_dispositions(spec, drawn),
        "cm": write_medication(spec, drawn),
        "lots": write_lots(spec, drawn),
    }
    subjects = describe_subjects(drawn)
    truth = describe_truth(spec, raw, drawn)
    traced = add_sample_records(raw, spec.seed, spec.enrolment.data_cutoff, (CAR_PCR, ANTIBODIES))
    return SimulatedStudy(traced, subjects, truth)


def describe_subjects(drawn: DrawnNk) -> pd.DataFrame:
    """Latent values and outcomes of every enrolled subject, every column text.

    PEAKk is the peak that planned dose k adds (copies/ug DNA; also of doses that were
    not given), HALFLIFE is in days, AUC28SMP the sampled area on which response depends;
    ...DY are days since the first dose.
    """
    flag = {True: "Y", False: "N"}
    peaks = drawn.parameters.peak
    found = drawn.antibodies
    latent = pd.DataFrame(
        {
            "USUBJID": drawn.infused["USUBJID"],
            "CYCLES": drawn.cycles.astype(str),
            **{f"PEAK{k + 1}": format_numbers(peaks[:, k]) for k in range(peaks.shape[1])},
            "HALFLIFE": format_numbers(np.log(2) / drawn.parameters.rate),
            "IL15Z": format_numbers(drawn.parameters.il15),
            "CMAXSMP": format_numbers(drawn.exposure.cmax),
            "AUC28SMP": format_numbers(drawn.exposure.auc28),
            "HLABLFL": [flag[bool(value)] for value in found.hla_baseline],
            "HLAONDY": format_numbers(_finite(found.hla_onset)),
            "CARBLFL": [flag[bool(value)] for value in found.car_baseline],
            "CARONDY": format_numbers(_finite(found.car_onset)),
            "CRSGR": drawn.crs_grade.astype(str),
            "CRSONDY": format_numbers(drawn.crs_onset),
            "RESPFL": [flag[bool(value)] for value in drawn.course.responder],
            "PROGDY": format_numbers(drawn.course.progression),
            "DTHDY": format_numbers(drawn.course.death),
            "RETREATFL": [flag[bool(value)] for value in drawn.infused["RETREATED"]],
        }
    )
    base = pd.DataFrame(
        {
            "USUBJID": drawn.subjects["USUBJID"],
            "INFUSFL": [flag[bool(value)] for value in drawn.subjects["INFUSED"]],
            "HLAMM": drawn.subjects["HLAMM"].astype(str),
            "BURDENZ": format_numbers(drawn.subjects["BURDENZ"]),
        }
    )
    return base.merge(latent, on="USUBJID", how="left", validate="one_to_one").fillna("")


def describe_truth(
    spec: CarNkSpecification, raw: dict[str, pd.DataFrame], drawn: DrawnNk
) -> dict[str, object]:
    """Planted effects, nulls and realised counts, ready for JSON."""
    levels = np.array([level.code for level in spec.dosing.levels])[drawn.infused["LEVEL"]]

    def count(values: np.ndarray) -> dict[str, int]:
        found, number = np.unique(values.astype(str), return_counts=True)
        return {str(level): int(n) for level, n in zip(found, number, strict=True)}

    return {
        "study": spec.study,
        "seed": spec.seed,
        "planted": spec.model_dump(
            mode="json", exclude={"kind", "study", "seed", "enrolment", "sampling"}
        ),
        "derived": {"accumulation": compute_accumulation(spec.kinetics, spec.dosing.days)},
        "assays": spec.sampling.model_dump(mode="json"),
        "nulls": NULLS,
        "counts": {
            "enrolled": len(drawn.subjects),
            "infused": len(drawn.infused),
            "dose_level": count(levels),
            "cycles": count(drawn.cycles),
            "doses": int((~np.isnan(drawn.given)).sum()),
            "unplanned_doses": int((~np.isnan(drawn.given[:, -1])).sum()),
            "crs_grade": count(drawn.crs_grade),
            "responders": int(drawn.course.responder.sum()),
            "hla_baseline": int(drawn.antibodies.hla_baseline.sum()),
            "hla_induced": int(np.isfinite(drawn.antibodies.hla_onset).sum()),
            "car_induced": int(np.isfinite(drawn.antibodies.car_onset).sum()),
            "deaths": int((~np.isnan(drawn.course.death)).sum()),
            "lost": int(drawn.course.lost.sum()),
            "lots": len(drawn.lots),
            "donors": int(drawn.lots["DONORID"].nunique()),
            "records": {name: len(frame) for name, frame in raw.items()},
        },
    }


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
