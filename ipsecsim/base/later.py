"""Names of a package that are read in when somebody asks for them, so that importing the package stays light."""

from collections.abc import Callable, Collection
from importlib import import_module


def later(package: str, module: str, names: Collection[str]) -> Callable[[str], object]:
    """The `__getattr__` of a package for these names of a module (PEP 562)."""

    def find(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(module), name)

    return find
