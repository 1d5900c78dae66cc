"""All adapters together: none imports its library before a type of it is met."""

from __future__ import annotations

import subprocess
import sys


def test_no_library_is_imported_before_a_type_of_it_is_met() -> None:
    """The five come with nobody's install, and pydantic costs a tenth of a second."""
    program = (
        "import sys\n"
        "from stepwell.codecs.values import Codecs\n"
        "from stepwell.libraries.every import every_adapter\n"
        "codecs = Codecs(every_adapter())\n"
        "codecs.codec(dict[str, list[int] | None]).verify({'a': [1]})\n"
        "class Mine: pass\n"
        "try: codecs.codec(Mine)\n"
        "except Exception: pass\n"
        "print(*{'pydantic', 'attrs', 'attr', 'numpy', 'pandas', 'polars', 'pyarrow'} & sys.modules.keys())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
