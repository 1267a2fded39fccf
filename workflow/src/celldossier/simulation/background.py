"""What the simulators of NK cells and of stem cells share: people, events, follow-up.

The sections are typed parts of their specifications, so that every number stands in
the YAML file with its unit; the functions draw from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from celldossier.settings.base import Section
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    shift_days,
    to_minutes,
)
from celldossier.simulation.sites import draw_countries, fit_races
from celldossier.simulation.specification import Count, NonNegative, Positive, Share
from celldossier.simulation.streams import draw_quota

Array = NDArray[np.float64]
CTCAE = "CTCAE 5.0"
NEVER_SERIOUS_BELOW = 3
"""Grade from which an event of the background is serious."""


class SmallEnrolment(Section):
    """Who is enrolled in a study with an off-the-shelf product, and when."""

    infused: int = Field(ge=6, description="Subjects who receive the cell product.")
    not_infused: Count = Field(description="Enrolled subjects who withdrew before the first dose.")
    first_consent: date = Field(description="Date of the first informed consent.")
    last_consent: date = Field(description="Date of the last informed consent.")
    data_cutoff: date = Field(description="Date of the data cut-off: no record lies after it.")
    sites: int = Field(ge=1, le=99, description="Number of study sites.")
    days_to_dose: tuple[int, int] = Field(description="Consent to first dose, days: least, most.")
    lost_share: Share = Field(description="Share of infused subjects lost to follow-up.")
    lost_days: tuple[int, int] = Field(description="First and last day on which one is lost.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.first_consent < self.last_consent < self.data_cutoff:
            raise ValueError("first consent, last consent and data cut-off must follow each other.")
        return self

    def resized(self, infused: int) -> dict[str, object]:
        """Fields of the enrolment of another number of infused subjects."""
        factor = infused / self.infused
        return self.model_dump() | {
            "infused": infused,
            "not_infused": round(self.not_infused * factor),
        }


class Population(Section):
    """Demographics at baseline."""

    age: float = Field(gt=0, description="Mean age, years.")
    age_sd: NonNegative = Field(description="SD of age, years.")
    age_range: tuple[int, int] = Field(description="Lowest and highest age, years.")
    male_share: Share = Field(description="Share of men.")
    asian_share: Share = Field(description="Share of the sites in China, whose subjects are Asian.")
    height_men: Positive = Field(description="Mean height of men, cm.")
    height_women: Positive = Field(description="Mean height of women, cm.")
    height_sd: NonNegative = Field(description="SD of height, cm.")
    body_mass_index: Positive = Field(description="Median body mass index, kg/m2.")
    body_mass_index_sd: NonNegative = Field(description="SD of ln body mass index.")


class BackgroundEvent(Section):
    """An adverse event that is drawn by itself, independent of the kinetics."""

    term: str = Field(min_length=1, description="Preferred term.")
    system: str = Field(min_length=1, description="System organ class.")
    probability: Share = Field(description="Probability in a subject at the reference dose.")
    grade_shares: tuple[Share, Share, Share] = Field(description="Shares of grades 1, 2, 3.")
    days: tuple[float, float] = Field(description="First and last day of onset after dose 1.")
    duration: Positive = Field(description="Mean duration, days.")
    or_per_doubling_dose: Positive = Field(
        1.0, description="Odds ratio per doubling of the planned dose; 1 is a null."
    )
    related: bool = Field(False, description="Whether it is judged related to the product.")

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if abs(sum(self.grade_shares) - 1) > 1e-9:
            raise ValueError(f"The grade shares of {self.term} must add up to 1.")
        return self


class ArmLevel(Section):
    """One planned dose level."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")] = Field(description="Code.")
    planned: Positive = Field(description="Planned dose of one administration, 10^6 cells.")
    share: Share = Field(description="Share of infused subjects on the level.")
    escalation: Count = Field(description="Subjects of the level who belong to the escalation.")


