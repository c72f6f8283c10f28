"""Writes single Avro longs and strings.

Source: the Avro specification 1.12, "Binary encoding".
"""

_LEAST, _GREATEST = -(2**63), 2**63 - 1


def avro_long(value: int) -> bytes:
    """Zigzag, then seven bits a byte, lowest first.

    Raises:
        TypeError: it is no integer.
        OverflowError: it does not fit 64 bits.
    """
    if not _LEAST <= value <= _GREATEST:
        raise OverflowError(f"{value} does not fit a long")
    return varint((value << 1) ^ (value >> 63))


def avro_string(text: str) -> bytes:
    """Length, then UTF-8."""
    encoded = text.encode()
    return avro_long(len(encoded)) + encoded


def varint(rest: int) -> bytes:
    """A number from 0 on, seven bits a byte, lowest first."""
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
