#!/bin/sh
# t3002-code.sh - mutants of a few solutions are judged as a plain CPython
# judges them: validation/code.sh on problems of our own, in two data sets'
# forms.
${PYTHON3:-python3} -c '' 2>/dev/null || {
    echo "1..0 # SKIP no Python interpreter"
    exit 0
}
small=$(mktemp -d "${TMPDIR:-/tmp}/sextant-code.XXXXXX") || exit 99
trap 'rm -rf "$small"' EXIT
mkdir "$small/humaneval" "$small/mbpp"
${PYTHON3:-python3} - "$small" <<'END'
import gzip
import json
import sys

HUMANEVAL = [
    ('second', 'def second(xs):\n    """The second largest of the different '
     'values, or None."""\n',
     '    xs = sorted(set(xs))\n'
     '    if len(xs) < 2:\n        return None\n    return xs[-2]\n',
     'def check(f):\n    assert f([3, 1, 3, 2]) == 2\n'
     '    assert f([1, 1]) is None\n    assert f([2, 1]) == 1\n'),
    ('digits', 'import math\n\ndef root(n):\n    return math.isqrt(n)\n\n\n'
     'def digits(n):\n    """Digits of the whole root of n."""\n',
     '    if n < 100:\n        return 1\n    return len(str(root(n)))\n',
     'def check(f):\n    for n, d in ((0, 1), (99, 1), (100, 2), (10 ** 8, 5)):\n'
     '        assert f(n) == d, n\n    assert f(root(81)) == 1\n'),
]
MBPP = [
    ('def runs(s):\n    out = []\n    for c in s:\n'
     '        if out and out[-1][0] == c:\n'
     '            out[-1] = (c, out[-1][1] + 1)\n        else:\n'
     '            out.append((c, 1))\n    return out\n',
     ['assert runs("aab") == [("a", 2), ("b", 1)]', 'assert runs("") == []']),
    ('def mean(xs):\n    total = 0\n    for x in xs:\n        if x is None:\n'
     '            continue\n        total += x\n'
     '    return total / len([x for x in xs if x is not None])\n',
     ['assert mean([1, None, 2]) == 1.5', 'assert abs(mean([0.1]) - 0.1) < 1e-9'
      ]),
]
with gzip.open(sys.argv[1] + '/humaneval/HumanEval.jsonl.gz', 'wt') as file:
    for i, (entry, prompt, solution, test) in enumerate(HUMANEVAL):
        json.dump({'task_id': 'HumanEval/%d' % i, 'prompt': prompt,
                   'canonical_solution': solution, 'test': test,
                   'entry_point': entry}, file)
        file.write('\n')
with open(sys.argv[1] + '/mbpp/mbpp.jsonl', 'w') as file:
    for i, (code, tests) in enumerate(MBPP):
        json.dump({'task_id': i + 1, 'text': 'See the tests.', 'code': code,
                   'test_setup_code': '', 'test_list': tests}, file)
        file.write('\n')
END
SXT_EACH=6 SXT_BUSY=0 sh "$SRCDIR/validation/code.sh" "$small"
