"""Names of test cases that are the same in each process: a set has another order in each."""


def same_everywhere(value: object) -> str:
    """The value as text; what hangs on hashes is named by its class alone."""
    text = str(value)
    return type(value).__name__ if "{" in text or " at 0x" in text else text
