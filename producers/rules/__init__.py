"""Rules as people and tools set them: thresholds and drift policies, checked before they go out."""

from modeltrail.producers.rules.client import RulesClient
from modeltrail.producers.rules.errors import BadRules
from modeltrail.producers.rules.view import RulesView

__all__ = ["BadRules", "RulesClient", "RulesView"]
