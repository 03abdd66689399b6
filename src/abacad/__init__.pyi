"""The public names for type checkers and editors, which do not run `__getattr__` of the package."""

from abacad.cadence import Cadence as Cadence
from abacad.errors import AbacadError as AbacadError
from abacad.recipes import read_recipe as read_recipe
from abacad.run.audit import audit as audit
from abacad.run.bound import bound as bound
from abacad.run.compare import compare as compare
from abacad.run.demo import demo as demo
from abacad.run.export import export as export
from abacad.run.overlaps import overlaps as overlaps
from abacad.run.predict import predict as predict
from abacad.run.pretrain import pretrain as pretrain
from abacad.run.quick_check import quick_check as quick_check
from abacad.run.report import report as report
from abacad.run.review import review as review
from abacad.run.score import score as score
from abacad.run.search import search as search
from abacad.run.search_catalogue import search_catalogue as search_catalogue
from abacad.run.sensitivity import sensitivity as sensitivity
from abacad.run.simulate import simulate as simulate
from abacad.run.simulate_telescope import simulate_telescope as simulate_telescope
from abacad.run.submit import submit as submit
from abacad.run.train import train as train
from abacad.simulator.presets import PRESETS as PRESETS

__version__: str
