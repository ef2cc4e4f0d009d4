"""Stages whose command an earlier run left: how they are known again."""

import copy
import hashlib
import secrets
from typing import Any

#: Characters of each part of a key: no two stages of a project share so many.
KEY_LENGTH = 24


def key(stage: Any) -> str:
    """Two parts, with `-` between: the first is the same for the same stage in every run.

    The second is the same for the same command, inputs and parameters: the key of DVC's run cache.
    A stage that DVC does not compare, as it runs always, has another one each time.
    """
    name = f"{stage.path_in_repo}:{getattr(stage, 'name', '')}"
    return f"{hashlib.sha256(name.encode()).hexdigest()[:KEY_LENGTH]}-{_of_inputs(stage)}"


def _of_inputs(stage: Any) -> str:
    from dvc.stage import cache

    if not cache._can_hash(stage):
        return secrets.token_hex(KEY_LENGTH // 2)
    # A copy: to DVC, a stage whose inputs are noted as they are is unchanged.
    as_it_is = copy.copy(stage)
    as_it_is.deps = [copy.copy(dep) for dep in stage.deps]
    as_it_is.save_deps()
    return str(cache._get_stage_hash(as_it_is))[:KEY_LENGTH]


def without_edges(stages: list[Any]) -> Any:
    """The graph of stages that are run alone."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(stages)
    return graph
