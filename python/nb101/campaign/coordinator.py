"""`run`: gives the runs of a plan to an executor, and keeps what comes of them.

The order of things is what makes it safe to be killed: a run is noted as done before its checkpoint
is deleted, and what was under way begins again from its checkpoint. Only one coordinator at a time
has a folder, by a lock that the system takes back when its process ends, however it ends.
"""

import importlib.util
import os
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import nullcontext, suppress
from os import PathLike
from pathlib import Path

from nb101._base.checks import check_number, check_whole
from nb101._base.executors import CANCELLED, ending_of, in_flight
from nb101._base.files import claim_folder, locked, remove_stale
from nb101._base.processes import refuse_in_import
from nb101._base.progress import Show, in_notebook, show
from nb101._base.runtime import get_threads
from nb101._base.seals import check_seal
from nb101.campaign.folder import IMAGES, KIND, LOCK
from nb101.campaign.images import ADVICE, save_images
from nb101.campaign.ledger import Entry, Ledger
from nb101.campaign.plan import Plan
from nb101.campaign.pool import LocalProcesses, local_devices, local_work
from nb101.campaign.report import table
from nb101.campaign.session import begin_session, end_session, session_words
from nb101.campaign.state import Status, read_status
from nb101.campaign.worker import Outcome, RunTask, work
from nb101.errors import CampaignError, DatasetError, MissingExtraError
from nb101.plain import counted
from nb101.table.table import Table

LOCK_SECONDS = 1.0
"""How long a coordinator waits for another: those who look at the status have the lock briefly."""
WAIT_SECONDS = 0.5
STATUS_SECONDS = 1.0
STOP_SECONDS = 60.0
"""For runs to save their checkpoints when a campaign stops."""
MOST_FAILURES = 20
"""Tries that fail one after the other before a campaign stops: the machine is to blame."""
LOOK_SECONDS = 10.0
"""Between two looks at how many workers an executor has."""
UNKNOWN_AT_ONCE = 256
"""Runs given to an executor at a time if it does not say how many workers it has."""


class FailedRunsWarning(RuntimeWarning):
    """Runs of a campaign have failed."""


