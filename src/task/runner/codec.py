# codec.py - plain data between two interpreters, as one line of JSON.
#
# None, bool, str, list and small int are their own JSON; everything else is
# an object with one key that names the type.  What is no plain data stays
# where it is and travels as a number ("ref").
import builtins
import collections
import decimal
import fractions
import json


class NotPlain(Exception):
    pass


def encode(value, refer):
    """JSON value; refer (object) gives the number of what is not plain."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        n = int.__int__(value)
        return n if -2**53 < n < 2**53 else {'int': hex(n)}
    if isinstance(value, float):
        return {'float': float.hex(value)}
    if isinstance(value, complex):
        return {'complex': [value.real.hex(), value.imag.hex()]}
    if isinstance(value, (bytes, bytearray)):
        return {'bytes' if isinstance(value, bytes) else 'bytearray':
                bytes(value).hex()}
    if isinstance(value, dict):
        return {'dict': [[encode(k, refer), encode(v, refer)]
                         for k, v in dict.items(value)]}
    for name, base in SEQUENCES:
        if isinstance(value, base):
            items = [encode(v, refer) for v in base.__iter__(value)]
            return items if base is list else {name: items}
    if kind is decimal.Decimal:
        return {'decimal': str(value)}
    if kind is fractions.Fraction:
        return {'fraction': [hex(value.numerator), hex(value.denominator)]}
    if kind is type and builtins.__dict__.get(value.__name__) is value:
        return {'type': value.__name__}
    return {'ref': refer(value)}


SEQUENCES = [('list', list), ('tuple', tuple), ('set', set),
             ('frozenset', frozenset), ('deque', collections.deque)]


def decode(data, resolve):
    """The value of encode's answer; resolve (number) gives a reference."""
    if isinstance(data, list):
        return [decode(v, resolve) for v in data]
    if not isinstance(data, dict):
        return data
    (kind, body), = data.items()
    for name, base in SEQUENCES:
        if kind == name:
            return base(decode(v, resolve) for v in body)
    if kind == 'dict':
        return {decode(k, resolve): decode(v, resolve) for k, v in body}
    if kind == 'ref':
        return resolve(body)
    if kind == 'type':
        found = builtins.__dict__[body]
        if type(found) is not type:
            raise ValueError(body)
        return found
    return SCALARS[kind](body)


SCALARS = {
    'int': lambda body: int(body, 16),
    'float': float.fromhex,
    'complex': lambda body: complex(*map(float.fromhex, body)),
    'bytes': bytes.fromhex,
    'bytearray': bytearray.fromhex,
    'decimal': decimal.Decimal,
    'fraction': lambda body: fractions.Fraction(*(int(n, 16) for n in body)),
}


def write_line(file, data):
    file.write(json.dumps(data).encode() + b'\n')
    file.flush()
