"""What the files of a new study may be: domains, mapping, forms; each guess with its reason.

A guess is written into a config for a person to confirm; the stage itself guesses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.io.table_faults import FoundFile
from celldossier.settings.sources import DOMAINS
from celldossier.study_data.guess_files import (
    KINDS,
    SourceGuess,
    find_source,
    fold_name,
    read_names,
)
from celldossier.study_data.mapping_values import read_date
from celldossier.study_data.parsing import parse_dates
from celldossier.study_data.units import UnitTable


@dataclass(frozen=True)
class AssayGuess:
    """An analyte found in the results."""

    kind: str
    code: str
    name: str
    unit: str
    matrix: str
    lloq: str
    known: bool


@dataclass(frozen=True)
class StudyGuess:
    """All that could be guessed of a study."""

    study: str
    trials: tuple[str, ...]
    sources: dict[str, SourceGuess]
    unused: tuple[str, ...]
    assays: tuple[AssayGuess, ...]
    blq: tuple[str, ...]
    specimens: tuple[str, ...]
    last_day: str


def guess_study(files: Sequence[FoundFile], study: str = "") -> StudyGuess:
    """Guess what the files of a folder are.

    Parameters
    ----------
    study
        Identifier of the study where the user gives it; else that of the files.
    """
    sources: dict[str, SourceGuess] = {}
    used = set()
    for domain in DOMAINS:
        guess = find_source(domain, [file for file in files if file.name not in used])
        if guess is not None:
            sources[domain] = guess
            used.add(guess.file.name)
    for guess in sources.values():
        for file in files:
            if fold_name(file.name) == f"supp{guess.domain.lower()}":
                guess.supplement = file.name
                used.add(file.name)
    trials = _find_studies(sources)
    return StudyGuess(
        study=study or (trials[0] if len(trials) == 1 else ""),
        trials=trials,
        sources=sources,
        unused=tuple(file.name for file in files if file.name not in used),
        assays=tuple(_find_assays(sources)),
        blq=_find_blq(sources),
        specimens=_find_specimens(sources),
        last_day=_find_last_day(sources),
    )


def _find_studies(sources: Mapping[str, SourceGuess]) -> tuple[str, ...]:
    dm = sources.get("DM")
    return tuple(sorted(set(dm.texts("STUDYID")) - {""})) if dm is not None else ()


def _find_assays(sources: Mapping[str, SourceGuess]) -> list[AssayGuess]:
    table = UnitTable()
    found = []
    seen: set[str] = set()
    for domain, kind in KINDS.items():
        guess = sources.get(domain)
        if guess is None:
            continue
        codes = guess.texts(f"{domain}TESTCD")
        for code in sorted(set(codes) - {""}):
            if code in seen:
                continue
            seen.add(code)
            own = (codes == code).to_numpy()
            units = guess.texts(f"{domain}ORRESU")
            unit = _most_common(units, own)
            known = table.find(unit)
            only = len(units) > 0 and set(units[own]) - {""} == {unit}
            limits = guess.texts(f"{domain}LLOQ")
            lowest = set(limits[own]) - {""} if len(limits) else set()
            found.append(
                AssayGuess(
                    kind=kind,
                    code=code,
                    name=_most_common(guess.texts(f"{domain}TEST"), own) or code,
                    unit=known.name if known is not None else unit,
                    matrix=_most_common(guess.texts(f"{domain}SPEC"), own),
                    lloq=lowest.pop() if len(lowest) == 1 else "",
                    known=known is not None or only,
                )
            )
    return found


def _most_common(texts: pd.Series, rows: Any) -> str:
    if not len(texts):
        return ""
    own = texts[rows]
    own = own[own != ""]
    return str(own.value_counts().index[0]) if len(own) else ""


def _find_blq(sources: Mapping[str, SourceGuess]) -> tuple[str, ...]:
    words = [word.upper() for word in read_names()["blq"]]
    found = set()
    for domain in KINDS:
        if domain in sources and domain != "IS":
            texts = set(sources[domain].texts(f"{domain}ORRES")) - {""}
            found |= {
                text
                for text in texts
                if any(word in text.upper() for word in words) and not re.search(r"[0-9]", text)
            }
    return tuple(sorted(found))


def _find_specimens(sources: Mapping[str, SourceGuess]) -> tuple[str, ...]:
    pc = sources.get("PC")
    return tuple(sorted(set(pc.texts("PCSPEC")) - {""})) if pc is not None else ()


def _find_last_day(sources: Mapping[str, SourceGuess]) -> str:
    """Last day of any date of the files; "" where none can be read."""
    last = pd.Timestamp.min
    for guess in sources.values():
        for variable in read_specification(guess.domain).variables:
            if variable.endswith("DTC"):
                texts = pd.Series(guess.texts(variable).unique(), dtype=object)
                if guess.dates:
                    texts = texts.map(
                        lambda text, forms=guess.dates: read_date(text, forms) or text
                    )
                times = parse_dates(texts).time if len(texts) else texts
                if len(texts) and times.notna().any():
                    last = max(last, times.max())
    return "" if last == pd.Timestamp.min else last.date().isoformat()
