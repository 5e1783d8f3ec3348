# boot.py - how a program begins and ends in the jail; python -c gets this text.
#
# What site.py would define (exit, quit), where modules are, then the program,
# as __main__, from file 6.  In a zygote os.fork() returns once for each
# program (zygote.c).
#
# The end is Python's own, step by step (Py_FinalizeEx): threads, atexit,
# flushes, the program's objects.  But the interpreter's own objects are not
# taken apart: that would copy every page that a program shares with the zygote,
# and take ten times as long as all else.


def start(path, preloaded, zygote):
    import _thread, builtins, gc, os, sys

    def flush():
        for name in ('stdout', 'stderr', '__stdout__', '__stderr__'):
            file = getattr(sys, name, None)
            if file is not None and not getattr(file, 'closed', False):
                file.flush()

    def status(code):
        if code is None or isinstance(code, int):
            return (code or 0) & 0xff
        print(code, file=sys.stderr)
        return 1

    def end():
        if 'threading' in modules:
            modules['threading']._shutdown()
        if 'atexit' in modules:
            modules['atexit']._run_exitfuncs()
        flush()
        gc.collect()
        for name in list(main):
            if name != '__builtins__':
                main[name] = None
        gc.collect()
        flush()

    leave, modules = os._exit, sys.modules
    main = modules['__main__'].__dict__
    _thread.stack_size(8 << 20)
    builtins.exit = builtins.quit = sys.exit
    sys.argv[:] = ['program.py']
    sys.path[:] = path
    if zygote:
        for name in preloaded:
            try:
                __import__(name)
            except ImportError:
                pass
        gc.collect()
        gc.freeze()
        os.fork()
    del main['start']
    code = 0
    try:
        with open(6, 'rb') as file:
            text = file.read()
        text = compile(text, 'program.py', 'exec')
        exec(text, main)
    except SystemExit as e:
        code = status(e.code)
    except BaseException as e:
        code = 1
        sys.excepthook(type(e), e, e.__traceback__)
    try:
        end()
    except BaseException:
        code = code or 120
    leave(code)


# Not the program's names, nor builtins that it changes.
start = type(start)(start.__code__,
                    {'__builtins__': dict(vars(__builtins__))})
