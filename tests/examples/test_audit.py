"""The audit example: its steps and its helpers alone, on real and on damaged distributions, then the whole run."""

import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree

import audit
import pytest
from chart import MARGIN, WIDTH, Bar, bar_chart, shorten, text_width
from inventory import (
    Clash,
    Installed,
    Measured,
    Shared,
    count_lines,
    measure_file,
    metadata_folders,
    modules_of,
    normal,
    read_installed,
)
from report import Findings, cell, code, human_size, markdown, summary, table, write_atomically

AUDIT = Path(audit.__file__)
SVG = "{http://www.w3.org/2000/svg}"
ANSWER = re.compile(r"[\d,]+ distributions?, [\d,]+ files?, [\d.,]+ [kMGT]?B; .*provided.*; report in .*report\.md")


def install(
    root: Path,
    name: str,
    files: Mapping[str, bytes] | None = None,
    *,
    version: str = "1.0",
    fields: Iterable[str] = (),
    info: Mapping[str, bytes] | None = None,
    record: bool = True,
) -> Path:
    """Lays a distribution into `root` as pip would, and returns its `.dist-info`."""
    folder = root / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *fields, "", ""])
    written = {f"{folder.name}/METADATA": text.encode(), **(files or {})}
    written |= {f"{folder.name}/{file}": data for file, data in (info or {}).items()}
    for file, data in written.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(data)
    if record:
        rows = [f"{file},{recorded_hash(data)},{len(data)}" for file, data in written.items()]
        (folder / "RECORD").write_text("\n".join([*rows, f"{folder.name}/RECORD,,", ""]))
    return folder


def recorded_hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def measured(name: str, **changes: object) -> Measured:
    values: dict[str, object] = {
        "name": name, "version": "1.0", "licence": "MIT", "files": 3, "missing": 0, "lines": 10, "size": 1000,
        "modules": [name], "requires": [], "unmet": [], "editable": False, "listed": True, "also_in": [],
    }  # fmt: skip
    return Measured(**(values | changes))  # pyright: ignore[reportArgumentType]


def measure_at(info: Path) -> Measured:
    return audit.measure(read_installed(info))


# --- collect ----------------------------------------------------------------------------------------------------------


def test_collect_finds_the_real_distributions_once_each_and_sorted() -> None:
    found = audit.collect()
    names = [normal(dist.name) for dist in found]
    assert "pytest" in names
    assert names == sorted(set(names))
    assert all(dist.info.exists() for dist in found)


def test_collect_takes_only_as_many_as_the_limit() -> None:
    assert audit.collect(limit=2) == audit.collect()[:2]
    assert audit.collect(limit=0) == []
    with pytest.raises(ValueError, match="at least 0"):
        audit.collect(limit=-1)


