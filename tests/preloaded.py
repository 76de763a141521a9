"""What the process has imported that tests/forked.py forks: all that a program imports by and by.

Importing it does the work: so multiprocessing's fork server wants it.
"""

import gc
from importlib import import_module

from app import keep_private
from engine.model.libraries import import_all
from ui.server.quick_start import import_gradio

BY_AND_BY = (
    *("bitsandbytes", "datasets", "pandas", "trl"),
    *("engine.serving.http.routes", "engine.standalone", "engine.studio", "engine.training.trainer"),
    *("ui.layout", "ui.server.serving"),
)

keep_private()
import_all()
import_gradio()
for module in BY_AND_BY:
    import_module(module)
gc.collect()
gc.freeze()  # what is shared with the forks stays so
