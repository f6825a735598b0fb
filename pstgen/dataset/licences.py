"""Licences of pictures: what the text or address that a source gives stands for, and what it allows.

Names are SPDX's (https://spdx.org/licenses/). The hub's identifiers, its `license` in a card, are those of
https://huggingface.co/docs/hub/repositories-licenses; a licence that is not among them is `other` there.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

COMMONS = {  # licences of Creative Commons that the hub knows, with their versions
    "cc0": ("1.0",),
    "cc-by": ("2.0", "2.5", "3.0", "4.0"),
    "cc-by-sa": ("3.0", "4.0"),
    "cc-by-nc": ("2.0", "3.0", "4.0"),
    "cc-by-nd": ("4.0",),
    "cc-by-nc-nd": ("3.0", "4.0"),
    "cc-by-nc-sa": ("2.0", "3.0", "4.0"),
}
OTHERS = (
    *(
        "apache-2.0",
        "c-uda",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "cdla-sharing-1.0",
        "etalab-2.0",
        "gfdl",
        "mit",
    ),
    *("odbl", "odc-by", "pddl", "unlicense"),
)
HUB = frozenset(OTHERS) | {f"{name}-{version}" for name, versions in COMMONS.items() for version in versions}
ADDRESS = re.compile(r"creativecommons\.org/licenses/(by(?:-n[cd]|-sa)*)/(\d\.\d)")
NAME = re.compile(r"cc[ -](by(?:[ -]n[cd]|[ -]sa)*)[ -](\d\.\d)")
UNCHANGED = re.compile("n[d]")  # no derivatives
ZERO = re.compile(r"creativecommons\.org/publicdomain/zero/1\.0|^cc0(?:[ -]1\.0)?$")
WEB = re.compile(r"https?://[\w./?&=%#:~+-]+")
KNOWN = {  # other addresses that COCO's annotation files name
    "flickr.com/commons/usage": "no known copyright restrictions (Flickr Commons)",
    "usa.gov/copyright": "work of the United States government",
}


class Licence(NamedTuple):
    """A licence.

    name: SPDX's where there is one, else in words. url: "" where none is known. changes: may changed versions be passed on?
    commercial: may it be used commercially? None where that is not known.
    """

    name: str
    url: str = ""
    changes: bool | None = None
    commercial: bool | None = None

    @property
    def hub(self) -> str:
        """Its identifier on Hugging Face's hub; "" where it has none there."""
        return self.name.lower() if self.name.lower() in HUB else ""

    @property
    def linked(self) -> str:
        r"""Its name in Markdown, for a cell of a table, with its address where there is one.

        >>> licence("CC-BY-2.0").linked, licence("mine | yours").linked
        ('[CC-BY-2.0](https://creativecommons.org/licenses/by/2.0/)', 'mine \\| yours')
        """
        name = re.sub(r"([\\|\[\]<>`])", r"\\\1", self.name)
        return f"[{name}]({self.url})" if self.url else name


def licence(text: str) -> Licence:
    """What a source's text or address stands for; a text that is not recognized is kept as it is.

    >>> licence("http://creativecommons.org/licenses/by-nc-sa/2.0/").name
    'CC-BY-NC-SA-2.0'
    >>> licence("CC BY 4.0").hub, licence("CC0-1.0").changes, licence("ask me").name
    ('cc-by-4.0', True, 'ask me')
    """
    text = " ".join(text.split())
    plain = text.lower()
    if ZERO.search(plain):
        return Licence("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", changes=True, commercial=True)
    if found := ADDRESS.search(plain) or NAME.match(plain):
        terms, version = found[1].replace(" ", "-"), found[2]
        url = f"https://creativecommons.org/licenses/{terms}/{version}/"
        return Licence(
            f"CC-{terms.upper()}-{version}", url, changes=not UNCHANGED.search(terms), commercial="nc" not in terms
        )
    for address, name in KNOWN.items():
        if address in plain:
            return Licence(name, text if WEB.fullmatch(plain) else "")
    return Licence(plain if plain in HUB else text, text if WEB.fullmatch(plain) else "")


def header(texts: Iterable[str]) -> dict[str, str | list[str]]:
    """What a card's header says of the licences of a set: the hub's identifiers, or `other` and where to read more.

    >>> header(["CC0-1.0"])
    {'license': 'cc0-1.0'}
    >>> header(["http://creativecommons.org/licenses/by/2.0/", "ask me"])["license"]
    'other'
    """
    names = sorted({licence(text).hub for text in texts})
    if not names or "" in names:
        return {"license": "other", "license_name": "a-licence-for-each-picture", "license_link": "LICENSE.md"}
    return {"license": names[0] if len(names) == 1 else names}
