"""``python -m celldossier``: the same as the command ``celldossier``."""

import sys

from celldossier.cli import main

sys.exit(main())
