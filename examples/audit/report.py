"""What the audit says: one line for the terminal, and a page of Markdown."""

import os
import platform
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inventory import UNKNOWN, Clash, Measured, Shared, utf8

SHOWN = 20  # of a list that may be very long


@dataclass(frozen=True)
class Findings:
    measured: list[Measured]
    shared: list[Shared]
    clashes: list[Clash]
    vendored: list[str] | None  # None: pip could not be asked


def summary(findings: Findings) -> str:
    files = sum(dist.files for dist in findings.measured)
    size = sum(dist.size for dist in findings.measured)
    return (
        f"{plural(len(findings.measured), 'distribution')}, {plural(files, 'file')}, {human_size(size)}; "
        f"{shared_line(findings.shared)}"
    )


def shared_line(shared: Sequence[Shared]) -> str:
    if not shared:
        return "no module is provided twice"
    often = "twice" if all(len(module.owners) == 2 for module in shared) else "more than once"
    return f"{plural(len(shared), 'module')} {'is' if len(shared) == 1 else 'are'} provided {often}"


def markdown(findings: Findings, chart: str) -> str:
    """The page. It has no date and is in a fixed order, so that the same environment gives the same page."""
    measured = findings.measured
    lines = sum(dist.lines for dist in measured)
    return "\n\n".join(
        [
            "# Audit of a Python environment",
            f"**{summary(findings)}.** {plural(lines, 'line')} of Python, for {platform.python_implementation()} "
            f"{platform.python_version()} on {platform.system()} in {code(sys.prefix)}.",
            f"![Size on disk by distribution]({chart})",
            *shared_section(findings),
            *findings_section(measured),
            *licences_section(measured),
            *vendored_section(findings.vendored),
            *all_section(measured),
            "",
        ]
    )


def shared_section(findings: Findings) -> list[str]:
    if not findings.shared:
        return ["## Modules provided more than once", "None."]
    page = [
        "## Modules provided more than once",
        table(["module", "distributions"], ([code(item.module), listing(item.owners)] for item in findings.shared)),
    ]
    if findings.clashes:
        page += [
            f"{plural(len(findings.clashes), 'file')} written by more than one of them; on disk is the version of:",
            table(
                ["file", "written by", "on disk"],
                (
                    [code(clash.file), listing(clash.owners), listing(clash.matches) or "none of them"]
                    for clash in findings.clashes[:SHOWN]
                ),
            ),
        ]
        if len(findings.clashes) > SHOWN:
            page.append(f"… and {len(findings.clashes) - SHOWN:,} more.")
    return page


def findings_section(measured: Sequence[Measured]) -> list[str]:
    checks = {
        "Hide another distribution of their name": [
            f"{cell(dist.name)} {cell(dist.version)} hides {', '.join(map(code, dist.also_in))}"
            for dist in measured
            if dist.also_in
        ],
        "Require what is not installed": [
            f"{cell(dist.name)} requires {listing(dist.unmet)}" for dist in measured if dist.unmet
        ],
        "List files that cannot be read": [
            f"{cell(dist.name)}: {dist.missing:,} of {dist.missing + dist.files:,}" for dist in measured if dist.missing
        ],
        "Have no list of files (theirs were looked for by name)": [
            cell(dist.name) for dist in measured if not dist.listed
        ],
        "Are editable (their source is elsewhere and not measured)": [
            cell(dist.name) for dist in measured if dist.editable
        ],
        "Name no licence": [cell(dist.name) for dist in measured if dist.licence == UNKNOWN],
    }
    found = [f"- **{title}:** {first_of(items)}." for title, items in checks.items() if items]
    return ["## Distributions that…", "\n".join(found) or "Nothing out of order."]


def licences_section(measured: Sequence[Measured]) -> list[str]:
    counts = Counter(dist.licence for dist in measured)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].lower()))
    rows = ([cell(licence), f"{count:,}"] for licence, count in ranked)
    return ["## Licences", table(["licence", "distributions"], rows, numbers=1)]


def vendored_section(vendored: Sequence[str] | None) -> list[str]:
    if vendored is None:
        text = "pip is not installed here, or does not say what it carries."
    else:
        count = plural(len(vendored), "library", "libraries")
        text = f"{count} that no list of distributions shows: {listing(vendored)}."
    return ["## Inside pip", text]


def all_section(measured: Sequence[Measured]) -> list[str]:
    rows = (
        [
            cell(dist.name),
            cell(dist.version),
            cell(dist.licence),
            f"{len(dist.requires):,}",
            f"{dist.files:,}",
            f"{dist.lines:,}",
            human_size(dist.size),
        ]
        for dist in measured
    )
    heads = ["distribution", "version", "licence", "requires", "files", "lines of Python", "size"]
    return ["## All distributions", table(heads, rows, numbers=4)]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A Markdown table; its last `numbers` columns are aligned to the right."""
    rules = ["---"] * (len(heads) - numbers) + ["---:"] * numbers
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, rules, *rows])


def cell(text: str) -> str:
    """Text from metadata that anybody wrote, on one line and without a meaning in Markdown or HTML."""
    line = " ".join(utf8(text).split())
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """The same as code. Even there a bar ends the cell of a table unless it has a backslash."""
    return "`" + " ".join(utf8(text).split()).replace("`", "'").replace("|", "\\|") + "`"


def listing(names: Iterable[str]) -> str:
    return ", ".join(map(cell, names))


def first_of(items: Sequence[str]) -> str:
    rest = len(items) - SHOWN
    return "; ".join(items[:SHOWN]) + (f"; and {rest:,} more" if rest > 0 else "")


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def human_size(size: float) -> str:
    """In decimal units, as file managers show it: 999 B, 1.5 kB, 61.3 MB."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:,.1f} TB"


def write_atomically(path: Path, text: str) -> None:
    """Who reads `path` sees the old text or the new one, never half of it, whenever the power fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