def run(
    plan: Plan | str | PathLike[str],
    folder: str | PathLike[str],
    executor: Executor | None = None,
    *,
    retry: int = 2,
    workers: int | None = None,
    workers_per_device: int = 1,
    threads: int | None = None,
    at_once: int | None = None,
    checkpoint_minutes: float = 10.0,
    keep_checkpoints: bool = False,
    imports: Sequence[str] = (),
    on_status: Callable[[Status], object] | None = None,
) -> Table:
    """Carry out a plan, or go on with it, and return the table of its runs.

    It may be stopped or killed at any moment, and so may its workers: called again, it goes on. No
    finished run is lost or done twice, and others are resumed from their checkpoints.

    Parameters
    ----------
    plan
        A `Plan`, or its file.
    folder
        Where ledger and checkpoints are; made if it is not there. All workers must have it under
        the same path. One that something else has made is refused.
    executor
        Any `concurrent.futures` executor, which stays the caller's to shut down; for a cluster
        ``distributed.Client(...).get_executor()``. By default processes of this machine.
    retry
        How often a run is tried again that fails, or whose worker dies; counted over all calls.
        Runs that diverge are not: they would again.
    workers
        Processes of the default executor: one a CUDA device, or without any as many as
        `nb101.get_threads` says: one a core.
    workers_per_device
        Processes that share a CUDA device. Small cells leave much of one idle.
    threads
        Of the CPU, in each worker. By default those of `nb101.get_threads` are shared out among
        the processes of the default executor, and are left as they are in others.
    at_once
        Runs given to the executor at a time; twice its workers by default.
    checkpoint_minutes
        As for `nb101.train.train`.
    keep_checkpoints
        Whether those of finished runs, which hold the trained weights, are kept.
    imports
        Modules that workers import first: those that register ops.
    on_status
        Called with the `Status` about once a second. Without it a notebook shows a bar.

    Returns
    -------
    The runs that are done, as `nb101.campaign.table` gives them.

    Warns
    -----
    RuntimeWarning
        If runs have failed.

    Raises
    ------
    CampaignError
        If another coordinator has the folder; if its ledger is of another plan or a newer version,
        or damaged; or at what would fail every run. What was done is kept.
    ArgumentError
        If an argument cannot be what it is.
    FolderError
        If something else made the folder.
    MissingExtraError
        If there is no torch, and workers are to be processes of this machine.
    OSError
        If files cannot be written: of a full disk, say. What was done is kept.
    KeyboardInterrupt
        At Ctrl-C, when the runs at hand have saved their checkpoints.
    """
    refuse_in_import()
    if not isinstance(plan, Plan):
        plan = Plan.load(plan)
    counts = {"workers": workers, "threads": threads, "at_once": at_once}
    for name, value in (counts | {"workers_per_device": workers_per_device}).items():
        if value is not None:
            check_whole(name, value)
    check_whole("retry", retry, 0)
    check_number("checkpoint_minutes", checkpoint_minutes, above=0, finite=False)
    path = claim_folder(Path(folder).absolute(), KIND)
    bar = show("runs", len(plan)) if on_status is None and in_notebook() else nullcontext()
    with bar as advance, locked(path / LOCK, waiting=_Refusal(path)):
        if advance is not None:
            on_status = _Bar(advance)
        remove_stale(path)
        coordinator = _Coordinator(
            plan,
            path,
            retry=retry,
            at_once=at_once,
            threads=threads,
            checkpoint_minutes=checkpoint_minutes,
            keep_checkpoints=keep_checkpoints,
            imports=tuple(imports),
            on_status=on_status or (lambda status: None),
        )
        with Ledger.open(path, plan) as ledger:
            try:
                coordinator.run(ledger, executor, workers, workers_per_device)
            except KeyboardInterrupt as stop:
                with suppress(OSError, CampaignError):
                    done = f"{ledger.counts()['done']:,} of {counted(len(plan), 'run')}"
                    stop.add_note(f"{done} done; the same call goes on with the others")
                raise
            failed = ledger.counts()["failed"]
    if failed:
        warnings.warn(
            f"{failed:,} of {counted(len(plan), 'run')} {'has' if failed == 1 else 'have'} failed: "
            f"nb101 campaign status {folder} says why",
            FailedRunsWarning,
            stacklevel=2,
        )
    return table(path)


class _Bar:
    """Show how far a campaign is as a bar."""

    def __init__(self, advance: Show) -> None:
        self.advance = advance

    def __call__(self, now: Status) -> None:
        words = f"runs, {now.failed:,} failed" if now.failed else "runs"
        self.advance(now.done + now.failed, now.total, words)


