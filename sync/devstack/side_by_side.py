"""Brings parts up and does steps, each as soon as what it needs is there: nothing waits for a server that it does
not use. `stack` calls this.

The calling thread starts every process; threads only wait, and end with what they wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from graphlib import TopologicalSorter

from sync.devstack.part import Part, Say, Step
from sync.devstack.process import Running, Task, begin, end, launch, wait_until_ready
from sync.devstack.surroundings import Surroundings


def bring_up(works: Sequence[Part | Step], place: Surroundings, note: Callable[[Running], None], say: Say) -> None:
    """Returns when every part is healthy and every step is over. `note` is told of each part before it is waited
    for. Raises PartFailed at once for the first that fails; steps that still run then are ended here, parts are
    the caller's to end.
    """
    named = {work.name: work for work in works}
    order = TopologicalSorter({work.name: named.keys() & set(work.needs) for work in works})
    order.prepare()
    steps: list[Task] = []
    awaited: dict[Future[None], str] = {}
    pool = ThreadPoolExecutor(max_workers=len(works) or 1)
    try:
        while order.is_active():
            ready = [named[name] for name in order.get_ready()]
            for part in _told([work for work in ready if isinstance(work, Part)], say):
                running = launch(part.launch(place))
                note(running)
                awaited[pool.submit(_until_healthy, part, running, place)] = part.name
            for step in [work for work in ready if isinstance(work, Step)]:
                say(step.name)
                task = begin(step.launch(place))
                steps.append(task)
                awaited[pool.submit(task.finish, step.seconds)] = step.name
            for future in wait(awaited, return_when=FIRST_COMPLETED).done:
                future.result()
                order.done(awaited.pop(future))
    except BaseException:
        end([step.running for step in steps], seconds=5)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _told(parts: Sequence[Part], say: Say) -> Sequence[Part]:
    if parts:
        say("starting " + ", ".join(part.name for part in parts))
    return parts


def _until_healthy(part: Part, running: Running, place: Surroundings) -> None:
    wait_until_ready(running, partial(part.healthy, place), part.seconds)
    part.once_healthy(place)
