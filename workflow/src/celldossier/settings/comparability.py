"""Section `comparability`: product, kinetics and outcomes before and after a change."""

from __future__ import annotations

import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Bilingual, Code, Section

Grouping = Literal["", "PROCESS", "SITE", "ASSAY", "DATE", "LOTS"]
BEFORE, AFTER = "BEFORE", "AFTER"
"""Names of the two groups of a comparison by date or by a list of lots."""

LISTED = ("DATE", "LOTS")
"""Ways of grouping whose two groups are BEFORE and AFTER."""


class Justified(Section):
    """A margin without a reason is none."""

    justification: Bilingual = Field(
        description="Why a difference up to these limits does not matter; printed in the report."
    )

    @model_validator(mode="after")
    def _justified_in_both_languages(self) -> Self:
        if not (self.justification.en.strip() and self.justification.zh.strip()):
            raise ValueError("a margin needs a justification in both languages")
        return self


class Margin(Justified):
    """A margin of equivalence of a parameter of the kinetics, with why it was chosen."""

    parameter: Code = Field(description="Parameter of ADPP, one of `metrics`.")
    analyte: Code | Literal[""] = Field("", description="Analyte; blank: each of `analytes`.")
    lower: float = Field(gt=0, description="Lower limit of the ratio after / before, no unit.")
    upper: float = Field(gt=0, description="Upper limit of the ratio after / before, no unit.")

    @model_validator(mode="after")
    def _holds_no_difference(self) -> Self:
        if not self.lower < 1 < self.upper:
            raise ValueError("a margin of a ratio has its lower limit below 1, its upper above 1")
        return self


class AttributeMargin(Justified):
    """A margin of equivalence of a quality attribute."""

    attribute: Code = Field(description="Variable of ADPQ, one of `attributes`.")
    scale: Literal["ratio", "difference"] = Field(
        description=(
            "ratio: of geometric means, no unit; difference: of means, unit of the attribute."
        )
    )
    lower: float = Field(description="Lower limit of the ratio or difference after - before.")
    upper: float = Field(description="Upper limit of the ratio or difference after - before.")

    @model_validator(mode="after")
    def _holds_no_difference(self) -> Self:
        none = 1 if self.scale == "ratio" else 0
        if not self.lower < none < self.upper or (self.scale == "ratio" and self.lower <= 0):
            raise ValueError(
                f"a margin of a {self.scale} has its lower limit below {none} and its upper above"
                + (", both above 0" if self.scale == "ratio" else "")
            )
        return self


class MarkerParameter(Section):
    """A pharmacodynamic parameter that is shown side by side."""

    analyte: Code = Field(description="Marker (ADPDP.PARCAT1).")
    specimen: str = Field("", description="Specimen (ADPDP.ASPEC); blank: any.")
    parameter: Code = Field(description="Parameter of the marker (ADPDP.PARAMCD).")


