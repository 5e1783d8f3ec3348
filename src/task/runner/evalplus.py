# evalplus.py - inputs of EvalPlus's data sets, judged beside a reference.
#
# In the judge's jail; `problem` stands before it.  JSON has no tuples, sets
# or complex numbers, so arguments take the types that the examples have.
import ast
import copy
import json


def literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def example_arguments():
    """For each argument, its values in the calls of the examples."""
    calls = [[literal(a) for a in node.args]
             for node in ast.walk(ast.parse(problem['examples']))
             if isinstance(node, ast.Call) and
             isinstance(node.func, ast.Name) and
             node.func.id == problem['entry']]
    longest = max(map(len, calls), default=0)
    return [[c[i] for c in calls if i < len(c) and c[i] is not None]
            for i in range(longest)]


def like(value, examples):
    """The value, with the types that the examples have."""
    if type(value) is list:
        same = [e for e in examples if isinstance(e, (list, tuple, set))]
        kind = type(same[0]) if same else list
        return kind([like(v, [x for e in same for x in e]) for v in value])
    if type(value) is dict:
        inner = [x for e in examples if type(e) is dict for x in e.values()]
        return {k: like(v, inner) for k, v in value.items()}
    if type(value) is str and examples and not any(
            type(e) is str for e in examples):
        for kind in (type(examples[0]), float, complex):
            try:
                return kind(value)
            except (TypeError, ValueError):
                pass
    return value


def near(got, want, atol):
    """As numpy.allclose, with EvalPlus's relative tolerance."""
    if type(want) in (list, tuple):
        return (type(got) in (list, tuple) and len(got) == len(want) and
                all(near(g, w, atol) for g, w in zip(got, want)))
    numbers = (int, float, complex)
    return (isinstance(got, numbers) and isinstance(want, numbers) and
            (got == want or abs(got - want) <= atol + 1e-7 * abs(want)))


def is_floats(value):
    return type(value) is float or (type(value) in (list, tuple) and value and
                                    all(type(v) is float for v in value))


def same(got, want, arguments):
    if problem['how'] == 'set':
        return set(got) == set(want)
    if problem['how'] == 'found':
        return (got == want if type(got) is bool else
                (got is not None) == (want is not None))
    if problem['how'] == 'root':
        return abs(sum(c * got**i for i, c in enumerate(arguments[0]))) <= (
            problem['atol'])
    atol = problem['atol'] or (1e-6 if is_floats(want) else 0)
    return got == want or (atol and type(got) is type(want) and
                           near(got, want, atol))


def check(text):
    arguments = [like(v, types[i] if i < len(types) else [])
                 for i, v in enumerate(json.loads(text))]
    want = reference[problem['entry']](*copy.deepcopy(arguments))
    got = globals()[problem['entry']](*copy.deepcopy(arguments))
    if not same(got, want, arguments):
        raise AssertionError('%.100r instead of %.100r' % (got, want))


types = example_arguments()
reference = {'__name__': 'reference'}
exec(problem['reference'], reference)
