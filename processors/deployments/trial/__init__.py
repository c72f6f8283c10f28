"""Answers what a comparison of sessions under real traffic shows, however often it is looked at."""