def test_of_two_distributions_of_one_name_the_first_on_the_path_counts_and_tells_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "user", "Foo.Bar", version="2.0")
    hidden = install(tmp_path / "site", "foo-bar", version="1.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "user"), str(tmp_path / "site")])
    (only,) = audit.collect()
    assert (only.name, only.version, only.also_in) == ("Foo.Bar", "2.0", [str(hidden)])


def test_a_folder_that_is_named_twice_or_not_there_is_no_trouble(tmp_path: Path) -> None:
    info = install(tmp_path, "once")
    (tmp_path / "packages.zip").write_bytes(b"PK")
    paths = [str(tmp_path), str(tmp_path / "gone"), str(tmp_path / "packages.zip"), str(tmp_path)]
    assert list(metadata_folders(paths)) == [info]


@pytest.mark.parametrize("left", ["~umpy-1.26.0.dist-info", "-umpy-1.26.0.dist-info", "empty.egg-info"])
def test_what_has_no_metadata_goes_by_the_name_of_its_folder(tmp_path: Path, left: str) -> None:
    (tmp_path / left).mkdir()
    (tmp_path / "not_its_own.py").write_text("")
    found = read_installed(tmp_path / left)
    assert found.name
    assert found.name in left
    assert found.files == []
    assert audit.measure(found).licence == "unknown"


def test_metadata_that_is_not_utf8_is_no_trouble(tmp_path: Path) -> None:
    info = install(tmp_path, "old", {"old.py": b"pass\n"})
    (info / "METADATA").write_bytes("Name: old\nVersion: 1.0\nAuthor: Jürgen\n".encode("latin-1"))
    result = measure_at(info)
    assert (result.name, result.version, result.licence, result.lines) == ("old", "1.0", "unknown", 1)


@pytest.mark.parametrize("record", [b"", b"\xff\xfe\x00", b"torn.py" + b"x" * 200_000 + b"\n"])
def test_a_record_that_cannot_be_read_is_as_none(tmp_path: Path, record: bytes) -> None:
    info = install(tmp_path, "torn", {"torn.py": b"pass\n"})
    (info / "RECORD").write_bytes(record)
    found = read_installed(info)
    assert not found.listed
    assert audit.measure(found).lines == 1


def test_a_record_with_too_few_and_too_many_columns_still_names_its_files(tmp_path: Path) -> None:
    info = install(tmp_path, "wide", {"wide.py": b"pass\n"})
    (info / "RECORD").write_bytes(b"wide.py\n\na.py,sha256=x,many,more,still more\n,,\n")
    found = read_installed(info)
    assert found.files == ["a.py", "wide.py"]
    assert audit.measure(found).missing == 1


def test_without_a_record_the_files_are_looked_for_by_name(tmp_path: Path) -> None:
    files = {"bare/__init__.py": b"one\ntwo\n", "bare/data.txt": b"12345", "stranger.py": b"x\n"}
    found = read_installed(install(tmp_path, "bare", files, record=False))
    assert not found.listed
    assert found.files == ["bare-1.0.dist-info/METADATA", "bare/__init__.py", "bare/data.txt"]
    assert audit.measure(found).modules == ["bare"]


def test_without_a_record_top_level_says_which_modules_to_look_for(tmp_path: Path) -> None:
    info = install(tmp_path, "py-thing", {"thing.py": b"x\n"}, info={"top_level.txt": b"thing\n../up\n"}, record=False)
    assert "thing.py" in read_installed(info).files
    assert measure_at(info).modules == ["thing"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_a_file_name_in_another_encoding_stays_text_that_can_be_recorded(tmp_path: Path) -> None:
    info = install(tmp_path, "bytes", {"bytes/__init__.py": b""}, record=False)
    with open(os.fsencode(tmp_path) + b"/bytes/caf\xe9.py", "wb") as file:  # noqa: PTH123 - a Path cannot spell it
        file.write(b"x\n")
    found = read_installed(info)
    assert "bytes/caf?.py" in found.files
    for name in found.files:
        name.encode()
    assert audit.measure(found).missing == 1


def test_a_single_egg_info_file_is_read(tmp_path: Path) -> None:
    info = tmp_path / "plain-0.1-py3.egg-info"
    info.write_text("Metadata-Version: 1.1\nName: plain\nVersion: 0.1\nLicense: BSD\n")
    (tmp_path / "plain.py").write_text("x\n")
    result = measure_at(info)
    assert (result.name, result.version, result.licence, result.lines) == ("plain", "0.1", "BSD", 1)


# --- measure ----------------------------------------------------------------------------------------------------------


def test_a_real_distribution_is_measured() -> None:
    (item,) = [dist for dist in audit.collect() if normal(dist.name) == "pytest"]
    result = audit.measure(item)
    assert result.licence == "MIT"
    assert {"pytest", "_pytest"} <= set(result.modules)
    assert any(line.startswith("pluggy") for line in result.requires)
    assert "pluggy" not in result.unmet
    assert result.files > 50
    assert result.lines > 10_000
    assert result.size > result.lines


def test_files_lines_and_bytes_are_counted_and_those_that_are_gone_too(tmp_path: Path) -> None:
    files = {"pack/__init__.py": b"one\r\ntwo", "pack/data.bin": b"\n\n\n", "pack/gone.py": b"x\n"}
    info = install(tmp_path, "pack", files)
    (tmp_path / "pack/gone.py").unlink()
    result = measure_at(info)
    assert (result.files, result.missing, result.lines) == (4, 1, 2)
    assert result.size == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (b"", 0),
        (b"\n", 1),
        (b"one", 1),
        (b"one\ntwo\n", 2),
        ("größe = 1\n".encode("latin-1"), 1),
        (b"\xff\xfe\x00\n\x00", 2),
        (b"x" * (1 << 20) + b"\n", 1),
        (b"\n" * ((1 << 20) + 1), (1 << 20) + 1),
    ],
)
def test_lines_are_counted_in_any_encoding_and_size(tmp_path: Path, source: bytes, lines: int) -> None:
    (tmp_path / "source.py").write_bytes(source)
    assert count_lines(tmp_path / "source.py") == lines


