"""OpenTelemetry traces of the work of this process, sent by OTLP over HTTP. Needs the extra `tracing`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adapters.observing.work import Work, unwatch, watch
from adapters.settings import BadSetting

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

FLUSH_SECONDS_MAX = 5
"""At the end, for a collector that is slow or away."""


class Traces:
    """A span for each piece of work, within that of the work around it.

    The fact `traceparent` (W3C trace context) continues a trace that began elsewhere.
    """

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    def begun(self, work: Work) -> None:
        from opentelemetry.context import attach
        from opentelemetry.trace import set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = work.facts.pop("traceparent", None)
        around = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
        span = self._tracer.start_span(work.name, context=around)
        work.kept[self] = span, attach(set_span_in_context(span, around))

    def ended(self, work: Work) -> None:
        from opentelemetry.context import detach
        from opentelemetry.trace import StatusCode

        if self not in work.kept:
            return  # It began before anybody traced.
        span, before = work.kept.pop(self)
        for name, value in work.facts.items():
            if _is_plain(value):
                span.set_attribute(f"dealtrail.{name}", value)
        if work.error is not None:
            span.set_status(StatusCode.ERROR, type(work.error).__name__)
        detach(before)
        span.end()


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str | int | float | bool)


@contextmanager
def tracing(endpoint: str) -> Iterator[None]:
    """Send spans to the collector at `endpoint` (…/v1/traces) from now to the end. Raises BadSetting.

    A collector that is away costs the spans and, at the end, some seconds. The log says so.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        wanted = "left out, or the extra be installed: pip install 'dealtrail[tracing]'"
        raise BadSetting("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, wanted) from None
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=FLUSH_SECONDS_MAX)
    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):  # OpenTelemetry's own default.
        resource = resource.merge(Resource({"service.name": "dealtrail"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    watcher = Traces(provider.get_tracer("dealtrail"))
    watch(watcher)
    try:
        yield
    finally:
        unwatch(watcher)
        provider.shutdown()
