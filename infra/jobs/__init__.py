"""Plain workers: take requests from a topic, do each once, publish the answers."""

from modeltrail.infra.jobs.desk import Desk, Job
from modeltrail.infra.jobs.worker import run_jobs

__all__ = ["Desk", "Job", "run_jobs"]
