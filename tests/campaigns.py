"""What tests of campaigns share: small plans, and executors that are told what comes of a run."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import nb101
from nb101.campaign import Plan
from nb101.campaign.worker import Outcome, RunTask
from nb101.train import Evaluation, ImageData, Result, TrainConfig
from nb101.train.data import synthetic

WORKER = {"host": "here", "pid": 1, "device": "a CPU", "threads": 1, "torch": "2.0"}


def small_config(**changes: Any) -> TrainConfig:
    """A recipe that takes a moment."""
    settings = {"batch_size": 32, "stem_channels": 4, "cells_per_stack": 1, "stacks": 2}
    return TrainConfig(**{**settings, "padding": 1, "device": "cpu", **changes})


def small_data(**changes: Any) -> ImageData:
    return synthetic(**{"train": 128, "validation": 64, "test": 64, "size": 6, **changes})


def small_plan(**changes: Any) -> Plan:
    settings = {"cells": [0, 1, 5], "data": small_data(), "epochs": (1, 2), "repeats": 2}
    return Plan(**{**settings, "config": small_config(), **changes})


def result_of(task: RunTask, accuracy: float = 0.5) -> Result:
    """Make up a result: what it is of shows in its numbers."""
    times = [round(task.seed % 1000 * part) for part in (0.0, 0.5, 1.0)]
    start, halfway, final = (
        Evaluation(task.config.epochs * part, float(seconds), accuracy, accuracy, accuracy)
        for part, seconds in zip((0.0, 0.5, 1.0), times, strict=True)
    )
    return Result(
        cell=task.cell,
        config=task.config,
        seed=task.seed,
        evaluations=(start, halfway, final),
        trainable_parameters=task.cell.parameters if task.cell.op_names == nb101.OPS else 1000,
        total_time=1.0 + task.seed % 100,
        data="made up",
    )


def done(task: RunTask, accuracy: float = 0.5) -> Outcome:
    return Outcome(kind="done", result=result_of(task, accuracy), worker=WORKER)


def work(task: RunTask, device: str | None = None) -> Outcome:
    """Stand in for a worker's own: `done`, at once."""
    return done(task)


class Scripted(Executor):
    """An executor that answers at once: with what a function makes of a task, or its error."""

    def __init__(self, answer: Callable[[RunTask], Outcome] = done) -> None:
        self.answer = answer
        self.tasks: list[RunTask] = []
        self._max_workers = 1

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        (task,) = args
        self.tasks.append(task)
        future: Future[Any] = Future()
        try:
            future.set_result(self.answer(task))
        except Exception as error:
            future.set_exception(error)
        return future
