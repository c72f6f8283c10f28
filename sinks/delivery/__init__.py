"""Delivers alerts to where people look: Alertmanager and webhooks."""

from modeltrail.sinks.delivery.run import run_delivery

__all__ = ["run_delivery"]
