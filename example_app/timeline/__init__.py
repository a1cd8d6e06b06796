"""The timeline: its models, and what can be done with it."""

from example_app.timeline.models import Base, Event, EventCount, EventKind
from example_app.timeline.service import Timeline, UnknownKind

__all__ = ["Base", "Event", "EventCount", "EventKind", "Timeline", "UnknownKind"]
