"""Answers which groups there are: by each sensitive attribute, and where these intersect."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from modeltrail.processors.ethics.labels import Labels

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """One way to part rows into groups.

    Attributes:
        name: of the attribute; several are joined.
        groups: name of each group, ranges in rising order, labels in that of the alphabet.
        members: of each group the places in the counts that belong to it.
    """

    name: str
    groups: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]

    def without(self, empty: Set[int]) -> "Partition":
        """The partition without groups whose places are all among `empty`."""
        kept = [place for place, members in enumerate(self.members) if not set(members) <= empty]
        return Partition(
            self.name,
            tuple(self.groups[place] for place in kept),
            tuple(self.members[place] for place in kept),
        )


def order_of(attributes: Mapping[str, Labels], keys: Sequence[Key]) -> list[int]:
    """The places of groups in the order of their labels, not in that of the rows.

    Chance is drawn in this order, so that the same rows in another order give the same report.
    """
    labels = list(attributes.values())
    return sorted(
        range(len(keys)),
        key=lambda place: [
            _order(each, code) for each, code in zip(labels, keys[place], strict=True)
        ],
    )


def partitions_of(attributes: Mapping[str, Labels], keys: Sequence[Key]) -> list[Partition]:
    """By each attribute, and by all of them where there are several.

    Args:
        attributes: the labels of each.
        keys: of each place in the counts the codes of its labels, in the order of labels.
    """
    parts = [
        _by_one(name, labels, [key[place] for key in keys])
        for place, (name, labels) in enumerate(attributes.items())
    ]
    return [*parts, _by_all(attributes, keys)] if len(parts) > 1 else parts


def _by_one(name: str, labels: Labels, codes: Sequence[int]) -> Partition:
    members: dict[int, list[int]] = {}
    for place, code in enumerate(codes):
        members.setdefault(code, []).append(place)
    ordered = sorted(members, key=lambda code: _order(labels, code))
    return Partition(
        name,
        tuple(labels.names[code] for code in ordered),
        tuple(tuple(members[code]) for code in ordered),
    )


def _by_all(attributes: Mapping[str, Labels], keys: Sequence[Key]) -> Partition:
    labels = list(attributes.values())
    groups = tuple(
        ", ".join(each.names[code] for each, code in zip(labels, key, strict=True)) for key in keys
    )
    return Partition(
        " and ".join(attributes), groups, tuple((place,) for place in range(len(keys)))
    )


def _order(labels: Labels, code: int) -> tuple[int, str]:
    return (code, "") if labels.are_ranges else (0, labels.names[code])
