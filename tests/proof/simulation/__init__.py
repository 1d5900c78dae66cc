"""The deciding core under random plans, outcomes, schedules and crashes; no asyncio, no I/O."""
