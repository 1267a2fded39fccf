"""Part `study_data.efficacy.time_to_event`: origins, events and rules of censoring."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

EndpointEvent = Literal["PROGRESSION", "RELAPSE", "DEATH", "NEWTHERAPY", "HSCT", "REINFUSION"]
Handling = Literal["censor", "event", "ignore"]
EndpointCode = Literal["OS", "PFS", "EFS", "DOR", "TTR", "TTNT", "PERSIST"]
RecoveryCode = Literal["BCREC", "BCAPL", "NEUTREC", "PLATREC"]


class EndpointRule(Section):
    """Events of an endpoint that rests on disease assessments, and its rules of censoring."""

    events: tuple[EndpointEvent, ...] = Field(
        ("PROGRESSION", "RELAPSE", "DEATH"),
        min_length=1,
        description="What counts as event; the first of them.",
    )
    new_therapy: Handling = Field(
        "censor",
        description=(
            "New anticancer therapy before the event: censor (at the last adequate assessment on "
            "or before it; FDA 2018, table of PFS censoring), event (at its start) or ignore."
        ),
    )
    transplant: Handling = Field(
        "censor",
        description=(
            "Stem cell transplantation before the event: censor (at the last adequate assessment "
            "on or before it), event (at its day) or ignore."
        ),
    )
    reinfusion: Handling = Field(
        "censor",
        description=(
            "Retreatment with the product or unplanned infusion of it before the event, whose "
            "effect would be counted else: censor (at the last adequate assessment on or before "
            "it), event (at its day) or ignore. Planned repeat and split doses are none."
        ),
    )
    missed: Literal["censor", "event"] = Field(
        "censor",
        description=(
            "Event after `missed_assessments` or more planned assessments without a record: censor "
            "(at the last adequate assessment before them; FDA 2018) or event (EMA)."
        ),
    )


class RecoveryRule(Section):
    """Recovery of a marker in blood (ADPD) after it lay below a threshold."""

    analyte: Code = Field(description="Analyte of the bioanalysis section, domain PD.")
    at_least: float = Field(gt=0, description="Recovered from this value on, in `unit`.")
    unit: str = Field(
        description="Unit of `at_least`; that of the analyte, or the endpoint is not derived."
    )
    consecutive: int = Field(
        1, ge=1, le=5, description="Consecutive results at the threshold or above that it takes."
    )


class TimeToEventSettings(Section):
    """Origins, events and rules of censoring of the dataset ADTTE."""

    endpoints: tuple[EndpointCode, ...] | None = Field(
        None,
        description=(
            "Endpoints that the study has, beside its `recoveries`: OS, PFS, EFS, DOR, TTR (time "
            "to response), TTNT (time to new therapy), PERSIST (persistence of the cells). Where "
            "not given: all; for stem cells PERSIST alone, and not even that where the analyte "
            "cannot be told from the subject's own cells (background endogenous). An endpoint that "
            "is not listed does not apply; one that is listed, but whose domain was not collected, "
            "is reported as not collected."
        ),
    )
    landmark_months: tuple[float, ...] = Field(
        (3, 6, 12),
        description=(
            "Times at which survival endpoints and response are estimated, months of "
            "30.4375 d (365.25 / 12) from the origin."
        ),
    )
    landmark_days: tuple[float, ...] = Field(
        (14, 28, 60),
        description="Times at which the recovery of blood counts is estimated, d from the origin.",
    )
    first_day: Literal[0, 1] = Field(
        0,
        description=(
            "Number of the day of the origin: 0 (elapsed days, as the time axis of the kinetics) "
            "or 1 (CDISC: ADT - STARTDT + 1)."
        ),
    )
    pfs: EndpointRule = Field(
        default_factory=EndpointRule, description="Progression-free survival."
    )
    efs: EndpointRule = Field(
        EndpointRule(
            events=("PROGRESSION", "RELAPSE", "DEATH", "NEWTHERAPY", "REINFUSION"),
            new_therapy="event",
            reinfusion="event",
            missed="event",
        ),
        description="Event-free survival.",
    )
    dor: EndpointRule = Field(
        default_factory=EndpointRule, description="Duration of response, from the first response."
    )
    baseline_required: bool = Field(
        False,
        description=(
            "Whether a subject without disease assessment at baseline (a response record at or "
            "before the infusion, or a tumour burden) is censored at the origin (FDA 2018); RS "
            "rarely holds one."
        ),
    )
    missed_assessments: int = Field(
        2, ge=1, description="Planned assessments without a record from which `missed` applies."
    )
    assessment_days: tuple[float, ...] = Field(
        (),
        description=(
            "Planned days of the disease assessments from the first infusion, d; where blank, the "
            "nominal days in RS, by study, cohort and indication; days of two schedules within "
            "`assessment_window` of one another are one."
        ),
    )
    assessment_window: float = Field(
        14, ge=0, description="Largest distance of an assessment from its planned day, d."
    )
    transplant_class: Code = Field(
        "HSCT", description="Class of `medication_classes` that means a stem cell transplantation."
    )
    persistence_analyte: str = Field(
        "",
        description=(
            "Analyte (domain CK) whose loss is the end of persistence; where blank, the first that "
            "the bioanalysis section declares."
        ),
    )
    recoveries: dict[RecoveryCode, RecoveryRule] = Field(
        default_factory=dict,
        description=(
            "Endpoints of recovery: BCREC time to B-cell recovery, BCAPL duration of B-cell "
            "aplasia, NEUTREC and PLATREC recovery of neutrophils and platelets. An endpoint "
            "without a rule is not derived, for thresholds differ between products and units."
        ),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for times in ("landmark_months", "landmark_days"):
            days: tuple[float, ...] = getattr(self, times)
            if any(not day > 0 for day in days) or list(days) != sorted(set(days)):
                raise ValueError(f"{times}: times are positive and in rising order")
        if self.endpoints is not None and len(set(self.endpoints)) < len(self.endpoints):
            raise ValueError("endpoints: an endpoint is named twice")
        for name in ("pfs", "efs", "dor"):
            rule: EndpointRule = getattr(self, name)
            handlings = (rule.new_therapy, rule.transplant, rule.reinfusion)
            events: tuple[EndpointEvent, ...] = ("NEWTHERAPY", "HSCT", "REINFUSION")
            for event, handling in zip(events, handlings, strict=True):
                if event in rule.events and handling != "event":
                    raise ValueError(
                        f"{name}: {event} is among the events, but its handling is {handling}"
                    )
        return self
