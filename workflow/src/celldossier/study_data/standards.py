"""Analysis datasets as input: the mapping that a sponsor's ADaM layout needs no config for."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from celldossier.settings.sources import RelativeTime, Source, read_standard


def apply_standard(source: Source, columns: AbstractSet[str]) -> Source:
    """Fill a source's mapping from its standard, a file of ``resources/standards``.

    What the config maps itself stands. Of the columns that a variable can come from, the
    first that the file has is taken; where it has none, the variable is as if unmapped.

    Parameters
    ----------
    columns
        Columns of the file.
    """
    if not source.standard:
        return source
    content = read_standard(source.standard)
    mapped = {*source.columns, *source.constants, *source.relative_time}
    chosen = {}
    for variable, candidates in content["columns"].items():
        present = [column for column in candidates if column in columns]
        if present and variable not in mapped:
            chosen[variable] = present[0]
    relative = {
        variable: RelativeTime.model_validate(time)
        for variable, time in content.get("relative_time", {}).items()
        if variable not in mapped and variable not in chosen and time["column"] in columns
    }
    constants = {
        variable: text
        for variable, text in content.get("constants", {}).items()
        if variable not in mapped and variable not in chosen and variable not in columns
    }
    dates = {name: tuple(forms) for name, forms in content.get("dates", {}).items()}
    values = content.get("values", {})
    update = {
        "columns": {**chosen, **source.columns},
        "constants": {**constants, **source.constants},
        "relative_time": {**relative, **source.relative_time},
        "values": {**values, **source.values},
        "dates": source.dates or dates,
    }
    return source.model_copy(update=update)
