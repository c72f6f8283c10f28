"""Checks the file of a version in a process that it cannot hurt, and tells what was found."""