def test_only_regular_files_are_measured(tmp_path: Path) -> None:
    assert measure_file(tmp_path) is None
    assert measure_file(tmp_path / "gone.py") is None
    assert measure_file(tmp_path / "nul\0.py") is None
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.py")
        assert measure_file(tmp_path / "pipe.py") is None


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        (["License-Expression: MIT OR Apache-2.0", "License: other"], "MIT OR Apache-2.0"),
        (["Classifier: License :: OSI Approved :: MIT License", "License: a long text"], "MIT License"),
        (["Classifier: License :: OSI Approved", "License: BSD"], "BSD"),
        (["Classifier: License :: OSI Approved :: A", "Classifier: License :: OSI Approved :: B"], "A, B"),
        (["License: UNKNOWN"], "unknown"),
        (["License: ", "Classifier: Framework :: AsyncIO"], "unknown"),
        (["License: Copyright (c) by all of us,", "  all rights given away"], "Copyright (c) by all of us,"),
        ([f"License: {'long ' * 40}"], ("long " * 40)[:60]),
        ([], "unknown"),
    ],
)
def test_the_licence_is_told_in_a_few_words(tmp_path: Path, fields: list[str], licence: str) -> None:
    assert measure_at(install(tmp_path, "some", fields=fields)).licence == licence


def test_what_only_an_extra_requires_is_left_out_and_what_is_absent_is_told(tmp_path: Path) -> None:
    fields = [
        "Requires-Dist: pytest>=1",
        "Requires-Dist: not-there-at-all (>=1)",
        "Requires-Dist: only-elsewhere; sys_platform == 'plan9'",
        "Requires-Dist: only-extra; extra == 'more'",
        "Requires-Dist: another; python_version > '3' and extra=='more'",
    ]
    result = measure_at(install(tmp_path, "needs", fields=fields))
    assert result.requires == [
        "not-there-at-all (>=1)", "only-elsewhere; sys_platform == 'plan9'", "pytest>=1"
    ]  # fmt: skip
    assert result.unmet == ["not-there-at-all"]


def test_an_editable_install_is_told_from_others_and_its_modules_are_those_it_names(tmp_path: Path) -> None:
    direct = b'{"url": "file:///src", "dir_info": {"editable": true}}'
    files = {"__editable___mine_finder.py": b"x\n", "__editable__.mine-1.0.pth": b"/src\n"}
    editable = install(tmp_path, "mine", files, info={"direct_url.json": direct, "top_level.txt": b"mine\n"})
    assert measure_at(editable).editable
    assert measure_at(editable).modules == ["mine"]
    assert not measure_at(install(tmp_path, "archive", info={"direct_url.json": b'{"url": "x"}'})).editable
    assert not measure_at(install(tmp_path, "broken", info={"direct_url.json": b"{"})).editable
    assert not measure_at(install(tmp_path, "list", info={"direct_url.json": b"[]"})).editable


def test_modules_are_what_import_finds(tmp_path: Path) -> None:
    (extension,) = {sysconfig.get_config_var("EXT_SUFFIX")}
    files = [
        "single.py",
        f"_fast{extension}",
        "pack/__init__.py",
        "pack/inner/__init__.py",
        "namespace/part/__init__.py",
        "__pycache__/single.cpython-311.pyc",
        "../../../bin/tool.py",
        "not-a-module.py",
        "hook.pth",
        "data/readme.txt",
        "x-1.0.dist-info/METADATA",
    ]
    assert modules_of(tmp_path / "x-1.0.dist-info", files) == ["_fast", "pack", "single"]


def test_a_namespace_folder_is_nobodys_module(tmp_path: Path) -> None:
    one = install(tmp_path, "one", {"space/one/__init__.py": b""}, info={"top_level.txt": b"space\n"})
    two = install(tmp_path, "two", {"space/two/__init__.py": b""}, info={"top_level.txt": b"space\n"})
    assert audit.shared([measure_at(one), measure_at(two)]) == []


