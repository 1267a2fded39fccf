"""Vocabularies of response: those of the criteria, and a study's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource
from celldossier.settings.efficacy import EfficacySettings

OWN = "OWN"
"""Vocabulary of a study's own: the categories of `response_order`."""


class Category(BaseModel):
    """A category of response."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str = ""
    zh: str = ""
    responder: Literal["Y", "N", ""]
    complete: bool = False
    event: Literal["PROGRESSION", "RELAPSE", ""] = ""
    stable: bool = False
    aliases: tuple[str, ...] = ()


class Criteria(BaseModel):
    """A vocabulary: its categories, the best first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str = ""
    zh: str = ""
    unconfirmed: str = ""
    categories: dict[str, Category]

    @property
    def spellings(self) -> dict[str, str]:
        """Category by each of its spellings, case folded."""
        return {
            text.casefold(): name
            for name, category in self.categories.items()
            for text in (name, *category.aliases)
        }


@lru_cache(maxsize=1)
def read_criteria() -> Mapping[str, Criteria]:
    """Vocabularies of the published criteria, by name."""
    content = read_resource("terms", "response_criteria.yaml")
    return {name: Criteria.model_validate(entry) for name, entry in content.items()}


def make_vocabularies(settings: EfficacySettings) -> dict[str, Criteria]:
    """Vocabularies of the published criteria, as the study takes them, and the study's own."""
    categories = {
        name: Category(
            responder="Y" if name in settings.responder_categories else "N",
            complete=name in settings.complete_categories,
            event=""
            if name not in settings.progression_categories
            else ("RELAPSE" if "RELAPSE" in name.upper() else "PROGRESSION"),
        )
        for name in settings.response_order
    }
    unknown = {name: Category(responder="") for name in settings.unknown_response_categories}
    stable = [name for name in ("SD", "NR") if name in categories]
    own = Criteria(categories=categories | unknown, unconfirmed=stable[0] if stable else "")
    vocabularies = {**read_criteria(), OWN: own}
    if settings.imwg_relapse == "event":
        imwg = vocabularies["IMWG2016"]
        relapse = imwg.categories["RELAPSE"].model_copy(update={"event": "RELAPSE"})
        changed = {**imwg.categories, "RELAPSE": relapse}
        vocabularies["IMWG2016"] = imwg.model_copy(update={"categories": changed})
    return vocabularies


def choose_vocabulary(
    rscat: pd.Series, indication: pd.Series, settings: EfficacySettings
) -> pd.Series:
    """Vocabulary of each record: by RSCAT, else by the indication, else the study's own."""
    by_category = rscat.map(settings.response_criteria)
    return by_category.fillna(indication.map(settings.response_criteria)).fillna(OWN).astype(object)


def standardise(
    result: pd.Series, vocabulary: pd.Series, vocabularies: Mapping[str, Criteria]
) -> pd.DataFrame:
    """Category of each result in its vocabulary, with what the category means.

    The study's own categories are taken as they are written; those of the published
    criteria in any case of letters and under their aliases.

    Returns
    -------
    DataFrame
        Aligned with the records: ``category`` ("" where the vocabulary does not have it),
        ``rank`` (0 best), ``responder``, ``complete``, ``event``.
    """
    pairs = pd.DataFrame({"result": result, "vocabulary": vocabulary})
    meaning: dict[tuple[str, str], tuple[str, float, str, bool, str]] = {}
    for text, name in pairs.drop_duplicates().itertuples(index=False):
        criteria = vocabularies[name]
        own = text if name == OWN and text in criteria.categories else ""
        category = own or ("" if name == OWN else criteria.spellings.get(text.casefold(), ""))
        if category:
            found = criteria.categories[category]
            rank = float(list(criteria.categories).index(category))
            meaning[text, name] = category, rank, found.responder, found.complete, found.event
        else:
            meaning[text, name] = "", float("nan"), "", False, ""
    rows = [meaning[key] for key in zip(pairs["result"], pairs["vocabulary"], strict=True)]
    columns = ["category", "rank", "responder", "complete", "event"]
    frame = pd.DataFrame(rows, columns=columns, index=result.index)
    return frame.astype({"rank": "float64", "complete": bool})
