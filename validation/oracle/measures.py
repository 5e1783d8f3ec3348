#!/usr/bin/env python3
"""measures.py - dates, times of day and units spelt in many ways, and near
misses of them, labelled by an oracle that is no grader.

    measures.py COUNT SEED > PAIRS.jsonl
    sextant equal --jsonl PAIRS.jsonl

Each line: {"gold", "pred", "equal"}.  Dates are equal by datetime, times by
their minute of the day, measures by exact rational factors.
validation/golden/measures.jsonl is `measures.py 200 1`.
"""
import datetime
import json
import random
import sys
from fractions import Fraction

rng = random.Random(int(sys.argv[2]))
pick = rng.choice

MONTHS = ("January February March April May June July August September "
          "October November December").split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

# kind, factor to the first of its kind, spellings
UNITS = [
    ("length", "1", "m meters metres meter"),
    ("length", "1/100", "cm centimeters centimetres"),
    ("length", "1/1000", "mm millimeters"),
    ("length", "1000", "km kilometers kilometres"),
    ("length", "254/10000", "in inches in. inch"),
    ("length", "3048/10000", "ft feet foot"),
    ("length", "9144/10000", "yd yards"),
    ("length", "1609344/1000", "mi miles"),
    ("mass", "1", "g grams"),
    ("mass", "1000", "kg kilograms kilogram"),
    ("mass", "1/1000", "mg milligrams"),
    ("mass", "1000000", "metric_tons tonnes"),
    ("weight", "16", "lb lbs pounds"),
    ("weight", "1", "oz ounces"),
    ("time", "1", "s seconds sec secs"),
    ("time", "60", "min minutes mins"),
    ("time", "3600", "h hours hr hrs"),
    ("time", "86400", "days day"),
    ("time", "604800", "weeks"),
    ("volume", "1", "L liters litres l"),
    ("volume", "1/1000", "mL milliliters ml"),
    ("dollars", "1", "dollars"),
    ("dollars", "1/100", "cents"),
    ("speed", "1000/3600", "km/h kilometers_per_hour km/hr kph"),
    ("speed", "1", "m/s meters_per_second"),
    ("imperial speed", "1", "mph miles_per_hour mi/h"),
    ("angle", "1", "degrees"),
    ("force", "1", "N newtons"),
    ("energy", "1", "J joules"),
    ("power", "1", "W watts"),
    ("tension", "1", "V volts"),
    ("frequency", "1", "Hz hertz"),
    ("cups", "16", "gallons gal gallon"),
    ("cups", "4", "quarts qt"),
    ("cups", "1", "cups"),
    ("apples", "1", "apples"),
    ("students", "1", "students"),
]
UNITS = [(k, Fraction(f), [s.replace("_", " ") for s in names.split()])
         for k, f, names in UNITS]


def ordinal(n):
    if 10 <= n % 100 <= 20:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def spell_date(d):
    y, m, n = d.year, MONTHS[d.month - 1], d.day
    th = ordinal(n)
    text = pick([
        f"{m} {n}, {y}", f"{m} {n}{th}, {y}", f"{m} {n} {y}", f"{n} {m} {y}",
        f"{n}{th} of {m}, {y}", f"{n}{th} {m} {y}", f"the {n}{th} of {m} {y}",
        f"{m[:3]} {n}, {y}", f"{m[:3]}. {n}, {y}", f"{m.upper()} {n}, {y}",
        f"\\text{{{m} {n}, {y}}}", f"\\text{{{m} }}{n}, {y}",
        f"\\text{{{m}}} {n}, {y}", f"\\text{{{n} {m} {y}}}",
        f"{m} ${n}$, ${y}$", f"{m} ${n}^{{\\text{{{th}}}}}$, {y}",
        f"{y}-{d.month:02}-{n:02}"])
    if text[0].isalpha() and rng.random() < 0.2:
        day = DAYS[d.weekday()]
        text = pick([day, day[:3]]) + ", " + text
    return text


def date_pair():
    d = datetime.date(rng.randint(1900, 2099), 1, 1)
    d += datetime.timedelta(rng.randint(0, 364))
    shift = pick([0, 0, 1, -1, 7, 10, 30, 365, -365, 366])
    e = d + datetime.timedelta(shift)
    return spell_date(d), spell_date(e), d == e


