#!/usr/bin/env python3
"""make_data.py DIR - problems, corpora and tokenizer of the mini pipeline.

Writes into DIR:
  DOMAIN-train.jsonl, DOMAIN-test.jsonl
                            problems: arithmetic word problems (math), small
                            Python functions (code), multiple choice (choice)
  teacher.jsonl             ShareGPT corpus the teacher is trained on: solutions
                            step by step, some of them with a wrong step
  base.jsonl                ShareGPT corpus that turns the teacher into the
                            student's base: single facts, and solutions that
                            are wrong more often than not
  tokenizer.json            byte-level BPE of the corpora

Standard library only, and no randomness but Random(SEED): the same files every
time.  make.sh trains the models on the corpora with Sextant itself.
"""
import json
import random
import re
import sys
from collections import Counter

SEED = 20250110
N_TRAIN, N_TEST = 480, 240  # problems, a third of each domain
N_TEACHER, N_BASE = 36000, 4800  # examples
TEACHER_SLIPS, BASE_SLIPS = 0.10, 0.40  # share of steps that go wrong
VOCAB = 640

NAMES = ["Ana", "Ben", "Carl", "Dora", "Emil", "Fay", "Gus", "Hana"]
ITEMS = ["apples", "pens", "books", "coins", "cards", "eggs", "balls", "keys"]
LETTERS = "ABCD"
KINDS = {
    "a fruit": ["apple", "pear", "plum", "lemon", "grape", "melon"],
    "an animal": ["cat", "dog", "horse", "sheep", "goat", "wolf"],
    "a tool": ["saw", "drill", "hammer", "file", "chisel", "plane"],
    "a colour": ["red", "blue", "green", "black", "white", "brown"],
    "a metal": ["iron", "copper", "zinc", "silver", "gold", "lead"],
}


# ---- arithmetic word problems: a question, and steps (a, operator, b), where
# None is the result of the step before ----

def story(rng):
    name, item = rng.choice(NAMES), rng.choice(ITEMS)
    a, b, c = (rng.randint(2, 6) for _ in range(3))
    kind = rng.randrange(4)
    if kind == 0:
        return (f"{name} has {a} {item} and gets {b} bags with {c} {item} each."
                f" How many {item} does {name} have now?",
                [(b, "*", c), (None, "+", a)])
    if kind == 1:
        a = min(a, b * c)
        return (f"There are {b} boxes with {c} {item} each. {name} takes {a}"
                f" {item}. How many {item} remain?",
                [(b, "*", c), (None, "-", a)])
    if kind == 2:
        return (f"{name} buys {a} {item} in the morning and {b} in the evening,"
                f" on each of {c} days. How many {item} is that?",
                [(a, "+", b), (None, "*", c)])
    return (f"{name} shares {b * c} {item} among {b} friends and adds {a} to"
            f" each share. How many {item} does each friend get?",
            [(b * c, "/", b), (None, "+", a)])


def apply(a, op, b):
    return {"+": int.__add__, "-": int.__sub__, "*": int.__mul__,
            "/": int.__floordiv__}[op](a, b)


def slip(rng, x):
    """A near miss, as somebody in a hurry would write it."""
    return max(0, x + rng.choice([-10, -2, -1, 1, 2, 10]))


def work_out(steps, rng=None, slips=0):
    """The steps in writing and the result; a share of them goes wrong."""
    lines, last = [], None
    for a, op, b in steps:
        a = last if a is None else a
        last = apply(a, op, b)
        if rng and rng.random() < slips:
            last = slip(rng, last)
        lines.append(f"{a} {op} {b} = {last}.")
    return " ".join(lines), last


def math_problem(rng):
    question, steps = story(rng)
    _, answer = work_out(steps)
    return {"domain": "math", "question": question, "answer": str(answer),
            "steps": steps}


# ---- small functions ----

def function(rng):
    """Description, expression in x, and whether x is a list."""
    k, m = rng.randint(2, 9), rng.randint(1, 9)
    return rng.choice([
        (f"x times {k} plus {m}", f"x * {k} + {m}", False),
        (f"x minus {k} times {m}", f"x - {k} * {m}", False),
        (f"x squared plus {k}", f"x * x + {k}", False),
        (f"the larger of x and {k}", f"max(x, {k})", False),
        (f"the smaller of x and {k}", f"min(x, {k})", False),
        (f"True if x is divisible by {k}", f"x % {k} == 0", False),
        (f"True if x is greater than {k}", f"x > {k}", False),
        (f"the sum of the list x plus {k}", f"sum(x) + {k}", True),
        (f"how many items of the list x equal {k}", f"x.count({k})", True),
        (f"the list x without its first {k % 4 + 1} items",
         f"x[{k % 4 + 1}:]", True),
        (f"the first {k % 4 + 1} items of the list x", f"x[:{k % 4 + 1}]", True),
        (f"the largest item of the list x minus {k}", f"max(x) - {k}", True),
    ])


