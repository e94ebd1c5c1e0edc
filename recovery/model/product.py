"""Security products, by the names under which they run on each platform."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from recovery.model.host import Os


class Traces(msgspec.Struct, frozen=True, kw_only=True):
    """How a product shows on one platform."""

    modules: tuple[str, ...] = ()
    """What it runs in the kernel, or as an extension: lower case, without `.sys`; `*` stands for anything."""
    processes: tuple[str, ...] = ()
    confirmed: bool = True
    """Whether a public source names them."""

    def match(self, name: str) -> bool:
        """Whether the module, program or extension `name` is one of the product's."""
        plain = name.lower().removesuffix(".sys")
        return any(fnmatchcase(plain, pattern) for pattern in self.modules)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """One security product."""

    name: str
    title: str
    vendor: str
    traces: Mapping[Os, Traces]
    sources: tuple[str, ...] = ()


def process_names(products: tuple[Product, ...], os: Os) -> tuple[str, ...]:
    """Every process by which one of the products shows on `os`."""
    found = (product.traces[os].processes for product in products if os in product.traces)
    return tuple(dict.fromkeys(name for names in found for name in names))
