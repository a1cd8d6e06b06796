"""The token ring, cut."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from alembic_cql.ranges import HIGHEST, LOWEST, cut_ring, estimate_partitions

TOKENS = st.lists(st.integers(LOWEST + 1, HIGHEST - 1), max_size=6)


@settings(max_examples=25, deadline=None)
@given(TOKENS, st.integers(0, 10**9), st.integers(10**5, 10**6), st.integers(1, 64))
def test_the_ranges_are_the_ring_and_cross_no_token(tokens: list[int], rows: int, most: int, least: int) -> None:
    estimates = [(LOWEST, LOWEST, rows)] if rows else []
    cut = list(cut_ring(tokens, estimates, most, least))
    assert cut[0][0] == LOWEST
    assert cut[-1][1] == HIGHEST
    assert all(begin < end for begin, end in cut)
    assert [end for _, end in cut[:-1]] == [begin for begin, _ in cut[1:]]
    assert set(tokens) <= {end for _, end in cut}
    assert len(cut) <= 2**16 + 7


def test_as_many_ranges_as_the_estimates_ask_for() -> None:
    half = [(LOWEST, 0, 500_000)]  # one node's part of the ring; the other's is taken for alike
    assert estimate_partitions(half) == 1_000_000
    assert len(list(cut_ring([0], half, 10_000))) == 100
    assert len(list(cut_ring([0], [], 10_000))) == 32
    assert len(list(cut_ring([], [(5, 5, 10)], 10_000, 16))) == 16
    skewed = [(LOWEST, 0, 900_000), (0, LOWEST, 100_000)]
    cut = list(cut_ring([0], [*skewed[:1], (0, HIGHEST, 100_000)], 10_000))
    assert (sum(end <= 0 for _, end in cut), len(cut)) == (90, 100)
