"""Notices on their way out: whom they go to over which channel, when, and what became of each attempt.

Nothing here commits: ``jobs.notices`` does, once before anything is sent and once after.
"""
