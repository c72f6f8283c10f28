"""Inference nodes: measuring frames and sending the measurements."""
