"""Python imports this at its start where a test put this folder on PYTHONPATH; see ``grammar_plugin``.

It collects the statements of that program for the grammar check: one JSON line each, appended to the file that
the environment names.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path


def _collect() -> None:
    file = os.environ.get("GRAMMAR_LOG")
    source = Path(__file__).resolve().parents[1] / "grammar_collect.py"
    spec = importlib.util.spec_from_file_location("_grammar_collect", source)
    if not file or spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["_grammar_collect"] = module
    spec.loader.exec_module(module)
    seen = set()

    def write(sql: str, kind: str) -> None:
        if (kind, sql) not in seen:
            seen.add((kind, sql))
            test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
            line = json.dumps({"test": test, "sql": sql, "kind": kind}) + "\n"
            # One write a line, so that programs that run at the same time don't mix theirs.
            log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(log, line.encode())
            finally:
                os.close(log)

    module.install(write)


_collect()
