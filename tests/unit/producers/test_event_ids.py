"""Ids from a stock are as good as those made one by one: nobody gets one twice."""

import os
import threading

from modeltrail.producers.experiments.event_ids import EventIds

MANY = 2000


def test_threads_that_share_a_stock_never_get_the_same_id() -> None:
    ids = EventIds()
    taken: list[bytes] = []

    def take() -> None:
        taken.extend([ids.take() for _ in range(MANY)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(taken)) == len(taken) == 4 * MANY
    assert {len(each) for each in taken} == {16}


def test_a_forked_child_gets_none_of_the_ids_that_its_parent_has_in_stock() -> None:
    # given a parent with ids in stock
    ids = EventIds()
    ids.take()
    read_end, write_end = os.pipe()

    # when a child takes some, and the parent as many
    child = os.fork()
    if child == 0:
        os.write(write_end, b"".join(ids.take() for _ in range(100)))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        drawn = pipe.read()
    childs = {drawn[at : at + 16] for at in range(0, len(drawn), 16)}
    parents = {ids.take() for _ in range(100)}

    # then they share none
    assert len(childs) == 100
    assert not childs & parents
