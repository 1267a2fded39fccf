"""Immunogenicity, humoral and cellular: the dataset ADAB."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.dose_times import derive_relative_times
from celldossier.study_data.parsing import parse_numbers
from celldossier.study_data.results import (
    check_not_done,
    check_test_codes,
    find_declared,
    find_upper_limits,
    read_limits,
)
from celldossier.study_data.samples import (
    TIERS_OF_STATUS,
    add_baseline,
    check_duplicates,
    flag,
    is_before_dose,
    time_samples,
)
from celldossier.study_data.specimens import check_changes, check_conditions
from celldossier.study_data.subjects import Subjects
from celldossier.study_data.units import UnitTable

CELLULAR = "CELLULAR"
"""Tier of a cellular response (ELISpot, intracellular cytokine staining)."""

READOUT = "VALUE"
"""AVALC of a readout that is carried as a number."""


def derive_adab(
    samples: Domain, subjects: Subjects, assays: Sequence[Assay], settings: StudyDataSettings
) -> pd.DataFrame:
    """Dataset ADAB: antibody results and cellular responses by target and tier, as observed."""
    check_test_codes(samples, assays)
    check_not_done(samples, settings)
    raw, tier = samples.frame["ISORRES"], samples.frame["ISCAT"]
    test, target = samples.frame["ISTESTCD"], samples.frame["ISBDAGNT"]
    # A titre is also written 1:160, and >1:2560 where the last dilution was still positive.
    figures = raw.str.replace(r"^([<>]?)\s*1\s*:\s*", r"\1", regex=True)
    below, above = read_limits(figures)
    number = parse_numbers(figures).fillna(above)
    word = raw.str.upper()
    kinds = _tell_kinds(samples, number, below, word)
    unread = samples.active & (kinds == "")
    samples.report("RESULTUNMAPPED", unread, "ISORRES", test=test, canonical="ISORRES")
    samples.exclude(unread, "BADRESULT", raw)
    value, unit, factor = _convert_cellular(samples, number.fillna(below), assays)
    limits = _find_limits(samples, number, below, above, kinds, factor, assays)
    conditions = check_conditions(samples, settings)
    times = time_samples(samples, subjects)
    check_duplicates(samples, times, [test, target, tier], test, settings.duplicate_samples)
    check_changes(samples, test)
    frame = pd.DataFrame(
        {
            "USUBJID": samples.subject,
            "PARAMCD": test,
            "PARAM": samples.frame["ISTEST"].where(samples.frame["ISTEST"] != "", test),
            "ISBDAGNT": target,
            "ISCAT": tier,
            **conditions,
            "ISMETHOD": samples.frame["ISMETHOD"],
            "ASSAYV": samples.frame["ISASSAYV"],
            "REFID": samples.frame["ISREFID"],
            "RUNID": samples.frame["ISRUNID"],
            "ISNAM": samples.frame["ISNAM"],
            "AVAL": value.where((kinds != "WORD") & (limits["BLQFL"] == "N")),
            "AVALC": word.where(kinds == "WORD", kinds),
            "AVALU": unit,
            **limits,
            "AVISIT": samples.frame["VISIT"],
            "ADTM": samples.dates["ISDTC"].text,
            **derive_relative_times(samples, times, subjects),
            **samples.trace,
        }
    )
    frame = frame[samples.active].reset_index(drop=True)
    keys = ["USUBJID", "PARAMCD", "ISBDAGNT", "ISCAT"]
    frame = add_baseline(frame, keys, frame["AVALC"] == READOUT)
    _check_antibody_baseline(samples, frame)
    return frame


def _tell_kinds(samples: Domain, number: pd.Series, below: pd.Series, word: pd.Series) -> pd.Series:
    """What each result is: WORD, TITER, POSITIVE (a titre without tiers) or VALUE; "" if none.

    A number with a unit that is no titre is a readout (fluorescence, signal to noise,
    spots): it is carried as observed and says neither positive nor negative.
    """
    tier, unit = samples.frame["ISCAT"], samples.frame["ISORRESU"]
    titres = {text: is_titre(text) for text in unit.unique()}
    as_titre = unit.map(titres).astype(bool)
    amount = number.fillna(below)
    readout = amount.notna() & (tier != "TITER") & (~as_titre | (tier == CELLULAR))
    kinds = pd.Series("", index=tier.index, dtype=object)
    kinds = kinds.mask((amount > 0) & (tier == "TITER"), "TITER")
    # Without tiers a titre stands in the place of POSITIVE: only positive samples have one.
    kinds = kinds.mask((number > 0) & (tier == "RESULT") & as_titre, "POSITIVE")
    kinds = kinds.mask(readout, READOUT)
    words = word.isin(["POSITIVE", "NEGATIVE"]) & tier.isin([*TIERS_OF_STATUS, CELLULAR])
    return kinds.mask(words, "WORD")


def _find_limits(
    samples: Domain,
    number: pd.Series,
    below: pd.Series,
    above: pd.Series,
    kinds: pd.Series,
    factor: pd.Series,
    assays: Sequence[Assay],
) -> dict[str, pd.Series]:
    """BLQFL, ALQFL, ALLOQ and AULOQ of titres and readouts.

    The limits of the assay hold for titres and cellular responses, whose unit is its own.
    """
    test, amount = samples.frame["ISTESTCD"], kinds.isin(["TITER", "POSITIVE", READOUT])
    own_unit = (samples.frame["ISCAT"] == CELLULAR) | kinds.isin(["TITER", "POSITIVE"])
    declared = {
        name: find_declared(test, samples.frame["ISASSAYV"], assays, name).where(own_unit & amount)
        / factor
        for name in ("lloq", "uloq")
    }
    lower = samples.number("ISLLOQ").fillna(below).fillna(declared["lloq"]).where(amount)
    upper, high = find_upper_limits(
        samples, test, number.where(amount), above.where(amount), declared["uloq"]
    )
    low = amount & (below.notna() | (number < lower))
    return {
        "BLQFL": flag(low),
        "ALQFL": flag(high & ~low),
        "ALLOQ": lower * factor,
        "AULOQ": upper.where(amount) * factor,
    }


def is_titre(unit: str) -> bool:
    """Whether a unit of an antibody result is that of a titre; a blank one is."""
    found = UnitTable().find(unit)
    return unit == "" or (found is not None and found.dimension == "titre")


def _convert_cellular(
    samples: Domain, number: pd.Series, assays: Sequence[Assay]
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Values of cellular responses in the unit of their assay; the others as they are.

    Returns
    -------
    tuple
        Value, unit, and the factor from the raw unit to it.
    """
    table = UnitTable()
    variable = "ISORRESU"
    raw = samples.frame[variable]
    mapped = table.normalise(raw)
    by_code = {code: assay for assay in assays for code in assay.test_codes}
    test = samples.frame["ISTESTCD"]
    cellular = (samples.frame["ISCAT"] == CELLULAR) & number.notna()
    wanted = test.map({code: assay.unit for code, assay in by_code.items()}).fillna("")
    factors = {
        (code, unit, target): table.find_conversion(unit, target, by_code.get(code))
        for code, unit, target in set(
            zip(test[cellular], mapped[cellular], wanted[cellular], strict=True)
        )
    }
    keys = list(zip(test, mapped, wanted, strict=True))
    links = [factors.get(key) for key in keys]
    factor = pd.Series(
        [np.nan if link is None else link.factor for link in links], index=raw.index, dtype=float
    )
    wrong = samples.active & cellular & factor.isna()
    samples.report("UNITWRONG", wrong, variable, test=test, unit=wanted)
    samples.exclude(wrong, "BADUNIT", raw)
    factor = factor.where(cellular, 1.0)
    return number * factor, mapped.mask(cellular, wanted), factor


def _check_antibody_baseline(samples: Domain, adab: pd.DataFrame) -> None:
    tested = adab[adab["ISCAT"].isin(TIERS_OF_STATUS)]
    before = is_before_dose(tested["AFRLT"], tested["NFRLT"])
    known = before.groupby([tested["USUBJID"], tested["ISBDAGNT"]]).any()
    for subject, target in sorted(known.index[~known]):
        samples.report_file("ADABASELINE", subject=subject, target=target or "-")
