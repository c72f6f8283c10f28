"""Gathers what tells how private the people in the data are, and reports it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.anonymity import Combinations
from modeltrail.processors.ethics.counting import LOTS
from modeltrail.processors.ethics.identity import Similarities
from modeltrail.processors.ethics.labels import hashes_of, numbers
from modeltrail.processors.ethics.membership import Units, membership_report
from modeltrail.processors.ethics.tallying import Rows
from modeltrail.schemas.assessment_settings import PrivacyColumns


class Privacy:
    """Quasi-identifiers, losses of members, and similarities of masked faces."""

    def __init__(
        self, columns: PrivacyColumns, cuts: Mapping[str, Sequence[float]], *, by_unit: bool
    ) -> None:
        """Prepare.

        Args:
            columns: which hold what.
            cuts: edges of quasi-identifiers that are numbers.
            by_unit: whether rows of a unit depend on each other.
        """
        self._columns = columns
        self._cuts = cuts
        self._by_unit = by_unit
        self._combinations = Combinations()
        self._similarities = Similarities(columns.cutoff, LOTS if by_unit else 1)
        self._signals: list[npt.NDArray[np.float64]] = []
        self._members: list[npt.NDArray[np.bool_]] = []
        self._lots: list[npt.NDArray[np.int16]] = []
        self._rows = 0
        self._without = {"membership": 0, "identity": 0}

    def add(self, rows: Rows) -> None:
        """Take the next rows; whether they have group labels does not matter here."""
        columns = self._columns
        self._rows += len(rows.groups)
        if columns.quasi_identifiers:
            self._combinations.add(
                [
                    hashes_of(rows.columns[name], self._cuts.get(name, ()))
                    for name in columns.quasi_identifiers
                ]
            )
        if columns.similarity:
            values = numbers(rows.columns[columns.similarity])
            there = np.isfinite(values)
            self._without["identity"] += int(np.sum(~there))
            self._similarities.add(values[there], rows.lots_of(there) if self._by_unit else None)
        if columns.member:
            signal = numbers(rows.columns[columns.confidence or columns.loss])
            member = numbers(rows.columns[columns.member])
            there = np.isfinite(signal) & np.isfinite(member)
            self._without["membership"] += int(np.sum(~there))
            self._signals.append(signal[there] if columns.confidence else -signal[there])
            self._members.append(member[there] != 0)
            if self._by_unit and (lots := rows.lots_of(there)) is not None:
                self._lots.append(lots.astype(np.int16))

    def report(self, confidence: float) -> tuple[dict[str, Any], list[str]]:
        """The figures, and what could not be judged."""
        report: dict[str, Any] = {}
        not_judged = [
            f"privacy.{part}: {rows:,} of {self._rows:,} rows, as a number is missing"
            for part, rows in sorted(self._without.items())
            if rows
        ]
        if anonymity := self._combinations.report():
            report["anonymity"] = anonymity
        else:
            not_judged.append("privacy.anonymity: the settings name no quasi-identifiers")
        if self._signals:
            signals, members = np.concatenate(self._signals), np.concatenate(self._members)
            lots = np.concatenate(self._lots) if self._lots else None
            units = None if lots is None else Units(lots[members], lots[~members])
            found, problems = membership_report(
                signals[members], signals[~members], confidence, units
            )
            not_judged += problems
            if found:
                report["membership"] = found
        else:
            not_judged.append("privacy.membership: no column tells who was trained on")
        if identity := self._similarities.report(confidence):
            report["identity"] = identity
        else:
            not_judged.append("privacy.identity: no similarities of masked faces are given")
        return report, not_judged
