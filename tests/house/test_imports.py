"""The import law: downward only, no shelf is crossed, no circle in any form."""

from __future__ import annotations

from . import import_laws as law
from .blueprint import House, none


def test_every_room_has_a_floor(house: House) -> None:
    none(law.every_room_has_a_floor(house))


def test_imports_go_downward_only(house: House) -> None:
    none(law.imports_go_downward(house))


def test_engine_and_views_never_meet(house: House) -> None:
    none(law.doing_and_telling_never_meet(house))


def test_nobody_imports_the_face(house: House) -> None:
    none(law.nobody_imports_the_face(house))


def test_the_face_shows_no_door(house: House) -> None:
    none(law.the_face_shows_no_door(house))


def test_only_api_and_doors_name_adapters(house: House) -> None:
    none(law.only_api_and_doors_name_adapters(house))


def test_third_parties_stay_in_adapters_and_doors(house: House) -> None:
    none(law.third_parties_stay_at_the_edge(house))


def test_no_files_import_each_other_in_a_circle(house: House) -> None:
    none(law.no_circle_between_files(house))
