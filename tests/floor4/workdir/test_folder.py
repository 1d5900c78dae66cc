"""The folder of a run: no name leads out of it, and nobody else may look into it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.workdir.folder import folder_of_run, make_private, part


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    made = part(name)
    assert made not in ("", ".", "..")
    assert not set(made) & set('/\\:*?"<>|\0\n')
    assert len(made.encode()) <= 120
    assert made[-1] not in ". "


@given(st.text(), st.text())
def test_other_names_give_other_parts(one: str, other: str) -> None:
    assert (part(one) == part(other)) == (one == other)


@pytest.mark.parametrize("name", ["NUL", "con.txt", "Com1", "aux", "lpt²", "conin$", "nul .tar.gz"])
def test_names_that_windows_keeps_for_devices_are_escaped(name: str) -> None:
    assert part(name).startswith("%")


def test_a_name_that_only_ends_like_a_device_stands_as_it_is() -> None:
    assert part("falcon") == "falcon"


@given(st.from_regex(r"[A-Za-z0-9]{1,3}", fullmatch=True), st.from_regex(r"[A-Za-z0-9]{1,3}", fullmatch=True))
def test_ids_that_differ_in_capitals_have_folders_that_differ_in_more(one: str, other: str) -> None:
    folders = [folder_of_run(Path("work"), run_id).name.casefold() for run_id in (one, other)]
    assert (folders[0] == folders[1]) == (one == other)


def test_the_folder_of_an_id_that_we_made_is_called_like_it() -> None:
    ours = "01M813KCVM7VSXK4F5JYTVZT5P"
    assert folder_of_run(Path("work"), ours) == Path("work") / ours
    assert folder_of_run(Path("work"), ours.lower()).name.upper() != ours


def test_long_names_are_told_apart_by_their_digest() -> None:
    one, other = part("x" * 5000), part("x" * 4999 + "y")
    assert one != other
    assert len(one) < 110


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_new_folders_are_for_this_user_alone(tmp_path: Path) -> None:
    folder = folder_of_run(tmp_path / "work", "01J")
    make_private(folder)
    assert [oct(one.stat().st_mode & 0o777) for one in (folder, folder.parent)] == ["0o700", "0o700"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there that few have")
def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "work").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "work" / "01J")  # noqa: PTH211 - says which is which
    with pytest.raises(OSError, match="leads elsewhere"):
        make_private(tmp_path / "work" / "01J")
