"""The token ring cut into ranges: along the nodes' own tokens, and so fine that each holds about as many rows.

A range that lies between two neighbouring tokens of the ring has the same replicas for all of its rows, so one of them
answers for the whole range (Cassandra's documentation, page "Dynamo", "Consistent Hashing using a Token Ring"). How
many partitions lie where is told by ``system.size_estimates``, which each node keeps of its own primary ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

LOWEST: Final = -(2**63)
HIGHEST: Final = 2**63 - 1
_AT_MOST: Final = 2**16  # ranges of one table
_WITHOUT_ESTIMATES: Final = 32
_WIDTH: Final = HIGHEST - LOWEST

Estimate = tuple[int, int, int]  # begin, end, partitions


def cut_ring(
    tokens: Iterable[int], estimates: Sequence[Estimate], partitions: int, at_least: int = 1
) -> Iterator[tuple[int, int]]:
    """Cut the ring of Murmur3's tokens into ranges.

    :param tokens: of all nodes.
    :param estimates: how many partitions lie between two tokens; of a part of the ring, the rest is taken for alike.
    :param partitions: that a range holds, about.
    :param at_least: ranges that there are at least.
    :return: ranges without their lower bound and with their upper one, from the lowest token to the highest.
    """
    segments = list(_segments(tokens))
    total = estimate_partitions(estimates)
    known = {(begin, end): count for begin, end, count in estimates}
    covered = sum(_span(begin, end) for begin, end, _ in estimates)
    for begin, end in segments:
        share = (end - begin) / _WIDTH
        if total is None or not covered:
            pieces = round(_WITHOUT_ESTIMATES * share)
        else:
            count = known.get((begin, end), total * share)
            pieces = -(-int(count) // partitions)
        pieces = max(1, pieces, -(-int(at_least * share * 1000) // 1000))
        pieces = min(pieces, max(1, int(_AT_MOST * share)), end - begin)
        for place in range(pieces):
            yield begin + (end - begin) * place // pieces, begin + (end - begin) * (place + 1) // pieces


def estimate_partitions(estimates: Sequence[Estimate]) -> int | None:
    """Give about how many partitions the whole ring has, from what is known of a part of it; None without estimates."""
    covered = sum(_span(begin, end) for begin, end, _ in estimates)
    counted = sum(count for _, _, count in estimates)
    return round(counted * _WIDTH / covered) if covered and counted else None


def _segments(tokens: Iterable[int]) -> Iterator[tuple[int, int]]:
    edges = sorted({LOWEST, *tokens, HIGHEST})
    return pairwise(edges)


def _span(begin: int, end: int) -> int:
    """How far it is from one token to another, around the ring's end if need be."""
    return end - begin if end > begin else end - begin + _WIDTH


def read_tokens(session: Any) -> list[int] | None:
    """Read the tokens of all nodes; None where tokens are no Murmur3 numbers."""
    (partitioner, own), *_ = session.execute("SELECT partitioner, tokens FROM system.local WHERE key = 'local'")
    if not str(partitioner).endswith("Murmur3Partitioner"):
        return None
    tokens = set(own or ())
    for (others,) in session.execute("SELECT tokens FROM system.peers"):
        tokens.update(others or ())
    return sorted(map(int, tokens))


def read_estimates(session: Any, keyspace: str, table: str) -> list[Estimate]:
    """Read what a node says of the sizes of its primary ranges; none for a table that is new."""
    rows = session.execute(
        "SELECT range_start, range_end, partitions_count FROM system.size_estimates "
        "WHERE keyspace_name = %s AND table_name = %s",
        (keyspace, table),
    )
    return [(int(begin), int(end), int(count)) for begin, end, count in rows]
