# serve.py - runs a program's functions for somebody who knows the answers.
#
# In the program's own jail, behind codec.py.  Nothing secret is here: the
# program may do to this file what it likes.
import sys
import types

PRELUDE = '''
from typing import *
from collections import *
from functools import *
from heapq import *
from itertools import *
import bisect, collections, copy, functools, heapq, itertools, math, operator
import random, re, string
'''


def load(config):
    """The program's names, after setup and the program itself ran."""
    module = types.ModuleType('solution')
    sys.modules['solution'] = module
    space = module.__dict__
    exec(PRELUDE, space)
    try:
        exec(compile(config.get('setup', ''), 'setup.py', 'exec'), space)
    except Exception:
        pass  # it may need names of the program: the tests run it again
    exec(compile(config['program'], 'program.py', 'exec'), space)
    return space


def find(space, name):
    """A function of that name, or the method of a new Solution."""
    if name in space:
        return space[name]
    solution = space.get('Solution')
    if isinstance(solution, type) and hasattr(solution, name):
        return getattr(solution(), name)
    raise NameError('the program defines no %s' % name)


def int_keys(value):
    """A dictionary whose keys were ints before JSON made texts of them."""
    try:
        return {int(k): v for k, v in value.items()}
    except (AttributeError, ValueError):
        return value


def answer_calls(space, config):
    """One line on file 3 for each list of arguments."""
    with open(3, 'wb') as out:
        for arguments in config['calls']:
            if config.get('int_keys'):
                arguments = [int_keys(a) for a in arguments]
            value = find(space, config['fn_name'])(*arguments)
            write_line(out, encode(value, lambda v: type(v).__name__))


class Server:
    def __init__(self, space):
        self.space = space
        self.objects = []

    def refer(self, value):
        for i, known in enumerate(self.objects):
            if known is value:
                return i
        self.objects.append(value)
        return len(self.objects) - 1

    def get(self, name):
        if name not in self.space and not hasattr(
                self.space.get('Solution'), name):
            return {'missing': name}
        return {'value': encode(find(self.space, name), self.refer)}

    def call(self, target, args, named):
        before = json.dumps(args)
        args = [decode(v, self.objects.__getitem__) for v in args]
        named = {k: decode(v, self.objects.__getitem__)
                 for k, v in named.items()}
        value = self.objects[target](*args, **named)
        after = [encode(v, self.refer) for v in args]
        return {'value': encode(value, self.refer),
                'args': None if json.dumps(after) == before else after}

    def use(self, target, how, args):
        args = [decode(v, self.objects.__getitem__) for v in args]
        value = {'iter': list, 'len': len, 'bool': bool, 'str': str,
                 'item': lambda x, key: x[key],
                 'attr': getattr, 'set': setattr}[how](
                     self.objects[target], *args)
        return {'value': encode(value, self.refer)}

    def answer(self, request):
        try:
            return getattr(self, request[0])(*request[1:])
        except Exception as e:
            return {'error': type(e).__name__, 'text': str(e)[:300]}

    def serve(self):
        with open(4, 'rb') as requests, open(5, 'wb') as answers:
            for line in requests:
                write_line(answers, self.answer(json.loads(line)))


config = json.loads(sys.stdin.buffer.read())
sys.setrecursionlimit(20000)
space = load(config)
if 'calls' in config:
    answer_calls(space, config)
else:
    Server(space).serve()
