# Deterministic MessagePack, as engine/JOURNAL.md says under "Values", and the JSON twin of engine/PROTOCOL.md.
import struct

SIZES = {"B": 1, "H": 2, "I": 4, "Q": 8, "b": 1, "h": 2, "i": 4, "q": 8}


def number(code, form, value):
    return bytes([code]) + struct.pack(">" + form, value)


def header(n, fixed, below, codes):
    if n < below:
        return bytes([fixed | n])
    for code, form in codes:
        if n < 1 << 8 * SIZES[form]:
            return number(code, form, n)
    raise ValueError("too long")


def encode(value):
    if value is None:
        return b"\xc0"
    if value is False or value is True:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if -32 <= value < 128:
            return struct.pack("b", value)
        for code, form in ((0xCC, "B"), (0xCD, "H"), (0xCE, "I"), (0xCF, "Q")) if value >= 0 else ():
            if value < 1 << 8 * SIZES[form]:
                return number(code, form, value)
        for code, form in (0xD0, "b"), (0xD1, "h"), (0xD2, "i"), (0xD3, "q"):
            if value >= -1 << 8 * SIZES[form] - 1:
                return number(code, form, value)
    if isinstance(value, str):
        raw = value.encode()
        return header(len(raw), 0xA0, 32, ((0xD9, "B"), (0xDA, "H"), (0xDB, "I"))) + raw
    if isinstance(value, bytes):
        return header(len(value), 0, 0, ((0xC4, "B"), (0xC5, "H"), (0xC6, "I"))) + value
    if isinstance(value, list):
        return header(len(value), 0x90, 16, ((0xDC, "H"), (0xDD, "I"))) + b"".join(map(encode, value))
    pairs = sorted(value.items(), key=lambda pair: pair[0].encode())
    return header(len(pairs), 0x80, 16, ((0xDE, "H"), (0xDF, "I"))) + b"".join(encode(k) + encode(v) for k, v in pairs)


def decode(raw):
    """One value that fills `raw`, in its one encoding."""
    value, end = read(raw, 0)
    if end != len(raw) or encode(value) != raw:
        raise ValueError("not deterministic MessagePack")
    return value


def read(raw, at):
    code, at = raw[at], at + 1

    def taken(form):
        return struct.unpack_from(">" + form, raw, at)[0], at + SIZES[form]

    def text(n, at):
        return raw[at : at + n].decode(), at + n

    def array(n, at):
        items = []
        for _ in range(n):
            item, at = read(raw, at)
            items.append(item)
        return items, at

    def table(n, at):
        pairs = {}
        for _ in range(n):
            key, at = read(raw, at)
            pairs[key], at = read(raw, at)
        return pairs, at

    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code < 0x90:
        return table(code & 15, at)
    if code < 0xA0:
        return array(code & 15, at)
    if code < 0xC0:
        return text(code & 31, at)
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], at
    if 0xC4 <= code <= 0xC6:
        n, at = taken("BHI"[code - 0xC4])
        return raw[at : at + n], at + n
    if 0xCC <= code <= 0xD3:
        return taken("BHIQbhiq"[code - 0xCC])
    if 0xD9 <= code <= 0xDB:
        return text(*taken("BHI"[code - 0xD9]))
    if 0xDC <= code <= 0xDD:
        return array(*taken("HI"[code - 0xDC]))
    if 0xDE <= code <= 0xDF:
        return table(*taken("HI"[code - 0xDE]))
    raise ValueError("a byte that stands for nothing here")


def from_json(value):
    if isinstance(value, str) and value.startswith("hex:"):
        return bytes.fromhex(value[4:])
    if isinstance(value, dict):
        return {key: from_json(inner) for key, inner in value.items()}
    return [from_json(inner) for inner in value] if isinstance(value, list) else value


def to_json(value):
    if isinstance(value, bytes):
        return "hex:" + value.hex()
    if isinstance(value, dict):
        return {key: to_json(inner) for key, inner in value.items()}
    return [to_json(inner) for inner in value] if isinstance(value, list) else value
