"""However a worker dies, restarts or hears things twice, deployments end the same."""

from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from modeltrail.processors.deployments.partition import DeploymentsPartition
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentSucceeded,
    Fact,
    RoutingSet,
    Severity,
    StepCompleted,
    StepStarted,
)
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.routing import WHOLE
from modeltrail.schemas.topics import DEPLOYMENTS, REGISTRY, ROUTING, WORK
from tests.deployment_world import QUICK, World, erased, reported

POLICIES = (
    QUICK,
    f"{QUICK}\nstaging: {{minimum_nodes: 1, deadline_s: 4}}",
    "production: {shares_percent: [5, 50, 100], hold_s: 1, deadline_s: 9, watch_s: 3, alias: live}",
    "production: {hold_s: 1, deadline_s: 3, minimum_sessions: 2}",
    f"data_quality: {{}}\n{QUICK}",
    f"ab_test: {{deadline_s: 4, on_inconclusive: GO_ON}}\n{QUICK}",
    f"validation: {{deadline_s: 2}}\n{QUICK}",
)
VERSIONS = ("v1.0.0", "v2.0.0", "v2.0.0", "v3.0.0", "v9.9.9")
ENVIRONMENTS = ("production", "production", "production", "staging", "edge")
ENDS = (DeploymentSucceeded, DeploymentFailed, DeploymentCancelled, DeploymentRolledBack)

#: Of 5 s: all deployments of a script one after the other, each up to its deadlines.
MOST_ROUNDS = 400

Action = tuple[str, Any]
Script = list[Action]
Shares = list[tuple[str, int]]

BEGUN: Script = [("deploy", ("v1.0.0", QUICK, "production")), ("wait", 6.0)]
WAITING: Action = BEGUN[0]


def scripts() -> st.SearchStrategy[Script]:
    """What people, workers, nodes and alerts do, and how long nothing happens between."""
    version = st.sampled_from(VERSIONS)
    deploy = st.tuples(
        st.just("deploy"),
        st.tuples(version, st.sampled_from(POLICIES), st.sampled_from(ENVIRONMENTS)),
    )
    wait = st.tuples(st.just("wait"), st.sampled_from((0.5, 1.0, 2.0, 6.0, 20.0)))
    cancel = st.tuples(st.just("cancel"), st.sampled_from((0, 0, 0, 1, 9)))
    # None: the version that serves, and the newest one at that.
    alert = st.tuples(
        st.just("alert"), st.tuples(st.one_of(st.none(), version), st.sampled_from(Severity))
    )
    others = (
        st.tuples(st.just("roll_back"), st.one_of(st.none(), version)),
        st.tuples(st.just("report"), st.tuples(st.booleans(), version)),
        st.tuples(st.just("answering"), st.booleans()),
        st.tuples(st.just("slow"), st.booleans()),
        st.tuples(st.just("erase"), version),
    )
    actions = st.lists(
        st.one_of(deploy, deploy, deploy, wait, wait, cancel, alert, *others),
        min_size=2,
        max_size=16,
    )
    return st.one_of(actions, actions.map(lambda more: BEGUN + more))


def play(world: World, script: Script) -> None:
    """Do what a script says, and let everything come to its end."""
    for action in script:
        perform(world, action)
        world.settle()
    world.answering = True
    rounds = 0
    while not everything_ended(world):
        world.advance(5, 5)
        rounds += 1
        assert rounds < MOST_ROUNDS
    world.advance(10, 5)


def everything_ended(world: World) -> bool:
    """Whether every deployment that was asked for ended or was refused."""
    ended = {fact.deployment_id for kind in ENDS for fact in ends_of(world, kind)}
    refused = {fact.request_id for fact in world.facts(DeploymentRequestRefused)}
    return {fact.event_id for fact in world.facts(DeploymentRequested)} <= ended | refused


