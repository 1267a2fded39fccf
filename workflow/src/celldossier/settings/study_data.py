"""Section `study_data`: where the raw data lie, and how they become analysis datasets.

Raw columns, values and units are mapped here, by study; the program knows only
the canonical variables of the source specifications (``resources/datasets/DM.yaml``,
``EX.yaml``, ``PC.yaml``, ``LB.yaml``, ``IS.yaml``, ``AE.yaml``, ``RS.yaml``,
``CM.yaml``, ``LOTS.yaml``).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from celldossier.settings.base import Code, Section

DomainName = Literal["DM", "EX", "PC", "LB", "IS", "AE", "RS", "CM", "LOTS"]
DOMAINS: tuple[DomainName, ...] = ("DM", "EX", "PC", "LB", "IS", "AE", "RS", "CM", "LOTS")
"""Raw domains, in the order in which they are read."""

RESPONSE_ORDER = (
    # complete
    *("sCR", "CR", "CMR", "CRi", "CRh"),
    # partial
    *("VGPR", "PR", "PMR", "MR"),
    # none
    *("SD", "NMR", "NR", "PD", "PMD", "RELAPSE"),
)
"""Default order of the response categories of Lugano, ALL, IMWG and RECIST, best first."""

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Range = tuple[float, float]


class Source(Section):
    """The file of one raw domain, and what its columns and values mean."""

    file: str = Field(
        description="File below `root`: .csv, .tsv, .xlsx, .xpt (version 5), .sas7bdat, .parquet.",
        min_length=1,
    )
    sheet: str = Field("", description="Sheet of an .xlsx file; the first one where blank.")
    columns: dict[Code, str] = Field(
        default_factory=dict,
        description=(
            "Canonical variable: raw column, for columns that have another name. A column that "
            "has the canonical name needs no entry."
        ),
    )
    values: dict[Code, dict[Text, Text]] = Field(
        default_factory=dict, description="Canonical variable: {raw value: canonical value}."
    )
    constants: dict[Code, str] = Field(
        default_factory=dict,
        description="Canonical variable: value of all records, where the file has no such column.",
    )
    keep: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description=(
            "Canonical variable (after mapping) or raw column: values of the records to be used; "
            "the others are listed as excluded with reason NOTSELECTED."
        ),
    )
    units: dict[Text, Text] = Field(
        default_factory=dict,
        description=(
            "Raw unit: unit as in resources/terms/units.yaml; for spellings that the list lacks."
        ),
    )
    nominal_time_unit: Literal["days", "hours", "minutes"] = Field(
        "days", description="Unit of the nominal time (--TPTNUM)."
    )

    @model_validator(mode="after")
    def _mapped_once(self) -> Self:
        twice = sorted(set(self.columns) & set(self.constants))
        if twice:
            raise ValueError(f"{', '.join(twice)} has a column and a constant; only one can hold")
        return self


class StudyDataSettings(Section):
    """Where the raw data lie, and how they become analysis datasets."""

    root: str = Field(
        description=(
            "Folder of the raw files, relative to the working directory, or package:NAME/path for "
            "a folder inside an installed Python package."
        ),
        min_length=1,
    )
    sources: dict[DomainName, Source] = Field(
        description="Raw file of each domain; a domain that is not named was not collected."
    )
    missing_texts: tuple[str, ...] = Field(
        (),
        description="Texts that mean a missing value in this study's files, for instance NA.",
    )
    blq_texts: tuple[str, ...] = Field(
        ("BLQ", "<BLQ", "BQL", "<BQL", "<LLOQ", "BLOQ", "<LOQ"),
        description=(
            "R8: results that mean below the limit of quantitation, in any case of letters; "
            "'<50' always does. ND is an error until `values` maps it."
        ),
    )
    not_done_texts: tuple[str, ...] = Field(
        ("NOT DONE",),
        description="Results that mean that no test was done, in any case of letters.",
    )
    duplicate_samples: Literal["error", "warning"] = Field(
        "error",
        description=(
            "R1: severity of two results of one analyte and specimen at one time; a warning only "
            "where `cellular_kinetics.duplicates` says which of them counts."
        ),
    )
    below_lloq: Literal["error", "warning"] = Field(
        "error",
        description=(
            "R8: severity of a number below its LLOQ that is not marked as BLQ; it is counted as "
            "BLQ either way."
        ),
    )
    kinetics_specimens: tuple[str, ...] = Field(
        ("BLOOD", "WHOLE BLOOD", "PERIPHERAL BLOOD"),
        min_length=1,
        description="Specimens of the kinetics analysis (ANL01FL); others are listed only.",
    )
    released_statuses: tuple[str, ...] = Field(
        ("RELEASED",),
        min_length=1,
        description="Values of DM.MFGSTAT that mean a product was manufactured.",
    )
    dose_window: Range = Field(
        (0.8, 1.2), description="Pre-specified window of actual over planned dose, ratio."
    )
    response_tests: tuple[str, ...] = Field(
        ("OVRLRESP",), min_length=1, description="RSTESTCD of the overall response."
    )
    response_order: tuple[str, ...] = Field(
        RESPONSE_ORDER,
        min_length=1,
        description="Response categories from the best to the worst; for the best response.",
    )
    responder_categories: tuple[str, ...] = Field(
        ("sCR", "CR", "CMR", "CRi", "CRh", "VGPR", "PR", "PMR"),
        min_length=1,
        description="Categories that count as objective response.",
    )
    unknown_response_categories: tuple[str, ...] = Field(
        ("NE", "UNKNOWN"),
        description="Categories that say nothing on the response: neither responder nor not.",
    )
    medication_classes: dict[Code, tuple[str, ...]] = Field(
        {
            "TOCILIZUMAB": ("TOCILIZUMAB",),
            "STEROID": (
                "DEXAMETHASONE",
                "METHYLPREDNISOLONE",
                "PREDNISONE",
                "PREDNISOLONE",
                "HYDROCORTISONE",
            ),
        },
        description=(
            "Analysis class: standardised names (CMDECOD), in any case of letters. The class "
            "NEW_THERAPY (treatment of the disease after the product) ends best response and "
            "extrapolation of areas."
        ),
    )
    events_of_special_interest: dict[Code, tuple[str, ...]] = Field(
        {
            "CRS": ("CYTOKINE RELEASE SYNDROME",),
            "ICANS": ("IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME",),
        },
        description="Event of special interest: preferred terms (AEDECOD), in any case of letters.",
    )
    plausible_age: Range = Field((0, 100), description="Plausible age, years; outside: warning.")
    plausible_weight: Range = Field((2, 250), description="Plausible weight, kg.")
    plausible_height: Range = Field((40, 230), description="Plausible height, cm.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for domain in ("DM", "EX"):
            if domain not in self.sources:
                raise ValueError(
                    f"sources lacks {domain}: without subjects (DM) and doses (EX) there is no "
                    "analysis"
                )
        unordered = [c for c in self.responder_categories if c not in self.response_order]
        if unordered:
            raise ValueError(
                f"the responder categories {', '.join(unordered)} are not in response_order"
            )
        both = [c for c in self.unknown_response_categories if c in self.response_order]
        if both:
            raise ValueError(
                f"{', '.join(both)} is in response_order and in unknown_response_categories"
            )
        for name in ("dose_window", "plausible_age", "plausible_weight", "plausible_height"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name}: the lower limit {low:g} is not below {high:g}")
        return self
