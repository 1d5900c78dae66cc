"""Runs the Python blocks of a page, one after the other in one namespace; blocks come in and results go out as JSON."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import json
import linecache
import sys
import traceback


def main() -> None:
    # The pages are read as in a notebook: `await` may stand at the top, and the blocks are `__main__`.
    sys.path.insert(0, "")
    namespace: dict[str, object] = {"__name__": "__main__"}
    loop = asyncio.new_event_loop()
    answers = sys.stdout
    for request in sys.stdin:
        block = json.loads(request)
        printed = io.StringIO()
        error = ""
        linecache.cache[block["place"]] = (len(block["text"]), None, block["text"].splitlines(True), block["place"])
        try:
            code = compile(block["text"], block["place"], "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            with contextlib.redirect_stdout(printed):
                waiting = eval(code, namespace)
                if waiting is not None:
                    loop.run_until_complete(waiting)
        except BaseException:
            error = traceback.format_exc()
        answers.write(json.dumps({"printed": printed.getvalue(), "error": error}) + "\n")
        answers.flush()
    loop.close()


if __name__ == "__main__":
    main()