def code_problem(rng):
    text, expression, takes_list = function(rng)
    name = rng.choice(["f", "g", "calc", "solve", "work"])
    values = [rng.randint(-5, 30) for _ in range(5)]
    if takes_list:
        values = [[rng.randint(0, 9) for _ in range(rng.randint(5, 8))]
                  for _ in range(5)]
    run = eval(f"lambda x: {expression}")  # our own text, from above
    return {"domain": "code",
            "question": f"Write a Python function {name}(x) that returns "
                        f"{text}.",
            "fn_name": name, "expression": expression,
            "tests": {"fn_name": name, "inputs": [[v] for v in values],
                      "outputs": [run(v) for v in values]}}


def code_slip(rng, expression):
    swaps = [("+", "-"), ("-", "+"), ("max", "min"), ("min", "max"),
             (">", "<"), ("==", "!="), ("[:", "["), (":]", "]")]
    fits = [s for s in swaps if s[0] in expression]
    number = re.search(r"\d", expression)
    if number and (not fits or rng.random() < 0.5):
        at = number.start()
        return (expression[:at] + str((int(number.group()) + 1) % 10)
                + expression[at + 1:])
    old, new = rng.choice(fits) if fits else ("x", "x + x")
    return expression.replace(old, new, 1)


# ---- multiple choice ----

def choice_problem(rng):
    kinds = rng.sample(sorted(KINDS), 4)
    words = [rng.choice(KINDS[k]) for k in kinds]
    right = rng.randrange(4)
    options = ", ".join(f"{l} {w}" for l, w in zip(LETTERS, words))
    return {"domain": "choice",
            "question": f"Which of these is {kinds[right]}? {options}",
            "choices": words, "answer": LETTERS[right], "kinds": kinds}


def go_through(problem, taken, rng):
    """The options in writing, up to the letter that is taken for the answer."""
    asked = problem["kinds"][LETTERS.index(problem["answer"])]
    others = [k for k in sorted(KINDS) if k != asked]
    lines = []
    for letter, word, kind in zip(LETTERS, problem["choices"],
                                  problem["kinds"]):
        if letter == taken:
            lines.append(f"{letter} {word} is {asked}.")
            break
        if kind == asked:  # missed
            kind = rng.choice(others)
        lines.append(f"{letter} {word} is {kind}.")
    return " ".join(lines)


# ---- what teacher and base are taught to say ----

def solution(problem, rng, slips):
    """An answer step by step, in two steps that may go wrong."""
    wrong = rng.random() < 2 * slips
    if problem["domain"] == "math":
        steps, answer = work_out(problem["steps"], rng, slips)
        return (f"Let me think step by step. {steps}\n\n"
                f"The answer is \\boxed{{{answer}}}.")
    if problem["domain"] == "code":
        expression = problem["expression"]
        if wrong:
            expression = code_slip(rng, expression)
        return (f"Let me think step by step. The result is {expression}.\n\n"
                f"```python\ndef {problem['fn_name']}(x):\n"
                f"    return {expression}\n```")
    letter = rng.choice(LETTERS) if wrong else problem["answer"]  # a guess
    return (f"Let me think step by step. {go_through(problem, letter, rng)}"
            f"\n\nThe answer is \\boxed{{{letter}}}.")


def fact(rng):
    """A single step as question and answer: the base knows its tables."""
    problem = rng.choice(MAKERS)(rng)
    if problem["domain"] == "math":
        (a, op, b), (_, op2, b2) = problem["steps"]
        if rng.random() < 0.5:
            a, op, b = apply(a, op, b), op2, b2
        return f"{a} {op} {b}", f"{a} {op} {b} = {apply(a, op, b)}."
    if problem["domain"] == "code":
        text = problem["question"].split("returns ")[1]
        return text, f"The result is {problem['expression']}."
    i = rng.randrange(4)
    return f"What is {problem['choices'][i]}?", f"It is {problem['kinds'][i]}."


MAKERS = [math_problem, code_problem, choice_problem]


def distinct(rng, n, seen, make):
    out = []
    while len(out) < n:
        problem = make(rng)
        if problem["question"] not in seen:
            seen.add(problem["question"])
            out.append(problem)
    return out


# ---- tokenizer: byte-level BPE, digits one by one ----

SPLIT = re.compile(r"\d| ?[A-Za-z]+| ?[^\sA-Za-z\d]+|\s+")
PATTERN = r"\d| ?[A-Za-z]+| ?[^\sA-Za-z\d]+|\s+"


