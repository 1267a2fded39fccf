"""What a wheel carries beside the package: the folders of the project that it reads.

hatchling calls this (its standard name and place). In a clone these folders
stand at the root, where people read and change them; an editable installation
therefore carries no copy, which would grow old beside the original.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SharedFiles(BuildHookInterface):
    """Adds the folders named by `shared` in pyproject.toml below ``celldossier/_shared``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders for a wheel to be installed, and none for an editable one."""
        if version != "editable":
            for name in self.config["shared"]:
                build_data["force_include"][name] = f"celldossier/_shared/{name}"