# --- what needs all measurements --------------------------------------------------------------------------------------


def test_a_module_of_two_distributions_is_shared() -> None:
    all_of_them = [
        measured("cv", modules=["cv2", "own"]),
        measured("cv-headless", modules=["cv2"]),
        measured("c", modules=["a", "cv2"]),
        measured("d", modules=["a"]),
    ]
    found = audit.shared(all_of_them)
    assert found == [Shared("a", ["c", "d"]), Shared("cv2", ["cv", "cv-headless", "c"])]
    assert audit.any_shared(found)
    assert not audit.any_shared([])


def test_of_a_file_that_two_wrote_the_one_on_disk_is_known_by_its_hash(tmp_path: Path) -> None:
    first = install(tmp_path, "first", {"same.py": b"old\n", "equal.py": b"equal\n"})
    second = install(tmp_path, "second", {"same.py": b"new\n", "equal.py": b"equal\n"})
    items = [read_installed(first), read_installed(second)]
    clashes = audit.clashes(items, audit.shared([audit.measure(item) for item in items]))
    assert clashes == [
        Clash((tmp_path / "equal.py").as_posix(), ["first", "second"], ["first", "second"]),
        Clash((tmp_path / "same.py").as_posix(), ["first", "second"], ["second"]),
    ]


def test_an_edited_file_is_nobodys(tmp_path: Path) -> None:
    items = [read_installed(install(tmp_path, name, {"same.py": b"x\n"})) for name in ("first", "second")]
    (tmp_path / "same.py").write_bytes(b"edited\n")
    (clash,) = audit.clashes(items, [Shared("same", ["first", "second"])])
    assert clash.matches == []


def test_what_pip_carries_is_listed() -> None:
    pytest.importorskip("pip")
    assert all("==" in line and "#" not in line for line in audit.vendored())


def test_without_pip_the_step_fails_which_the_run_tolerates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(ImportError):
        audit.vendored()


def test_the_scale_is_small_up_to_the_number_of_bars() -> None:
    some = [measured(f"d{number}") for number in range(4)]
    assert audit.scale(some, top=4) == "small"
    assert audit.scale(some, top=3) == "large"
    assert audit.scale([], top=1) == "small"
    with pytest.raises(ValueError, match="at least 1"):
        audit.scale(some, top=0)


def test_both_branches_draw_every_byte_once() -> None:
    some = [measured(f"d{number}", size=1000 * number) for number in range(5)]
    every = audit.every(some)
    others = audit.others(audit.leaders(some, top=2), some)
    assert [bar.label for bar in every] == ["d4", "d3", "d2", "d1", "d0"]
    assert [bar.label for bar in others] == ["d4", "d3", "3 others"]
    assert [bar.muted for bar in others] == [False, False, True]
    assert sum(bar.value for bar in every) == sum(bar.value for bar in others) == 10_000
    assert "3 others" in audit.chart(others=others)
    assert "d0" in audit.chart(every=every)


# --- the chart --------------------------------------------------------------------------------------------------------

AWKWARD = [
    Bar("W" * 40, 5e15, "5,000.0 TB"),
    Bar("opentelemetry-instrumentation-something-long", 7e14, "700.0 TB"),
    Bar("包裹" * 20, 0, "0 B"),
    Bar("<b>&\"'\x01\ud800", 1, "1 B", muted=True),
]


@pytest.mark.parametrize("bars", [[], [Bar("nothing", 0, "0 B")], AWKWARD, AWKWARD * 30])
def test_the_chart_is_well_formed_and_nothing_in_it_overlaps_or_leaves_it(bars: list[Bar]) -> None:
    text = bar_chart("Sizes & <more>", bars)
    text.encode()
    root = ElementTree.fromstring(text)
    height = float(root.attrib["height"])
    assert root.attrib["viewBox"] == f"0 0 {WIDTH} {root.attrib['height']}"
    rows = root.findall(f"{SVG}g")
    assert len(rows) == len(bars)
    bottom = 0.0
    for row in rows:
        label, value = row.findall(f"{SVG}text")
        track, filled = row.findall(f"{SVG}rect")
        start, end = float(track.attrib["x"]), float(track.attrib["x"]) + float(track.attrib["width"])
        assert float(label.attrib["x"]) - text_width(label.text or "") >= MARGIN - 0.1
        assert float(label.attrib["x"]) < start
        assert end < float(value.attrib["x"]) - text_width(value.text or "")
        assert float(value.attrib["x"]) <= WIDTH - MARGIN
        assert start + float(filled.attrib["width"]) <= end + 0.1
        assert float(track.attrib["y"]) > bottom
        bottom = float(track.attrib["y"]) + float(track.attrib["height"])
        assert bottom < height


