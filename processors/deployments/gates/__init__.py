"""Gates of a deployment, one a file: evidence and policy in, a judgement out, nothing else."""
