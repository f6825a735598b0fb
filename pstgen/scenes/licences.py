"""Licences of pictures: which of them `--licenses` means, by id, name, address or the short name that an address has."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from pstgen.core.records import BadInput

NONE = "none is given"  # of a picture without a licence
COMMONS = re.compile(r"creativecommons\.org/licenses/([a-z-]+)(?:/(\d[\d.]*))?")
DEDICATED = re.compile(r"creativecommons\.org/publicdomain/(zero|mark)(?:/(\d[\d.]*))?")
SHORT = re.compile(r"(cc-by(?:-(?:n[cd]|sa))*|cc0)(?:-(\d[\d.]*))?")
OTHERS = {  # other addresses in COCO's files
    "flickr.com/commons/usage": ("no-known-copyright",),
    "usa.gov/copyright.shtml": ("us-government", "public-domain"),
}


class Licence(NamedTuple):
    """A licence that a source lists. id: as it is written there; url or name may be missing."""

    id: str
    name: str = ""
    url: str = ""

    @property
    def address(self) -> str:
        """What stands in the column `licence` of its pictures: the address, or the name where there is none."""
        return self.url or self.name

    @property
    def label(self) -> str:
        """As it is spoken of in a line: its short name where it has one, and its id."""
        short = min(sorted(short_names(self.address)), key=len, default="") or self.name or self.url or NONE
        return f"{short} ({self.id})" if self.id else short


def short_names(address: str) -> frozenset[str]:
    """Short names of the licence with that address, or name; with its version and without.

    Those of Creative Commons are `cc-by`, `cc-by-sa` and so on, and `cc0`; `public-domain` is cc0, the Public Domain Mark and
    works of the United States government. `no-known-copyright` is Flickr's statement, which is no licence and promises nothing.

    >>> sorted(short_names("http://creativecommons.org/licenses/by-sa/2.0/"))
    ['cc-by-sa', 'cc-by-sa-2.0']
    >>> sorted(short_names("CC0-1.0"))
    ['cc0', 'cc0-1.0', 'public-domain']
    """
    text = _plain(address)
    if found := COMMONS.search(text):
        return _versions(f"cc-{found[1]}", found[2])
    if found := DEDICATED.search(text):
        return _versions("cc0" if found[1] == "zero" else "public-domain-mark", found[2]) | {"public-domain"}
    if found := SHORT.fullmatch(re.sub(r"[\s_]+", "-", text)):
        public = {"public-domain"} if found[1] == "cc0" else set[str]()
        return _versions(found[1], found[2]) | public
    return frozenset(OTHERS.get(text, ()))


class Allowed(NamedTuple):
    """Which licences a picture may have. wanted: as the user names them; addresses: of those that the source has."""

    wanted: tuple[str, ...]
    addresses: frozenset[str]

    def __call__(self, address: str) -> bool:
        """May a picture of this licence be shown? Where none is named, all may."""
        listed_elsewhere = Licence("", address)  # by a file with ids of its own
        named = (is_meant(text, listed_elsewhere) for text in self.wanted)
        return not self.wanted or address in self.addresses or any(named)


def allowed(wanted: tuple[str, ...], counted: Mapping[Licence, int]) -> Allowed:
    """The licences that are wanted, each by its id, name, address or short name.

    counted: licences of the source, with the number of their pictures. Raises BadInput, with all of these, where no picture has
    a licence that is wanted.
    """
    addresses = set[str]()
    for text in wanted:
        meant = {licence.address for licence, n in counted.items() if n and is_meant(text, licence)}
        if not meant:
            raise BadInput(f"--licenses {text}: no picture has such a licence. Pictures have: {listed(counted)}")
        addresses |= meant
    return Allowed(wanted, frozenset(addresses))


def is_meant(text: str, licence: Licence) -> bool:
    """Is it the id, name, address or a short name of the licence? Case, http or https, www and a last slash are no matter.

    >>> is_meant("https://www.creativecommons.org/licenses/by/2.0", Licence("4", url="http://creativecommons.org/licenses/by/2.0/"))
    True
    """
    wanted = _plain(text)
    known = {licence.id, _plain(licence.name), _plain(licence.url)} - {""}
    return bool(wanted) and (wanted in known or wanted in short_names(licence.address))


def listed(counted: Mapping[Licence, int]) -> str:
    """All licences by short name, id in brackets, with the number of their pictures, the commonest first."""
    rows = sorted(((-n, licence.label) for licence, n in counted.items()))
    return ", ".join(f"{-n:,} {label}" for n, label in rows)


def refusal(address: str) -> str:
    """Why a picture of that licence gives no items, where others are wanted."""
    return f"its licence is none of --licenses: {address or NONE}"


def count(addresses: Iterable[str], known: Collection[Licence]) -> dict[Licence, int]:
    """How many pictures have each licence. known: those that the source lists; of two with one address the first counts."""
    by_address = {licence.address: licence for licence in reversed(list(known)) if licence.address}
    counted = dict[Licence, int]()
    for address in addresses:
        licence = by_address.get(address) or Licence("", address)
        counted[licence] = counted.get(licence, 0) + 1
    return counted


def _versions(name: str, version: str | None) -> frozenset[str]:
    return frozenset({name, f"{name}-{version}"} if version else {name})


def _plain(text: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", text.strip().casefold()).rstrip("/")
