"""Part `study_data.efficacy`: response criteria, best response, disposition, time to event."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section
from celldossier.settings.time_to_event import TimeToEventSettings

RESPONSE_ORDER = (
    # complete
    *("sCR", "CR", "CMR", "CRi", "CRh"),
    # partial
    *("VGPR", "PR", "PMR", "MR"),
    # none
    *("SD", "NMR", "NR", "PD", "PMD", "RELAPSE"),
)
"""Default order of the response categories of Lugano, ALL, IMWG and RECIST, best first."""

Vocabulary = Literal["LUGANO2014", "ALL", "IMWG2016", "RECIST11", "IRECIST", "OWN"]
StableVocabulary = Literal["LUGANO2014", "IMWG2016", "RECIST11", "IRECIST"]
DispositionClass = Literal["COMPLETED", "WITHDRAWN", "LOSTFU", "DEATH", "CONTACT"]


class Confirmation(Section):
    """What confirms a response."""

    consecutive: bool = Field(
        False, description="Whether the next assessment that can be evaluated has to confirm it."
    )
    min_days: float = Field(
        0, ge=0, description="Least distance between the response and its confirmation, d."
    )


class MrdRule(Section):
    """Where negativity for minimal residual disease comes from."""

    response_tests: tuple[str, ...] = Field((), description="RSTESTCD of the tests for MRD.")
    negative_results: tuple[str, ...] = Field(
        ("NEGATIVE", "MRD NEGATIVE", "UNDETECTABLE"),
        description="Results that mean negative, in any case of letters.",
    )
    positive_results: tuple[str, ...] = Field(
        ("POSITIVE", "MRD POSITIVE", "DETECTABLE"),
        description="Results that mean positive, in any case of letters.",
    )
    analyte: str = Field(
        "", description="Or an analyte of domain PD: negative where BLQ or below `below`."
    )
    below: float = Field(1e-4, gt=0, description="Negative below this value, in the assay's unit.")


class EfficacySettings(Section):
    """Response criteria, best response, disposition and time to event."""

    response_tests: tuple[str, ...] = Field(
        ("OVRLRESP",), min_length=1, description="RSTESTCD of the overall response."
    )
    response_criteria: dict[str, Vocabulary] = Field(
        default_factory=dict,
        description=(
            "Vocabulary by RSCAT or, where RSCAT is not named here, by the subject's indication "
            "(DM.INDIC): LUGANO2014, ALL, IMWG2016, RECIST11, IRECIST "
            "(resources/terms/response_criteria.yaml) or OWN, the categories of `response_order`, "
            "which all others have."
        ),
    )
    response_order: tuple[str, ...] = Field(
        RESPONSE_ORDER,
        min_length=1,
        description="OWN vocabulary: response categories from the best to the worst.",
    )
    responder_categories: tuple[str, ...] = Field(
        ("sCR", "CR", "CMR", "CRi", "CRh", "VGPR", "PR", "PMR"),
        min_length=1,
        description="OWN vocabulary: categories that count as objective response.",
    )
    complete_categories: tuple[str, ...] = Field(
        ("sCR", "CR", "CMR"),
        description="OWN vocabulary: categories that count as complete response.",
    )
    progression_categories: tuple[str, ...] = Field(
        ("PD", "PMD", "RELAPSE"),
        description=(
            "OWN vocabulary: categories that are progression, or relapse where so named; later "
            "assessments do not count for the best response."
        ),
    )
    unknown_response_categories: tuple[str, ...] = Field(
        ("NE", "UNKNOWN"),
        description=(
            "OWN vocabulary: categories that say nothing on the response: neither responder nor "
            "not."
        ),
    )
    primary_evaluator: str = Field(
        "",
        description=(
            "RSEVAL whose assessments are analysed, where several evaluators assess; blank: all."
        ),
    )
    confirmation: dict[Vocabulary, Confirmation] = Field(
        {
            "ALL": Confirmation(min_days=28),
            "IMWG2016": Confirmation(consecutive=True),
        },
        description=(
            "Vocabulary: what confirms a response; gives CBOR. ALL: maintained for 28 days "
            "(ELIANA); IMWG: two consecutive assessments. RECIST asks for it (28 days) only where "
            "response is the primary endpoint of a single-arm study; Lugano does not."
        ),
    )
    stable_from_day: dict[StableVocabulary, float] = Field(
        default_factory=dict,
        description=(
            "Vocabulary: day from the first infusion from which an assessment of stable disease "
            "counts for the best response; an earlier one is not evaluable (RECIST 1.1 leaves the "
            "least time to the protocol, in general 6 to 8 weeks). Any day where blank."
        ),
    )
    response_landmarks: dict[Code, tuple[float, float, float]] = Field(
        {"D28": (28, 21, 42), "M3": (91, 70, 112), "M6": (182, 154, 210)},
        description=(
            "Landmark: planned day, first and last day of its window, d from the first infusion; "
            "gives the parameters RSP<landmark>."
        ),
    )
    imwg_relapse: Literal["none", "event"] = Field(
        "none",
        description=(
            "Vocabulary IMWG2016: what the category RELAPSE (relapse from complete response, "
            "clinical relapse) is. none: no progression, as the criteria have it, which count it "
            "for disease-free survival only (Kumar 2016, table 5). event: it ends response, PFS, "
            "EFS and DOR."
        ),
    )
    mrd: MrdRule = Field(
        default_factory=MrdRule, description="Minimal residual disease; none where blank."
    )
    disposition_classes: dict[DispositionClass, tuple[str, ...]] = Field(
        {
            "COMPLETED": ("COMPLETED",),
            "WITHDRAWN": (
                "WITHDRAWAL BY SUBJECT",
                "WITHDRAWAL BY PARENT/GUARDIAN",
                "PHYSICIAN DECISION",
                "STUDY TERMINATED BY SPONSOR",
            ),
            "LOSTFU": ("LOST TO FOLLOW-UP",),
            "DEATH": ("DEATH",),
            "CONTACT": ("LAST CONTACT", "ALIVE"),
        },
        description="Class of disposition: terms (DSDECOD), in any case of letters.",
    )
    time_to_event: TimeToEventSettings = Field(
        default_factory=TimeToEventSettings, description="Time to event."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unordered = [c for c in self.responder_categories if c not in self.response_order]
        if unordered:
            raise ValueError(
                f"the responder categories {', '.join(unordered)} are not in response_order"
            )
        # The defaults name the categories of all criteria, of which a study has some.
        known = {*self.response_order, *RESPONSE_ORDER}
        for key in ("complete_categories", "progression_categories"):
            unknown = [c for c in getattr(self, key) if c not in known]
            if unknown:
                raise ValueError(f"{key}: {', '.join(unknown)} is not in response_order")
        both = [c for c in self.unknown_response_categories if c in self.response_order]
        if both:
            raise ValueError(
                f"{', '.join(both)} is in response_order and in unknown_response_categories"
            )
        wrong = [
            name
            for name, (day, low, high) in self.response_landmarks.items()
            if not 0 < low <= day <= high
        ]
        if wrong:
            raise ValueError(
                f"response_landmarks: the planned day of {', '.join(wrong)} is not in its window, "
                "or the window does not start after the infusion"
            )
        too_long = [name for name in self.response_landmarks if len(f"RSP{name}") > 8]
        if too_long:
            raise ValueError(
                f"response_landmarks: {', '.join(too_long)} has more than 5 characters; a "
                "parameter code has 8 at most"
            )
        return self
