"""The control API as a whole."""

import re
from pathlib import Path

import local_aws
from local_aws.control.api import Control

from .. import support
from ..support import ControlError, control


class Paths(support.TestCase):
    def test_the_readme_names_every_path(self):
        readme = (Path(local_aws.__file__).parent / "README.md").read_text(encoding="utf-8")
        table = readme.partition("| path under `/_local/` | does |")[2].partition("\n\n")[0]
        told = set(re.findall(r"`(?:GET |POST )?([a-z-]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])))
        routes = Control(support.server().settings, support.server().boundary)._routes
        self.assertEqual({name for _, name in routes}, told)

    def test_a_path_that_is_not_there_is_told(self):
        with self.assertRaises(ControlError) as caught:
            control("nothing")
        self.assertEqual("NotFound", caught.exception.code)
