"""Documents out of the log: cards of models and reports of experiments, every number cited."""
