"""What crosses a fork, and what does not."""

import os
import threading

from modeltrail.producers.per_process import ForkGate, PerProcess


def exit_code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_value_is_made_once() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    value = PerProcess(make)

    assert value.made is None
    assert value.get() is value.get() is value.made
    assert len(made) == 1


def test_a_value_that_was_taken_is_made_again() -> None:
    value = PerProcess(object)
    first = value.get()

    assert value.take() is first
    assert value.take() is None
    assert value.get() is not first


def test_a_child_forgets_what_it_inherited_and_makes_its_own() -> None:
    forgotten: list[object] = []
    value = PerProcess(object, forget=forgotten.append)
    inherited = value.get()

    child = os.fork()
    if child == 0:
        own = value.get()
        os._exit(0 if forgotten == [inherited] and own is not inherited else 1)

    assert exit_code_of(child) == 0
    assert forgotten == []
    assert value.get() is inherited


def test_a_fork_waits_for_the_thread_behind_the_gate() -> None:
    # Given a thread behind the gate that holds a lock which a child would need
    gate = ForkGate()
    needed = threading.Lock()
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with gate, needed, gate:
            inside.set()
            leave.wait(0.2)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()

    # When the process forks meanwhile
    child = os.fork()
    if child == 0:
        os._exit(0 if needed.acquire(blocking=False) else 1)

    # Then the child finds the lock free, and the gate works on in both
    assert exit_code_of(child) == 0
    thread.join()
    with gate:
        pass


def test_a_fork_does_not_wait_for_ever() -> None:
    gate = ForkGate()
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with gate:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()

    child = os.fork()
    if child == 0:
        with gate:
            os._exit(0)

    assert exit_code_of(child) == 0
    leave.set()
    thread.join()
