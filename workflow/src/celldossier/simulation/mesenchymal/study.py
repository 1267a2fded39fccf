"""A whole simulated stem cell study: raw domains, latent individuals and the planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.simulation.biospecimens import DONOR_HLA, STROMAL_FLOW, add_sample_records
from celldossier.simulation.mesenchymal.draw import (
    DrawnStem,
    draw_fluid,
    draw_mishandled,
    draw_signal,
    draw_study,
    draw_tissue,
)
from celldossier.simulation.mesenchymal.markers import (
    find_responders,
    write_antibodies,
    write_cells,
    write_images,
    write_laboratory,
    write_responses,
    write_scores,
    write_tissue,
)
from celldossier.simulation.mesenchymal.records import (
    write_adverse_events,
    write_demographics,
    write_dispositions,
    write_exposure,
    write_lots,
    write_medication,
)
from celldossier.simulation.mesenchymal.specification import MesenchymalSpecification
from celldossier.simulation.records import format_numbers
from celldossier.simulation.study import SimulatedStudy

NULLS = [
    "dose on the cells of the phenotype in blood",
    "dose on WORMS",
    "dose on the synovitis score",
    "dose on TGF-beta 1, PDGF-BB, IL-6, CRP and COMP",
    "donor and lot on symptom scores",
    "antibodies against donor HLA on symptom scores",
]


def simulate_study(spec: MesenchymalSpecification) -> SimulatedStudy:
    """Simulate a study and lay out its raw data; equal specifications give equal bytes."""
    drawn = draw_study(spec)
    raw = {
        "dm": write_demographics(spec, drawn),
        "ex": write_exposure(spec, drawn),
        "pc": write_cells(spec, drawn),
        "lb": write_laboratory(spec, drawn),
        "qs": write_scores(spec, drawn),
        "mo": write_images(spec, drawn),
        "mi": write_tissue(spec, drawn),
        "is": write_antibodies(spec, drawn),
        "ae": write_adverse_events(spec, drawn),
        "rs": write_responses(spec, drawn),
        "ds": write_dispositions(spec, drawn),
        "cm": write_medication(spec, drawn),
        "lots": write_lots(spec, drawn),
    }
    truth = describe_truth(spec, raw, drawn)
    traced = add_sample_records(
        raw, spec.seed, spec.enrolment.data_cutoff, (STROMAL_FLOW, DONOR_HLA)
    )
    return SimulatedStudy(traced, describe_subjects(spec, drawn), truth)


def describe_subjects(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Groups and outcomes of every enrolled subject, every column text.

    DOUBLING is log2 of planned over reference dose; ...DY are days since the injection.
    """

    def flag(values: np.ndarray) -> list[str]:
        return ["Y" if value else "N" for value in values]

    onset = np.where(np.isfinite(drawn.hla_onset), drawn.hla_onset, np.nan)
    responds = find_responders(spec, drawn)
    latent = pd.DataFrame(
        {
            "USUBJID": drawn.infused["USUBJID"],
            "DOUBLING": format_numbers(drawn.doublings),
            "DONORID": drawn.lots["DONORID"].to_numpy()[drawn.lot],
            "FLUIDFL": flag(draw_fluid(spec, drawn)[1]),
            "SIGNALFL": flag(draw_signal(spec, drawn)[1]),
            "TISSUEFL": flag(draw_tissue(spec, drawn)[1]),
            "HLABLFL": flag(drawn.hla_baseline),
            "HLAONDY": format_numbers(onset),
            **{
                f"RESP{day:g}FL": flag(responds[:, place])
                for place, day in enumerate(spec.symptoms.response_days)
            },
        }
    )
    base = pd.DataFrame(
        {
            "USUBJID": drawn.subjects["USUBJID"],
            "INFUSFL": flag(drawn.subjects["INFUSED"].to_numpy(dtype=bool)),
            "STAGE": drawn.subjects["STAGE"],
        }
    )
    return base.merge(latent, on="USUBJID", how="left", validate="one_to_one").fillna("")


def describe_truth(
    spec: MesenchymalSpecification, raw: dict[str, pd.DataFrame], drawn: DrawnStem
) -> dict[str, object]:
    """Planted effects, nulls and realised counts, ready for JSON."""
    levels = np.array([level.code for level in spec.dosing.levels])[drawn.infused["LEVEL"]]
    names, numbers = np.unique(levels, return_counts=True)
    responds = find_responders(spec, drawn)
    return {
        "study": spec.study,
        "seed": spec.seed,
        "planted": spec.model_dump(mode="json", exclude={"kind", "study", "seed", "enrolment"}),
        "nulls": NULLS,
        "counts": {
            "enrolled": len(drawn.subjects),
            "infused": len(drawn.infused),
            "dose_level": {str(a): int(b) for a, b in zip(names, numbers, strict=True)},
            "responders": {
                f"{day:g}": int(responds[:, place].sum())
                for place, day in enumerate(spec.symptoms.response_days)
            },
            "mishandled_samples": int(draw_mishandled(spec, drawn).sum()),
            "hla_baseline": int(drawn.hla_baseline.sum()),
            "hla_induced": int(np.isfinite(drawn.hla_onset).sum()),
            "lost": int(drawn.lost.sum()),
            "lots": len(drawn.lots),
            "donors": int(drawn.lots["DONORID"].nunique()),
            "records": {name: len(frame) for name, frame in raw.items()},
        },
    }
