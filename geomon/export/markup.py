"""Elements of XML, in the order in which they are added."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def root(space: str, name: str, prefixes: Mapping[str, str]) -> Any:
    """The first element of a document."""
    return etree.Element(f"{{{space}}}{name}", nsmap=dict(prefixes))


def add(parent: Any, space: str, name: str, text: str = "", **attributes: str) -> Any:
    """A new last element of another."""
    made = etree.SubElement(parent, f"{{{space}}}{name}" if space else name, attributes)
    made.text = text or None
    return made


def english(element: Any) -> Any:
    """An element whose text is English."""
    element.set(LANG, "en")
    return element


def document(first: Any) -> bytes:
    """The whole document, indented."""
    told: bytes = etree.tostring(first, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return told
