"""Travel through a log: what an execution was like behind any of its events, as its own
guest says."""
