#!/usr/bin/env python3
"""make_events_golden.py - validation/golden/events.tfevents, by TensorBoard.

    pip install tensorboard
    make_events_golden.py OUTPUT

Needed only to make the file again; src/base/test/events.t compares with it.
"""
import sys

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

EVENTS = [
    (1.5, 1, [("train/loss", 2.25), ("train/lr", 1e-5)]),
    (1700000000.125, 0, [("a", -0.0)]),
    (2.0, 300, [("é" * 70, 1e30)]),
    (3.0, 1 << 40, []),
]

with open(sys.argv[1], "wb") as f:
    writer = RecordWriter(f)
    for time, step, values in EVENTS:
        summary = Summary(
            value=[Summary.Value(tag=t, simple_value=v) for t, v in values])
        event = Event(wall_time=time, step=step, summary=summary)
        writer.write(event.SerializeToString())
    writer.flush()
