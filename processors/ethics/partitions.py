"""Answers which groups there are: by each sensitive attribute, and where these intersect."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations

from modeltrail.processors.ethics.labels import Labels

Key = tuple[int, ...]
#: A group takes 3 to 4 kB of a report, which is to stay well below a megabyte.
MOST_GROUPS_WITH_PAIRS = 150


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
    return sorted(range(len(keys)), key=lambda place: _rank(labels, keys[place]))


def partitions_of(attributes: Mapping[str, Labels], keys: Sequence[Key]) -> list[Partition]:
    """By each attribute, by all of them where there are several, and by each two of three or more.

    Pairs are left out where there would be more than `MOST_GROUPS_WITH_PAIRS` groups in all.

    Args:
        attributes: the labels of each.
        keys: of each place in the counts the codes of its labels, in the order of labels.
    """
    names = tuple(attributes)
    parts = [_by(attributes, (name,), keys) for name in names]
    if len(names) > 1:
        parts.append(_by(attributes, names, keys))
    if len(names) > 2:
        taken = {part.name for part in parts}
        pairs = [_by(attributes, pair, keys) for pair in combinations(names, 2)]
        pairs = [pair for pair in pairs if pair.name not in taken]
        if sum(len(part.groups) for part in (*parts, *pairs)) <= MOST_GROUPS_WITH_PAIRS:
            parts += pairs
    return parts


def lacks_pairs(attributes: int, partitions: Sequence[Partition]) -> bool:
    """Whether pairs of so many attributes were left out of their partitions."""
    return attributes > 2 and len(partitions) == attributes + 1


def _by(
    attributes: Mapping[str, Labels], chosen: tuple[str, ...], keys: Sequence[Key]
) -> Partition:
    columns = [place for place, name in enumerate(attributes) if name in chosen]
    labels = [attributes[name] for name in chosen]
    members: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        members.setdefault(tuple(key[column] for column in columns), []).append(place)
    ordered = sorted(members, key=lambda key: _rank(labels, key))
    return Partition(
        " and ".join(chosen),
        tuple(
            ", ".join(each.names[code] for each, code in zip(labels, key, strict=True))
            for key in ordered
        ),
        tuple(tuple(members[key]) for key in ordered),
    )


def _rank(labels: Sequence[Labels], key: Key) -> list[tuple[int, str]]:
    """What groups are ordered by: ranges rise, other labels are in the order of the alphabet."""
    return [
        (code, "") if each.are_ranges else (0, each.names[code])
        for each, code in zip(labels, key, strict=True)
    ]
