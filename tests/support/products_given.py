"""Eight infused subjects of two dose levels, what they had before the cells, and their lots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.datasets import conform
from celldossier.results import ResultCollector
from celldossier.study_data.lymphodepletion_summary import add_lymphodepletion
from celldossier.study_data.product_summary import add_product_attributes

STUDY = "S"
FLU, CY = "FLUDARABINE", "CYCLOPHOSPHAMIDE"
SOURCE = {"SRCDOM": "EX", "SRCROW": 1}


@dataclass(frozen=True)
class ProductsGiven:
    """The datasets that the summaries of lymphodepletion and of the lots read."""

    adsl: pd.DataFrame
    adld: pd.DataFrame
    adpq: pd.DataFrame
    adex: pd.DataFrame

    def with_lots(self, **columns: object) -> ProductsGiven:
        """The same with other columns of ADPQ."""
        return replace(self, adpq=self.adpq.assign(**columns))

    def groups(self) -> list[tuple[dict[str, str], pd.DataFrame]]:
        """All infused subjects, then those of each dose level."""
        levels = sorted(self.adsl["TRT01A"].unique())
        parts = [({"dose": level}, self.adsl[self.adsl["TRT01A"] == level]) for level in levels]
        return [({}, self.adsl), *parts]

    def summarise(self) -> pd.DataFrame:
        """Analysis results of both summaries."""
        out = ResultCollector("study_data")
        add_lymphodepletion(out, self.groups(), self.adld)
        add_product_attributes(out, self.adsl, self.adpq, self.adex)
        return out.frame()


def make_products_given() -> ProductsGiven:
    """Make the datasets.

    Subjects 1 to 3 are of DL1, 4 to 8 of DL2. Subject 8 had no lymphodepletion and 7 no
    cyclophosphamide; 6 had 80 % of the fludarabine; 5 had its cyclophosphamide in mg; 4 had
    a second lymphodepletion before a second infusion, of the lot L4b. Lots 1 to 4b are of
    process A, the others of B; L9 was not given; L2 has too low a viability.
    """
    names = [f"S{number}" for number in range(1, 9)]
    subjects = pd.DataFrame(
        {
            "USUBJID": names,
            "TRT01A": ["DL1"] * 3 + ["DL2"] * 5,
            "LDREG": [f"{CY} + {FLU}"] * 6 + [FLU, ""],
            "LDFL": ["Y"] * 7 + ["N"],
            "LDINFDY": [3, 3, 4, 2, 3, 5, 3, np.nan],
            "ALCPRELD": [1.0, 1.2, 0.8, 0.9, 1.1, 1.3, 0.7, 0.5],
            "ALCNAD": [0.01, 0.02, 0.03, 0.01, 0.02, 0.05, 0.04, 0.3],
            "ALCNADY": [1, 2, 3, 0, 1, 2, 3, 4],
            "IL15INF": [40, np.nan, 50, 60, 70, 80, 90, np.nan],
            **dict.fromkeys(("SAFFL", "ENRLFL", "PKFL", "PDFL", "IMFL", "ERFL"), "Y"),
        }
    )
    return ProductsGiven(
        adsl=conform(subjects.assign(STUDYID=STUDY), "ADSL"),
        adld=conform(
            pd.DataFrame(list(_list_drugs(names))).assign(STUDYID=STUDY, **SOURCE), "ADLD"
        ),
        adpq=conform(_list_lots().assign(STUDYID=STUDY, **SOURCE), "ADPQ"),
        adex=conform(_list_infusions(names).assign(STUDYID=STUDY, **SOURCE), "ADEX"),
    )


def _list_drugs(names: Iterable[str]) -> Iterable[Mapping[str, object]]:
    plan = {FLU: 30.0, CY: 500.0}
    for name in names:
        for drug, dose in plan.items():
            omitted = name == "S8" or (name == "S7" and drug == CY)
            less = 0.8 if (name, drug) == ("S6", FLU) else 1.0
            unit, factor = ("mg", 1.8) if (name, drug) == ("S5", CY) else ("mg/m2", 1.0)
            given = {
                "LDDOSED": factor * less * dose,
                "LDDOSEU": unit,
                "LDDAYS": 3,
                "LDTOTA": 3 * factor * less * dose,
                "LDRATIO": less,
                "LDDEVFL": "N" if less == 1 else "Y",
                "LDOMFL": "N",
            }
            place = {"USUBJID": name, "LDTRT": drug, "LDNO": 1}
            yield {
                **place,
                **({"LDDAYS": 0, "LDDEVFL": "Y", "LDOMFL": "Y"} if omitted else given),
            }
            if name == "S4":
                yield {**place, "LDNO": 2, **given}


def _list_lots() -> pd.DataFrame:
    lots = ["L1", "L2", "L3", "L4", "L4b", "L5", "L6", "L7", "L8", "L9"]
    return pd.DataFrame(
        {
            "LOTID": lots,
            "PROCESS": ["A"] * 5 + ["B"] * 5,
            "SITE": ["N", "N", "N", "S", "S", "N", "N", "S", "S", "S"],
            "VIABPCT": [90, 65, 92, 94, 88, 91, 93, 95, 89, 50],
            "TRANSPCT": [30, 32, 34, 36, 38, 50, 52, 54, np.nan, 56],
            "POTENCY": [10, 20, 30, 40, 50, 600, 700, 800, 900, 1],
            "POTENCU": ["%"] * 5 + ["pg/mL"] * 5,
            "OOSFL": ["N", "Y", *["N"] * 7, "Y"],
            "OOSVAR": ["", "VIABPCT", *[""] * 7, "VIABPCT"],
            "RELSTAT": ["RELEASED"] * 8 + ["", "REJECTED"],
            "INFUSFL": ["Y"] * 9 + ["N"],
        }
    )


def _list_infusions(names: list[str]) -> pd.DataFrame:
    first = pd.DataFrame({"USUBJID": names, "LOTID": [f"L{name[1:]}" for name in names]})
    second = pd.DataFrame({"USUBJID": ["S4"], "LOTID": ["L4b"]})
    frame = pd.concat([first.assign(DOSETYPE="FIRST"), second.assign(DOSETYPE="RETREATMENT")])
    frame["ADTM"] = ["2024-03-01"] * len(names) + ["2024-09-01"]
    return frame.assign(EXCAT="CELL PRODUCT", EXTRT="X")
