"""Part `study_data.dosing`: the doses of the cell product and lymphodepletion."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Range, Section

DoseBasis = Literal["transgene_positive", "viable", "total"]
"""Which cells a dose counts."""

BASIS_OF_CODE: dict[str, DoseBasis] = {
    "TOT": "total",
    "VIA": "viable",
    "TGP": "transgene_positive",
}
"""Which cells a dose counts, by the code in names of variables and in ADEX.DOSEBAS."""

BASES: tuple[DoseBasis, ...] = tuple(BASIS_OF_CODE.values())

LotAttribute = Literal["VIABPCT", "TRANSPCT", "VCN", "CD4CD8", "TCMPCT", "TSCMPCT", "POTENCY"]


class PlannedDrug(Section):
    """A drug of lymphodepletion as the protocol plans it."""

    dose: float = Field(gt=0, description="Dose of one day, in `unit`.")
    unit: str = Field(description="Unit of `dose`, for instance mg/m2.")
    days: int = Field(gt=0, description="Days on which it is given.")


class LymphodepletionSettings(Section):
    """Lymphodepletion: what was planned, and how its depth is measured."""

    plan: dict[Code, PlannedDrug] = Field(
        default_factory=dict,
        description=(
            "Drug (EXTRT or CMDECOD, in any case of letters): planned dose and days, where the "
            "records do not give the planned dose. Blank: the drugs that more than half of the "
            "infused subjects had are the regimen, and the planned dose is EX.EXPDOSE."
        ),
    )
    tolerance: float = Field(
        0.1, ge=0, description="Deviation of the total dose from its plan that is none, ratio."
    )
    earliest: float = Field(
        14, gt=0, description="Longest time from the first drug to the infusion, days."
    )
    at_infusion_window: float = Field(
        3,
        ge=0,
        description="A value at infusion is the last one so many days before it, days.",
    )
    nadir_until: float = Field(
        14, description="Last day after the infusion on which a nadir is sought, days."
    )
    lymphocytes: Code = Field("LYM", description="Analyte of absolute lymphocyte count.")
    leukocytes: Code = Field("WBC", description="Analyte of white blood cell count.")
    il7: Code = Field("IL7", description="Analyte of interleukin 7.")
    il15: Code = Field("IL15", description="Analyte of interleukin 15.")


class DosingSettings(Section):
    """Planned and actual doses of the cell product, their kinds, and lymphodepletion."""

    dose_basis: DoseBasis | None = Field(
        None,
        description=(
            "Which cells EX.EXDOSE counts: transgene_positive (viable), viable or total. Blank: "
            "transgene_positive for a gene-modified product, else viable."
        ),
    )
    dose_window: Range = Field(
        (0.8, 1.2), description="Pre-specified window of actual over planned dose, ratio."
    )
    basis_windows: dict[DoseBasis, Range] = Field(
        default_factory=dict,
        description="Window of a basis where it differs from `dose_window`, ratio.",
    )
    planned_amounts: dict[str, dict[DoseBasis, float]] = Field(
        default_factory=dict,
        description=(
            "Planned arm (DM.ARM): {basis: planned cells of one infusion, 10^6 cells}, for bases "
            "other than that of EX.EXPDOSE."
        ),
    )
    missing_amounts: Literal["blank", "from_lot"] = Field(
        "blank",
        description=(
            "Total, viable and transgene-positive cells that EX does not give. blank: left empty. "
            "from_lot: computed from the others by viability (viable / total) and transduction "
            "(transgene-positive / viable) of the lot; flagged, with a note."
        ),
    )
    planned_days: tuple[float, ...] = Field(
        (),
        description=(
            "Planned days of the infusions, from the first; for studies without EX.EXTPTNUM."
        ),
    )
    planned_day_tolerance: float = Field(
        3,
        ge=0,
        description="How far an infusion may lie from its planned day without a finding, days.",
    )
    split_window: float | None = Field(
        None,
        gt=0,
        description=(
            "Infusions within so many days of the first are fractions of one planned dose (split "
            "dose, for instance 10 where day 1 and day 10 are planned), days. Blank: none are."
        ),
    )
    cycle_gap: float | None = Field(
        None,
        gt=0,
        description=(
            "A planned infusion more than so many days after the one before begins a new cycle, "
            "days. Blank: all are one cycle."
        ),
    )
    retreatment_after: float | None = Field(
        None,
        gt=0,
        description=(
            "Where EX.EPOCH is blank: an infusion more than so many days after the one before is "
            "a retreatment, days. Blank: only EPOCH tells."
        ),
    )
    longest_infusion: float = Field(
        4, gt=0, description="A longer infusion of the cell product is a warning, hours."
    )
    plausible_dose_per_kg: Range = Field(
        (0.001, 500),
        description="Plausible cells per body weight, 10^6 cells/kg; outside: warning.",
    )
    plausible_vcn: Range = Field(
        (0.05, 15), description="Plausible vector copy number, copies a cell; outside: warning."
    )
    release_limits: dict[LotAttribute, Range] = Field(
        default_factory=dict,
        description="Limits of the release specification, in the unit of LOTS; limits included.",
    )
    shelf_life: float | None = Field(
        None, gt=0, description="Longest time from manufacture to infusion, days. Blank: any."
    )
    vein_to_vein_tolerance: float = Field(
        1, ge=0, description="Difference of given and computed vein-to-vein time, days."
    )
    arms: tuple[str, ...] = Field(
        (), description="All arms of the protocol (DM.ARM); another is an error. Blank: any."
    )
    dlt_period: float = Field(
        28,
        gt=0,
        le=3650,
        description="Observation of dose-limiting toxicity from the first infusion, days.",
    )
    lymphodepletion: LymphodepletionSettings = Field(
        default_factory=LymphodepletionSettings,
        description="Lymphodepletion: plan, and how its depth is measured.",
    )

    @model_validator(mode="after")
    def _windows_are_ranges(self) -> Self:
        ranges = {
            "dose_window": self.dose_window,
            "plausible_dose_per_kg": self.plausible_dose_per_kg,
            "plausible_vcn": self.plausible_vcn,
            **{f"basis_windows.{name}": limits for name, limits in self.basis_windows.items()},
            **{f"release_limits.{name}": limits for name, limits in self.release_limits.items()},
        }
        for name, (low, high) in ranges.items():
            if not low < high:
                raise ValueError(f"{name}: the lower limit {low:g} is not below {high:g}")
        if list(self.planned_days) != sorted(set(self.planned_days)):
            raise ValueError("planned_days: the days are not in rising order")
        return self
