"""Sums a trial up: the value of each session that counted, and how many sessions began.

Values are kept, not sums: a trial can then be judged years later by another method or for another
margin, and sums in another order would not be the same numbers. What is kept is a set, so facts may
come twice and in any order: of a session in an arm the earliest value, of all sessions the earliest
ones up to a bound, of each partition the newest count. The interval is the one of all pairs there
are, whatever the looks before were: that it holds at every look makes the last one valid as well,
so judging the evidence again gives what was decided on it.

Evidence holds the sessions in pairs, in the order in which the pairs became complete; the others of
the larger arm are counted only. So its size follows the smaller arm and stays well below that of a
Kafka message.
"""

import hashlib
from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from modeltrail.processors.deployments.evidence import EvidenceUnreadable, optional_number
from modeltrail.processors.deployments.trial.pairing import Counted, Pair, pairs_of
from modeltrail.schemas.events import SessionsMeasured, SessionValue
from modeltrail.schemas.routing import CANDIDATE, CHAMPION
from modeltrail.schemas.sketch import RANGE_LIMIT

#: Of both arms together: at a share of 5 % a thousand of the candidate.
MOST_SESSIONS = 20_000
_MOST_BYTES = 600_000
_BYTES_A_SESSION, _BYTES_A_VALUE = 50, 25
#: Session ids may have a thousand characters; this much of their SHA-256 tells them apart.
_DIGITS = 16


class Begun(NamedTuple):
    """Sessions that began, of each arm, in one partition of the measurements up to an offset."""

    through_offset: int
    champion: int
    candidate: int


class Sessions(NamedTuple):
    """How many sessions of each arm."""

    champion: int
    candidate: int


_NONE = Sessions(0, 0)


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """What is known of a trial.

    Attributes:
        metrics: their names, in the order of `Counted.means`; none: those of the first fact.
        champion: its sessions in the order of time.
        candidate: its sessions in the order of time.
        begun: by partition of the measurements.
        left_out: sessions that counted and are not there, since evidence has those in pairs only.
    """

    metrics: tuple[str, ...] = ()
    champion: tuple[Counted, ...] = ()
    candidate: tuple[Counted, ...] = ()
    begun: tuple[tuple[int, Begun], ...] = ()
    left_out: Sessions = _NONE

    def absorb(self, fact: SessionsMeasured) -> "TrialSummary":
        """The same with what a fact of this trial says; a fact that is known changes nothing."""
        metrics = self.metrics or fact.metrics
        begun = dict(self.begun)
        newest = Begun(fact.through_offset, fact.champion_started, fact.candidate_started)
        known = begun.get(fact.inference_partition)
        begun[fact.inference_partition] = newest if known is None else max(known, newest)
        champion, candidate = _earliest(
            _merged(self.champion, metrics, fact, CHAMPION),
            _merged(self.candidate, metrics, fact, CANDIDATE),
        )
        return replace(
            self,
            metrics=metrics,
            champion=champion,
            candidate=candidate,
            begun=tuple(sorted(begun.items())),
        )

    def pairs(self) -> list[Pair]:
        """Pairs of sessions in the order in which they became complete, at most `most_pairs`."""
        return pairs_of(self.champion, self.candidate)[: most_pairs(len(self.metrics))]

    def counted(self) -> Sessions:
        """Sessions that measured enough frames."""
        more = self.left_out
        return Sessions(len(self.champion) + more.champion, len(self.candidate) + more.candidate)

    def sessions_begun(self) -> Sessions:
        """Sessions that began, for the test of the sample ratio."""
        return Sessions(
            sum(counts.champion for _, counts in self.begun),
            sum(counts.candidate for _, counts in self.begun),
        )

    def evidence(self) -> dict[str, object]:
        """What can be judged again, as JSON values; `summary_of` reads it."""
        return {
            "metrics": list(self.metrics),
            "pairs": [
                [[at, session, list(means)] for at, session, means in pair] for pair in self.pairs()
            ],
            "counted": list(self.counted()),
            "begun": [[partition, *counts] for partition, counts in self.begun],
        }


def most_pairs(metrics: int) -> int:
    """How many pairs of sessions are kept at most, with so many metrics."""
    return _MOST_BYTES // (2 * (_BYTES_A_SESSION + _BYTES_A_VALUE * metrics))


def summary_of(evidence: Mapping[str, Any] | None) -> TrialSummary:
    """The summary that `TrialSummary.evidence` gave; None: of a step without a trial.

    It is judged as the one that it came from.

    Raises:
        EvidenceUnreadable: it is none.
    """
    if evidence is None:
        return TrialSummary()
    try:
        metrics = tuple(str(name) for name in evidence["metrics"])
        pairs = [Pair(*(_read(row, len(metrics)) for row in pair)) for pair in evidence["pairs"]]
        champion, candidate = (int(count) for count in evidence["counted"])
        return TrialSummary(
            metrics,
            tuple(sorted((pair.champion for pair in pairs), key=_key)),
            tuple(sorted((pair.candidate for pair in pairs), key=_key)),
            tuple(
                (int(partition), Begun(int(through), int(mine), int(other)))
                for partition, through, mine, other in evidence["begun"]
            ),
            Sessions(champion - len(pairs), candidate - len(pairs)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceUnreadable(f"the evidence of the trial cannot be read: {error!r}") from error


def _read(row: Any, metrics: int) -> Counted:
    at, session, means = row
    if len(means) != metrics:
        raise ValueError("a session has another number of means than there are metrics")
    return Counted(int(at), str(session), tuple(map(_mean, means)))


def _merged(
    known: tuple[Counted, ...], metrics: tuple[str, ...], fact: SessionsMeasured, arm: str
) -> tuple[Counted, ...]:
    """The earliest value of each session of an arm, in order."""
    places = [fact.metrics.index(name) if name in fact.metrics else -1 for name in metrics]
    found = [_counted(value, places) for value in fact.sessions if value.arm == arm]
    if not found:
        return known
    by_session = {counted.session: counted for counted in known}
    merged = list(known)
    for counted in found:
        before = by_session.get(counted.session)
        if before is not None:
            if _key(before) <= _key(counted):
                continue
            merged.remove(before)
        by_session[counted.session] = counted
        insort(merged, counted, key=_key)
    return tuple(merged)


def _counted(value: SessionValue, places: Iterable[int]) -> Counted:
    digest = hashlib.sha256(value.session_id.encode()).hexdigest()[:_DIGITS]
    means = tuple(_mean(value.means[place]) if place >= 0 else None for place in places)
    return Counted(value.last_captured_at, digest, means)


def _mean(value: Any) -> float | None:
    """A session's mean within what windows take; a candidate that diverges stays in its trial."""
    mean = optional_number(value)
    return None if mean is None else min(max(mean, -RANGE_LIMIT), RANGE_LIMIT)


def _earliest(
    champion: tuple[Counted, ...], candidate: tuple[Counted, ...]
) -> tuple[tuple[Counted, ...], tuple[Counted, ...]]:
    """The earliest sessions of both arms together, as many as are kept."""
    mine, other = len(champion), len(candidate)
    while mine + other > MOST_SESSIONS:
        if not other or (mine and _key(champion[mine - 1]) > _key(candidate[other - 1])):
            mine -= 1
        else:
            other -= 1
    return champion[:mine], candidate[:other]


def _key(counted: Counted) -> tuple[int, str, str]:
    """What orders sessions; the means as text, since one that is missing has no order."""
    return counted.at_us, counted.session, str(counted.means)