def test_bars_are_in_proportion_and_the_least_is_still_seen() -> None:
    root = ElementTree.fromstring(bar_chart("Sizes", [Bar("a", 100, "100"), Bar("b", 50, "50"), Bar("c", 1e-6, "0")]))
    widths = [float(row.findall(f"{SVG}rect")[1].attrib["width"]) for row in root.findall(f"{SVG}g")]
    assert widths[1] == pytest.approx(widths[0] / 2, abs=0.1)
    assert widths[2] == 1.5


def test_the_chart_has_colours_for_light_and_for_dark() -> None:
    style = bar_chart("Sizes", []).split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for name in (".paper", ".title", ".label", ".value", ".track", ".bar", ".muted"):
        assert name in light
        assert name in dark


def test_a_long_label_keeps_its_two_ends() -> None:
    assert shorten("short-name") == "short-name"
    long = shorten("opentelemetry-instrumentation-fastapi")
    assert long.startswith("opentelemetry")
    assert long.endswith("fastapi")
    assert "…" in long


# --- the report -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shared", "sentence"),
    [
        ([], "no module is provided twice"),
        ([Shared("a", ["x", "y"])], "1 module is provided twice"),
        ([Shared("a", ["x", "y"]), Shared("b", ["x", "y"])], "2 modules are provided twice"),
        ([Shared("a", ["x", "y"]), Shared("b", ["x", "y", "z"])], "2 modules are provided more than once"),
    ],
)
def test_the_answer_is_one_line(shared: list[Shared], sentence: str) -> None:
    some = [measured("a", files=18_000, size=61_000_000), measured("b", files=204, size=300_000)]
    assert summary(Findings(some, shared, [], None)) == f"2 distributions, 18,204 files, 61.3 MB; {sentence}"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_960, "1.0 MB"), (5e15, "5,000.0 TB")],
)
def test_sizes_are_told_in_decimal_units(size: float, text: str) -> None:
    assert human_size(size) == text


def test_the_report_tells_every_finding() -> None:
    odd = measured(
        "odd",
        licence="unknown",
        missing=2,
        editable=True,
        listed=False,
        unmet=["absent"],
        also_in=["/site/odd.egg-info"],
    )
    clashes = [Clash(f"/site/cv2/{number}.py", ["cv", "odd"], ["odd"]) for number in range(25)]
    page = markdown(
        Findings([measured("cv"), odd], [Shared("cv2", ["cv", "odd"])], clashes, ["rich==1.0"]), "chart.svg"
    )
    for text in (
        "1 module is provided twice",
        "![Size on disk by distribution](chart.svg)",
        "| `cv2` | cv, odd |",
        "| `/site/cv2/19.py` | cv, odd | odd |",
        "… and 5 more.",
        "odd 1.0 hides `/site/odd.egg-info`",
        "odd requires absent",
        "odd: 2 of 5",
        "**Have no list of files (theirs were looked for by name):** odd.",
        "**Are editable (their source is elsewhere and not measured):** odd.",
        "**Name no licence:** odd.",
        "1 library that no list of distributions shows: rich==1.0.",
        "| cv | 1.0 | MIT | 0 | 3 | 10 | 1.0 kB |",
    ):
        assert text in page
    assert "/site/cv2/20.py" not in page


def test_a_report_without_findings_says_so() -> None:
    page = markdown(Findings([measured("a")], [], [], None), "chart.svg")
    assert "Nothing out of order." in page
    assert "pip is not installed here" in page


