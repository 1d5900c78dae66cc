"""From a definition to a plan: everything resolved and checked, and all that is wrong told at once.

Definition ──► draft (references, parameters, edges) ──► rules ──► Plan, or one DefinitionError with every problem
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from stepwell.codecs.port import Codec
from stepwell.definition.spec import Definition
from stepwell.errors import DefinitionError
from stepwell.graph import Edge, Graph, build, flatten
from stepwell.plan.check import RULES
from stepwell.plan.draft import Draft, DraftStep, Values, draft_step
from stepwell.plan.fingerprint import Fingerprint, Fingerprints
from stepwell.plan.inputs import Inputs
from stepwell.plan.loops import live_sources
from stepwell.plan.names import Names, Problems
from stepwell.plan.plan import UNSET, Fan, InputSpec, Mode, Plan, PlanStep
from stepwell.plan.ports import Codecs, Condition
from stepwell.plan.shape import Shapes
from stepwell.plan.signature import Ground


def compile_plan(definition: Definition, codecs: Codecs, condition: Condition | None = None) -> Plan:
    """The plan of this pipeline; raises DefinitionError that holds every problem found."""
    problems = Problems()
    names = Names(definition.steps, problems)
    inputs = Inputs(problems)
    draft = Draft(definition, Ground(names, inputs, problems), problems)
    shapes, values = Shapes(), Values(codecs, problems)
    draft.steps = [draft_step(draft, number, shapes, condition) for number in range(len(definition.steps))]
    values.settle(draft)
    draft.edges = [edge for step in draft.steps for edge in _edges(step)]
    live = live_sources(draft)
    if live:
        draft.edges = [edge._replace(live=True) if (edge.source, edge.target) in live else edge for edge in draft.edges]
    if definition.output is not None:
        draft.output = names.resolve(definition.output, None, "output of the pipeline")
    for rule in RULES:
        for spec, message in rule(draft):
            problems.add(spec, message)
    wanted = inputs.specs(codecs)
    if problems.found:
        raise DefinitionError(problems.found)
    return _plan(draft, wanted, tuple(inputs.warnings(names)), codecs)


def _edges(step: DraftStep) -> Iterator[Edge]:
    """Every edge that this step declares: those it triggers, and those it waits for."""
    here = step.number
    yield from (Edge(here, target, trigger=True) for target in step.to)
    if step.routes is not None:
        chosen = [targets for _, targets in step.routes.by_value] + [step.routes.default or ()]
        yield from (Edge(here, target, trigger=True, route=True) for targets in chosen for target in targets)
    yield from (Edge(source, here) for source in step.after)
    if step.over is not None:
        yield Edge(step.over, here, needs=True)
    for parameter in (*step.parameters, *(step.guard.parameters if step.guard else ())):
        if parameter.source == "step":
            yield Edge(parameter.step, here, needs=parameter.default is UNSET)


def _plan(draft: Draft, inputs: dict[str, InputSpec], warnings: tuple[str, ...], codecs: Codecs) -> Plan:
    definition = draft.definition
    quorums = {step.number: step.spec.join for step in draft.steps if step.spec.join}
    jumps = [(step.number, target) for step in draft.steps for target in dict.fromkeys(step.goto)]
    graph = build([step.spec.name for step in draft.steps], draft.edges, quorums, jumps)
    live = {(edge.source, edge.target) for edge in draft.edges if edge.live}
    feeding = {source for source, _ in live}
    last = tuple(number for number, links in enumerate(graph.after) if not links)
    prints = Fingerprints()
    steps = tuple(
        _plan_step(definition, step, prints.with_bound(step.spec, codecs), feeding, live) for step in draft.steps
    )
    return Plan(
        name=definition.name,
        steps=steps,
        graph=graph,
        inputs=inputs,
        output=last[0] if draft.output is None and len(last) == 1 else draft.output,
        last=last,
        fingerprint=_fingerprint(draft, graph),
        description=definition.description,
        version=definition.version,
        on_failure=definition.on_failure,
        concurrency=definition.concurrency,
        run_timeout=definition.run_timeout,
        fingerprints={step.name: step.fingerprint for step in steps},
        edges=flatten(graph.edges),
        warnings=warnings,
    )


def _plan_step(
    definition: Definition, step: DraftStep, code: Fingerprint, feeding: set[int], live: set[tuple[int, int]]
) -> PlanStep:
    spec = step.spec
    fan = None
    if step.over is not None:
        by_live = (step.over, step.number) in live
        fan = Fan(step.over, spec.key, spec.concurrency, spec.min_success, live=by_live)
    return PlanStep(
        number=step.number,
        name=spec.name,
        label=spec.label,
        kind=spec.kind,
        function=spec.function,
        parameters=step.parameters,
        mode=_mode(step),
        codec=_found(step.codec),
        fingerprint=code.digest,
        opaque=code.opaque,
        critical=spec.critical,
        retry=spec.retry or definition.retry,
        timeout=spec.timeout or definition.timeout,
        streams=step.shape.streams,
        yields=step.yields,
        feeds=step.number in feeding,
        join_timeout=spec.join_timeout,
        ephemeral=step.ephemeral,
        goto=step.goto,
        max_visits=spec.max_visits,
        guard=step.guard,
        routes=step.routes,
        fan=fan,
        tags=spec.tags,
        meta=spec.meta,
        file=spec.file,
        line=spec.line,
    )


def _mode(step: DraftStep) -> Mode:
    if step.shape.is_async:
        return "async"
    return "inline" if step.spec.runs_on == "inline" else "thread"


def _found(codec: Codec | None) -> Codec:
    if codec is None:  # there was a problem then, and no plan is made
        raise AssertionError("a plan is made of steps that have a codec")
    return codec


def _fingerprint(draft: Draft, graph: Graph) -> str:
    """Names, kinds and edges: the pipeline's form, whatever its steps do."""
    form = [(step.spec.name, step.spec.kind, step.spec.join) for step in draft.steps]
    links = sorted(flatten(graph.edges))
    return sha256(repr((form, links)).encode()).hexdigest()[:32]
