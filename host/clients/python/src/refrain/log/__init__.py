"""Logs as exports have them: lines, kinds of events, hashed bytes, the chain."""
