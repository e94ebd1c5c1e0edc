"""Every verb of the product: the Python API. `Service` is its face; the files beside it are for the command line."""

from recovery.service.verbs import Service

__all__ = ["Service"]