def perform(world: World, action: Action) -> None:
    """Do one thing."""
    match action:
        case ("deploy", (version, policy, environment)):
            world.deploy(version, policy, environment)
        case ("wait", seconds):
            world.advance(seconds)
        case ("cancel", number):
            asked = world.facts(DeploymentRequested)
            world.cancel(asked[-1 - number].event_id if number < len(asked) else EventId(b"?" * 16))
        case ("roll_back", version):
            world.roll_back(version)
        case ("alert", (version, severity)):
            serving = world.routing()[0][0] if world.routing() else "v1.0.0"
            world.alert(version or serving, severity)
        case ("report", (works, version)):
            world.append(reported("node", version if works else None, None if works else version))
        case ("answering", value):
            world.answering = value
        case ("slow", value):
            world.ratio = 1.5 if value else 1.0
        case ("erase", version):
            # A worker waits for all of the registry's facts of a millisecond before it judges.
            world.now_ms += 1
            world.append(erased(version))


class DyingWorld(World):
    """A worker that dies before or after anything that it does, and hears things twice."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        super().__init__()

    def tick(self) -> bool:
        if self._dies():
            self.worker.tick(self.now_us)
            self.restart(self._chance.randrange(5))
        done = super().tick()
        if self._dies():
            self.restart(self._chance.randrange(5))
        return done

    def deliver(self, most: int = 1_000_000) -> bool:
        if self._dies():
            self.restart(self._chance.randrange(5))
        if self._dies():
            self._says_again()
        return super().deliver(most)

    def _dies(self) -> bool:
        return self._chance.random() < 0.1

    def _says_again(self) -> None:
        records = self.log.records[DEPLOYMENTS]
        if records:
            # Only what the worker has seen: a producer repeats what was not acknowledged.
            self.append(self.log.facts(DEPLOYMENTS)[self._chance.randrange(len(records))])


def facts_by_id(world: World) -> dict[EventId, Fact]:
    """Every fact of the log that the worker may write; one that came twice says the same."""
    found: dict[EventId, Fact] = {}
    for topic in (DEPLOYMENTS, ROUTING, WORK, REGISTRY):
        for fact in world.log.facts(topic):
            assert found.setdefault(fact.event_id, fact) == fact
    return found


@settings(max_examples=60)
@given(scripts(), st.integers(0, 2**32))
@example([WAITING, WAITING, ("erase", "v1.0.0")], 0)
@example([*BEGUN, WAITING, ("deploy", ("v2.0.0", QUICK, "production")), ("erase", "v2.0.0")], 0)
def test_a_worker_that_dies_anywhere_leaves_the_log_of_one_that_never_died(
    script: Script, seed: int
) -> None:
    # given an undisturbed run
    undisturbed = World()
    play(undisturbed, script)
    # when the worker dies again and again and facts come twice
    disturbed = DyingWorld(Random(seed))
    play(disturbed, script)
    # then the log says the same, and so does the worker
    assert facts_by_id(disturbed) == facts_by_id(undisturbed)
    assert routings(disturbed.worker) == routings(undisturbed.worker)


@settings(max_examples=60)
@given(scripts())
def test_whatever_happens_the_state_of_traffic_is_sound(script: Script) -> None:
    world = World()
    play(world, script)
    assert_sound(world)


@settings(max_examples=40)
@given(scripts(), st.integers(0, 2**32))
@example([*BEGUN, ("alert", (None, Severity.CRITICAL)), ("roll_back", "v1.0.0")], 0)
def test_two_workers_on_one_log_agree_on_what_it_says(script: Script, seed: int) -> None:
    # given two workers that both take themselves for the owner, one of them far behind at times
    world = World()
    other = another_worker(world)
    chance = Random(seed)
    seen = [0]

    def act() -> None:
        records = world.log.records[DEPLOYMENTS]
        for record in records[seen[0] : seen[0] + chance.randrange(4)]:
            world.append(*other.absorb(record))
            seen[0] += 1
        world.append(*other.tick(world.now_us))

    for action in script:
        perform(world, action)
        for _ in range(chance.randrange(12)):
            chance.choice((act, world.tick, world.deliver, world.answer))()
    # when both have read all of it
    world.answering = True
    for _ in range(MOST_ROUNDS):
        world.advance(5, 5)
        act()
        if everything_ended(world) and seen[0] == len(world.log.records[DEPLOYMENTS]):
            break
    world.advance(10, 5)
    while seen[0] < len(world.log.records[DEPLOYMENTS]):
        act()
    # then the log is sound, and they see in it what a third one does that reads it now
    assert_sound(world)
    seen_now = routings(another_worker(world))
    assert routings(world.worker) == routings(other) == seen_now


def another_worker(world: World) -> DeploymentsPartition:
    """A worker that begins with the log as it is."""
    live = world.worker
    worker = DeploymentsPartition(0, live.codec, live.control, live.source)
    worker.replay()
    return worker


def routings(worker: DeploymentsPartition) -> set[RoutingSet]:
    """Who has the traffic, as a worker knows it."""
    return {fact for fact in worker.standing() if isinstance(fact, RoutingSet)}


def assert_sound(world: World) -> None:
    """Shares add up, one deployment runs at a time, and only a success or rollback changes who."""
    newest: dict[tuple[str, int], RoutingSet] = {}
    for routing in world.facts(RoutingSet):
        assert sum(arm.share for arm in routing.arms) in (0, WHOLE)
        assert all(arm.share > 0 for arm in routing.arms)
        newest[routing.environment, routing.revision] = routing
    for environment in {name for name, _ in newest}:
        numbers = sorted(number for name, number in newest if name == environment)
        assert numbers == list(range(1, len(numbers) + 1))
    assert_one_at_a_time(world)


def assert_one_at_a_time(world: World) -> None:
    """Follow the log: what contradicts an earlier fact does not count."""
    running: EventId | None = None
    ended: set[EventId] = set()
    step: tuple[int, bool] = (0, False)
    for fact in world.log.facts(DEPLOYMENTS):
        if isinstance(fact, StepStarted):
            if running is None and fact.number == 0 and fact.deployment_id not in ended:
                running, step = fact.deployment_id, (0, True)
            elif fact.deployment_id == running and step == (fact.number, False):
                step = (fact.number, True)
        elif isinstance(fact, StepCompleted) and fact.deployment_id == running:
            if step == (fact.number, True):
                step = (fact.number + 1, False)
        elif isinstance(fact, ENDS):
            ended.add(fact.deployment_id)
            if fact.deployment_id == running:
                running = None
    assert running is None


def ends_of(world: World, kind: Any) -> list[Any]:
    """Ends of a kind."""
    found: list[Any] = world.facts(kind)
    return found


@settings(max_examples=60)
@given(scripts())
def test_what_did_not_succeed_leaves_all_traffic_where_it_was(script: Script) -> None:
    world = WatchedWorld()
    play(world, script)
    began = {fact.deployment_id: fact for fact in world.facts(StepStarted) if fact.number == 0}
    for fact in (*ends_of(world, DeploymentFailed), *ends_of(world, DeploymentCancelled)):
        before, _ = world.around[began.get(fact.deployment_id, fact).event_id]
        _, after = world.around[fact.event_id]
        assert after == before


class WatchedWorld(World):
    """Notes who has the traffic of an environment before and after each fact about it."""

    def __init__(self) -> None:
        self.around: dict[EventId, tuple[Shares, Shares]] = {}
        super().__init__()

    def deliver(self, most: int = 1_000_000) -> bool:
        done = False
        while fact := self.undelivered():
            environment = getattr(fact, "environment", "production")
            before = self.routing(environment)
            super().deliver(1)
            self.around.setdefault(fact.event_id, (before, self.routing(environment)))
            done = True
        return done
