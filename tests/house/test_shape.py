"""Files and functions that fit on a page, captions, names that say something."""

from __future__ import annotations

from . import shape_laws as law
from .blueprint import House, none


def test_every_file_begins_with_its_caption(house: House) -> None:
    none(law.files_begin_with_a_caption(house))


def test_files_stay_under_300_lines(house: House) -> None:
    none(law.files_are_short(house))


def test_functions_stay_under_50_lines(house: House) -> None:
    none(law.functions_are_short(house))


def test_every_exception_is_needed_and_has_a_reason(house: House) -> None:
    none(law.exceptions_are_needed(house))


def test_no_room_holds_more_than_its_share(house: House) -> None:
    none(law.no_room_outgrows_the_house(house))


def test_names_of_files_and_classes_say_something(house: House) -> None:
    none(law.names_say_something(house))
