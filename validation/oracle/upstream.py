#!/usr/bin/env python3
"""upstream.py - verdicts of SkyThought's own code on texts of ours.

    pip install sympy==1.13.1 antlr4-python3-runtime==4.11.1 regex word2number
    upstream.py CHECKOUT > validation/golden/upstream.jsonl

CHECKOUT is NovaSky-AI/SkyThought at 0d190f1; its task handlers are loaded
without the packages that only serve its data sets and models.  latex2sympy2,
the last of its three parsers, is taken if it is installed.  Each line says
what the scorer of a data set found in a response and whether that is right.
"""
import importlib
import itertools
import json
import pathlib
import sys
import types

root = pathlib.Path(sys.argv[1]) / "skythought"
for name in ("skythought", "skythought.evals", "skythought.evals.tasks",
             "skythought.evals.util", "skythought.evals.tasks.math",
             "skythought.evals.tasks.omni_math", "skythought.evals.tasks.gsm8k",
             "skythought.evals.tasks.mmlu", "skythought.evals.tasks.arc"):
    package = types.ModuleType(name)
    package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = package
base = types.ModuleType("skythought.evals.tasks.base")


class TaskHandler:
    def __init__(self, config):
        self.task_config = config


base.TaskHandler, base.TaskConfig = TaskHandler, object
sys.modules[base.__name__] = base
try:
    import latex2sympy2
except ImportError:
    latex2sympy2 = types.ModuleType("latex2sympy2")
    latex2sympy2.latex2sympy = lambda text: 1 / 0
    sys.modules["latex2sympy2"] = latex2sympy2


def module(path):
    return importlib.import_module("skythought.evals." + path)


parsing = module("util.math_parsing_util")


def handler(path, name):
    config = types.SimpleNamespace(answer_key="answer")
    return getattr(module("tasks." + path), name)(config)


maths = handler("math.math_handler", "MathTaskHandler")
omni = handler("omni_math.omni_handler", "OMNIMathTaskHandler")
gsm = handler("gsm8k.gsm8k_handler", "GSM8KTaskHandler")
mmlu = handler("mmlu.mmlu_handler", "MMLUTaskHandler")
pro = handler("mmlu.mmlu_handler", "MMLUProTaskHandler")
arc = handler("arc.arc_handler", "ARCChallengeTaskHandler")

WAYS = [  # of stating an answer; %s is it
    "We add.\nThe final answer is $%s$. I hope it is correct.",
    "So \\boxed{%s} it is.", "Thus $x$ is \\boxed %s$ at last",
    "Hence the answer is %s.", "The final answer is: %s", "答案是 %s\n\nok",
    "In all we have %s", "\\boxed{1} is wrong: \\boxed{\n %s}",
]
ANSWERS = [
    "7", "-7", "7.50", "7.000", ".5", "1,000", "2,500", "1,2,3", "3,1,2",
    "\\frac{1}{2}", "\\frac12", "\\dfrac12", "1/2", "07/2", "\\sqrt3",
    "\\sqrt{3}", "x=5", "y = 2x", "k=3", "xy=6", "50\\%", "50%", "0.5",
    "90^\\circ", "90^{\\circ}", "15\\text{ cm}", "15 \\text{ cm}^2",
    "15\\mbox{ cm}", "\\text{three}", "\\text{Evelyn}", "three", "\\$5.25",
    "(1,2)", "[1,2)", "(1, 0.5)", "\\left( 1, 2 \\right)", "\\{1,2\\}",
    "(-\\infty,\\infty)", "(-\\infty, 2]", "\\infty", "\\emptyset", "2+3i",
    "2+3j", "1 \\text{ and } 2", "1, 2", "x \\in [0,1]", "12thgrade",
    "10000", "10001", "10002", "(x+1)^2", "x^2+2x+1", "x+1", "-x-1",
    "\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\pi", "2\\pi", "B", "(B)",
    "\\begin{bmatrix}1\\\\2\\end{bmatrix}", "2^{10}", "1024", "x\\neq 1",
    "\\mathbf{4}", "4", "A", "7.", "0", "-0", "", "1e3", "3.14159", "3.1416",
]
LETTERS = [
    "\\boxed{B}. This is a common result.", "\\boxed{B}", "the answer is (H).",
    "Answer: G", "answer: C is not D", "The best answer is C", "b", "So, a or b",
    "(A) and not (B", "The answer is D.", "I choose C, not D: c", "no idea",
    "The Best Answer is d, then", "\\boxed{\\text{C}}", "ABCD", "A-B", "_B_",
    "answer is J\nfinally", "x\nAnswer:   E\nK", "Answer: K", "C) 12", "É B",
]
FIGURES = [
    "The final answer is 18", "\\boxed{18}", "The answer is $1,800.",
    "It costs $1,080", "18.5 in all", "so it is 18 dollars.", "-18", "- 18",
    "18.", "1 8", "\\boxed{$18}", "she has .. of 18", "nothing", "18,",
]


def reads_letters(source):
    return source in ("mmlu", "mmlu_pro", "arc_c")


def emit(source, gold, response, answer, right):
    print(json.dumps({"source": source, "gold": gold, "response": response,
                      "answer": answer, "right": bool(right),
                      "choice": reads_letters(source)},
                     ensure_ascii=False))


def near(gold, answer):
    """Pairs worth a line: neighbours in the list, and the same."""
    return abs(ANSWERS.index(gold) - ANSWERS.index(answer)) <= 1


for (i, gold), answer in itertools.product(enumerate(ANSWERS), ANSWERS):
    if near(gold, answer):
        text = WAYS[(i + ANSWERS.index(answer)) % len(WAYS)] % answer
        for source, scorer in (("math500", maths), ("omni_math", omni)):
            if scorer is omni and i % 3:
                continue
            emit(source, gold, text, parsing.strip_answer_string(
                parsing.extract_answer(text)),
                scorer.check_correctness({"answer": gold}, text))
for text in LETTERS:
    emit("mmlu", "B", text, parsing.get_multiple_choice_answer(text),
         mmlu.check_correctness({"answer": 1}, text))
    emit("mmlu_pro", "H", text, parsing.mmlu_pro_extract_answer(text) or "",
         pro.check_correctness({"answer_index": 7}, text))
    emit("arc_c", "C", text, arc.get_answer(text),
         arc.check_correctness({"answer": "C"}, text))
for text in FIGURES:
    for gold in ("18", "1,800"):
        emit("gsm8k", gold, text, gsm.sanitize_answer(
            parsing.extract_answer(text)), gsm.check_correctness(
                {"answer": "We add. #### " + gold}, text))