def spell_time(minute):
    h, m = divmod(minute, 60)
    half, twelve = "ap"[h >= 12], h % 12 or 12
    forms = []
    for mark in (f"{half}m", f"{half}.m.", f"{half.upper()}M",
                 f"\\text{{ {half}m}}", f"\\text{{ {half}.m.}}",
                 f"\\ \\text{{{half}m}}", f"\\,\\mathrm{{{half}m}}"):
        forms += [f"{twelve}:{m:02}{pick(['', ' '])}{mark}",
                  f"{twelve:02}:{m:02} {mark}", f"{twelve}:{m:02}:00 {mark}"]
        if m == 0:
            forms += [f"{twelve} {mark}", f"{twelve}{mark}"]
    if h < 12:
        forms.append(f"{twelve}:{m:02} in the morning")
    elif h < 18:
        forms.append(f"{twelve}:{m:02} in the afternoon")
    if m == 0 and h % 12 == 0:
        name = "noon" if h else "midnight"
        forms += [name, f"\\text{{{name}}}", f"12 {name}", f"12:00 {name}"]
    if h == 0:
        forms += [f"00:{m:02}", f"0:{m:02}"] * 4
    if h > 12:
        forms += [f"{h}:{m:02}", f"{h}:{m:02}:00", f"{h}{{:}}{m:02}",
                  f"{h}\\colon{m:02}", f"{h}:{m:02} hours",
                  f"{h}{m:02} hours"] * 3
    return pick(forms)


def time_pair():
    t = 60 * rng.randint(0, 23) + pick([0, 0, 15, 30, 45, rng.randint(0, 59)])
    shift = pick([0, 0, 0, 720, 1, -1, 60, -60, 10, 15])
    u = (t + shift) % 1440
    return spell_time(t), spell_time(u), t == u


def decimal(x):
    """The finite decimal x is, or None."""
    for places in range(10):
        scaled = x * 10**places
        if scaled.denominator == 1:
            digits = str(scaled).rjust(places + 1, "0")
            return digits[:-places] + "." + digits[-places:] if places \
                else digits
    return None


def spell_number(x):
    n, d = x.numerator, x.denominator
    forms = [f"\\frac{{{n}}}{{{d}}}", f"{n}/{d}"] if d > 1 else \
        [str(n), f"{n}.0", f"{n:,}"]
    return pick(forms + [decimal(x) or forms[0]])


def spell_measure(x, unit, power):
    kind, _, names = unit
    number, name = spell_number(x), pick(names)
    if kind == "angle" and rng.random() < 0.5:
        return number + pick(["^\\circ", "^{\\circ}", "°"])
    if names[0] == "dollars" and rng.random() < 0.5:
        return pick(["\\$", "US\\$", "\\$\\,"]) + number
    if power > 1 and len(name) <= 2:
        sign = pick([f"^{power}", f"^{{{power}}}"])
        return pick([f"{number}\\text{{ {name}}}{sign}",
                     f"{number}\\,\\mathrm{{{name}}}{sign}",
                     f"\\textcolor{{red}}{{{number}\\text{{ {name}}}{sign}}}",
                     f"{number}\\text{{ {name}{'²³'[power - 2]}}}"])
    if power > 1:
        name = ("square ", "cubic ")[power - 2] + name
    roman = name.replace(" ", "\\ ")
    forms = [f"{number}\\text{{ {name}}}", f"{number} \\text{{ {name}}}",
             f"{number}\\,\\text{{{name}}}", f"{number}~\\text{{{name}}}",
             f"{number}\\ \\text{{{name}}}", f"{number}\\mbox{{ {name}}}",
             f"{number}\\;\\mathrm{{{roman}}}",
             f"\\color{{blue}}{{{number}\\text{{ {name}}}}}"]
    if len(name) > 2:
        forms.append(f"{number} {name}")
    return pick(forms)


def some_number():
    return pick([Fraction(rng.randint(1, 60)),
                 Fraction(rng.randint(1, 999), pick([2, 4, 5, 10, 100])),
                 Fraction(rng.randint(1000, 90000)),
                 Fraction(rng.randint(1, 50), pick([3, 7, 9]))])


def measure_pair():
    while True:
        u, x = pick(UNITS), some_number()
        p = pick([1, 1, 2, 3]) if u[0] == "length" else 1
        v, y, q = u, x, p
        change = pick(["no", "no", "convert", "unit", "kin", "number", "power"])
        kin = [w for w in UNITS if w[0] == u[0]]
        if change == "convert":
            v = pick(kin)
            y = x * (u[1] / v[1])**p
        elif change == "unit":
            v = pick(UNITS)
        elif change == "kin":
            v = pick(kin)
        elif change == "number":
            y = x + pick([1, -1, Fraction(1, 10)])
        elif change == "power" and u[0] == "length":
            q = pick([1, 2, 3])
        if v[0] != "length":
            q = 1
        # what rounds to a decimal of six digits is right by another rule
        if not 0 < y < 10**10 or y.denominator > 10**7 or \
                (change == "number" and x >= 10000):
            continue
        same = u[0] == v[0] and p == q and x * u[1]**p == y * v[1]**q
        return spell_measure(x, u, p), spell_measure(y, v, q), same


for _ in range(int(sys.argv[1])):
    for pair in (date_pair, time_pair, measure_pair, measure_pair):
        gold, pred, equal = pair()
        print(json.dumps({"gold": gold, "pred": pred, "equal": bool(equal)},
                         ensure_ascii=False))
