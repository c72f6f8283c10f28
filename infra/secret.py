"""Holds a password so that it cannot be shown by accident."""


class Secret:
    """A string that shows as `***` however it is printed; `reveal` gives it in clear."""

    # No str and no dataclass: joining, JSON and `asdict` would have it in clear.
    __slots__ = ("_clear",)

    def __init__(self, clear: str) -> None:
        self._clear = clear

    def __repr__(self) -> str:
        return "'***'" if self._clear else "''"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._clear == self._clear

    def __hash__(self) -> int:
        return hash(self._clear)

    def reveal(self) -> str:
        """The secret in clear, for the one call that authenticates with it."""
        return self._clear
