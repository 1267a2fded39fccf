"""Decisions applied: corrections before the checks, exclusions after the mapping, and so on.

Each function reports what a decision does not find or change, and notes what it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from celldossier.study_data.decisions import SETS, Decision, DecisionFindings
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import FindingCollector

BY_DECISION = "EXCLDECISION"
"""Reason code of a record that a decision leaves out."""
AUTOMATIC = "R16"
"""What a reviewed window takes the place of: the rule of the automatic choice."""
OUT_OF_SET = "DECISION"
"""Reason code of a subject that a decision leaves out of an analysis set."""


@dataclass(frozen=True)
class Effect:
    """What a decision changed: a value, the use of a record, a set, or the state of findings."""

    decision: Decision
    measure: str
    before: str
    after: str
    domain: str = ""
    file: str = ""
    row: int | None = None
    column: str = ""


@dataclass
class Ledger:
    """The decisions of a study and what each of them changed so far."""

    decisions: Sequence[Decision]
    report: DecisionFindings
    effects: list[Effect] = field(default_factory=list)
    _touched: dict[tuple[str, int, str], Decision] = field(default_factory=dict)

    def of(self, kind: str, domain: str = "") -> list[Decision]:
        """Decisions of a kind, of one raw domain where it is given."""
        return [
            decision
            for decision in self.decisions
            if decision.kind == kind and domain in ("", decision["domain"])
        ]

    def claim(self, decision: Decision, domain: str, position: int, variable: str) -> bool:
        """Whether no other decision stands on that cell (or record, where `variable` is "")."""
        others = [
            other
            for (name, place, cell), other in self._touched.items()
            if (name, place) == (domain, position) and (not variable or cell in ("", variable))
        ]
        if others:
            self.report.add("DECISIONCONFLICT", decision, other=others[0].id)
            return False
        self._touched[domain, position, variable] = decision
        return True


def correct_values(domain: Domain, ledger: Ledger) -> None:
    """Put the new value of each correction in the place of the old one."""
    for decision in ledger.of("CORRECT", domain.name):
        variable = _find_variable(domain, decision["column"])
        if variable is None:
            ledger.report.add("DECISIONVARIABLE", decision, "column", domain=domain.name)
            continue
        position = _find_record(domain, decision, ledger)
        if position is None:
            continue
        standing = str(domain.frame[variable].iloc[position])
        old, new = (
            domain.recode(variable, decision[name]).iloc[position] for name in ("old", "new")
        )
        if not ledger.claim(decision, domain.name, position, variable):
            continue
        if standing != old:
            ledger.report.add("DECISIONOLDVALUE", decision, "old", standing=standing)
        elif old == new:
            ledger.report.add("DECISIONUNUSED", decision, "new")
        else:
            domain.frame.loc[domain.frame.index[position], variable] = new
            domain.mark_given(variable, position)
            ledger.effects.append(
                Effect(
                    *(decision, "VALUE", old, new, domain.name),
                    *_place_of(domain, position),
                    column=domain.parts[domain.part[position]].raw_columns[variable],
                )
            )


def exclude_records(domain: Domain, ledger: Ledger) -> None:
    """Leave out the records that the study has decided not to use."""
    chosen = pd.Series(False, index=domain.frame.index)
    names = pd.Series("", index=domain.frame.index, dtype=object)
    for decision in ledger.of("EXCLUDE", domain.name):
        position = _find_record(domain, decision, ledger)
        if position is None:
            continue
        if not domain.active.iloc[position]:
            ledger.report.add("DECISIONUNUSED", decision, "row")
        elif ledger.claim(decision, domain.name, position, ""):
            chosen.iloc[position] = True
            names.iloc[position] = decision.id
            ledger.effects.append(
                Effect(
                    *(decision, "USE", "", BY_DECISION, domain.name),
                    *_place_of(domain, position),
                )
            )
    domain.exclude(chosen, BY_DECISION, names)


def check_decided_subjects(dm: Domain, ledger: Ledger) -> None:
    """Find decisions on the sets of a subject who is not in DM."""
    if not dm.usable:
        return
    known = set(dm.subject)
    for decision in ledger.of("SETS"):
        if decision["subject"] not in known:
            ledger.report.add("DECISIONSUBJECT", decision, "subject")


def note_windows(dm: Domain, analytes: Sequence[str], ledger: Ledger) -> None:
    """Note the reviewed lambda-z windows, which the cellular kinetics apply; one a profile.

    Parameters
    ----------
    analytes
        Declared analytes of the cellular kinetics.
    """
    taken: dict[tuple[str, str, str], Decision] = {}
    known = set(dm.subject) if dm.usable else None
    for decision in ledger.of("WINDOW"):
        profile = (decision["subject"], decision["analyte"], decision["dose"])
        if known is not None and decision["subject"] not in known:
            ledger.report.add("DECISIONSUBJECT", decision, "subject")
        elif decision["analyte"] not in analytes:
            ledger.report.add("DECISIONANALYTE", decision, "analyte", known=", ".join(analytes))
        elif profile in taken:
            ledger.report.add("DECISIONCONFLICT", decision, other=taken[profile].id)
        else:
            taken[profile] = decision
            column = " · ".join(part for part in profile[1:] if part)
            points = f"{decision['use'].upper()} {decision['points']}"
            ledger.effects.append(
                Effect(decision, "WINDOW", AUTOMATIC, points, "PC", column=column)
            )


def exclude_from_sets(adsl: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Leave subjects out of analysis sets; who is out of CK is out of ER too.

    Returns
    -------
    DataFrame
        ADSL with the flag N and the reason DECISION.
    """
    place = {subject: row for row, subject in enumerate(adsl["USUBJID"])}
    columns = {name: adsl[name].tolist() for pair in SETS.values() for name in pair}
    taken: dict[tuple[int, str], Decision] = {}
    for decision in ledger.of("SETS"):
        row = place.get(decision["subject"])
        if row is None:
            continue
        for name in decision.sets:
            flag, reason = SETS[name]
            if (row, name) in taken:
                ledger.report.add("DECISIONCONFLICT", decision, other=taken[row, name].id)
            elif columns[flag][row] != "Y":
                ledger.report.add("DECISIONUNUSED", decision, "sets")
            else:
                taken[row, name] = decision
    # Exposure-response needs the kinetics that the subject no longer contributes.
    for (row, name), decision in list(taken.items()):
        if name == "CK" and columns["ERFL"][row] == "Y":
            taken.setdefault((row, "ER"), decision)
    for (row, name), decision in taken.items():
        flag, reason = SETS[name]
        columns[flag][row], columns[reason][row] = "N", OUT_OF_SET
        ledger.effects.append(Effect(decision, f"SET_{name}", "Y", "N", column=flag))
    return adsl.assign(**columns) if taken else adsl


