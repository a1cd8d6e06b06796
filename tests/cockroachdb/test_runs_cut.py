"""Connections that are cut around a statement or a commit, servers that restart, nodes that go: the run goes on.

``CUTS=all`` tries every statement of a revision of twenty each way; a few of a shorter one else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.cockroachdb.disturbed import DOWNGRADE, SHORT, UPGRADE, LockedProject, write_revisions
from tests.servers.cockroach import CockroachCluster, CockroachNode
from tests.servers.fixtures import CockroachDatabase
from tests.servers.proxy import MOMENTS, Proxy

_ALL = os.environ.get("CUTS") == "all"
_WAYS = (UPGRADE, DOWNGRADE) if _ALL else SHORT
# Behind each change of data there is a COMMIT; the last one is that of the heads.
_COMMITS = [sum(each.split()[0] in ("INSERT", "UPDATE", "DELETE") for each in way) + 1 for way in _WAYS]


def through(proxy: Proxy, url: str) -> str:
    """Give a URL that goes by a proxy."""
    return make_url(url).set(host=proxy.host, port=proxy.port).render_as_string(hide_password=False)


def _cuts(way: int) -> Iterator[tuple[str, str, int]]:
    """Give what is cut in an upgrade (0) or downgrade (1): text, moment, count."""
    if _ALL:
        for moment in MOMENTS:
            yield from ((text, moment, 1) for text in _WAYS[way])
            yield from (("COMMIT", moment, count) for count in range(1, _COMMITS[way] + 1))
    elif way == 0:
        yield 'CREATE TABLE "T two" (', "sent", 1
        yield "ADD COLUMN extra", "answered", 1
        yield "COMMIT", "answered", 2
        yield "INTO alembic_cluster_journal", "answered", 3
    else:
        yield "DROP COLUMN extra", "before", 1
        yield "COMMIT", "before", 1
        yield "SHOW CREATE TABLE acc", "sent", 1
        yield "COMMIT", "sent", _COMMITS[1]


@pytest.mark.timeout(4 * 3600 if _ALL else 300)
def test_connection_cut(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    database = make_url(cockroach_database.url)
    assert database.host is not None
    assert database.port is not None
    with Proxy((database.host, database.port)) as proxy:
        project = LockedProject(tmp_path, through(proxy, cockroach_database.url))
        write_revisions(project, _WAYS)
        project.upgrade("r0")
        low = project.state()
        project.upgrade("r1")
        high = project.state()
        project.downgrade("r0")
        assert project.state() == low
        cuts = [list(_cuts(way)) for way in (0, 1)]
        for up, down in zip(*cuts, strict=True):
            for cut, wanted in ((up, high), (down, low)):
                made = proxy.cut(*cut)
                if wanted is high:
                    project.upgrade("r1")
                else:
                    project.downgrade("r0")
                assert made.done.is_set(), cut
                assert project.state() == wanted, cut


@pytest.mark.skipif(not os.environ.get("NODES"), reason="NODES=1: takes half a minute")
def test_node_restarted_and_node_gone(three_cockroach_nodes: CockroachCluster, tmp_path: Path) -> None:
    """Behind a proxy, as a load balancer is one: a node restarts in the middle of a run, and in another it goes."""
    cluster = three_cockroach_nodes
    name = cluster.create_database()
    nodes = [node for node in cluster.nodes if isinstance(node, CockroachNode)]
    with Proxy((nodes[0].host, nodes[0].port)) as first, Proxy(*((node.host, node.port) for node in nodes)) as any_of:
        # What a dead node has led is led by another some ten seconds later, which would be too long for a short lease.
        project = LockedProject(tmp_path, through(first, cluster.url(name)), ttl=120)
        write_revisions(project)
        project.upgrade("r0")
        low = project.state()

        def restart() -> None:
            nodes[0].kill()
            nodes[0].start(wait=False)

        restarted = first.cut("ADD COLUMN extra", "sent", 1, restart)
        project.upgrade("r1")
        assert restarted.done.is_set()
        cluster.heal()
        project.edit("alembic.ini", rf":{first.port}/", f":{any_of.port}/")
        project.url = through(any_of, cluster.url(name))
        # With the last commit, which is that of the heads: a schema change of an old server waits for five minutes when
        # a node that is gone has leased its table.
        gone = any_of.cut("COMMIT", "sent", _COMMITS[1], nodes[0].kill)
        project.downgrade("r0")
        assert gone.done.is_set()
        assert project.state() == low
