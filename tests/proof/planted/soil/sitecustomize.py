"""Python runs this as it starts, where this folder is on its path: it plants the mistake that STEPWELL_PLANT names."""

import os
import sys
import traceback
from pathlib import Path

if "STEPWELL_PLANT" in os.environ:
    here = str(Path(__file__).parents[1])
    sys.path.insert(0, here)
    try:
        import mistakes

        mistakes.plant(os.environ["STEPWELL_PLANT"])
    except BaseException:
        traceback.print_exc()
        os._exit(70)  # else Python would go on without it
    finally:
        sys.path.remove(here)
