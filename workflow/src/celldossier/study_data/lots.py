"""Product lots: checks, and the dataset ADPQ."""

from __future__ import annotations

import pandas as pd

from celldossier.study_data.domain import Domain
from celldossier.study_data.subjects import Subjects

MEASURES = ("VIABPCT", "TRANSPCT", "VCN", "CD4CD8", "TCMPCT", "TSCMPCT", "CULTDAYS", "VEINVEIN")


def check_lots(lots: Domain, subjects: Subjects) -> None:
    """Find lots that stand twice, and lots of subjects who are not in DM."""
    lot, rows = lots.frame["LOTID"], lots.frame["SRCROW"]
    first = rows.where(lots.active).groupby(lot).transform("min")
    again = lots.active & (rows != first)
    lots.report("LOTDUPLICATE", again, "LOTID", first=first)
    lots.exclude(again, "LOTDUP", lot)
    if subjects.complete:
        unknown = lots.active & (lots.subject != "") & ~subjects.known(lots.subject)
        unknown = unknown & ~lots.subject.isin(subjects.left_out)
        lots.report("LOTSUBJECT", unknown, "USUBJID", lot=lot)


def derive_adpq(lots: Domain) -> pd.DataFrame:
    """Dataset ADPQ: one record a product lot."""
    frame = pd.DataFrame(
        {
            "USUBJID": lots.subject,
            "LOTID": lots.frame["LOTID"],
            "PROCESS": lots.frame["PROCESS"],
            "SITE": lots.frame["SITE"],
            "MFGDTC": lots.dates["MFGDTC"].text,
            **{name: lots.numbers[name] for name in MEASURES},
            **lots.trace,
        }
    )
    return frame[lots.active].reset_index(drop=True)
