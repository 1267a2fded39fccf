"""Listing of what was left out of the evaluation, and of what the study decided (shell 8)."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from celldossier.terms.language import Language
from celldossier.tlf.labels import reason_label, variable_label
from celldossier.tlf.listings import EXCERPT_ROWS
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

NO_LOSS = ("NOTSELECTED", "NOASSAY", "OTHERTEST", "NOINFUSION", "AFTERCUTOFF", "EXCLDECISION")
"""Reasons that no evaluation loses by: other tests, subjects without infusion, later data; and
decisions, which have rows of their own."""
SETS = {"CK": "NPKRSN", "PD": "NPDRSN", "ADA": "NIMRSN", "ER": "NERRSN"}
"""Reason in ADSL why an infused subject is not in an analysis set."""
COLUMNS = ("USUBJID", "DOMAIN", "ISSUE", "IMPACT", "DECISION")


def draw_evaluation_exclusions(context: Context) -> Table | NotShown:
    """What was left out of the evaluation, by subject, domain and reason, and each decision.

    Notes
    -----
    Deviations from the protocol are those that the data show, such as a test that was not
    done; a list of deviations (domain DV) is not read.
    """
    lines = pd.DataFrame(
        [
            *_decided(context.dataset("DECISIONS"), context.language),
            *_out_of_sets(context.dataset("ADSL"), context.language),
            *_excluded(context.dataset("EXCLUSIONS"), context.language),
        ],
        columns=list(COLUMNS),
    ).sort_values(["USUBJID", "DOMAIN"], kind="stable", ignore_index=True)
    if lines.empty:
        return NotShown("NODATA")
    language = context.language
    columns = (
        Column(variable_label(language, "ADSL", "USUBJID"), align="left", width="14%"),
        Column(variable_label(language, "DECISIONS", "domain"), align="left", width="9%"),
        Column(language.text("column.issue"), align="left", width="30%"),
        Column(language.text("column.impact"), align="left", width="20%"),
        Column(variable_label(language, "DECISIONS", "id"), align="left"),
    )
    rows = tuple(
        Row(tuple(Cell(text) for text in record))
        for record in lines.head(EXCERPT_ROWS).itertuples(index=False)
    )
    notes = [language.text("footnote.deviations_shown_by_data")]
    if len(lines) > EXCERPT_ROWS:
        notes.append(language.text("footnote.excerpt", shown=EXCERPT_ROWS, rows=len(lines)))
    subjects = int(lines.loc[lines["USUBJID"] != "", "USUBJID"].nunique())
    return Table(columns, rows, subjects, tuple(notes), full=lines)


def _decided(decisions: pd.DataFrame, language: Language) -> Iterator[tuple[str, ...]]:
    for line in decisions[decisions["kind"] != "TOTAL"].to_dict("records"):
        issue = " ".join(str(line[name]) for name in ("file", "column", "rule") if line[name])
        states = [str(line["before"]), str(line["after"])]
        if line["measure"] == "USE":
            states = [_use_word(language, code) for code in states]
        change = " → ".join(states)
        impact = f"{language.text('decision.' + line['measure'])}: {change}"
        decision = f"{line['id']}: {line['reason']} ({line['author']}, {line['date']})"
        yield line["subject"], line["domain"], issue, impact, decision


def _use_word(language: Language, code: str) -> str:
    return language.text("decision.USED") if code == "USED" else reason_label(language, code)


def _out_of_sets(adsl: pd.DataFrame, language: Language) -> Iterator[tuple[str, ...]]:
    """Infused subjects outside an analysis set that the study collected data for."""
    infused = adsl[adsl["SAFFL"] == "Y"]
    for name, variable in SETS.items():
        known = ~infused[variable].isin(("", "NOTCOLL", "DECISION"))
        impact = language.text("label.not_in_set", set=language.text(f"population.{name}"))
        for subject, code in infused.loc[known, ["USUBJID", variable]].itertuples(index=False):
            yield subject, "", reason_label(language, code), impact, ""


def _excluded(exclusions: pd.DataFrame, language: Language) -> Iterator[tuple[str, ...]]:
    lost = exclusions[~exclusions["reason"].isin(NO_LOSS)]
    for (subject, domain, code), group in lost.groupby(["subject", "domain", "reason"], sort=True):
        impact = language.text("label.records_not_used", number=len(group))
        yield str(subject), str(domain), reason_label(language, str(code)), impact, ""
