# judge.py - runs assertions about a program that lives in another jail.
#
# Behind codec.py, where the program never is.  The names that the assertions
# do not define are asked for over there; what comes back is plain data, or a
# Remote, so equality is always decided here, by Python's own types.
import ast
import sys

LONGEST = 128 << 20  # bytes of an answer


class Gone(BaseException):
    """The program's process has ended."""


class Link:
    def __init__(self):
        self.requests = open(5, 'wb')
        self.answers = open(4, 'rb')

    def ask(self, *request):
        try:
            write_line(self.requests, request)
            line = self.answers.readline(LONGEST)
        except OSError:
            raise Gone from None
        if not line.endswith(b'\n'):
            raise Gone
        try:
            reply = json.loads(line)
        except (ValueError, RecursionError):
            reply = None
        if type(reply) is not dict:
            raise AssertionError('unreadable answer')
        if 'error' in reply:
            raise exception(reply)
        return reply


def exception(reply):
    """What the program raised, if Python itself has it."""
    kind = getattr(builtins, str(reply['error']), None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = RuntimeError
    return RuntimeError(reply.get('text')) if kind in AWKWARD else kind(
        str(reply.get('text')))


# Exceptions that take more than a text, and those that end loops quietly:
# all (map (f, …)) would hold if f could raise StopIteration here.
AWKWARD = {StopIteration, StopAsyncIteration, GeneratorExit,
           UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError,
           getattr(builtins, 'ExceptionGroup', None)}


def plain(data):
    try:
        return decode(data, Remote)
    except (ValueError, TypeError, KeyError, ArithmeticError,
            RecursionError) as e:
        raise AssertionError('unreadable value') from e


def refer(value):
    if type(value) is Remote:
        return value.__dict__['number']
    raise NotPlain('%s cannot be handed to the program' %
                   type(value).__name__)


def encode_all(values):
    return [encode(v, refer) for v in values]


def renew(old, new):
    """Make an argument what the program made of it."""
    if type(old) is type(new) and old != new:
        if type(old) is list:
            old[:] = new
        elif type(old) in (dict, set):
            old.clear()
            old.update(new)


def use(remote, how, *args):
    return plain(link.ask('use', remote.__dict__['number'], how,
                          encode_all(args)).get('value'))


class Remote:
    """An object of the program's: it can be used, but it equals only itself."""

    def __init__(self, number):
        if type(number) is not int:
            raise ValueError('reference')
        self.__dict__['number'] = number

    def __call__(self, *args, **named):
        reply = link.ask('call', self.__dict__['number'], encode_all(args),
                         {k: encode(v, refer) for k, v in named.items()})
        value = plain(reply.get('value'))
        changed = reply.get('args')
        for old, new in zip(args, changed if type(changed) is list else ()):
            renew(old, plain(new))
        return value

    def __iter__(self):
        return iter(use(self, 'iter'))

    def __len__(self):
        return use(self, 'len')

    def __bool__(self):
        return use(self, 'bool') is True

    def __str__(self):
        return str(use(self, 'str'))

    def __getitem__(self, key):
        return use(self, 'item', key)

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return use(self, 'attr', name)

    def __setattr__(self, name, value):
        use(self, 'set', name, value)


def free_names(tree):
    return {n.id for n in ast.walk(tree)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def fetch(names, space):
    """Ask for names that are not known here."""
    for name in sorted(names):
        reply = link.ask('get', name)
        if 'missing' not in reply:
            space[name] = plain(reply.get('value'))


def fetch_unknown(tree, space):
    fetch({n for n in free_names(tree)
           if n not in space and not hasattr(builtins, n)}, space)


def fetch_entry(config, space):
    """The function under test, also if it has the name of one of Python's;
    no other name of Python's is ever the program's."""
    entry = config['entry']
    if not entry:
        names = set().union(*(free_names(ast.parse(t))
                              for t in config['tests']))
        if not all(hasattr(builtins, n) for n in names) or len(names) != 1:
            return
        entry, = names
    space.pop(entry, None)
    fetch({entry}, space)
    if entry not in space:
        raise AssertionError('the program defines no %s' % entry)


def run(text, label, space):
    tree = ast.parse(text, label)
    fetch_unknown(tree, space)
    exec(compile(tree, label, 'exec'), space)


def report(index, verdict, text=''):
    write_line(channel, [index, verdict, str(text)[:300]])


def judge(config):
    space = {'__name__': 'tests'}
    index = -1
    try:
        run(config['setup'], 'setup.py', space)
        run(config['judge'], 'judge.py', space)
        fetch_entry(config, space)
        for index, text in enumerate(config['tests']):
            run(text, 'test %d' % index, space)
            report(index, 'pass')
    except Gone:
        report(index, 'gone')
    except NotPlain as e:
        report(index, 'unfit', e)
    except AssertionError as e:
        report(index, 'wrong', e)
    except Exception as e:
        report(index, 'raised', '%s: %s' % (type(e).__name__, e))


link = Link()
channel = open(3, 'wb')
config = json.loads(sys.stdin.buffer.read())
sys.setrecursionlimit(20000)
judge(config)
