"""Section `study_data`: where the raw data lie, and how they become analysis datasets.

Raw columns, values and units are mapped here, by study; the program knows only
the canonical variables of the source specifications (``resources/datasets``, the
datasets whose layer is source).
"""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from celldossier.settings.base import Code, Range, Section
from celldossier.settings.baseline import BaselineSettings
from celldossier.settings.dosing import DosingSettings
from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.safety import SafetySettings
from celldossier.settings.sources import DomainName, Sources, read_standard
from celldossier.settings.study_time import TimeSettings
from celldossier.terms.finding_rules import Severity, find_severity_faults


class StudyDataSettings(Section):
    """Where the raw data lie, and how they become analysis datasets."""

    root: str = Field(
        description=(
            "Folder of the raw files, relative to the working directory; package:NAME/path for "
            "a folder inside an installed Python package; shared:path for a folder below the one "
            "that the environment variable CELLDOSSIER_SHARED names."
        ),
        min_length=1,
    )
    sources: dict[DomainName, Sources] = Field(
        description=(
            "Raw file of each domain, or a list of files that are pooled (of several transfers or "
            "studies); a domain that is not named was not collected."
        )
    )
    anchor_date: date | None = Field(
        None,
        description=(
            "Day of the first infusion of a subject without any date of it, for `relative_time` "
            "in a study without dates. Only differences of times mean anything then."
        ),
    )
    decisions: str = Field(
        "",
        description=(
            "Folder of the study's decisions on its data, below the working directory: "
            "correct_values.csv, exclude_records.csv, exclude_subjects.csv, accept_findings.csv "
            "(see config/decisions/README.md). None where blank."
        ),
    )
    severities: dict[Code, Severity] = Field(
        default_factory=dict,
        description=(
            "Rule of the checks: severity in this study, printed in the report. A locked rule, an "
            "error whose record would be used with a wrong number, cannot be lowered "
            "(resources/terms/finding_rules/README.md)."
        ),
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
    nominal_contradiction: Range = Field(
        (7, 0.3),
        description=(
            "Days, and share of the nominal time, beyond both of which an actual time contradicts "
            "the nominal one: warning TIMECONTRADICTS. By those days may also the dates of one "
            "visit lie apart in PC and LB: warning VISITDATESDIFFER."
        ),
    )
    routine_care: tuple[Literal["LB", "QS", "MO", "MI", "TR", "RS"], ...] = Field(
        ("LB", "MO", "TR", "RS"),
        description=(
            "Domains whose records may be of routine care, such as a scan before screening: those "
            "before informed consent are used, with the warning ROUTINEBEFORECONSENT. In the other "
            "domains such a record is an error and not used (SAMPLEBEFORECONSENT)."
        ),
    )
    kinetics_specimens: tuple[str, ...] = Field(
        ("BLOOD", "WHOLE BLOOD", "PERIPHERAL BLOOD"),
        min_length=1,
        description="Specimens of the kinetics analysis (ANL01FL); others are listed only.",
    )
    flagged_specimens: Literal["keep", "exclude"] = Field(
        "keep",
        description=(
            "Specimens whose recorded condition (--SPCCND) is not acceptable, such as hemolysed "
            "ones: used and flagged (CONDFL), or excluded with reason SPECCOND."
        ),
    )
    acceptable_conditions: tuple[str, ...] = Field(
        ("NORMAL", "ACCEPTABLE", "ADEQUATE", "GOOD"),
        description=(
            "Values of --SPCCND that are no flag, in any case of letters; a blank never is."
        ),
    )
    released_statuses: tuple[str, ...] = Field(
        ("RELEASED",),
        min_length=1,
        description="Values of DM.MFGSTAT that mean a product was manufactured.",
    )
    medication_classes: dict[Code, tuple[str, ...]] = Field(
        default_factory=dict,
        description=(
            "Analysis class: standardised names (CMDECOD), in any case of letters and with or "
            "without the words of a salt or an ester, which take the place of those in "
            "resources/terms/medication_classes.yaml; an empty list turns a class off. The "
            "class NEW_THERAPY (treatment of the disease after the product) has no names but "
            "the study's; it ends best response and extrapolation of areas."
        ),
    )
    time: TimeSettings = Field(
        default_factory=TimeSettings,
        description="How dates become days; the cut-off.",
    )
    dosing: DosingSettings = Field(
        default_factory=DosingSettings, description="Planned and actual doses, repeat infusions."
    )
    baseline: BaselineSettings = Field(
        default_factory=BaselineSettings, description="Baseline covariates and their rules."
    )
    safety: SafetySettings = Field(
        default_factory=SafetySettings, description="Events of special interest and their grades."
    )
    efficacy: EfficacySettings = Field(
        default_factory=EfficacySettings, description="Response, time to event, their vocabulary."
    )
    plausible_age: Range = Field((0, 100), description="Plausible age, years; outside: warning.")
    plausible_weight: Range = Field((2, 250), description="Plausible weight, kg.")
    plausible_height: Range = Field((40, 230), description="Plausible height, cm.")
    plausible_bmi: Range = Field((10, 60), description="Plausible body mass index, kg/m2.")

    @field_validator("decisions")
    @classmethod
    def _below_project(cls, folder: str) -> str:
        if PurePosixPath(folder).is_absolute() or ".." in PurePosixPath(folder).parts:
            raise ValueError("the folder must lie below the working directory, without '..'")
        return folder

    @field_validator("severities")
    @classmethod
    def _choosable(cls, severities: dict[str, Severity]) -> dict[str, Severity]:
        faults = find_severity_faults(severities)
        if faults:
            raise ValueError("; ".join(faults))
        return severities

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for domain in ("DM", "EX"):
            if domain not in self.sources:
                raise ValueError(
                    f"sources lacks {domain}: without subjects (DM) and doses (EX) there is no "
                    "analysis"
                )
        for domain, sources in self.sources.items():
            joined = [file for source in sources for file in source.supplement]
            twice = sorted({file for file in joined if joined.count(file) > 1})
            if twice:
                raise ValueError(
                    f"sources.{domain}: the supplement {', '.join(twice)} is joined to two files; "
                    "one record would then be used twice"
                )
            for source in sources:
                own = read_standard(source.standard).get("domain", domain)
                if own != domain:
                    raise ValueError(
                        f"sources.{domain}: the standard {source.standard} is for {own}"
                    )
        for name in ("plausible_age", "plausible_weight", "plausible_height", "plausible_bmi"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name}: the lower limit {low:g} is not below {high:g}")
        return self
