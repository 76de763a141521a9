"""Whether a run was worth it, and the alarms that go with it."""
