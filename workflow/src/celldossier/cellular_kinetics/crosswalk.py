"""The crosswalk: which parameters differ under another convention, and by which rules.

Nothing is guessed: the NCA is done anew with the rules of the study, of the preset, and with
some rules of the one and the rest of the other, and the values are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.frames import as_plain_text
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.nca_presets import list_preset_keys

KEYS = ["USUBJID", "ANALYTE", "DOSENO", "PARAMCD"]
"""What one row of the parameters is."""

TOLERANCE = 1e-9
"""Values that are relatively nearer than this are the same."""

REVIEW = "R18"
"""The rule of reviewed windows, which no preset has."""

_WITH_TAIL = ("end_window", "max_extrapolation")
# Keys of R14 that only some tails read; they go with the tail.

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Crosswalk:
    """What was compared with the presets, and what differs.

    Attributes
    ----------
    compared
        PRESET and `KEYS` of the values compared: those of parameters that both have.
    differences
        PRESET, `KEYS`, AVAL and REASND under the study's rules, AVALX and REASNDX under the
        preset, RULES: the rules that change the value when each alone is switched from
        the study's to the preset's, JOINT: those that change it only together with others.
        Switching all rules named gives the value of the preset.
    """

    compared: pd.DataFrame
    differences: pd.DataFrame


def compare_presets(
    samples: pd.DataFrame,
    settings: CellularKineticsSettings,
    windows: pd.DataFrame | None = None,
) -> Crosswalk:
    """Each value that differs under a preset of the key `crosswalk`, and why.

    Parameters
    ----------
    samples
        As for `estimate_nca`.
    settings
        The rules of the study; `crosswalk` names the presets.
    windows
        Reviewed lambda-z windows of the courses (R18). A preset has none: it is named as a rule.
    """
    parts = [_compare(samples, settings, preset, windows) for preset in settings.crosswalk]
    if not parts:
        keys = pd.DataFrame(columns=["PRESET", *KEYS])
        return Crosswalk(keys, keys.assign(AVAL=[], REASND=[], AVALX=[], REASNDX=[]))
    return Crosswalk(
        pd.concat([part.compared for part in parts], ignore_index=True),
        pd.concat([part.differences for part in parts], ignore_index=True),
    )


def _compare(
    samples: pd.DataFrame,
    settings: CellularKineticsSettings,
    preset: str,
    windows: pd.DataFrame | None,
) -> Crosswalk:
    target = settings_of_preset(settings, preset)
    rules = differing_rules(settings, target)
    if windows is not None and len(windows):
        rules = _in_order({*rules, REVIEW})
    ours, theirs = _estimate(samples, settings, windows), _estimate(samples, target, None)
    common = ours.index.intersection(theirs.index, sort=False)
    ours, theirs = ours.loc[common], theirs.loc[common]

    @cache
    def values_with(switched: frozenset[str]) -> Floats:
        """Values with those rules of the preset and the rest of the study."""
        reviewed = None if REVIEW in switched else windows
        mixed = _estimate(samples, switch_rules(settings, target, switched), reviewed)
        return mixed["AVAL"].reindex(common).to_numpy(dtype=np.float64)

    before = ours["AVAL"].to_numpy(dtype=np.float64)
    after = theirs["AVAL"].to_numpy(dtype=np.float64)
    rows = np.flatnonzero(_differ(before, after))
    alone, named = _name_rules(before, after, rows, rules, values_with)
    compared = common.to_frame(index=False)
    compared.insert(0, "PRESET", preset)
    differences = compared.iloc[rows].reset_index(drop=True)
    differences = differences.assign(
        AVAL=before[rows],
        REASND=ours["REASND"].to_numpy()[rows],
        AVALX=after[rows],
        REASNDX=theirs["REASND"].to_numpy()[rows],
        RULES=_join(alone, rules),
        JOINT=_join(named & ~alone, rules),
    )
    return Crosswalk(compared, differences)


def _name_rules(
    before: Floats,
    after: Floats,
    rows: npt.NDArray[np.int64],
    rules: tuple[str, ...],
    values_with: Callable[[frozenset[str]], Floats],
) -> tuple[Bools, Bools]:
    """Rules that change each value alone, and all that it takes; shape (rows, rules)."""
    every = frozenset(rules)
    shape = (len(rows), len(rules))
    alone, needed = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for place, rule in enumerate(rules):
        alone[:, place] = _differ(before, values_with(frozenset({rule})))[rows]
        needed[:, place] = _differ(after, values_with(every - {rule}))[rows]
    named = alone | needed
    # The named rules must lead all the way. Where they do not, all are taken, and then those
    # away that it does not take.
    short = ~_lead_to(after, rows, named, rules, values_with)
    named[short] = True
    for place in range(len(rules)):
        fewer = named.copy()
        fewer[short & ~alone[:, place], place] = False
        leads = _lead_to(after, rows, fewer, rules, values_with)
        named[short & leads] = fewer[short & leads]
    return alone, named


def _lead_to(
    after: Floats,
    rows: npt.NDArray[np.int64],
    named: Bools,
    rules: tuple[str, ...],
    values_with: Callable[[frozenset[str]], Floats],
) -> Bools:
    """Whether the named rules, switched together, give the value of the preset."""
    leads = np.zeros(len(rows), dtype=bool)
    for pattern in np.unique(named, axis=0):
        mask = (named == pattern).all(axis=1)
        chosen = frozenset(rule for rule, on in zip(rules, pattern, strict=True) if on)
        leads[mask] = ~_differ(after, values_with(chosen))[rows[mask]]
    return leads


def _join(mask: Bools, rules: tuple[str, ...]) -> list[str]:
    """Names of the rules of each row, joined by a semicolon."""
    return [
        ";".join(rule for rule, on in zip(rules, row, strict=True) if on) for row in mask.tolist()
    ]


def _differ(first: Floats, second: Floats) -> Bools:
    """Which values are not the same; two empty ones are."""
    with np.errstate(invalid="ignore"):
        far = np.abs(first - second) > TOLERANCE * np.maximum(np.abs(first), np.abs(second))
    return np.asarray(far | (np.isnan(first) != np.isnan(second)))


def _estimate(
    samples: pd.DataFrame, settings: CellularKineticsSettings, windows: pd.DataFrame | None
) -> pd.DataFrame:
    """Values and reasons, by `KEYS`; several doses are one course, as in the summaries."""
    try:
        result = estimate_nca(samples, settings, course=True, windows=windows)
    except InputDataError:
        if windows is None:
            raise
        # Under other rules for the peak a reviewed window may be none: then it is not applied.
        applicable = find_applicable_windows(samples, settings, windows)
        result = estimate_nca(samples, settings, course=True, windows=applicable)
    return as_plain_text(result.parameters).set_index(KEYS)[["AVAL", "REASND"]]


def find_applicable_windows(
    samples: pd.DataFrame, settings: CellularKineticsSettings, windows: pd.DataFrame
) -> pd.DataFrame:
    """The windows that the rules allow, each tried on its own profile."""
    kept = []
    for place, (subject, analyte) in enumerate(
        zip(windows["USUBJID"], windows["ANALYTE"], strict=True)
    ):
        profile = (samples["USUBJID"] == subject) & (samples["ANALYTE"] == analyte)
        try:
            estimate_nca(samples[profile], settings, course=True, windows=windows.iloc[[place]])
        except InputDataError:
            continue
        kept.append(place)
    return windows.iloc[kept]


def settings_of_preset(settings: CellularKineticsSettings, preset: str) -> CellularKineticsSettings:
    """The study's settings with all keys of the preset in place of its own."""
    other = CellularKineticsSettings.model_validate({"preset": preset})
    return _take(settings, other, list_preset_keys())


