"""celldossier: from the raw clinical pharmacology data of a cell therapy to a bilingual report."""

from importlib.metadata import version

__version__ = version("celldossier")
