"""What a protobuf message would take in memory, found out before it is built: two bytes can become two hundred."""

from __future__ import annotations

from typing import Any

from supercheck.base.errors import InputError

_MOST = 1 << 26  # bytes beside the raw data
_MESSAGE, _FIELD, _NUMBER = 192, 64, 8  # bytes: what each is counted as; a number may be one byte in the file
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def check(data: bytes, kind: Any) -> None:
    """Refuse a file whose message would be far larger than the file.

    Args:
        data: the file's.
        kind: the descriptor of the message in it.

    Raises:
        InputError: if it is too much, or no message.
    """
    spent, open_ = 0, [(0, len(data), kind)]
    while open_:
        place, end, kind = open_.pop()
        while place < end:
            key, place = _varint(data, place, end)
            field, wire, length = kind.fields_by_number.get(key >> 3), key & 7, 0
            spent += _FIELD
            if wire == _VARINT:
                _, place = _varint(data, place, end)
            elif wire == _BYTES:
                length, place = _varint(data, place, end)
                if field is not None and field.message_type is not None:
                    open_.append((place, min(place + length, end), field.message_type))
                    spent += _MESSAGE
                elif field is None or field.name != "raw_data":
                    packed = field is not None and field.cpp_type != field.CPPTYPE_STRING
                    spent += length * _NUMBER if packed else length
            elif wire in (_EIGHT, _FOUR):
                length = 8 if wire == _EIGHT else 4
            else:
                raise InputError(expected="an ONNX model", got=f"wire type {wire} at byte {place}")
            place += length
            if place > end:
                raise InputError(expected="an ONNX model", got=f"a field that ends past byte {end}")
            if spent > _MOST:
                do = "give the weights as raw data, as exporters do"
                raise InputError(expected=f"at most {_MOST:,} bytes beside raw data", got="more", do=do)


def _varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= end:
            break
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise InputError(expected="an ONNX model", got=f"a broken number at byte {place}")