def differing_rules(
    settings: CellularKineticsSettings, target: CellularKineticsSettings
) -> tuple[str, ...]:
    """Rules in which two settings differ, in the order of their numbers."""
    ours, theirs = settings.model_dump(), target.model_dump()
    keys = list_preset_keys()
    rules = {rule for place, rule in keys.items() if _get(ours, place) != _get(theirs, place)}
    # One tail, but with other limits.
    if settings.tail == "auto" and any(ours[key] != theirs[key] for key in _WITH_TAIL):
        rules.add(keys["tail"])
    return _in_order(rules)


def _in_order(rules: set[str]) -> tuple[str, ...]:
    return tuple(sorted(rules, key=lambda rule: int(rule[1:])))


def switch_rules(
    settings: CellularKineticsSettings, target: CellularKineticsSettings, rules: Iterable[str]
) -> CellularKineticsSettings:
    """`settings`, with the keys of those rules from `target`."""
    wanted = set(rules)
    return _take(
        settings, target, [place for place, rule in list_preset_keys().items() if rule in wanted]
    )


def _take(
    settings: CellularKineticsSettings, other: CellularKineticsSettings, places: Iterable[str]
) -> CellularKineticsSettings:
    values, source = settings.model_dump(), other.model_dump()
    for place in places:
        *sections, name = place.split(".")
        part = values
        for section in sections:
            part = part[section]
        part[name] = _get(source, place)
        if place == "tail":
            values.update({key: source[key] for key in _WITH_TAIL})
    return CellularKineticsSettings.model_validate(values)


def _get(values: dict[str, Any], place: str) -> Any:
    found: Any = values
    for part in place.split("."):
        found = found[part]
    return found
