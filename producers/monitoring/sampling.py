"""Answers which frames are measured: the same for everyone who knows the session and the rate.

Source of the mixing function: SplitMix64's finaliser (Steele, Lea, Flood: Fast splittable
pseudorandom number generators, OOPSLA 2014).
"""

import hashlib

_MASK = 2**64 - 1


def session_seed(session_id: str) -> int:
    """A 64-bit number that stands for the session."""
    return int.from_bytes(hashlib.blake2b(session_id.encode(), digest_size=8).digest(), "little")


def is_sampled(seed: int, frame: int, rate: float) -> bool:
    """Whether this frame is among the share `rate` (0 to 1) of its session."""
    mixed = (seed + frame * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
    return (mixed ^ mixed >> 31) < rate * 2**64