class Laboratory(Section):
    """A quantitative test as the laboratory reports it."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")] = Field(description="Test code.")
    name: str = Field(min_length=1, description="Test name.")
    unit: str = Field(description="Unit; blank for a score.")
    lloq: NonNegative = Field(0.0, description="Lower limit of quantification, in `unit`; 0: none.")
    upper_normal: float | None = Field(None, description="Upper limit of normal, in `unit`.")
    specimen: str = Field("", description="Specimen material.")
    method: str = Field("", description="Method.")
    baseline: Positive = Field(description="Median at baseline, in `unit`.")
    baseline_sd: NonNegative = Field(description="SD of ln baseline between subjects.")
    residual_sd: NonNegative = Field(description="SD of the ln residual.")


def draw_people(
    rng: np.random.Generator,
    seed: int,
    study: str,
    enrolment: SmallEnrolment,
    population: Population,
) -> pd.DataFrame:
    """Draw all enrolled subjects in order of consent, with the start of the first dose.

    Returns
    -------
    DataFrame
        Identifiers, INFUSED (bool), CONSENT and START (datetime64, minutes; NaT where
        not infused), demographics as numbers.
    """
    total = enrolment.infused + enrolment.not_infused
    first, last = to_minutes(enrolment.first_consent), to_minutes(enrolment.last_consent)
    span = (last - first) / np.timedelta64(1, "D")
    consent = shift_days(
        np.full(total, first), np.floor(np.sort(rng.uniform(0, span, total))) + 9 / 24
    )
    infused = ~draw_quota(rng, total, enrolment.not_infused)
    site = rng.integers(1, enrolment.sites + 1, total)
    digits = max(3, len(str(total)))
    subjid = [f"{s:02d}-{n + 1:0{digits}d}" for n, s in enumerate(site.tolist())]
    wait = rng.integers(enrolment.days_to_dose[0], enrolment.days_to_dose[1] + 1, total)
    hour = rng.integers(9 * 60, 14 * 60, total) / (24 * 60)
    midnight = consent.astype("datetime64[D]").astype("datetime64[m]")
    male = rng.uniform(size=total) < population.male_share
    low, high = population.age_range
    age = np.clip(
        np.rint(population.age + population.age_sd * rng.standard_normal(total)), low, high
    )
    mean_height = np.where(male, population.height_men, population.height_women)
    height = np.round(mean_height + population.height_sd * rng.standard_normal(total), 1)
    index = population.body_mass_index * np.exp(
        population.body_mass_index_sd * rng.standard_normal(total)
    )
    asian = rng.uniform(size=total) < population.asian_share
    country = draw_countries(seed, site, enrolment.sites, population.asian_share)
    race = np.where(asian, "ASIAN", "WHITE")
    return pd.DataFrame(
        {
            "USUBJID": [f"{study}-{name}" for name in subjid],
            "SUBJID": subjid,
            "SITEID": [f"{s:02d}" for s in site],
            "INFUSED": infused,
            "CONSENT": consent,
            "START": shift_days(midnight, np.where(infused, wait + hour, np.nan)),
            "AGE": age.astype(int),
            "SEX": np.where(male, "M", "F"),
            "RACE": fit_races(seed, race, country, {"WHITE": 1.0}),
            "COUNTRY": country,
            "HEIGHT": height,
            "WEIGHT": np.round(index * (height / 100) ** 2, 1),
        }
    )


def assign_levels(
    rng: np.random.Generator, levels: Sequence[ArmLevel], infused: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """Dose level of each enrolled subject: escalation level by level, the rest at random.

    Returns
    -------
    dict
        LEVEL (index), ESCALATION (bool).
    """
    n = int(infused.sum())
    shares = np.array([level.share for level in levels])
    counts = np.floor(shares * n + 1e-9).astype(int)
    counts[np.argmax(shares)] += n - counts.sum()
    first = np.minimum([level.escalation for level in levels], counts)
    places = np.arange(len(levels))
    level = np.empty(infused.size, dtype=np.int64)
    level[infused] = np.concatenate(
        [np.repeat(places, first), rng.permutation(np.repeat(places, counts - first))]
    )
    level[~infused] = rng.choice(places, size=int((~infused).sum()), p=shares)
    escalation = np.zeros(infused.size, dtype=bool)
    escalation[np.flatnonzero(infused)[: first.sum()]] = True
    return {"LEVEL": level, "ESCALATION": escalation}


def draw_last_day(
    rng: np.random.Generator,
    enrolment: SmallEnrolment,
    start: NDArray[np.datetime64],
    planned_end: float,
) -> tuple[Array, NDArray[np.bool_]]:
    """Last day of follow-up by loss, planned end and cut-off; and who is lost."""
    cutoff = to_minutes(enrolment.data_cutoff)
    until = (cutoff - start) / np.timedelta64(1, "D")
    lost = draw_quota(rng, start.size, round(enrolment.lost_share * start.size))
    low, high = enrolment.lost_days
    loss = np.where(lost, rng.integers(low, high + 1, start.size) + 0.5, np.inf)
    lost = lost & (loss < np.minimum(until, planned_end))
    return np.minimum(np.minimum(loss, planned_end), until), lost


def draw_events(
    rng: np.random.Generator,
    events: Sequence[BackgroundEvent],
    doublings: Array,
    start: NDArray[np.datetime64],
    users: NDArray[Any],
    last_day: Array,
) -> pd.DataFrame:
    """Background adverse events, one record each, as columns of ``ae.csv``.

    Parameters
    ----------
    doublings
        log2 of planned over reference dose, by subject.
    """
    n = users.size
    blocks = []
    for event in events:
        odds = event.probability / (1 - event.probability)
        odds_of_each = odds * event.or_per_doubling_dose**doublings
        present = rng.uniform(size=n) < odds_of_each / (1 + odds_of_each)
        grade = rng.choice([1, 2, 3], size=n, p=event.grade_shares)
        onset = np.floor(rng.uniform(event.days[0], event.days[1] + 1, n)) + 0.4
        length = 1 + np.floor(rng.exponential(event.duration, n))
        seen = np.flatnonzero(present & (onset < last_day))
        end = onset + length
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": users[seen],
                    "AETERM": event.term.upper(),
                    "AEDECOD": event.term,
                    "AEBODSYS": event.system,
                    "AESCAT": CTCAE,
                    "AETOXGR": grade[seen].astype(str),
                    "AESER": np.where(grade[seen] >= NEVER_SERIOUS_BELOW, "Y", "N"),
                    "AEREL": "RELATED" if event.related else "NOT RELATED",
                    "AEOUT": np.where(
                        end[seen] <= last_day[seen],
                        "RECOVERED/RESOLVED",
                        "NOT RECOVERED/NOT RESOLVED",
                    ),
                    "AEDLT": "N",
                    "AESTDTC": format_dates(shift_days(start[seen], onset[seen])),
                    "AEENDTC": format_dates(
                        shift_days(start[seen], np.where(end <= last_day, end, np.nan)[seen])
                    ),
                }
            )
        )
    return pd.concat(blocks, ignore_index=True)


def write_disposition(
    study: str,
    users: NDArray[Any],
    start: NDArray[np.datetime64],
    last_day: Array,
    reason: NDArray[np.str_],
    layouts: Mapping[str, list[str]],
) -> pd.DataFrame:
    """Lay out ``ds.csv``: one record a subject, on the last day of follow-up."""
    frame = pd.DataFrame(
        {
            "USUBJID": users,
            "DSTERM": reason,
            "DSDECOD": reason,
            "DSCAT": "DISPOSITION EVENT",
            "DSSTDTC": format_dates(shift_days(start, last_day)),
        }
    )
    return finish_domain(frame, study, "ds", ["DSSTDTC"], layouts)