def byte_alphabet():
    """GPT-2's map from bytes to printable characters."""
    keep = (list(range(33, 127)) + list(range(161, 173))
            + list(range(174, 256)))
    chars, n = {b: chr(b) for b in keep}, 0
    for b in range(256):
        if b not in chars:
            chars[b] = chr(256 + n)
            n += 1
    return chars


def train_bpe(texts, n_merges):
    alphabet = byte_alphabet()
    words = Counter(w for t in texts for w in SPLIT.findall(t))
    words = {tuple(alphabet[b] for b in w.encode()): n
             for w, n in words.items()}
    merges = []
    while len(merges) < n_merges:
        pairs = Counter()
        for w, n in words.items():
            for pair in zip(w, w[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        words = {merge(w, best): n for w, n in words.items()}
    return alphabet, merges


def merge(word, pair):
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def tokenizer(texts):
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet, merges = train_bpe(texts, VOCAB - 256 - len(special))
    vocab = {c: i for i, c in enumerate(sorted(alphabet.values()))}
    for a, b in merges:
        vocab.setdefault(a + b, len(vocab))
    added = [{"id": len(vocab) + i, "content": s, "single_word": False,
              "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, s in enumerate(special)]
    split = {"type": "Split", "pattern": {"Regex": PATTERN},
             "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False,
             "trim_offsets": False, "use_regex": False}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": added, "normalizer": {"type": "NFC"},
            "pre_tokenizer": {"type": "Sequence",
                              "pretokenizers": [split, level]},
            "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None,
                      "continuing_subword_prefix": "", "byte_fallback": False,
                      "end_of_word_suffix": "", "fuse_unk": False,
                      "vocab": vocab,
                      "merges": [f"{a} {b}" for a, b in merges]}}


# ---- files ----

def write_lines(path, records):
    with open(path, "w", encoding="utf-8") as f:
        for r in records:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")


def record(problem, split, i):
    out = {"id": f"{split}-{i:03d}"}
    for key in ("question", "answer", "choices", "fn_name", "tests"):
        if key in problem:
            out[key] = problem[key]
    return out


def share(user, assistant):
    return {"conversations": [{"from": "user", "value": user},
                              {"from": "assistant", "value": assistant}]}


MARKERS = ("<|begin_of_thought|>\n\n", "\n\n<|end_of_thought|>\n\n",
           "<|begin_of_solution|>\n\n", "\n\n<|end_of_solution|>")


def half_marked(examples):
    """Every other solution in the format that `sextant reformat` writes."""
    rng = random.Random(SEED + 1)
    for e in examples:
        text = e["conversations"][1]["value"]
        if "\n\n" in text and rng.random() < 0.5:
            thought, answer = text.split("\n\n", 1)
            e["conversations"][1]["value"] = (
                MARKERS[0] + thought + MARKERS[1] + MARKERS[2] + answer
                + MARKERS[3])
    return examples


def main(directory):
    rng, seen, test = random.Random(SEED), set(), set()
    for split, n in (("test", N_TEST), ("train", N_TRAIN)):
        for make in MAKERS:
            problems = distinct(rng, n // len(MAKERS), seen, make)
            name = problems[0]["domain"]
            write_lines(f"{directory}/{name}-{split}.jsonl",
                        [record(p, split, i)
                         for i, p in enumerate(problems)])
            if split == "test":
                test |= {p["question"] for p in problems}

    teacher, base = [], []
    while len(teacher) < N_TEACHER:
        problem = rng.choice(MAKERS)(rng)
        if problem["question"] not in test:
            teacher.append(share(problem["question"],
                                 solution(problem, rng, TEACHER_SLIPS)))
    while len(base) < N_BASE:
        problem = rng.choice(MAKERS)(rng)
        if rng.random() < 0.3:
            base.append(share(*fact(rng)))
        elif problem["question"] not in test:
            base.append(share(problem["question"],
                              solution(problem, rng, BASE_SLIPS)))
    write_lines(f"{directory}/teacher.jsonl", teacher)

    texts = [m["value"] for r in teacher[:4000] + base[:4000]
             for m in r["conversations"]]
    texts += ["".join(MARKERS)] * 4000 + ["user\n", "assistant\n"] * 4000
    with open(f"{directory}/tokenizer.json", "w", encoding="utf-8") as f:
        json.dump(tokenizer(texts), f, ensure_ascii=False, indent=0)
        f.write("\n")
    write_lines(f"{directory}/base.jsonl", half_marked(base))


if __name__ == "__main__":
    main(sys.argv[1])
