"""Draws the terminal pictures of the documentation: ``DATABASE_URL=cockroachdb://... python scripts/pictures.py``.

It makes a small project on an empty database and draws what ``plan``, ``status`` and ``lint`` print.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
REVISIONS = {
    "3f2a": (
        "None",
        "users",
        'op.create_table("users", sa.Column("id", sa.Uuid, primary_key=True), sa.Column("mail", sa.String(100)))',
    ),
    "8d1f": (
        "'3f2a'",
        "users have an email",
        'op.add_column("users", sa.Column("email", sa.String(200)))\n'
        '    op.create_index("users_email", "users", ["email"])\n'
        '    op.execute("UPDATE users SET email = mail")\n'
        '    op.drop_column("users", "mail")',
    ),
}
REVISION = '''"""{message}"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = {name!r}, {down}


def upgrade() -> None:
    {body}


def downgrade() -> None:
    raise NotImplementedError("there is no way back")
'''


def run(folder: str, arguments: str) -> str:
    """Run one command; gives what it printed."""
    ran = subprocess.run(
        [sys.executable, "-c", "from alembic_cluster.cli import main; main()", *shlex.split(arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PICTURES.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout


def draw(name: str, command: str, printed: str) -> None:
    """Draw a terminal."""
    console = Console(record=True, width=132, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(Text(f"$ {command}", style="bold"))
    for line in printed.rstrip().splitlines():
        style = "red" if "LOSES DATA" in line or " error AL" in line else "yellow" if " warning " in line else ""
        console.print(Text(line, style=style))
    drawn = console.export_svg(title="alembic-cluster", unique_id=name)
    # A page fetches nothing from elsewhere: the reader's own monospaced font will do.
    (PICTURES / f"{name}.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL) + "\n")


def main() -> None:
    """Draw all."""
    with tempfile.TemporaryDirectory() as folder:
        run(folder, "init -t cockroachdb migrations")
        for name, (down, message, body) in REVISIONS.items():
            text = REVISION.format(name=name, down=down, message=message, body=body)
            Path(folder, "migrations", "versions", f"{name}.py").write_text(text)
        run(folder, "upgrade 3f2a")
        for command in ("plan", "status", "lint"):
            printed = run(folder, command).replace(socket.gethostname(), "web-1")
            draw(command, f"alembic-cluster {command}", printed)


if __name__ == "__main__":
    main()
