# evalplus.py - inputs of EvalPlus's data sets, judged beside a reference.
#
# In the judge's jail.  JSON has no tuples, sets
# or complex numbers, so arguments take the types that the examples have.  All
# names are the class's: the tested function may have any other.
class EvalPlus:
    def __init__(self, problem):
        self.entry = problem['entry']
        self.how = problem['how']
        self.atol = problem['atol']
        self.types = self.example_arguments(problem['examples'])
        space = {'__name__': 'reference'}
        exec(problem['reference'], space)
        self.reference = space[self.entry]

    def example_arguments(self, text):
        """For each argument, its values in the calls of the examples."""
        import ast

        def literal(node):
            try:
                return ast.literal_eval(node)
            except ValueError:
                return None

        calls = [[literal(a) for a in node.args]
                 for node in ast.walk(ast.parse(text))
                 if isinstance(node, ast.Call) and
                 isinstance(node.func, ast.Name) and
                 node.func.id == self.entry]
        longest = max(map(len, calls), default=0)
        return [[c[i] for c in calls if i < len(c) and c[i] is not None]
                for i in range(longest)]

    def like(self, value, examples):
        """The value, with the types that the examples have."""
        if type(value) is list:
            same = [e for e in examples if isinstance(e, (list, tuple, set))]
            kind = type(same[0]) if same else list
            inner = [x for e in same for x in e]
            if not any(isinstance(x, (list, tuple, set)) for x in inner):
                inner += same  # deeper than the examples: as they began
            return kind([self.like(v, inner) for v in value])
        if type(value) is dict:
            inner = [x for e in examples if type(e) is dict
                     for x in e.values()]
            return {k: self.like(v, inner) for k, v in value.items()}
        if type(value) is str and examples and not any(
                type(e) is str for e in examples):
            for kind in (type(examples[0]), float, complex):
                try:
                    return kind(value)
                except (TypeError, ValueError):
                    pass
        return value

    def near(self, got, want, atol):
        """As numpy.allclose, with EvalPlus's relative tolerance."""
        if type(want) in (list, tuple):
            return (type(got) in (list, tuple) and len(got) == len(want) and
                    all(self.near(g, w, atol) for g, w in zip(got, want)))
        numbers = (int, float, complex)
        return (isinstance(got, numbers) and isinstance(want, numbers) and
                (got == want or abs(got - want) <= atol + 1e-7 * abs(want)))

    def same(self, got, want, arguments):
        if self.how == 'set':
            return set(got) == set(want)
        if self.how == 'found':
            return (got == want if type(got) is bool else
                    (got is not None) == (want is not None))
        if self.how == 'root':
            return abs(sum(c * got**i for i, c in enumerate(arguments[0]))
                       ) <= self.atol
        floats = type(want) is float or (
            type(want) in (list, tuple) and want and
            all(type(v) is float for v in want))
        atol = self.atol or (1e-6 if floats else 0)
        return got == want or (atol and type(got) is type(want) and
                               self.near(got, want, atol))

    def check(self, text):
        import copy
        import json
        arguments = [self.like(v, self.types[i] if i < len(self.types) else [])
                     for i, v in enumerate(json.loads(text))]
        want = self.reference(*copy.deepcopy(arguments))
        got = globals()[self.entry](*copy.deepcopy(arguments))
        if not self.same(got, want, arguments):
            raise AssertionError('%.100r instead of %.100r' % (got, want))