class _Refusal:
    """Refuse to wait for another coordinator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.end = time.monotonic() + LOCK_SECONDS

    def __call__(self) -> None:
        if time.monotonic() > self.end:
            raise CampaignError(
                f"{self.folder} is being worked on by {session_words(self.folder)}: a "
                "campaign has one coordinator at a time",
                path=self.folder,
            )


class _Coordinator:
    """One call of `run`."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        *,
        retry: int,
        at_once: int | None,
        threads: int | None,
        checkpoint_minutes: float,
        keep_checkpoints: bool,
        imports: tuple[str, ...],
        on_status: Callable[[Status], object],
    ) -> None:
        self.plan, self.folder = plan, folder
        self.retry, self.at_once, self.threads = retry, at_once, threads
        self.checkpoint_minutes, self.keep_checkpoints = checkpoint_minutes, keep_checkpoints
        self.imports, self.on_status = imports, on_status
        self.token = os.urandom(16).hex()
        self.given = 0
        self.futures: dict[Future[Outcome], Entry] = {}
        self.next_status = 0.0
        self.failures, self.last_failure = 0, ""
        self.looked = 0.0
        self.most: int | None = None

    def run(
        self, ledger: Ledger, executor: Executor | None, workers: int | None, per_device: int
    ) -> None:
        """Do all runs that are left."""
        self.ledger = ledger
        ledger.release(self.retry)
        if not ledger.counts()["waiting"]:
            return
        self._keep_images()
        own: LocalProcesses | None = None
        if executor is None:
            if importlib.util.find_spec("torch") is None:
                raise MissingExtraError(
                    "workers need PyTorch: pip install 'nb101[train]'", name="torch"
                )
            most = ledger.counts()["waiting"]
            devices = local_devices(workers, per_device, self.plan.config.device)
            # The same for the last few runs as for all others, since results depend on it.
            if self.threads is None:
                self.threads = max(1, get_threads() // len(devices))
            executor = own = LocalProcesses(devices[:most])
        self.executor, self.is_own = executor, own is not None
        begin_session(self.folder, self.token)
        try:
            self._do_all()
        except BaseException:
            self._stop()
            raise
        finally:
            end_session(self.folder)
            if own is not None:
                if self.futures:
                    own.kill()
                own.shutdown(cancel_futures=True)
            # All that was done has been noted; a full disk must not hide why it ends.
            with suppress(OSError, CampaignError):
                ledger.release()

    def _do_all(self) -> None:
        while True:
            self._give()
            if not self.futures:
                break
            for future in self._wait():
                self._take(future)
                self._check_failures()
            self._report()
        self._report(now=True)

    def _give(self) -> None:
        """Give runs to the executor until it has enough of them."""
        free = self._most() - len(self.futures)
        if free <= 0:
            return
        entries = self.ledger.waiting(free)
        if not entries:
            return
        self.ledger.begin([entry.id for entry in entries])
        call = local_work if self.is_own else work
        for entry in entries:
            try:
                future = self.executor.submit(call, self._task(entry))
            except RuntimeError as error:
                if ending_of(error) is not None:
                    raise self._broken(error) from error
                raise CampaignError(f"the executor takes no more runs: {error}") from error
            self.futures[future] = entry

    def _task(self, entry: Entry) -> RunTask:
        run = entry.run
        self.given += 1
        return RunTask(
            folder=str(self.folder),
            token=self.token,
            key=run.key,
            cell=self.plan.space[run.cell_id],
            config=self.plan.settings[run.setting].replace(epochs=run.epochs),
            seed=run.seed,
            data=self.plan.data,
            checkpoint_minutes=self.checkpoint_minutes,
            threads=self.threads,
            imports=self.imports,
            nonce=self.given,
        )

    def _most(self) -> int:
        """Return how many runs the executor should have: so many that no worker ever waits."""
        if self.at_once is not None:
            return self.at_once
        if self.most is None or time.monotonic() - self.looked > LOOK_SECONDS:
            self.looked = time.monotonic()
            self.most = in_flight(self.executor) or UNKNOWN_AT_ONCE
        return self.most

    # What comes back

    def _wait(self) -> list["Future[Outcome]"]:
        """Wait a moment for runs to end, and return those that have."""
        wait(self.futures, timeout=WAIT_SECONDS, return_when=FIRST_COMPLETED)
        # Not what `wait` returns: cancelled ones need not be among that.
        return [future for future in self.futures if future.done()]

    def _take(self, future: "Future[Outcome]") -> None:
        """Note what became of a run."""
        entry = self.futures.pop(future)
        try:
            outcome = future.result()
        except CampaignError:
            raise
        except Exception as error:
            self._take_error(entry, error)
            return
        if outcome.kind == "done":
            self._finish(entry, outcome)
        elif outcome.kind == "stopped":
            # By somebody who deleted the session's file, since this one goes on.
            begin_session(self.folder, self.token)
            self.ledger.wait_again(entry.id)
        elif outcome.kind == "lost":
            self._lose(entry, outcome.message, outcome.details)
        elif outcome.kind == "fatal":
            raise CampaignError(
                f"{outcome.message}: the campaign has stopped, and nothing is lost; start it again "
                "when that is put right"
            )
        else:
            diverged = outcome.kind == "diverged"
            # To diverge is a result too, and shows that the machine works.
            self.failures = 0 if diverged else self.failures + 1
            self.last_failure = outcome.message
            self.ledger.fail(
                entry,
                outcome.kind,
                outcome.message,
                outcome.details,
                again=not diverged and entry.failures < self.retry,
                final=diverged,
            )
            if diverged:
                self._remove_checkpoint(entry)

    def _take_error(self, entry: Entry, error: Exception) -> None:
        """Note that a run was lost; raise what ends the campaign."""
        ending = ending_of(error)
        if ending == "cancelled":
            raise CampaignError(f"{CANCELLED} Start again to go on") from None
        if ending is None:
            raise CampaignError(
                f"the executor could not compute a run: {type(error).__name__}: {error}; do all "
                "workers have the same nb101?"
            ) from error
        if ending == "killed":
            self._lose(entry, _died("several workers died of it", entry))
        elif self.is_own:
            self._lose(entry, _died("its worker process died", entry))
        else:
            raise self._broken(error) from error

    def _check_failures(self) -> None:
        """Stop where all fail: no run is to blame then, and each try would be counted as its."""
        if self.failures >= MOST_FAILURES:
            raise CampaignError(
                f"the last {self.failures} tries have all failed, the last one with: "
                f"{self.last_failure}; the campaign has stopped, and nothing that was done is "
                "lost: put right what is wrong, and start it again, with a higher retry for the "
                "runs that have failed"
            )

    def _finish(self, entry: Entry, outcome: Outcome) -> None:
        self.failures = 0
        result = outcome.result
        assert result is not None
        row = result.row(self.plan.space)
        self.ledger.finish(entry, row, result.attempts, outcome.worker)
        if not self.keep_checkpoints:
            self._remove_checkpoint(entry)

    def _lose(self, entry: Entry, message: str, details: str = "") -> None:
        """Note that a run was lost with its worker; its checkpoint is there."""
        self.failures += 1
        self.last_failure = message
        self.ledger.fail(
            entry, "lost", message, details, again=entry.losses < self.retry, final=False
        )

    def _broken(self, error: Exception) -> CampaignError:
        return CampaignError(
            f"the executor is broken, and only its owner can make a new one: {error}; start again "
            "to go on"
        )

    def _remove_checkpoint(self, entry: Entry) -> None:
        shutil.rmtree(self.folder / entry.run.key, ignore_errors=True)

    # Beginning and end

    def _keep_images(self) -> None:
        """Put images that came as arrays where workers find them."""
        if self.plan.data.source:
            return
        path = self.folder / IMAGES
        if self.plan.images is not None:
            try:
                check_seal(path, ADVICE)
            except (FileNotFoundError, DatasetError):
                save_images(self.plan.images, path)
        elif not path.exists():
            raise CampaignError(
                f"the plan is about images that came as arrays ({self.plan.data.name}), and "
                f"{path} is missing: make the plan with these images again",
                path=path,
            )

    def _stop(self) -> None:
        """Let the runs at hand save their checkpoints, and keep those that are done."""
        end_session(self.folder)
        # What waits in the executor ends as soon as it begins.
        end = time.monotonic() + STOP_SECONDS
        while self.futures and time.monotonic() < end:
            for future in self._wait():
                entry = self.futures.pop(future)
                if future.cancelled() or future.exception() is not None:
                    continue
                outcome = future.result()
                if outcome.kind == "done":
                    self._finish(entry, outcome)
            self._report(stopping=True)
        for future in self.futures:
            future.cancel()

    def _report(self, now: bool = False, stopping: bool = False) -> None:
        """Show the status; seldom enough to cost little, however large the ledger is."""
        start = time.monotonic()
        if start < self.next_status and not now:
            return
        self.on_status(read_status(self.folder, self.ledger, at_work=True, stopping=stopping))
        took = time.monotonic() - start
        self.next_status = start + max(STATUS_SECONDS, 20 * took)


def _died(what: str, entry: Entry) -> str:
    """Say of a run what its workers came to."""
    lost = entry.losses + 1
    return (
        f"{what}, in {lost} of {lost + entry.failures} tries: the system ends processes when "
        "memory is short; fewer workers need less"
    )
