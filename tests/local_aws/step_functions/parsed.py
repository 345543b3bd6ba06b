"""A definition is parsed once on a machine: parsing the deployed ones takes two thirds of the time in which an emulated AWS starts, and stock moto
parses the whole definition (a second or more) at every start of an execution.

Contract: `install()`. A program is kept by its definition's digest: in memory, and in a folder of the virtual environment, which is another one for each
version of moto. A program never changes while it runs. Also corrected: moto's grammar refuses an integer as ToleratedFailurePercentage.
"""

import hashlib
import importlib
import os
import pickle
import re
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

# Of a Python that is no virtual environment, nothing is written into its folders.
FOLDER = Path(sys.prefix) / "parsed" if sys.prefix != sys.base_prefix else None


def install() -> None:
    parser = importlib.import_module("moto.stepfunctions.parser.asl.parse.asl_parser").AmazonStateLanguageParser
    stock = parser.parse

    @lru_cache(maxsize=64)
    def whole(definition: str):
        return stock(re.sub(r'("ToleratedFailurePercentage"\s*:\s*\d+)(?=\s*[,}])', r"\1.0", definition))

    @lru_cache(maxsize=64)
    def program(definition: str):
        kept = FOLDER and FOLDER / hashlib.sha256(definition.encode()).hexdigest()
        if kept and kept.exists():
            return pickle.loads(kept.read_bytes())
        parsed = whole(definition)[0]
        if kept:
            _keep(kept, pickle.dumps(parsed))
        return parsed

    parser.parse = staticmethod(lambda definition: (program(definition), None))
    # What looks at the text as it is parsed, for the variables that DescribeStateMachine tells.
    analyser = importlib.import_module("moto.stepfunctions.parser.asl.static_analyser.static_analyser")
    analyser.AmazonStateLanguageParser = SimpleNamespace(parse=whole)


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all: several emulated AWSs start at once."""
    path.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as unfinished:
        unfinished.write(content)
    os.replace(unfinished.name, path)
