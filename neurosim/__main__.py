"""Run the command line as ``python -m neurosim``."""

import sys

from neurosim.cli import main

sys.exit(main())
