"""Which stages may begin: those whose upstream stages are done, in the order of DVC's own plan."""

import heapq
from collections.abc import Iterable
from typing import Any

#: DVC's `on_error` for stopping at the first failure, which is its default.
FAIL = "fail"


class Plan:
    """The stages of a run.

    Args:
        stages: in the order in which DVC would run them.
        graph: DVC's own; edges lead from a stage to those that it needs.
        full: the same with the edges of frozen stages: forced, these hash their inputs.
        on_error: DVC's option.
        force: run each stage, changed or not.
        force_downstream: run what depends on a stage that ran.
    """

    def __init__(
        self,
        stages: list[Any],
        graph: Any,
        full: Any,
        *,
        on_error: str,
        force: bool,
        force_downstream: bool,
    ) -> None:
        self.rank = {stage: number for number, stage in enumerate(stages)}
        self.running: set[Any] = set()
        self.results: dict[Any, Any] = {}
        self.failed: dict[Any, Exception] = {}
        self._stages, self._graph = stages, graph
        self.on_error, self._force_downstream = on_error, force_downstream
        self._forced = dict.fromkeys(stages, force)
        self._needs = {stage: self._known(graph.successors(stage)) for stage in stages}
        for stage in stages:
            for dep in self._known(full.successors(stage)) if stage.frozen else ():
                first, second = sorted((stage, dep), key=self.rank.__getitem__)
                self._needs[second].add(first)
        self._then: dict[Any, list[Any]] = {stage: [] for stage in stages}
        for stage, needs in self._needs.items():
            for dep in needs:
                self._then[dep].append(stage)
        self._ready = [self.rank[stage] for stage in stages if not self._needs[stage]]
        self._skipped: set[Any] = set()
        self._end = len(stages)

    def next(self) -> Any:
        """The first stage that may begin; None if there is none now."""
        return self._stages[self._ready[0]] if self._ready and self._ready[0] < self._end else None

    def begin(self, stage: Any) -> dict[str, Any]:
        """The first stage that may begin does; DVC's arguments for it."""
        heapq.heappop(self._ready)
        self.running.add(stage)
        upstream = [*self._graph.successors(stage)]
        return {"upstream": upstream, "force": self._forced[stage]}

    def finish(self, stage: Any, result: Any) -> None:
        """A stage is done; `result` is empty if it had not changed."""
        self.running.discard(stage)
        if result:
            self.results[stage] = result
        if self._force_downstream and (result or self._forced[stage]):
            self._forced.update(dict.fromkeys(self._graph.predecessors(stage), True))
        self._release(stage)

    def fail(self, stage: Any, error: Exception) -> Iterable[Any]:
        """A stage failed; those that are left out for it.

        By DVC's default nothing begins that DVC would have come to later: what comes before runs.
        """
        from dvc.repo import reproduce

        self.running.discard(stage)
        self.failed[stage] = error
        if self.on_error == FAIL:
            self._end = min(self._end, self.rank[stage])
            return ()
        dependents = reproduce.handle_error(self._graph, self.on_error, error, stage)
        skipped = self._known(dependents) - self._skipped
        self._skipped |= skipped
        for one in (stage, *skipped):
            self._release(one)
        return skipped

    def stop(self) -> None:
        """Nothing more begins."""
        self._end = 0

    def outcome(self) -> list[Any]:
        """What DVC's function returns.

        Raises:
            ReproductionError: of the stages that failed, as DVC's function would.
        """
        from dvc.repo import reproduce

        failed = sorted(self.failed, key=self.rank.__getitem__)
        if failed and self.on_error == FAIL:
            reproduce._raise_error(self.failed[failed[0]], failed[0])
        if failed and self.on_error != "ignore":
            reproduce._raise_error(None, *failed)
        return [self.results[stage] for stage in self._stages if stage in self.results]

    def _known(self, stages: Iterable[Any]) -> set[Any]:
        return {stage for stage in stages if stage in self.rank}

    def _release(self, stage: Any) -> None:
        """Those that waited for nothing but a stage may begin."""
        for then in self._then[stage]:
            self._needs[then].discard(stage)
            if not self._needs[then] and then not in self._skipped:
                heapq.heappush(self._ready, self.rank[then])
