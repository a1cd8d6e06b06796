"""Which line of which revision's file is running, by the frames of the interpreter."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType


def revision_frame() -> FrameType | None:
    """Find the function of a revision file that is running, from the call stack."""
    frame: FrameType | None = sys._getframe(1)
    found = None
    while frame is not None:
        if isinstance(frame.f_globals.get("revision"), str) and "down_revision" in frame.f_globals:
            found = frame
        frame = frame.f_back
    return found


def revision_folder() -> Path | None:
    """Give the folder of the revision file whose function is running; None outside of one."""
    frame = revision_frame()
    return None if frame is None else Path(frame.f_code.co_filename).parent


def revision_lines() -> tuple[int, ...]:
    """Give the lines of a revision's file that are running, from the outermost call to the innermost."""
    frame: FrameType | None = sys._getframe(1)
    found: list[int] = []
    while frame is not None:
        if isinstance(frame.f_globals.get("revision"), str) and "down_revision" in frame.f_globals:
            found.append(frame.f_lineno)
        frame = frame.f_back
    return tuple(reversed(found))


def place_in_revision() -> str:
    """Say which line of which revision is running, to begin a message with; empty outside a revision."""
    frame = revision_frame()
    if frame is None:
        return ""
    file = os.path.basename(frame.f_code.co_filename)
    revision = frame.f_globals["revision"]
    return f"Revision {revision}, {frame.f_code.co_name}(), line {frame.f_lineno} of {file}: "
