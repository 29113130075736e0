"""Arrays and a header in one stretch of bytes that can be mapped: the `.gaz` form.

offset  0  8 bytes   "BIONERGZ"
        8  uint32    format version
       12  uint32    size of the header
       16  uint64    size of everything
       24  uint32    CRC-32 of everything, with zeros for itself
       28  uint32    0
       32  header    JSON in UTF-8: "values", and "arrays" (name, type, offset, length)
           arrays    each at a multiple of 64 bytes behind the header's end, little-endian
"""

import json
import struct
import zlib
from typing import Any, Dict, Iterator, List, Mapping, Optional, Union

import numpy as np

from spacy_bioner.errors import BionerError, TermTableError
from spacy_bioner.files.lines import PathLike

MAGIC = b"BIONERGZ"
# Versions 1 and 2 were msgpack with an automaton.
FORMAT_VERSION = 3
_HEAD = struct.Struct("<8sIIQQ")
_ALIGNMENT = 64

Piece = Union[bytes, memoryview]


def pack(content: Mapping[str, Any]) -> Iterator[Piece]:
    """Yield the pieces of the packed form.

    content (Mapping[str, Any]): Arrays, and values of JSON.
    """
    arrays = {
        name: np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        for name, value in content.items()
        if isinstance(value, np.ndarray)
    }
    values = {name: value for name, value in content.items() if name not in arrays}
    places, size = [], 0
    for name, array in arrays.items():
        places.append([name, array.dtype.str, size, len(array)])
        size += _padded(array.nbytes)
    header = json.dumps({"values": values, "arrays": places}).encode("utf-8")
    header += b" " * (_padded(_HEAD.size + len(header)) - _HEAD.size - len(header))
    pieces: List[Piece] = [header]
    for array in arrays.values():
        pieces += [array.view(np.uint8).data, bytes(_padded(array.nbytes) - array.nbytes)]
    head = [MAGIC, FORMAT_VERSION, len(header), _HEAD.size + len(header) + size]
    checksum = zlib.crc32(_HEAD.pack(*head, 0))
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    yield _HEAD.pack(*head, checksum)
    yield from pieces


def is_packed(data: Any) -> bool:
    """Tell whether bytes, of a mapped file perhaps, begin as packed ones do."""
    return bytes(memoryview(data)[: len(MAGIC)]) == MAGIC


def unpack(data: Any, path: Optional[PathLike] = None) -> Dict[str, Any]:
    """Return what was packed; the arrays are views of the data.

    RAISES (BionerError): Bytes that `pack` did not make, or not completely; a TermTableError where
        they are those of a file.
    """
    view = memoryview(data)
    if len(view) < _HEAD.size or not is_packed(view):
        raise damage(f"{len(view):,} bytes that are no gazetteer, or have a wrong checksum", path)
    *head, checksum = _HEAD.unpack_from(view)
    _, version, header_size, total = head
    if version != FORMAT_VERSION:
        raise unknown_version(version, path)
    if len(view) != total:
        raise damage(f"{len(view):,} of {total:,} bytes and so a wrong checksum", path)
    if zlib.crc32(view[_HEAD.size :], zlib.crc32(_HEAD.pack(*head, 0))) != checksum:
        raise damage(f"{len(view):,} bytes with a wrong checksum", path)
    header = json.loads(bytes(view[_HEAD.size : _HEAD.size + header_size]))
    content: Dict[str, Any] = header["values"]
    for name, kind, offset, length in header["arrays"]:
        start = _HEAD.size + header_size + offset
        content[name] = np.frombuffer(view, dtype=kind, count=length, offset=start)
    return content


def damage(found: str, path: Optional[PathLike]) -> BionerError:
    """Return the error for bytes that cannot be trusted."""
    message = f"found {found}; expected a whole gazetteer; "
    if path is None:
        return BionerError(f"gazetteer data: {message}copy or build the pipeline again")
    return TermTableError(f"{message}copy or build the file again", path=path)


def unknown_version(version: int, path: Optional[PathLike]) -> BionerError:
    """Return the error for a format that this release cannot read."""
    newer = version > FORMAT_VERSION
    message = (
        f"found format version {version}; expected {FORMAT_VERSION} or older; "
        + ("update spacy-bioner, or " if newer else "")
        + "build the gazetteer again from its terms"
    )
    if path is None:
        return BionerError(f"gazetteer data: {message}")
    return TermTableError(message, path=path)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
