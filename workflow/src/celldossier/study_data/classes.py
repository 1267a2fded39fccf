"""Classes of terms: the shipped lists, and what a study puts in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.safety import SafetySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.terms.study_terms import NEW_THERAPY

SHORTEST_HINT = 5
"""Letters from which on a word says something wherever it stands."""


def list_events(settings: SafetySettings) -> dict[str, tuple[str, ...]]:
    """Events of special interest and their preferred terms, in the order of precedence."""
    return _merge(
        {code: entry["terms"] for code, entry in _events().items()},
        settings.events_of_special_interest,
    )


def list_medications(settings: StudyDataSettings) -> dict[str, tuple[str, ...]]:
    """Classes of medication and their names."""
    shipped = read_resource("terms", "medication_classes.yaml")["classes"]
    return _merge(
        {code: entry["names"] for code, entry in shipped.items()}, settings.medication_classes
    )


def classify(terms: pd.Series, classes: Mapping[str, Sequence[str]]) -> pd.Series:
    """Class of each term, in any case of letters; "" where it is of none.

    A term of several classes is of the first of them.
    """
    known: dict[str, str] = {}
    for name, members in classes.items():
        for term in members:
            known.setdefault(term.casefold(), name)
    return terms.str.casefold().map(known).fillna("").astype(object)


def classify_medications(names: pd.Series, settings: StudyDataSettings) -> pd.Series:
    """Class of each medication by its name, else by its name without salt or ester."""
    classes = list_medications(settings)
    found = classify(names, classes)
    return found.mask(found == "", classify(strip_salts(names), classes))


def strip_salts(names: pd.Series) -> pd.Series:
    """Names of medications without the words of a salt, an ester or a biosimilar.

    ``Dexamethasone sodium phosphate`` is ``Dexamethasone``, ``tocilizumab-aazg`` (a
    suffix of the FDA) ``tocilizumab``.
    """
    salts = set(read_resource("terms", "medication_classes.yaml")["salts"])

    def strip(name: str) -> str:
        words = re.sub(r"[,()]", " ", name).split()
        while len(words) > 1 and words[-1].upper() in salts:
            words.pop()
        return re.sub(r"-[a-z]{4}$", "", " ".join(words), flags=re.IGNORECASE)

    return names.map({name: strip(name) for name in names.unique()}).astype(object)


def find_medication_near_misses(names: pd.Series, settings: StudyDataSettings) -> pd.Series:
    """Class of which a name holds a member as a word of its own; "" where there is none.

    Short members are passed over: they are words of other names as well.
    """
    members = [
        (code, re.compile(rf"(?<!\w){re.escape(member)}(?!\w)", re.IGNORECASE))
        for code, own in list_medications(settings).items()
        for member in own
        if len(member) >= SHORTEST_HINT
    ]

    def look(name: str) -> str:
        return next((code for code, pattern in members if pattern.search(name)), "")

    return names.map({name: look(name) for name in names.unique()}).astype(object)


def find_disease_treatments(names: pd.Series, settings: StudyDataSettings) -> pd.Series:
    """Whether each medication is a new therapy or a transplantation."""
    classes = (NEW_THERAPY, settings.efficacy.time_to_event.transplant_class)
    return classify_medications(names, settings).isin(classes)


def classify_events(
    frame: pd.DataFrame, grade: pd.Series, end_day: pd.Series, settings: SafetySettings
) -> pd.Series:
    """Event of special interest of each adverse event; "" where it is none.

    Parameters
    ----------
    frame
        ``AEDECOD`` and ``AEBODSYS``.
    grade
        Grade as reported; an event with a lowest grade needs one.
    end_day
        Day of the end, NaN where the event goes on: it is then present after any day.
    """
    terms = list_events(settings)
    found = classify(frame["AEDECOD"], terms)
    system = frame["AEBODSYS"].str.upper()
    for code, entry in _events().items():
        # A study that names the terms of an event says by them alone what it is.
        if "body_systems" in entry and code not in settings.events_of_special_interest:
            found = found.mask((found == "") & system.isin(entry["body_systems"]), code)
    lowest = {
        "INFECTION": settings.infection_minimum_grade,
        "CYTOPENIA": settings.cytopenia_minimum_grade,
    }
    for code in terms:
        least = lowest.get(code)
        if least is not None:
            found = found.mask((found == code) & ~(grade >= least), "")
        if _events().get(code, {}).get("after_day"):
            over = end_day <= settings.cytopenia_after_day
            found = found.mask((found == code) & over, "")
    return found


def find_near_misses(term: pd.Series, settings: SafetySettings) -> pd.Series:
    """Event that a term looks like although its lists do not hold it; "" where none."""
    terms = list_events(settings)
    known = {name.casefold() for names in terms.values() for name in names}

    def look(text: str) -> str:
        upper = f" {text.upper()} "
        if text.casefold() in known:
            return ""
        for code, entry in _events().items():
            # A short hint such as CRS is a word of its own.
            if terms.get(code) and any(
                hint in upper if len(hint) >= SHORTEST_HINT else f" {hint} " in upper
                for hint in entry["hints"]
            ):
                return code
        return ""

    looks = {text: look(text) for text in term.unique()}
    return term.map(looks).astype(object)


def _events() -> Mapping[str, Mapping[str, Any]]:
    events: Mapping[str, Mapping[str, Any]] = read_resource("terms", "special_interest.yaml")
    return events


def _merge(
    shipped: Mapping[str, Sequence[str]], own: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    merged = {code: own.get(code, tuple(names)) for code, names in shipped.items()}
    return {**merged, **{code: names for code, names in own.items() if code not in shipped}}
