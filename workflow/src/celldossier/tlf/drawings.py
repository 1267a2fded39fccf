"""Find the drawing function that an output of ``config/tlfs.yaml`` names.

Only functions ``draw_<name>`` in the modules of tables, listings and figures of this package can
be named: nothing else of a config is ever imported, and nothing is evaluated. A module is imported
when it is first asked for, so that a run without figures never loads matplotlib.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from celldossier.errors import ConfigError
from celldossier.tlf.model import Drawing

KINDS = ("tables_", "listings_", "figures_")
"""How the names of modules with drawings begin."""


def list_modules() -> list[str]:
    """Modules that may hold drawings, sorted."""
    names = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return sorted(name for name in names if name.startswith(KINDS))


def find_drawing(draw: str) -> Drawing:
    """The function ``draw_NAME`` of a module, named ``MODULE.NAME``.

    Raises
    ------
    ConfigError
        If there is no such module (the nearest is named) or function (those of it are named).
    """
    module, _, name = draw.partition(".")
    if module not in list_modules():
        near = get_close_matches(module, list_modules(), n=1, cutoff=0.0)[0]
        raise ConfigError(
            f"tlfs.yaml names the drawing {draw}, and no module of drawings is called {module}; "
            f"the nearest is {near}."
        )
    functions = vars(import_module(f"celldossier.tlf.{module}"))
    if f"draw_{name}" not in functions:
        known = sorted(key.removeprefix("draw_") for key in functions if key.startswith("draw_"))
        raise ConfigError(
            f"tlfs.yaml names the drawing {draw}; {module} draws {', '.join(known) or 'nothing'}."
        )
    drawing: Drawing = functions[f"draw_{name}"]
    return drawing
