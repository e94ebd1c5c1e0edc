"""Reading the list of security products."""

from __future__ import annotations

from recovery.documents import read_yaml
from recovery.model.host import Os
from recovery.model.product import Product, Traces
from recovery.playbook.forms import Form


class TracesForm(Form, kw_only=True):
    """How a product shows on one platform; all the lists are names of things that run."""

    drivers: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    confirmed: bool = True


class ProductForm(Form, kw_only=True):
    """One of `products`."""

    title: str
    vendor: str
    sources: tuple[str, ...]
    windows: TracesForm | None = None
    linux: TracesForm | None = None
    macos: TracesForm | None = None


class ProductsForm(Form, kw_only=True):
    """The list's file."""

    products: dict[str, ProductForm]


def parse_products(text: str, file: str) -> tuple[Product, ...]:
    """The products in `text`. Raises `InputError` with the line of what is wrong."""
    form = read_yaml(text, file).convert(ProductsForm)
    return tuple(_product(name, each) for name, each in form.products.items())


def _product(name: str, form: ProductForm) -> Product:
    parts: dict[Os, TracesForm | None] = {
        "windows": form.windows,
        "linux": form.linux,
        "macos": form.macos,
    }
    return Product(
        name=name,
        title=form.title,
        vendor=form.vendor,
        sources=form.sources,
        traces={os: _traces(part) for os, part in parts.items() if part is not None},
    )


def _traces(form: TracesForm) -> Traces:
    names = (*form.drivers, *form.modules, *form.extensions)
    plain = tuple(name.lower().removesuffix(".sys") for name in names)
    return Traces(modules=plain, processes=form.processes, confirmed=form.confirmed)
