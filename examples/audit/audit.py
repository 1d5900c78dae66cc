"""Audits the Python environment it runs in: what is installed, how big, under which licence, and what collides.

Run it with `stepwell run audit.py --out build/audit`.
"""

import sys
from dataclasses import replace
from importlib import metadata, resources
from pathlib import Path
from typing import Literal

import inventory
from chart import Bar, bar_chart
from inventory import Clash, Installed, Measured, Shared, normal
from report import Findings, human_size, markdown, summary, write_atomically

from stepwell import Pipeline

pipe = Pipeline("audit", description="Audit of the Python environment that this runs in")


# `limit` is no step's name, so it is an input of the run. It has a default, so it may be left out.
@pipe.step
def collect(limit: int | None = None) -> list[Installed]:
    """The installed distributions by name. Of two with one name Python uses the first on its path, and so does this."""
    if limit is not None and limit < 0:
        raise ValueError(f"limit must be at least 0, not {limit}: it is a number of distributions")
    found: dict[str, Installed] = {}
    for info in inventory.metadata_folders(sys.path):
        dist = inventory.read_installed(info)
        first = found.setdefault(normal(dist.name), dist)
        if first is not dist:
            found[normal(dist.name)] = replace(first, also_in=[*first.also_in, str(info)])
    return [found[name] for name in sorted(found)][:limit]


# Once per distribution, eight at a time; each is recorded by itself, so a run that was killed measures only the rest.
@pipe.map(over=collect, key=lambda item: item.name, concurrency=8, retry=2, timeout="60s")
def measure(item: Installed) -> Measured:
    """Reads every file of one distribution."""
    dist = metadata.Distribution.at(item.info)
    measures = [inventory.measure_file(item.info.parent / file) for file in item.files]
    present = [pair for pair in measures if pair]
    requires = inventory.requirements_of(dist)
    return Measured(
        name=item.name,
        version=item.version,
        licence=inventory.licence_of(dist),
        files=len(present),
        missing=len(measures) - len(present),
        lines=sum(lines for _, lines in present),
        size=sum(size for size, _ in present),
        modules=inventory.modules_of(item.info, item.files),
        requires=requires,
        unmet=inventory.unmet(requires),
        editable=inventory.is_editable(dist),
        listed=item.listed,
        also_in=item.also_in,
    )


# `measure` is a step's name, so this parameter is the list of its results, and this step waits for all of them.
@pipe.step
def shared(measure: list[Measured]) -> list[Shared]:
    """The top-level modules that more than one distribution provides."""
    owners: dict[str, list[str]] = {}
    for dist in measure:
        for module in dist.modules:
            owners.setdefault(module, []).append(dist.name)
    return [Shared(module, names) for module, names in sorted(owners.items()) if len(names) > 1]


def any_shared(shared: list[Shared]) -> bool:
    return bool(shared)


# Hashing files is slow, so it happens only if something is shared; else the step is skipped.
@pipe.step(when=any_shared)
def clashes(collect: list[Installed], shared: list[Shared]) -> list[Clash]:
    """The files that two distributions both wrote, and whose version of each is on disk: the last installed one's."""
    involved = {name for module in shared for name in module.owners}
    hashes = {dist.name: inventory.recorded_hashes(dist.info) for dist in collect if dist.name in involved}
    owners: dict[Path, list[str]] = {}
    for name, files in hashes.items():
        for path in files:
            if "__pycache__" not in path.parts:
                owners.setdefault(path, []).append(name)
    return [
        Clash(path.as_posix(), names, [name for name in names if inventory.has_hash(path, hashes[name][path])])
        for path, names in sorted(owners.items())
        if len(names) > 1 and path.is_file()
    ]


# Not critical: where there is no pip (`uv venv` makes none) this fails, and the audit goes on without it.
@pipe.step(critical=False)
def vendored() -> list[str]:
    """The libraries that pip carries inside itself, as `name==version`: no list of distributions shows them."""
    text = resources.files("pip").joinpath("_vendor/vendor.txt").read_text(encoding="utf-8")
    return [line.split("#")[0].strip() for line in text.splitlines() if "==" in line.split("#")[0]]


# A small environment fits into the chart; of a large one it shows the `top`, and the rest as one bar.
@pipe.switch(to={"small": "every", "large": "leaders"})
def scale(measure: list[Measured], top: int = 12) -> Literal["small", "large"]:
    if top < 1:
        raise ValueError(f"top must be at least 1, not {top}: it is the number of bars in the chart")
    return "small" if len(measure) <= top else "large"


@pipe.step
def every(measure: list[Measured]) -> list[Bar]:
    return [bar(dist) for dist in by_size(measure)]


@pipe.step
def leaders(measure: list[Measured], top: int = 12) -> list[Bar]:
    return [bar(dist) for dist in by_size(measure)[:top]]


@pipe.step
def others(leaders: list[Bar], measure: list[Measured]) -> list[Bar]:
    rest = by_size(measure)[len(leaders) :]
    size = sum(dist.size for dist in rest)
    return [*leaders, Bar(f"{len(rest):,} others", size, human_size(size), muted=True)]


# The branches meet here. The one not taken gives no value, so its parameter keeps its default.
@pipe.step
def chart(every: list[Bar] | None = None, others: list[Bar] | None = None) -> str:
    """The chart as the text of an SVG."""
    return bar_chart("Size on disk by distribution", every or others or [])


# `clashes` may have been skipped and `vendored` may have failed: with a default, this step runs all the same.
@pipe.step
def report(
    out: Path,
    measure: list[Measured],
    shared: list[Shared],
    chart: str,
    clashes: list[Clash] | None = None,
    vendored: list[str] | None = None,
) -> str:
    """Writes `report.md` and `chart.svg` into `out`, and answers in one line."""
    findings = Findings(measure, shared, clashes or [], vendored)
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "chart.svg", chart)
    write_atomically(out / "report.md", markdown(findings, chart="chart.svg"))
    return f"{summary(findings)}; report in {out / 'report.md'}"


def by_size(measured: list[Measured]) -> list[Measured]:
    return sorted(measured, key=lambda dist: (-dist.size, normal(dist.name)))


def bar(dist: Measured) -> Bar:
    return Bar(dist.name, dist.size, human_size(dist.size))


if __name__ == "__main__":
    print(pipe.run_sync(out=Path("build/audit")).output)