def test_metadata_cannot_break_out_of_its_cell() -> None:
    assert cell("a | b\n<script> `x` *y* & \ud800") == r"a \| b &lt;script&gt; \`x\` \*y\* &amp; ?"
    assert code("C:\\a|b\n`x`") == "`C:\\a\\|b 'x'`"
    assert table(["a", "n"], [[cell("x|y"), "1"]], numbers=1) == "| a | n |\n| --- | ---: |\n| x\\|y | 1 |"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    page = tmp_path / "report.md"
    write_atomically(page, "first\n")
    write_atomically(page, "zweite Fassung: größer\n")
    assert page.read_bytes() == "zweite Fassung: größer\n".encode()
    with pytest.raises(UnicodeEncodeError):
        write_atomically(page, "\ud800")
    assert page.read_bytes() == "zweite Fassung: größer\n".encode()
    assert list(tmp_path.iterdir()) == [page]


def test_the_last_step_may_run_again_and_writes_the_same(tmp_path: Path) -> None:
    out = tmp_path / "new" / "audit"
    answers = [audit.report(out, [measured("a")], [], "<svg/>") for _ in range(2)]
    assert (
        answers == [f"1 distribution, 3 files, 1.0 kB; no module is provided twice; report in {out / 'report.md'}"] * 2
    )
    assert sorted(path.name for path in out.iterdir()) == ["chart.svg", "report.md"]


# --- the whole run ----------------------------------------------------------------------------------------------------


class Ended(Protocol):
    @property
    def status(self) -> str: ...


def outcomes(steps: Mapping[str, Ended]) -> dict[str, str]:
    return {path: record.status for path, record in steps.items() if "[" not in path}


@pytest.mark.parametrize(
    ("limit", "top", "taken", "pruned"),
    [(3, 12, {"every"}, {"leaders", "others"}), (4, 2, {"leaders", "others"}, {"every"})],
)
def test_the_pipeline_audits_this_environment(
    tmp_path: Path, limit: int, top: int, taken: set[str], pruned: set[str]
) -> None:
    result = audit.pipe.run_sync(out=tmp_path / "audit", limit=limit, top=top)
    result.raise_for_status()
    assert result.status in {"completed", "degraded"}  # degraded where there is no pip
    assert ANSWER.fullmatch(str(result.output))
    ends = outcomes(result.steps)
    assert {step for step in ("every", "leaders", "others") if ends[step] == "pruned"} == pruned
    assert {ends[step] for step in taken | {"collect", "measure", "shared", "chart", "report"}} == {"completed"}
    assert len(ElementTree.parse(tmp_path / "audit" / "chart.svg").findall(f"{SVG}g")) == min(limit, top + 1)


def test_the_run_goes_on_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    result = audit.pipe.run_sync(out=tmp_path, limit=2)
    assert outcomes(result.steps)["vendored"] == "tolerated"
    assert "pip is not installed here" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_files_that_two_distributions_wrote_are_compared_only_if_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    for name in ("first", "second"):
        install(site, name, {"same.py": name.encode()})
    found = [read_installed(info) for info in metadata_folders([str(site)])]

    def only_these(paths: list[str]) -> list[Path]:
        return [dist.info for dist in found]

    monkeypatch.setattr("inventory.metadata_folders", only_these)
    result = audit.pipe.run_sync(out=tmp_path / "both")
    assert outcomes(result.steps)["clashes"] == "completed"
    assert "same.py" in (tmp_path / "both" / "report.md").read_text(encoding="utf-8")
    result = audit.pipe.run_sync(out=tmp_path / "one", limit=1)
    assert outcomes(result.steps)["clashes"] == "skipped"
    assert (tmp_path / "one" / "report.md").exists()


def test_the_command_line_prints_the_answer_and_nothing_else(tmp_path: Path) -> None:
    command = Path(sysconfig.get_path("scripts")) / ("stepwell.exe" if os.name == "nt" else "stepwell")
    done = subprocess.run(
        [command, "run", AUDIT, "--out", "audit", "--limit", "4", "--top", "2"],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ANSWER.fullmatch(done.stdout.removesuffix("\n"))
    assert done.stdout.startswith("4 distributions")
    assert sorted(path.name for path in (tmp_path / "audit").iterdir()) == ["chart.svg", "report.md"]


def test_the_items_that_the_map_gets_are_keyed_by_name() -> None:
    items = audit.collect()
    assert all(isinstance(item, Installed) for item in items)
    assert len({item.name for item in items}) == len(items)
