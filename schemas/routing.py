"""Answers which arm a session belongs to: from salt and session alone, the same on every node."""

import hashlib

from modeltrail.schemas.events import RoutedArm, RoutingSet

#: Shares are counted in 1/10000 of the sessions.
WHOLE = 10_000
CHAMPION = "champion"
CANDIDATE = "candidate"
_BUCKET_BYTES = 8


def bucket_of(salt: str, session_id: str) -> int:
    """The session's bucket, 0 to 9999; sessions are spread evenly, under each salt anew."""
    digest = hashlib.sha256(f"{salt}\x1f{session_id}".encode()).digest()
    return int.from_bytes(digest[:_BUCKET_BYTES], "big") % WHOLE


def arm_of(routing: RoutingSet, session_id: str) -> RoutedArm | None:
    """The arm that serves a session; None: the routing gives it to nobody.

    The candidate owns the buckets from 0 up to its share and the champion the rest, so that a
    larger share under the same salt only ever moves sessions from the champion to the candidate.
    """
    bucket = bucket_of(routing.salt, session_id)
    end = 0
    # Stable: the champion comes last, wherever it stands.
    for arm in sorted(routing.arms, key=lambda each: each.arm == CHAMPION):
        end += arm.share
        if bucket < end:
            return arm
    return None
