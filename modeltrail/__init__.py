"""The public names of modeltrail: what a training job or an inference node imports."""