class ComparabilitySettings(Section):
    """Before and after a manufacturing change (section 8.4 of the report)."""

    by: Grouping = Field(
        "",
        description=(
            "What tells the groups apart: PROCESS or SITE of the lot, ASSAY (version of the assay "
            "by which the subject's samples of the first analyte were measured), DATE (lots "
            "manufactured before, and from `change_date` on), LOTS (the lots of `changed_lots`, "
            "such as those of another scale, and the others). Blank: no change is examined."
        ),
    )
    reference: str = Field(
        "",
        description=(
            "Group before the change, as PROCESS, SITE or ASSAY names it; each other group is "
            "compared with it. By DATE and LOTS it is BEFORE and stays blank here."
        ),
    )
    change_date: datetime.date | None = Field(
        None, description="By DATE: first date of manufacture (ADPQ.MFGDTC) after the change."
    )
    changed_lots: tuple[str, ...] = Field(
        (), description="By LOTS: the lots (ADPQ.LOTID) made after the change."
    )
    change: Bilingual = Field(
        default_factory=lambda: Bilingual(en="", zh=""),
        description="What was changed, in the sponsor's words; blank: not provided.",
    )
    analytes: tuple[Code, ...] = Field(
        (), description="Analytes compared; empty: `cellular_kinetics.primary_analyte`."
    )
    metrics: tuple[Code, ...] = Field(
        ("CMAX", "AUC28", "CMAXTMAX", "EXPRATE"),
        min_length=1,
        description="Parameters of ADPP of the whole course whose geometric means are compared.",
    )
    times: tuple[Code, ...] = Field(
        ("TMAX", "TLST"),
        description=(
            "Parameters of ADPP that are times, in d: compared by the median of all ratios of two "
            "subjects (Hodges-Lehmann), without a margin."
        ),
    )
    margins: tuple[Margin, ...] = Field(
        (),
        description=(
            "Margins of equivalence of the kinetics; none is preset, and without one there is no "
            "verdict."
        ),
    )
    adjust_for: tuple[Code, ...] = Field(
        ("LTBURDZ", "DOSEA", "AGE"),
        description=(
            "Variables of ADSL that the adjusted ratio takes into account, and that matching and "
            "weighting balance; numbers enter linearly, texts by level; DOSEA is the natural "
            "logarithm of the dose of the first infusion (ADEX). Empty: no adjusted analysis."
        ),
    )
    primary_model: Literal["", "adjusted", "unadjusted"] = Field(
        "",
        description=(
            "Which ratio of a parameter is the primary analysis, laid down before the data are "
            "seen; the verdict on the other is a sensitivity analysis. Blank: adjusted where "
            "`adjust_for` names covariates, else unadjusted."
        ),
    )
    attributes: tuple[Code, ...] = Field(
        (
            *("VIABPCT", "TRANSPCT", "VCN", "CD3PCT", "CD4CD8", "TNPCT", "TSCMPCT", "TCMPCT"),
            *("TEMPCT", "TEFFPCT", "EXPFOLD", "POTENCY", "CULTDAYS"),
        ),
        description="Quality attributes of the lots (ADPQ) that are compared; all lots count.",
    )
    ratio_attributes: tuple[Code, ...] = Field(
        ("VCN", "CD4CD8", "EXPFOLD", "POTENCY"),
        description=(
            "Attributes compared by the ratio of geometric means; the others by the difference of "
            "means, in their unit. A margin of an attribute decides its scale."
        ),
    )
    attribute_margins: tuple[AttributeMargin, ...] = Field(
        (), description="Margins of equivalence of quality attributes; none is preset."
    )
    quality_range_sd: float = Field(
        3, gt=0, description="Quality range: mean +- this many SD of the lots before the change."
    )
    tolerance_content: float = Field(
        0.95, gt=0, lt=1, description="Share of the lots that a tolerance interval holds."
    )
    tolerance_confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence of a tolerance interval."
    )
    markers: tuple[MarkerParameter, ...] = Field(
        (), description="Pharmacodynamic parameters that are shown side by side."
    )
    max_assay_imbalance: float = Field(
        0.05,
        ge=0,
        lt=1,
        description=(
            "Assay gate: largest difference between the groups in how their samples are shared "
            "out over methods (versions, laboratories, limits of quantitation), 0 to 1 (total "
            "variation distance), up to which the assay counts as the same."
        ),
    )
    power: float = Field(
        0.80, gt=0.5, lt=1, description="Power for which the number of subjects is planned."
    )
    expected_ratio: float = Field(
        1, gt=0, description="True ratio that is assumed for the number of subjects, no unit."
    )
    caliper: float = Field(
        0.2,
        gt=0,
        description="Widest distance of a matched pair, in SD of the logit of the propensity.",
    )
    min_per_group: int = Field(
        3, ge=2, description="Subjects or lots of each group below which nothing is compared."
    )
    equivalence_level: float = Field(
        0.90,
        gt=0.5,
        lt=1,
        description="Confidence level of ratios; both one-sided tests are at half of the rest.",
    )
    confidence_level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of rates, risks and attributes."
    )

    @model_validator(mode="after")
    def _grouping_is_complete(self) -> Self:
        if self.by in ("PROCESS", "SITE", "ASSAY") and not self.reference:
            raise ValueError(f"reference names the group before the change, as {self.by} has it")
        if self.by in LISTED and self.reference:
            raise ValueError(f"by {self.by} the group before the change is BEFORE: leave reference")
        if self.by == "DATE" and self.change_date is None:
            raise ValueError("by DATE needs change_date, the first date after the change")
        if self.by == "LOTS" and not self.changed_lots:
            raise ValueError("by LOTS needs changed_lots, the lots made after the change")
        return self

    @model_validator(mode="after")
    def _primary_model_is_made(self) -> Self:
        if self.primary_model == "adjusted" and not self.adjust_for:
            raise ValueError("primary_model adjusted needs covariates in adjust_for")
        return self

    @model_validator(mode="after")
    def _margins_are_of_what_is_compared(self) -> Self:
        for margin in self.margins:
            if margin.parameter not in self.metrics:
                raise ValueError(f"a margin of {margin.parameter}, which is none of metrics")
            if margin.analyte and self.analytes and margin.analyte not in self.analytes:
                raise ValueError(f"a margin of {margin.analyte}, which is none of analytes")
        named = [(margin.parameter, margin.analyte) for margin in self.margins]
        named += [(item.attribute, "") for item in self.attribute_margins]
        for name, analyte in named:
            if named.count((name, analyte)) > 1:
                raise ValueError(f"two margins of {name}" + (f", {analyte}" if analyte else ""))
        for item in self.attribute_margins:
            if item.attribute not in self.attributes:
                raise ValueError(f"a margin of {item.attribute}, which is none of attributes")
        return self

    @property
    def reference_group(self) -> str:
        """Name of the group before the change."""
        return BEFORE if self.by in LISTED else self.reference

    @property
    def primary(self) -> Literal["ADJUSTED", "UNADJUSTED"]:
        """Model whose verdict is the primary one."""
        adjusted = self.adjust_for if not self.primary_model else self.primary_model == "adjusted"
        return "ADJUSTED" if adjusted else "UNADJUSTED"

    def find_margin(self, parameter: str, analyte: str) -> Margin | None:
        """Margin of a parameter: that of its own analyte, else that of all."""
        own = [m for m in self.margins if m.parameter == parameter]
        exact = [m for m in own if m.analyte == analyte]
        return next(iter(exact or [m for m in own if not m.analyte]), None)

    def find_attribute_margin(self, attribute: str) -> AttributeMargin | None:
        """Margin of a quality attribute."""
        return next((m for m in self.attribute_margins if m.attribute == attribute), None)
