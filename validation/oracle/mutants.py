#!/usr/bin/env python3
"""Programs with a known verdict, for validation/code.sh.

    mutants.py KIND FILE OUT [--each N] [--first N] [--seconds S] [--seed N]

FILE is a data set with reference solutions, KIND how it is tested: humaneval
(also HumanEval+ with check ()), mbpp, sanitized; evalplus has inputs only, so
its solutions are written as right and no mutants are made.  Of each solution N mutants
are made, each with one small fault: another constant, operator or comparison,
a missing return, a range or slice that is off by one, a negated condition,
`and` for `or`, `break` for `continue`.  A plain CPython runs the official
tests on them, one process each, held by limits on CPU time, memory, processes
and file size in an empty directory.  So the verdict is independent of Sextant.

Writes OUT-right.jsonl and OUT-wrong.jsonl, lines {"id", "response", "sample"}
for sextant grade, and prints how many there are of each.
"""
import argparse
import ast
import concurrent.futures
import copy
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitXor, ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}


def off_by_one(node):
    return ast.BinOp(node, ast.Sub(), ast.Constant(1))


def helpers(prompt, entry):
    """Functions that the problem gives besides the one that is asked for.  A
    fault in them is none of the answer: Sextant's tests use the problem's."""
    try:
        given = ast.parse(prompt + '\n    pass\n')
    except SyntaxError:
        return set()
    return {n.name for n in given.body if isinstance(n, ast.FunctionDef)
            } - {entry}


def faults(tree, given):
    """Functions that each put one fault into a copy of the tree, by kind."""
    fixed = {id(inner) for n in tree.body
             if isinstance(n, ast.FunctionDef) and n.name in given
             for inner in ast.walk(n)}
    for i, node in enumerate(ast.walk(tree)):
        if id(node) in fixed:
            continue
        if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)):
            if type(node.op) in SWAPS:
                yield 'operator', i, lambda n: setattr(
                    n, 'op', SWAPS[type(n.op)]())
        elif isinstance(node, ast.Compare):
            if type(node.ops[0]) in SWAPS:
                yield 'comparison', i, lambda n: n.ops.__setitem__(
                    0, SWAPS[type(n.ops[0])]())
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            yield 'constant', i, lambda n: setattr(n, 'value', n.value + 1)
        elif isinstance(node, ast.Return) and node.value:
            yield 'return', i, lambda n: setattr(n, 'value', None)
        elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
            yield 'condition', i, lambda n: setattr(
                n, 'test', ast.UnaryOp(ast.Not(), n.test))
        elif isinstance(node, ast.Slice) and node.upper:
            yield 'slice', i, lambda n: setattr(n, 'upper',
                                                off_by_one(n.upper))
        elif (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and
              node.func.id == 'range' and node.args):
            yield 'range', i, lambda n: n.args.__setitem__(
                -1, off_by_one(n.args[-1]))


def swap_jumps(tree):
    """Kinds of faults that replace a node by one of another type."""
    class Swap(ast.NodeTransformer):
        done = False

        def visit_Break(self, node):
            if self.done:
                return node
            self.done = True
            return ast.Continue()
    swap = Swap()
    new = swap.visit(copy.deepcopy(tree))
    return [new] if swap.done else []


def mutants(source, given, each, rng):
    """Up to `each` programs, of as many kinds of faults as there are."""
    tree = ast.parse(source)
    by_kind = {}
    for kind, i, change in faults(tree, given):
        by_kind.setdefault(kind, []).append((i, change))
    trees = swap_jumps(tree)
    while by_kind and len(trees) < each:
        for kind in sorted(by_kind):
            i, change = by_kind[kind].pop(rng.randrange(len(by_kind[kind])))
            new = copy.deepcopy(tree)
            change(list(ast.walk(new))[i])
            trees.append(new)
            if not by_kind[kind]:
                del by_kind[kind]
    rng.shuffle(trees)
    return [ast.unparse(ast.fix_missing_locations(t)) for t in trees[:each]]


# References that cannot be judged, and why.
LEFT_OUT = {
    'Mbpp/255': 'one of its answers is 1.7 million tuples of 77 words, more '
                'than the 128 MiB that an answer may have',
}


def problems(kind, path):
    """(id, solution, helpers, tests): tests are run behind a program."""
    opener = gzip.open if path.endswith('.gz') else open
    with opener(path, 'rt', encoding='utf-8') as file:
        rows = (json.load(file) if path.endswith('.json') else
                [json.loads(line) for line in file])
    for row in rows:
        if row['task_id'] in LEFT_OUT:
            print('left out: %s: %s' % (row['task_id'], LEFT_OUT[row['task_id']]))
        elif kind == 'evalplus':
            plus = row['task_id'].split('/')[0].lower() + '-plus/'
            head = row['prompt'] if plus.startswith('humaneval') else ''
            yield (plus + row['task_id'], head + row['canonical_solution'], (),
                   '')
        elif kind == 'humaneval':
            yield ('humaneval/' + row['task_id'],
                   row['prompt'] + row['canonical_solution'],
                   helpers(row['prompt'], row['entry_point']),
                   '%s\ncheck(%s)\n' % (row['test'], row['entry_point']))
        else:
            setup = row.get('test_setup_code') or '\n'.join(
                row.get('test_imports', []))
            yield ('mbpp/%d' % row['task_id'], row['code'].replace('\r', ''), (),
                   '\n'.join([setup] + row['test_list']))


def limits(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (512, 512))


def passes(program, tests, seconds):
    """Does a plain interpreter get through the official tests?"""
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, 'program.py')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(program + '\n' + tests)
        run = subprocess.run(
            [sys.executable, '-I', path], cwd=place,
            env={'OPENBLAS_NUM_THREADS': '1'}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=900, preexec_fn=lambda: limits(seconds),
            check=False)
    return run.returncode == 0


def cases(args):
    rng = random.Random(args.seed)
    for n, (name, solution, given, tests) in enumerate(
            problems(args.kind, args.file)):
        if args.first and n >= args.first:
            break
        if args.kind == 'evalplus':
            yield name, 0, solution, tests
            continue
        programs = [solution] + [
            p for p in dict.fromkeys(mutants(solution, given, args.each, rng))
            if p != solution]
        for sample, program in enumerate(programs):
            yield name, sample, program, tests


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('kind', choices=['humaneval', 'mbpp', 'sanitized', 'evalplus'])
    parser.add_argument('file')
    parser.add_argument('out')
    parser.add_argument('--each', type=int, default=3)
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--seconds', type=int, default=4)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    count = [0, 0]

    def judge(case):
        return case, (args.kind == 'evalplus' or
                      passes(case[2], case[3], args.seconds))

    with (open(args.out + '-wrong.jsonl', 'w') as wrong,
          open(args.out + '-right.jsonl', 'w') as right,
          concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool):
        for (name, sample, program, _), good in pool.map(judge, cases(args)):
            line = {'id': name, 'sample': sample,
                    'response': '```python\n%s\n```\n' % program.rstrip()}
            json.dump(line, right if good else wrong)
            (right if good else wrong).write('\n')
            count[good] += 1
            if sample == 0 and not good:
                print('%s: the reference fails its own tests' % name)
    print('right %d wrong %d' % (count[1], count[0]))


main()
