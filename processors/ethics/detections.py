"""Counts detections by group: faces that are there, and faces that were missed."""

import numpy as np

from modeltrail.processors.ethics.counting import FN, TP, OutcomeTable
from modeltrail.processors.ethics.labels import numbers
from modeltrail.processors.ethics.tallying import Rows, Tally
from modeltrail.schemas.assessment_settings import DetectionColumns

_MOST_FACES = 1_000


def add_detections(
    columns: DetectionColumns, rows: Rows, table: OutcomeTable, tally: Tally
) -> None:
    """Count the faces of rows whose numbers are counts: whole, and no more missed than there."""
    missed = numbers(rows.columns[columns.missed])
    faces = numbers(rows.columns[columns.faces]) if columns.faces else np.ones(len(missed))
    sane = rows.labelled & (missed >= 0) & (missed <= faces) & (faces <= _MOST_FACES)
    sane &= (missed == np.floor(missed)) & (faces == np.floor(faces))
    tally.leave_out(
        "faces or missed is missing, or is no count", int(np.sum(rows.labelled & ~sane))
    )
    tally.judged += int(sane.sum())
    lost, there = missed[sane].astype(np.int64), faces[sane].astype(np.int64)
    for cell, weights in ((FN, lost), (TP, there - lost)):
        table.add(rows.groups[sane], np.full(len(lost), cell), weights, rows.lots_of(sane))
