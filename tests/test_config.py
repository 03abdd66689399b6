"""A recipe takes listed values alone, in Python too."""

import json
import subprocess
import sys

REFUSED = {
    'Represent(kind="diffrence")': "represent.kind is 'diffrence'",
    'Represent(contrast="log")': "log1p or none",
    'Represent(views=("shared", "cleen"))': "represent.views is 'cleen'",
    'Represent(views="shared")': "represent.views is 'shared'",
    'Data(partners="test")': "train or train+test",
    'Data(bad="stop")': "fail or skip",
    'Data(check="all")': "full or headers",
    'Data(pack="yes")': "auto or always or never",
    'Trainer(loggers=("tensorbored",))': "trainer.loggers",
    'Trainer(accelerator="gpuu")': "trainer.accelerator",
    'Inference(tta=("mirror",))': "inference.tta",
}
ASK = """
import json, sys
from abacad.config import Data, Inference, Represent, Trainer
from abacad.errors import AbacadError
told = {}
for made in json.loads(sys.argv[1]):
    try:
        told[made] = f"accepted: {eval(made)}"
    except AbacadError as error:
        told[made] = str(error)
print(json.dumps(told))
"""


def test_a_value_that_is_not_listed_is_refused():
    """`Represent(kind="diffrence")` used to pass. In a process of its own, since here every call is checked anyway."""
    words = [sys.executable, "-c", ASK, json.dumps(list(REFUSED))]
    told = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert {made: said in told[made] for made, said in REFUSED.items()} == dict.fromkeys(REFUSED, True), told
