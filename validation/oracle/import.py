#!/usr/bin/env python3
"""import.py - makes validation/golden/import.jsonl: what importing real data
sets must give, read with Python alone.

usage: import.py DATA > import.jsonl

A line: {"dataset", "file", "rows", "sha256", "run"}; run: the worked solutions
can be run with Python alone; sha256 (16 digits) of
ANSWER "\\0" FN_NAME "\\0" of all rows."""
import ast
import gzip
import hashlib
import json
import os
import sys


def records(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        data = f.read()
    if data.lstrip()[:1] == b"[":
        return json.loads(data)
    return [json.loads(line) for line in data.split(b"\n") if line.strip()]


def last_boxed(text):
    """As in hendrycks/math, last_boxed_only_string and remove_boxed."""
    at = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    rest = text[at + (6 if text.startswith("\\boxed", at) else 5):]
    if not rest.startswith("{"):
        return rest.split("$")[0].strip()
    depth = 0
    for i, c in enumerate(rest):
        depth += (c == "{") - (c == "}")
        if depth == 0:
            return rest[1:i].strip()
    raise ValueError(text)


def called(record):
    """The function of the solution that the first test calls."""
    names = {node.func.id for node in ast.walk(ast.parse(
        record["test_list"][0])) if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)}
    defined = [node.name for node in ast.walk(ast.parse(record["code"]))
               if isinstance(node, ast.FunctionDef)]
    found = [name for name in defined if name in names]
    assert len(set(found)) == 1, (names, defined)
    return found[0]


def whole(name):
    return lambda r: (str(r[name]).strip(), "")


SETS = [
    ("gsm8k", "gsm8k/test.jsonl",
     lambda r: (r["answer"].split("####")[1].strip().replace(",", ""), "")),
    ("gsm8k", "gsm8k/train.jsonl",
     lambda r: (r["answer"].split("####")[1].strip().replace(",", ""), "")),
    ("math", "math_test/test.jsonl",
     lambda r: (last_boxed(r["solution"]), "")),
    ("math-answers", "math_train/train.json",
     lambda r: whole("answer")(r) if r["answer"] else None),
    ("math500", "math500/test.jsonl", whole("answer")),
    ("aime", "aime_1983_2023/train.json", whole("answer")),
    ("aime24", "aime24/test.jsonl", whole("answer")),
    ("amc23", "amc23/test.jsonl", whole("answer")),
    ("olympiadbench", "olympiadbench/test.jsonl",
     lambda r: (", ".join(r["final_answer"]).strip(), "")),
    ("humaneval", "humaneval/HumanEval.jsonl.gz",
     lambda r: ("", r["entry_point"])),
    ("humaneval", "humaneval_plus/HumanEvalPlus-OriginFmt.jsonl.gz",
     lambda r: ("", r["entry_point"])),
    ("mbpp", "mbpp/mbpp.jsonl", lambda r: ("", called(r))),
    ("mbpp-sanitized", "mbpp_sanitized/sanitized-mbpp.json",
     lambda r: ("", called(r))),
    ("apps", "apps_samples/apps_train_5.jsonl",
     lambda r: ("", r["input_output"].get("fn_name", ""))),
]

for dataset, file, fields in SETS:
    rows = [fields(r) for r in records(os.path.join(sys.argv[1], file))]
    rows = [r for r in rows if r is not None]
    text = "".join(f"{answer}\0{name}\0" for answer, name in rows)
    print(json.dumps({"dataset": dataset, "file": file, "rows": len(rows),
                      "sha256": hashlib.sha256(text.encode()).hexdigest()[:16],
                      "run": "plus" not in file}))  # those tests need numpy
