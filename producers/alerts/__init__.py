"""Alerts as people see to them: what is open, who looks after it, what is silenced."""

from modeltrail.producers.alerts.client import AlertDesk
from modeltrail.producers.alerts.fold import AlertView, OpenAlert

__all__ = ["AlertDesk", "AlertView", "OpenAlert"]
