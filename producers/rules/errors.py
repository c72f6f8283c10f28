"""Says why rules cannot be set; every message names the next step."""

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.rule_problems import told


class BadRules(InvalidFact):
    """Rules with a problem: nothing was appended; `problems` has each as (rule, what to do)."""

    def __init__(self, model_id: str, problems: tuple[tuple[str, str], ...]) -> None:
        self.model_id = model_id
        self.problems = problems
        super().__init__(f"rules of {model_id!r:.80} were not set: {told(problems)}")
