"""The proofs: what contract.md promises, tried under schedules, crashes and kills that nobody would think of."""
