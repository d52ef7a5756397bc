"""Prints the versions of the packages that the arguments name, in one line."""

import sys
from importlib.metadata import version

print(" ".join(version(name) for name in sys.argv[1:]))
