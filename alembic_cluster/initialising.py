"""``alembic-cluster init`` with this package's templates beside Alembic's."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

TEMPLATES = Path(__file__).parent / "templates"


def own_templates() -> list[str]:
    """Give the names of this package's templates."""
    return sorted(path.name for path in TEMPLATES.iterdir() if (path / "env.py").exists())


def init(config: Config, directory: str, template: str = "generic", package: bool = False) -> None:
    """Do what ``alembic init`` does, with this package's templates as well.

    :raises alembic.util.CommandError: there is no such template, or the folder isn't empty.
    """
    if template in own_templates():
        config.get_template_directory = lambda: str(TEMPLATES)  # type: ignore[method-assign]
    command.init(config, directory, template=template, package=package)


def list_templates(config: Config) -> None:
    """Print this package's templates and Alembic's."""
    for name in own_templates():
        config.print_stdout("%s - %s", name, (TEMPLATES / name / "README").read_text().strip())
    config.print_stdout("")
    command.list_templates(config)
