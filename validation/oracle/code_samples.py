#!/usr/bin/env python3
"""Programs with a known verdict for the samples of APPS, LiveCodeBench and
CodeContests, for validation/code.sh.

    code_samples.py apps|livecodebench|codecontests FILE OUT

APPS' sample holds solutions, and programs of a model with the verdict of its
own judge; the programs for the other two were written for this test.  Writes
OUT-right.jsonl and OUT-wrong.jsonl, lines {"id", "response", "sample"}.
"""
import json
import sys

CARDS = '''
for _ in range(int(input())):
    s = input()
    print('%s' if sum(a != b for a, b in zip(s, 'abc')) <= %d else '%s')
'''
SENIORS = '''
class Solution:
    def countSeniors(self, details: List[str]) -> int:
        return sum(int(d[11:13]) %s 60 for d in details)
'''
WINNER = '''
n, s = int(input()), input()
t, a = s.count('T'), s.count('A')
print('T' if t > a or (t == a and s[-1] == '%s') else 'A')
'''
SHIRTS = '''
import sys
from collections import Counter
lines = sys.stdin.read().split()
n = int(lines[0])
a, b = Counter(lines[1:n + 1]), Counter(lines[n + 1:])
print(sum((a - b).values())%s)
'''
SHUFFLE = '''
a, b = input(), input()
d = sorted(a)
i = next((i for i, c in enumerate(d) if c != '0'), 0)
best = d[i] + ''.join(d[:i] + d[i + 1:])
print('OK' if b %s best else 'WRONG_ANSWER')
'''
# id: right programs, wrong programs
WRITTEN = {
    'livecodebench/1': (
        [CARDS % ('YES', 2, 'NO')],
        [CARDS % ('YES', 1, 'NO'), CARDS % ('NO', 2, 'YES'),
         CARDS % ('Yes', 2, 'No'), 'import sys; sys.exit(0)',
         'while True: pass', 'print(1 / 0)', 'no Python at all']),
    'livecodebench/10': (
        [SENIORS % '>', (SENIORS % '>').replace('List[str]', 'list[str]'),
         'def countSeniors(details):\n'
         '    return len([d for d in details if d[11:13] > "60"])\n'],
        [SENIORS % '>=', SENIORS % '<', 'class Solution:\n    pass\n',
         SENIORS.replace('sum', 'str') % '>',
         'class Yes:\n    __eq__ = lambda a, b: True\n'
         'def countSeniors(details): return Yes()\n']),
    'livecodebench/191': (
        [WINNER % 'A'],
        [WINNER % 'T', (WINNER % 'A').replace('t > a', 't >= a')]),
    'codecontests/3': ([SHIRTS % ''], [SHIRTS % ' + 1', SHIRTS % ' / 2',
                                       (SHIRTS % '').replace('a - b', 'a')]),
    'codecontests/17': ([SHUFFLE % '=='],
                        [SHUFFLE % '!=', SHUFFLE % '>=', SHUFFLE % 'in']),
}


def compiles(code):
    try:
        compile(code, 'program', 'exec')
    except SyntaxError:
        return False
    return True


def apps(path):
    """(id, program, is it right)"""
    with open(path, encoding='utf-8') as file:
        for row in map(json.loads, file):
            name = 'apps/' + row['problem_id']
            for code in row['solutions']:
                # One returns outside of a function: only APPS' own judge,
                # which indents programs into one, can run it.
                if compiles(code):
                    yield name, code, True
            for program in row['generated']:
                yield name, program['code'], program['result'] is True


def main():
    kind, path, out = sys.argv[1:]
    if kind == 'apps':
        programs = list(apps(path))
    else:
        programs = [(name, code, good)
                    for name, sides in WRITTEN.items() if name.startswith(kind)
                    for good, side in zip((True, False), sides)
                    for code in side]
    for good in (True, False):
        with open('%s-%s.jsonl' % (out, 'right' if good else 'wrong'), 'w',
                  encoding='utf-8') as file:
            for i, (name, code, is_good) in enumerate(programs):
                if is_good is good:
                    json.dump({'id': name, 'sample': i,
                               'response': '```python\n%s\n```\n' % code}, file)
                    file.write('\n')
    print('right %d wrong %d' % (sum(p[2] for p in programs),
                                 sum(not p[2] for p in programs)))


main()