def accept_findings(findings: FindingCollector, ledger: Ledger) -> None:
    """Mark the findings that the study accepts; their number must be the one that was decided."""
    decisions = ledger.of("ACCEPT")
    if not decisions:
        return
    table = findings.table()
    # One finding of a whole file makes the numbers of the rows floats.
    row = table["row"].map(lambda number: "" if pd.isna(number) else str(int(number)))
    taken: dict[int, Decision] = {}
    for decision in decisions:
        rows = table["rule_id"] == decision["rule"]
        for column in ("domain", "file", "subject", "column", "value"):
            if decision[column]:
                rows &= table[column] == decision[column]
        if decision.number is not None:
            rows &= row == str(decision.number)
        positions = np.flatnonzero(rows.to_numpy()).tolist()
        number = int(decision["findings"])
        others = [taken[position] for position in positions if position in taken]
        if not positions:
            ledger.report.add("DECISIONNOFINDING", decision, "rule")
        elif others:
            ledger.report.add("DECISIONCONFLICT", decision, other=others[0].id)
        elif len(positions) != number:
            ledger.report.add("DECISIONCOUNT", decision, "findings", found=str(len(positions)))
        else:
            taken.update(dict.fromkeys(positions, decision))
            findings.accept(positions, decision.id)
            ledger.effects.append(
                Effect(decision, "FINDINGS", str(number), "0", decision["domain"])
            )


def _find_variable(domain: Domain, column: str) -> str | None:
    """Canonical variable that a decision names, by its own name or that of the raw column."""
    if column in domain.specification.variables:
        return column
    by_raw = {raw: variable for variable, raw in domain.raw_columns.items()}
    return by_raw.get(column)


def _place_of(domain: Domain, position: int) -> tuple[str, int]:
    return str(domain.frame["SRCFILE"].iloc[position]), int(domain.frame["SRCROW"].iloc[position])


def _find_record(domain: Domain, decision: Decision, ledger: Ledger) -> int | None:
    """Position of the one record that a decision names; what is wrong with it is reported."""
    if not domain.usable:
        return None
    frame = domain.frame
    rows = domain.subject == decision["subject"]
    if not rows.any():
        ledger.report.add("DECISIONSUBJECT", decision, "subject")
        return None
    if decision["file"]:
        rows &= frame["SRCFILE"] == decision["file"]
    if decision.number is not None:
        rows &= frame["SRCROW"] == decision.number
    for variable, value in decision.key:
        rows &= frame[variable] == domain.recode(variable, value)
    positions = np.flatnonzero(rows.to_numpy())
    if positions.size == 1:
        return int(positions[0])
    if positions.size:
        ledger.report.add("DECISIONAMBIGUOUS", decision, "key", found=str(positions.size))
    else:
        ledger.report.add("DECISIONNOMATCH", decision, "key", domain=domain.name)
    return None
